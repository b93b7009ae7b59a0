import { fromBase64url, toBase64url } from '../../crypto/bytes.ts';
import { MEDIA_TYPE } from '../../crypto/dap/media-types.ts';
import { buildReport, type ReportTask } from '../../crypto/dap/report.ts';
import { decodeUploadErrors } from '../../crypto/dap/upload.ts';
import { type ManifestKey, openManifest } from '../../crypto/manifest.ts';
import { Secret } from '../../crypto/secret.ts';
import { prio3Survey } from '../../crypto/vdaf/circuits/survey.ts';
import type { Prio3 } from '../../crypto/vdaf/prio3.ts';
import { answerOf, type Sample, type Team } from './company.ts';
import { seededRandomness } from './seeded.ts';
import type { SampleState } from './settings.ts';

/** How many sample people are under way at once. */
const AT_ONCE = 24;

/**
 * All sample people of a round answer as a browser does: each group's manifest is fetched and
 * checked from the hash on, then every answer is sharded, sealed and uploaded.
 * @param onProgress called now and then with how many have answered, of how many
 */
export async function answerRound(
  guardian: string,
  manifestHash: Uint8Array,
  sample: Sample,
  state: SampleState,
  teams: readonly Team[],
  onProgress: (done: number, total: number) => void,
): Promise<void> {
  let done = 0;
  const visits: (() => Promise<void>)[] = [];
  for (let index = 0; index < teams.length; index++) {
    const { head, sheet, entry, task } = await openTask(guardian, manifestHash, index);
    const team = teams.find(({ name }) => name === entry.name);
    if (team === undefined) throw new Error(`the sample has no team ${entry.name}`);
    for (let person = 0; person < team.rosterSize; person++) {
      const answer = answerOf(sample, sheet, head.round, team, person);
      if (answer === undefined) continue;
      const randomness = seededRandomness(state.seed, 'report', head.round, team.name, person);
      visits.push(async () => {
        const seed = new Secret(randomness(32));
        const { report } = buildReport(task, answer, seed, randomness);
        await upload(guardian, task.taskId, report);
        done++;
        if (done % 10 === 0 || done === visits.length) onProgress(done, visits.length);
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

const vdafs = new Map<string, Prio3<readonly number[], number[]>>();

async function openTask(guardian: string, hash: Uint8Array, index: number) {
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
  };
  return { head: opened.head, sheet: opened.sheet, entry: opened.entry, task };
}

async function upload(guardian: string, taskId: Uint8Array, report: Uint8Array): Promise<void> {
  const response = await fetch(`${guardian}/tasks/${toBase64url(taskId)}/reports`, {
    method: 'POST',
    headers: { 'content-type': MEDIA_TYPE.uploadRequest },
    body: report as Uint8Array<ArrayBuffer>,
  });
  const body = new Uint8Array(await response.arrayBuffer());
  if (!response.ok) throw new Error(`an upload was answered with ${response.status}`);
  if (body.length > 0) {
    throw new Error(`an upload was refused: ${decodeUploadErrors(body)[0]?.error}`);
  }
}

async function get(url: string): Promise<Response> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return response;
}

async function getJson(url: string): Promise<Record<string, unknown>> {
  return (await get(url)).json() as Promise<Record<string, unknown>>;
}
