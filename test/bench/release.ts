import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { MEDIA_TYPE } from '../../crypto/dap/media-types.ts';
import { discreteGaussians } from '../../crypto/noise.ts';
import { systemRandomness } from '../../server/party.ts';
import type { TestTask } from '../support/test-tokens.ts';
import { type BenchParties, closeBenchRound, startBenchParties, uploadPath } from './parties.ts';
import { realReports } from './reports.ts';
import type { BenchResult } from './result.ts';

const GROUPS = 500;
/** 12 questions of 6 places. */
const COUNTS = 72;
/** The smallest that is planned has 39. */
const PEOPLE = 40;
/** As few as a group may have. */
const REPORTS = 10;
const RUNS = 7;

/** `noise`: the draws for 500 groups of 72 counts, median of seven, for three variances. */
export async function benchNoise(): Promise<BenchResult[]> {
  return [5n, 78n, 10_000n].map((variance) => {
    const times = Array.from({ length: RUNS }, () => {
      const started = performance.now();
      for (let group = 0; group < GROUPS; group++) {
        discreteGaussians({ numerator: variance, denominator: 1n }, COUNTS, systemRandomness);
      }
      return performance.now() - started;
    }).sort((a, b) => a - b);
    const median = times[(RUNS - 1) / 2] as number;
    const unit = `s for ${GROUPS} groups of ${COUNTS} counts`;
    return { name: `noise.${variance}`, unit, value: median / 1000 };
  });
}

/** A handful of reports a group: a load generator takes a second for each group. */
async function upload({ url }: BenchParties, task: TestTask, report: Uint8Array): Promise<void> {
  const response = await fetch(url + uploadPath(task), {
    method: 'POST',
    headers: { 'content-type': MEDIA_TYPE.uploadRequest },
    body: Buffer.from(report),
  });
  const body = await response.text();
  if (!response.ok || body !== '') throw new Error(`an upload was answered ${response.status}`);
}

/** `release`: from the first sealed group of 500 to the last one that both parties have signed. */
export async function benchRelease(): Promise<BenchResult[]> {
  const parties = await startBenchParties(...Array<number>(GROUPS).fill(PEOPLE));
  try {
    for (const task of parties.tasks) {
      await Promise.all(realReports(task, REPORTS).map((report) => upload(parties, task, report)));
    }
    const db = new Sqlite(join(parties.folder, 'guardian', 'guardian.sqlite'), { readonly: true });
    const inState = db
      .prepare<[string], number>(
        'SELECT COUNT(*) FROM tasks WHERE state IN (SELECT value FROM json_each(?))',
      )
      .pluck();
    const reached = async (states: readonly string[], groups: number) => {
      while ((inState.get(JSON.stringify(states)) ?? 0) < groups) await sleep(5);
      return performance.now();
    };
    await closeBenchRound(parties);
    const first = await reached(['sealed', 'noised', 'confirmed'], 1);
    const last = await reached(['confirmed'], GROUPS);
    db.close();
    const unit = `s to release ${GROUPS} groups, from the first seal on`;
    return [{ name: 'release', unit, value: (last - first) / 1000 }];
  } finally {
    await parties.close();
  }
}
