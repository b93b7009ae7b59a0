import { fromBase64url, toBase64url } from '../../crypto/bytes.ts';
import { MEDIA_TYPE } from '../../crypto/dap/media-types.ts';
import { buildReport, type ReportTask } from '../../crypto/dap/report.ts';
import { decodeUploadErrors, encodeUploadRequest } from '../../crypto/dap/upload.ts';
import { type ManifestKey, openManifest } from '../../crypto/manifest.ts';
import type { Randomness } from '../../crypto/random.ts';
import { Secret } from '../../crypto/secret.ts';
import { sha256 } from '../../crypto/sha256.ts';
import { measurementOf, noticeHash } from '../../crypto/sheet.ts';
import { signingPublicKey } from '../../crypto/signing.ts';
import { blindToken, finalizeToken } from '../../crypto/token.ts';
import { taskChallengeHash } from '../../crypto/token-challenge.ts';
import { tokenKeyId } from '../../crypto/token-key.ts';
import { prio3Survey } from '../../crypto/vdaf/circuits/survey.ts';
import type { Prio3 } from '../../crypto/vdaf/prio3.ts';
import { answerOf, emailOf, type Sample, teams } from './company.ts';
import type { SampleCode } from './messages.ts';
import { seededRandomness } from './seeded.ts';
import type { SampleState } from './settings.ts';

/** Neighbours, who send their answers together: as many as one upload may hold. */
const TOGETHER = 16;
/** How many such are under way at once. */
const AT_ONCE = 3;

/** What a round is answered with. */
export interface SampleRound {
  readonly urls: { readonly guardian: string; readonly employer: string };
  readonly manifestHash: Uint8Array;
  readonly codes: readonly SampleCode[];
  readonly sample: Sample;
  readonly state: SampleState;
}

/**
 * All sample people of a round answer as a browser does: each group's manifest is fetched and
 * checked from the hash on; then everyone gets a token for their code from the employer, and every
 * answer is sharded, signed and sealed with it, and uploaded together with others of its group. All of it follows from the seed, so that
 * an interrupted start asks again for the same and sends the same.
 * @param onProgress called now and then with how many have answered, of how many
 */
export async function answerRound(
  { urls, manifestHash, codes, sample, state }: SampleRound,
  onProgress: (done: number, total: number) => void,
): Promise<void> {
  const codeOf = new Map(codes.map(({ email, code }) => [email, code]));
  const company = teams(sample);
  let [done, total] = [0, 0];
  const visits: (() => Promise<void>)[] = [];
  for (let index = 0; index < company.length; index++) {
    const group = await openGroup(urls.guardian, manifestHash, index);
    const { head, sheet, entry } = group;
    const team = company.find(({ name }) => name === entry.name);
    if (team === undefined) throw new Error(`the sample has no team ${entry.name}`);
    const reports: (() => Promise<Uint8Array>)[] = [];
    for (let person = 0; person < team.rosterSize; person++) {
      const answer = answerOf(sample, sheet, head.round, team, person);
      const code = codeOf.get(emailOf(sample, team, person));
      if (answer === undefined || code === undefined) continue;
      reports.push(async () => {
        const draw = (what: string) =>
          seededRandomness(state.seed, what, head.round, team.name, person);
        const seed = new Secret(draw('seed')(32));
        const token = await fetchToken(urls.employer, group, code, seed, draw('token'));
        return buildReport(
          { ...group.task, token },
          measurementOf(sheet, answer),
          seed,
          draw('report'),
        ).report;
      });
    }
    total += reports.length;
    for (let at = 0; at < reports.length; at += TOGETHER) {
      const some = reports.slice(at, at + TOGETHER);
      visits.push(async () => {
        await upload(
          urls.guardian,
          group.task.taskId,
          await Promise.all(some.map((report) => report())),
        );
        done += some.length;
        onProgress(done, total);
      });
    }
  }
  const next = visits.values();
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (const visit of next) await visit();
    }),
  );
}

/** The token of one person, for the key that signs their report. */
async function fetchToken(
  employer: string,
  { head, entry, task }: SampleGroup,
  code: string,
  seed: Secret<Uint8Array>,
  randomness: Randomness,
): Promise<Uint8Array> {
  const spki = fromBase64url(entry.token_key);
  const { request, state } = blindToken(
    {
      spki,
      nonce: sha256(signingPublicKey(seed)),
      challengeHash: taskChallengeHash(task.taskId, head.employer, head.guardian),
    },
    randomness,
  );
  const response = await send(`${employer}/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      code,
      token_key_id: toBase64url(tokenKeyId(spki)),
      request: toBase64url(request),
    }),
  });
  const answer = (await response.json()) as { signature: string; detail?: string };
  if (!response.ok) throw new Error(`a token was refused: ${answer.detail}`);
  return finalizeToken(state, fromBase64url(answer.signature));
}

const vdafs = new Map<string, Prio3<readonly number[], number[]>>();

/** A group of a round as its people see it. */
type SampleGroup = Awaited<ReturnType<typeof openGroup>>;

async function openGroup(guardian: string, hash: Uint8Array, index: number) {
  const base = `${guardian}/manifests/${toBase64url(hash)}`;
  const signed = await getJson(base);
  const member = await getJson(`${base}/entries/${index}`);
  const head = fromBase64url(signed.head as string);
  const { sheet_hash } = JSON.parse(Buffer.from(head).toString()) as { sheet_hash: string };
  const sheet = await get(`${guardian}/sheets/${sheet_hash}`);
  const opened = openManifest({
    hash,
    head,
    guardianSignature: fromBase64url(signed.guardian_signature as string),
    employerSignature: fromBase64url(signed.employer_signature as string),
    index,
    entry: fromBase64url(member.entry as string),
    path: (member.path as string[]).map(fromBase64url),
    sheet: new Uint8Array(await sheet.arrayBuffer()),
  });
  const { survey, taskId, configuration } = opened.task;
  const parameters = JSON.stringify(survey);
  const vdaf = vdafs.get(parameters) ?? prio3Survey(survey);
  vdafs.set(parameters, vdaf);
  const recipient = (key: ManifestKey) => ({
    configId: key.config_id,
    publicKey: fromBase64url(key.public_key),
  });
  const task: ReportTask = {
    taskId,
    taskConfiguration: configuration,
    vdaf,
    leader: recipient(opened.head.guardian.hpke),
    helper: recipient(opened.head.employer.hpke),
    time: opened.head.days.start,
    consent: noticeHash(opened.sheet),
  };
  return { head: opened.head, sheet: opened.sheet, entry: opened.entry, task };
}

async function upload(
  guardian: string,
  taskId: Uint8Array,
  reports: readonly Uint8Array[],
): Promise<void> {
  const response = await send(`${guardian}/tasks/${toBase64url(taskId)}/reports`, {
    method: 'POST',
    headers: { 'content-type': MEDIA_TYPE.uploadRequest },
    body: encodeUploadRequest(reports) as Uint8Array<ArrayBuffer>,
  });
  const body = new Uint8Array(await response.arrayBuffer());
  if (!response.ok) throw new Error(`an upload was answered with ${response.status}`);
  if (body.length > 0) {
    throw new Error(`an upload was refused: ${decodeUploadErrors(body)[0]?.error}`);
  }
}

/**
 * Twice if it fails: a party may close a connection that was kept alive just as it is used again.
 * Everything that is asked here may be repeated.
 */
function send(url: string, init: RequestInit = {}): Promise<Response> {
  return fetch(url, init).catch(() => fetch(url, init));
}

async function get(url: string): Promise<Response> {
  const response = await send(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response;
}

async function getJson(url: string): Promise<Record<string, unknown>> {
  return (await get(url)).json() as Promise<Record<string, unknown>>;
}
