import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fromBase64url, toBase64url } from '../../crypto/bytes.ts';
import { parseCanonicalJson } from '../../crypto/canonical.ts';
import type { ReportTask } from '../../crypto/dap/report.ts';
import { checkHead, type ManifestKey, openEntry } from '../../crypto/manifest.ts';
import type { Sheet } from '../../crypto/sheet.ts';
import { sodiumReady } from '../../crypto/sodium.ts';
import { prio3Survey } from '../../crypto/vdaf/circuits/survey.ts';
import { DAY_MS } from '../../server/domain/days.ts';
import type { RoundStanding } from '../../server/evaluation/messages.ts';
import { pairParties } from '../../server/evaluation/pairing.ts';
import { PartyHandle } from '../../server/evaluation/party-handle.ts';

/** The survey of every benchmark: 12 questions of 6 options, "prefer not to say" among them. */
export const QUESTIONS = 12;
export const OPTIONS = 6;

const DAYS = { start: 20_000, duration: 7 };

/** Two party processes with one open round of one group. */
export interface BenchParties {
  readonly folder: string;
  readonly guardian: PartyHandle;
  readonly employer: PartyHandle;
  readonly url: string;
  readonly task: ReportTask;
  /** The sheet's k. */
  readonly k: number;
  close(): Promise<void>;
}

export async function startBenchParties(rosterSize: number): Promise<BenchParties> {
  await sodiumReady();
  const folder = mkdtempSync(join(tmpdir(), 'chorus-bench-'));
  const ports = { guardian: 45_301, employer: 45_302 };
  const urls = {
    guardian: `http://127.0.0.1:${ports.guardian}`,
    employer: `http://127.0.0.1:${ports.employer}`,
  };
  pairParties(folder, urls);
  const start = (party: 'guardian' | 'employer') =>
    PartyHandle.start({
      party,
      folder: join(folder, party),
      url: urls[party],
      host: '127.0.0.1',
      port: ports[party],
      names: { guardian: 'Guardian', employer: 'Employer' },
    });
  const [guardian, employer] = await Promise.all([start('guardian'), start('employer')]);
  const sheet = benchSheet();
  const hash = (await guardian.request({
    kind: 'plan',
    plan: {
      number: 1,
      days: DAYS,
      sheet,
      groups: [{ name: 'All', department: 'All', rosterSize }],
    },
  })) as string;
  await setClock({ guardian, employer }, DAYS.start);
  await untilRound(guardian, (round) => round.state === 'open');
  return {
    folder,
    guardian,
    employer,
    url: urls.guardian,
    task: await readTask(urls.guardian, hash, sheet),
    k: sheet.k,
    async close() {
      await Promise.all([guardian.stop(), employer.stop()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Ends the round by the clock; the count begins. */
export function closeBenchRound(parties: BenchParties): Promise<void> {
  return setClock(parties, DAYS.start + DAYS.duration);
}

export async function untilRound(
  guardian: PartyHandle,
  reached: (round: RoundStanding) => boolean,
): Promise<void> {
  for (;;) {
    const [round] = (await guardian.request({ kind: 'rounds' })) as RoundStanding[];
    if (round !== undefined && reached(round)) return;
    await sleep(20);
  }
}

/** The most memory that a process has had so far, in MB (Linux), or 0 elsewhere. */
export function peakMemoryMb(handle: PartyHandle): number {
  try {
    const status = readFileSync(`/proc/${handle.pid}/status`, 'utf8');
    return Math.round(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024);
  } catch {
    return 0;
  }
}

async function setClock(
  parties: Pick<BenchParties, 'guardian' | 'employer'>,
  day: number,
): Promise<void> {
  await parties.employer.request({ kind: 'clock', toMs: day * DAY_MS });
  await parties.guardian.request({ kind: 'clock', toMs: day * DAY_MS });
}

function benchSheet(): Sheet {
  return {
    version: 1,
    title: 'Benchmark',
    purpose: 'To measure.',
    notice: { employer: 'Employer', guardian: 'Guardian', contact: 'None', points: ['None.'] },
    recipients: ['Nobody'],
    k: 10,
    noise: { variance: { numerator: 5, denominator: 1 }, by: 'guardian' },
    cadence: 'quarterly',
    retention: { trends_days: 1 },
    deadline_days: 7,
    end_day: 40_000,
    questions: Array.from({ length: QUESTIONS }, (_, i) => ({
      id: `q${i}`,
      name: `Q${i}`,
      text: 'How?',
      why: 'To measure.',
      options: Array.from({ length: OPTIONS - 1 }, (_, option) => `Option ${option}`),
      favourable: 'high' as const,
    })),
  };
}

async function readTask(url: string, hash: string, sheet: Sheet): Promise<ReportTask> {
  const base = `${url}/manifests/${hash}`;
  const signed = (await (await fetch(base)).json()) as { head: string };
  const { entries } = (await (await fetch(`${base}/entries`)).json()) as { entries: [string] };
  const head = checkHead(parseCanonicalJson(fromBase64url(signed.head)));
  const { task } = openEntry(head, sheet, 0, fromBase64url(entries[0]));
  const recipient = (key: ManifestKey) => ({
    configId: key.config_id,
    publicKey: fromBase64url(key.public_key),
  });
  return {
    taskId: task.taskId,
    taskConfiguration: task.configuration,
    vdaf: prio3Survey(task.survey),
    leader: recipient(head.guardian.hpke),
    helper: recipient(head.employer.hpke),
    time: head.days.start,
  };
}

/** Where reports for this task are uploaded. */
export function uploadPath(task: ReportTask): string {
  return `/tasks/${toBase64url(task.taskId)}/reports`;
}
