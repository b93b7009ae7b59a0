import { fromBase64url, toBase64url } from '../../../crypto/bytes.ts';
import { entryTokenKeyId } from '../../../crypto/manifest.ts';
import { Secret } from '../../../crypto/secret.ts';
import { SIGNING_SEED_SIZE } from '../../../crypto/signing.ts';
import { restoreToken, taskTokenBinding } from '../../../crypto/task-token.ts';
import { blindToken, finalizeToken, pendingTokenRequest } from '../../../crypto/token.ts';
import { TOKEN_KEY_SIZE } from '../../../crypto/token-key.ts';
import { PLAIN } from '../shared/served.ts';
import type { Way } from '../shared/ways.ts';
import type { Opened } from './checks.ts';
import { browserRandomness } from './randomness.ts';

/** A token with the key that it is bound to: one answer, by nobody in particular. */
export interface Permit {
  readonly seed: Secret<Uint8Array>;
  /** 354 bytes */
  readonly token: Uint8Array;
}

/** Why the employer gave no token; `bad_token`: it gave one that does not verify. */
export type TokenRefusal =
  | 'codeUnknown'
  | 'codeUsed'
  | 'codeExpired'
  | 'wrongKey'
  | 'invalidMessage'
  | 'bad_token'
  | 'other';

/** What became of the request. After `lost` and `busy` the identical one may be sent again. */
export type TokenOutcome =
  | { readonly kind: 'token'; readonly permit: Permit }
  | { readonly kind: 'refused'; readonly code: TokenRefusal }
  | { readonly kind: 'lost' | 'busy' };

type Asked = Extract<Way, { step: 'asked' }>;

const PATIENCE_MS = 30_000;
const PROBLEM_PREFIX = 'urn:chorus:error:';
const REFUSALS: readonly TokenRefusal[] = [
  'codeUnknown',
  'codeUsed',
  'codeExpired',
  'wrongKey',
  'invalidMessage',
];

/** A fresh key, and the request for a token that is bound to it. */
export function newRequest(opened: Opened): Asked {
  const seed = new Secret(browserRandomness(SIGNING_SEED_SIZE));
  const { state } = blindToken(taskTokenBinding(opened, seed), browserRandomness);
  return { step: 'asked', seed, state };
}

/**
 * A token for nothing, with a reply that is none, so that the engine has compiled the arithmetic when
 * somebody waits for it: the first one takes ten times as long as those after it. Nothing is kept.
 */
export function warmUp(opened: Opened): void {
  try {
    finalizeToken(newRequest(opened).state, new Uint8Array(TOKEN_KEY_SIZE));
  } catch {
    // Zeros are no signature.
  }
}

/** What a token is kept as: the rest follows from the manifest. */
export function wayOf({ seed, token }: Permit): Way {
  return { step: 'token', seed, authenticator: token.slice(-TOKEN_KEY_SIZE) };
}

/** The token that this way holds, verified; undefined if it holds none of this group. */
export function permitOf(opened: Opened, way: Way | undefined): Permit | undefined {
  if (way?.step !== 'token') return undefined;
  try {
    return { seed: way.seed, token: restoreToken(opened, way.seed, way.authenticator) };
  } catch {
    return undefined;
  }
}

/** Sends the request to the employer, whose public address the manifest names. Never throws. */
export async function askForToken(opened: Opened, way: Asked): Promise<TokenOutcome> {
  let reply: Response;
  let body: unknown;
  try {
    reply = await fetch(`${opened.head.employer.url.replace(/\/$/, '')}/tokens`, {
      ...PLAIN,
      method: 'POST',
      mode: 'cors',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        code: opened.code,
        token_key_id: toBase64url(entryTokenKeyId(opened.entry)),
        request: toBase64url(pendingTokenRequest(way.state)),
      }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    body = await reply.json().catch(() => undefined);
  } catch {
    return { kind: 'lost' };
  }
  const { type, signature } = Object(body) as { type?: unknown; signature?: unknown };
  if (!reply.ok) return refusalOf(reply.status, type);
  // Cut off on the way: the same request gets the same reply again.
  if (body === undefined) return { kind: 'lost' };
  try {
    const token = finalizeToken(way.state, fromBase64url(String(signature)));
    return { kind: 'token', permit: { seed: way.seed, token } };
  } catch {
    return { kind: 'refused', code: 'bad_token' };
  }
}

function refusalOf(status: number, type: unknown): TokenOutcome {
  if (status === 429 || status === 503) return { kind: 'busy' };
  if (status >= 500) return { kind: 'lost' };
  const code = REFUSALS.find((known) => type === PROBLEM_PREFIX + known);
  return { kind: 'refused', code: code ?? 'other' };
}
