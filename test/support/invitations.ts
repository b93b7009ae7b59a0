import { fromBase64url, toBase64url } from '../../crypto/bytes.ts';
import { buildReport } from '../../crypto/dap/report.ts';
import type { Randomness } from '../../crypto/random.ts';
import { Secret } from '../../crypto/secret.ts';
import { sha256 } from '../../crypto/sha256.ts';
import { signingPublicKey } from '../../crypto/signing.ts';
import { blindToken, finalizeToken, type TokenState } from '../../crypto/token.ts';
import { tokenKeyId } from '../../crypto/token-key.ts';
import type { PersonalCode } from '../../server/employer/employer.ts';
import { systemRandomness } from '../../server/party.ts';
import { type TestRound, type TwoParties, until, upload } from './parties.ts';
import type { TestTask } from './test-tokens.ts';

/** What a browser posts for a token, and what it keeps for the reply. */
export interface TokenAsk {
  readonly body: { code: string; token_key_id: string; request: string };
  readonly state: TokenState;
}

/** A request for a token of this task, as the browser makes it. */
export function tokenAsk(
  task: TestTask,
  code: Uint8Array,
  randomness: Randomness = systemRandomness,
  nonce: Uint8Array = randomness(32),
): TokenAsk {
  const { spki, challengeHash } = task;
  const { request, state } = blindToken({ spki, nonce, challengeHash }, randomness);
  return {
    body: {
      code: toBase64url(code),
      token_key_id: toBase64url(tokenKeyId(spki)),
      request: toBase64url(request),
    },
    state,
  };
}

/** Posts it as a page of the guardian would, or with other headers. */
export function postToken(
  parties: TwoParties,
  body: object,
  headers: Record<string, string> = {},
): Promise<Response> {
  return fetch(`${parties.urls.employer}/tokens`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      origin: parties.urls.guardian,
      accept: 'application/problem+json',
      ...headers,
    },
    body: JSON.stringify(body),
  });
}

/** The blind signature of a reply. @throws Error if it is another reply */
export async function signatureOf(reply: Response | Promise<Response>): Promise<Uint8Array> {
  const response = await reply;
  const json = (await response.json()) as { signature: string; detail?: string };
  if (!response.ok) throw new Error(`${response.status} ${json.detail}`);
  return fromBase64url(json.signature);
}

/** The whole way from a code to a token, 354 bytes. */
export async function tokenOfCode(
  parties: TwoParties,
  task: TestTask,
  code: Uint8Array,
): Promise<Uint8Array> {
  const { body, state } = tokenAsk(task, code);
  return finalizeToken(state, await signatureOf(postToken(parties, body)));
}

/** The whole way from a code to a report in the box, as somebody else's browser goes it. */
export async function answerWithCode(
  parties: TwoParties,
  task: TestTask,
  code: Uint8Array,
  answer: readonly number[],
): Promise<void> {
  const seed = new Secret(systemRandomness(32));
  const nonce = sha256(signingPublicKey(seed));
  const { body, state } = tokenAsk(task, code, systemRandomness, nonce);
  const token = finalizeToken(state, await signatureOf(postToken(parties, body)));
  const { report } = buildReport({ ...task, token }, answer, seed, systemRandomness);
  const error = await upload(parties, task, report);
  if (error !== undefined) throw new Error(`refused: ${error}`);
}

/** The codes of one group's people, by address. */
export function codesOfGroup(
  parties: TwoParties,
  round: TestRound,
  groupIndex: number,
): PersonalCode[] {
  return parties.employer
    .codes(round.head.round)
    .filter((code) => code.groupIndex === groupIndex)
    .sort((a, b) => (a.email < b.email ? -1 : 1));
}

/** Restarts the employer and waits until it answers: connections that were kept open fail once. */
export async function restartEmployer(parties: TwoParties): Promise<void> {
  await parties.restart('employer');
  await until(() =>
    fetch(`${parties.urls.employer}/health`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
}
