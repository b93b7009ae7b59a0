import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { uploadAll } from './load.ts';
import {
  approveBenchSheet,
  benchSheet,
  closeBenchRound,
  openBenchRound,
  peakMemoryMb,
  planBenchRound,
  startBenchParties,
  startBenchProcesses,
} from './parties.ts';
import { realReports } from './reports.ts';
import type { BenchResult } from './result.ts';

const GROUPS = 2_000;
/** The smallest that is planned has 39. */
const PEOPLE = 40;

/** Fewer than 500 groups of 100: making the reports takes longer than counting them. */
const CLOSED_GROUPS = 100;
const REPORTS = 100;

const POLL_MS = 5;
/** How long the parties are watched while nothing happens, to compare. */
const IDLE_MS = 2_000;

/**
 * `rounds`: 2,000 groups planned, signed by both processes and opened, and the longest that either
 * took to answer a small request meanwhile; beside it the longest while nothing happened, which says
 * what the machine itself adds. `rounds.count`: reports a second from the close of a round of many
 * small groups until the last is sealed.
 */
export async function benchRounds(): Promise<BenchResult[]> {
  return [...(await benchPlanning()), ...(await benchClosing())];
}

async function benchPlanning(): Promise<BenchResult[]> {
  const processes = await startBenchProcesses();
  try {
    const sizes = Array<number>(GROUPS).fill(PEOPLE);
    const sheetHash = await approveBenchSheet(processes, benchSheet(), sizes);
    const { guardian, employer } = processes.urls;
    const idle = [watch(guardian), watch(employer)];
    await sleep(IDLE_MS);
    const quiet = Math.max(...(await Promise.all(idle.map((end) => end()))));
    const [guardianEnd, employerEnd] = [watch(guardian), watch(employer)];
    const started = performance.now();
    await planBenchRound(processes, sheetHash);
    const planned = performance.now() - started;
    await openBenchRound(processes);
    const opened = performance.now() - started;
    return [
      { name: 'rounds', unit: `s to plan, sign and open ${GROUPS} groups`, value: opened / 1000 },
      { name: 'rounds.signed', unit: 's to the signed manifest', value: planned / 1000 },
      { name: 'rounds.guardian', unit: 'ms, longest answer', value: await guardianEnd() },
      { name: 'rounds.employer', unit: 'ms, longest answer', value: await employerEnd() },
      { name: 'rounds.idle', unit: 'ms, longest answer of either at rest', value: quiet },
      {
        name: 'rounds.memory',
        unit: 'MB',
        value: Math.max(peakMemoryMb(processes.guardian), peakMemoryMb(processes.employer)),
      },
    ];
  } finally {
    await processes.close();
  }
}

/** Asks for `/health` every few milliseconds. @returns how to stop, and the longest answer in ms */
function watch(url: string): () => Promise<number> {
  const agent = new Agent({ keepAlive: true });
  let longest = 0;
  let watching = true;
  const asked = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const started = performance.now();
      const request = get(`${url}/health`, { agent }, (response) => {
        response.resume();
        response.once('end', () => {
          longest = Math.max(longest, performance.now() - started);
          resolve();
        });
      });
      request.once('error', reject);
    });
  const done = (async () => {
    while (watching) {
      await asked();
      await sleep(POLL_MS);
    }
  })();
  return async () => {
    watching = false;
    await done;
    agent.destroy();
    return longest;
  };
}

async function benchClosing(): Promise<BenchResult[]> {
  const parties = await startBenchParties(...Array<number>(CLOSED_GROUPS).fill(REPORTS));
  try {
    for (const task of parties.tasks) {
      await uploadAll({ ...parties, task }, realReports(task, REPORTS));
    }
    const db = new Sqlite(join(parties.folder, 'guardian', 'guardian.sqlite'), { readonly: true });
    const left = db
      .prepare<[], number>(`SELECT COUNT(*) FROM tasks WHERE state IN ('boxed', 'counting')`)
      .pluck();
    const started = performance.now();
    await closeBenchRound(parties);
    while ((left.get() ?? 0) > 0) await sleep(10);
    const seconds = (performance.now() - started) / 1000;
    db.close();
    const reports = CLOSED_GROUPS * REPORTS;
    return [
      {
        name: 'rounds.count',
        unit: `reports/s to the seal, ${CLOSED_GROUPS} groups of ${REPORTS}`,
        value: Math.round(reports / seconds),
      },
    ];
  } finally {
    await parties.close();
  }
}
