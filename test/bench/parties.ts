import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fromBase64url, toBase64url } from '../../crypto/bytes.ts';
import { parseCanonicalJson } from '../../crypto/canonical.ts';
import { checkHead, type ManifestKey, openEntry } from '../../crypto/manifest.ts';
import type { Sheet } from '../../crypto/sheet.ts';
import { noticeHash } from '../../crypto/sheet.ts';
import { sodiumReady } from '../../crypto/sodium.ts';
import { taskChallengeHash } from '../../crypto/token-challenge.ts';
import { prio3Survey } from '../../crypto/vdaf/circuits/survey.ts';
import { DAY_MS } from '../../server/domain/days.ts';
import { noiseWords, presetNoise, wholeAccount } from '../../server/domain/noise-presets.ts';
import type { RoundStanding } from '../../server/evaluation/messages.ts';
import { pairParties } from '../../server/evaluation/pairing.ts';
import { PartyHandle } from '../../server/evaluation/party-handle.ts';
import { learnTokenKeys, type TestTask } from '../support/test-tokens.ts';

/** The survey of every benchmark: 12 questions of 6 options, "prefer not to say" among them. */
export const QUESTIONS = 12;
export const OPTIONS = 6;

/** Departments that the groups of a round are spread over. */
const DEPARTMENTS = 20;

const DAYS = { start: 20_000, duration: 7 };

/** Two party processes, paired, with nothing planned yet. */
export interface BenchProcesses {
  readonly folder: string;
  readonly guardian: PartyHandle;
  readonly employer: PartyHandle;
  readonly urls: { readonly guardian: string; readonly employer: string };
  close(): Promise<void>;
}

/** The same with one open round. */
export interface BenchParties extends BenchProcesses {
  readonly url: string;
  /** The first group. */
  readonly task: TestTask;
  readonly tasks: readonly TestTask[];
  /** The sheet's k. */
  readonly k: number;
}

export async function startBenchProcesses(): Promise<BenchProcesses> {
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
  return {
    folder,
    guardian,
    employer,
    urls,
    async close() {
      await Promise.all([guardian.stop(), employer.stop()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** @param sizes people of each group: at least 39 (k = 10, response 60 %, variance 5) */
export async function startBenchParties(...sizes: readonly number[]): Promise<BenchParties> {
  const processes = await startBenchProcesses();
  const sheet = benchSheet();
  const sheetHash = await approveBenchSheet(processes, sheet, sizes);
  const hash = await planBenchRound(processes, sheetHash);
  await openBenchRound(processes);
  learnTokenKeys(join(processes.folder, 'employer'));
  const tasks = await readTasks(processes.urls.guardian, hash, sheet);
  return {
    ...processes,
    url: processes.urls.guardian,
    task: tasks[0] as TestTask,
    tasks,
    k: sheet.k,
  };
}

/** Imports a roster of one unit a group, and has the sheet submitted and approved. @returns its hash */
export async function approveBenchSheet(
  { guardian, employer }: BenchProcesses,
  sheet: Sheet,
  sizes: readonly number[],
): Promise<string> {
  const people = sizes.flatMap((size, group) =>
    Array.from({ length: size }, (_, person) => ({
      email: `person-${group}-${person}@example.com`,
      name: `Person ${person}`,
      unit: `All / Department ${group % DEPARTMENTS} / Group ${group}`,
      managerOf: [],
      language: null,
    })),
  );
  await employer.request({ kind: 'roster', people });
  const sheetHash = (await employer.request({ kind: 'submit', sheet })) as string;
  while (!(await guardian.request({ kind: 'approve', sheetHash }))) await sleep(5);
  return sheetHash;
}

/** @returns the hash of the signed manifest */
export async function planBenchRound(
  { guardian }: BenchProcesses,
  sheetHash: string,
): Promise<string> {
  for (;;) {
    try {
      return (await guardian.request({ kind: 'plan', number: 1, sheetHash, days: DAYS })) as string;
    } catch (error) {
      // Each time it is asked, it waits a moment for the token keys.
      if (!String(error).includes('being made')) throw error;
    }
  }
}

export async function openBenchRound(processes: BenchProcesses): Promise<void> {
  await setClock(processes, DAYS.start);
  await untilRound(processes.guardian, (round) => round.state === 'open');
}

/** Ends the round by the clock; the count begins. */
export function closeBenchRound(parties: BenchProcesses): Promise<void> {
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

/** A tick of /proc's clock. */
const TICK_MS = 10;

/** What a process has had of the processor so far, in milliseconds (Linux), or 0 elsewhere. */
export function cpuMs(handle: PartyHandle): number {
  try {
    const stat = readFileSync(`/proc/${handle.pid}/stat`, 'utf8');
    // After the name in brackets: the state is field 3, utime and stime are fields 14 and 15.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  } catch {
    return 0;
  }
}

async function setClock(parties: BenchProcesses, day: number): Promise<void> {
  await parties.employer.request({ kind: 'clock', toMs: day * DAY_MS });
  await parties.guardian.request({ kind: 'clock', toMs: day * DAY_MS });
}

export function benchSheet(): Sheet {
  const noise = presetNoise('light', wholeAccount('light'), QUESTIONS, 'quarterly');
  const points = noiseWords({ noise, cadence: 'quarterly' });
  return {
    version: 1,
    title: 'Benchmark',
    purpose: 'To measure.',
    notice: { employer: 'Employer', guardian: 'Guardian', contact: 'None', points },
    recipients: ['Nobody'],
    k: 10,
    noise,
    cadence: 'quarterly',
    // Far behind any benchmark: the schedule itself plans nothing.
    schedule: { first_day: 39_000, round_days: DAYS.duration },
    response_percent: 60,
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
      bands: [200, 235],
    })),
    derived: [],
  };
}

async function readTasks(url: string, hash: string, sheet: Sheet): Promise<TestTask[]> {
  const base = `${url}/manifests/${hash}`;
  const signed = (await (await fetch(base)).json()) as { head: string };
  const { entries } = (await (await fetch(`${base}/entries`)).json()) as { entries: string[] };
  const head = checkHead(parseCanonicalJson(fromBase64url(signed.head)));
  const recipient = (key: ManifestKey) => ({
    configId: key.config_id,
    publicKey: fromBase64url(key.public_key),
  });
  return entries.map((bytes, index) => {
    const { entry, task } = openEntry(head, sheet, index, fromBase64url(bytes));
    return {
      taskId: task.taskId,
      taskConfiguration: task.configuration,
      vdaf: prio3Survey(task.survey),
      leader: recipient(head.guardian.hpke),
      helper: recipient(head.employer.hpke),
      time: head.days.start,
      consent: noticeHash(sheet),
      spki: fromBase64url(entry.token_key),
      challengeHash: taskChallengeHash(task.taskId, head.employer, head.guardian),
    };
  });
}

/** Where reports for this task are uploaded. */
export function uploadPath(task: TestTask): string {
  return `/tasks/${toBase64url(task.taskId)}/reports`;
}
