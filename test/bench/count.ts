import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import Sqlite from 'better-sqlite3';
import { uploadAll } from './load.ts';
import { closeBenchRound, cpuMs, peakMemoryMb, startBenchParties, untilRound } from './parties.ts';
import { realReports, tokenCheckCpu } from './reports.ts';
import type { BenchResult } from './result.ts';

const REPORTS = 10_000;
/** Whose tokens are checked once more, by themselves. */
const CHECKED = 1_000;

/**
 * Reports counted by both processes, from the close of the round to the last lot: one group of
 * 10,000. `count.flat` is the rate of the last quarter over that of the first, `count.tokens` how much
 * of the busier party's time the employer checks tokens (Linux); the guardian has done so before.
 */
export async function benchCount(): Promise<BenchResult[]> {
  const parties = await startBenchParties(REPORTS);
  try {
    const reports = realReports(parties.task, REPORTS);
    await uploadAll(parties, reports);
    const db = new Sqlite(join(parties.folder, 'guardian', 'guardian.sqlite'), { readonly: true });
    const counted = db.prepare<[], number>('SELECT COALESCE(SUM(count), 0) FROM buckets').pluck();
    const started = performance.now();
    const [guardianCpu, employerCpu] = [cpuMs(parties.guardian), cpuMs(parties.employer)];
    await closeBenchRound(parties);
    const quarters: number[] = [];
    while (quarters.length < 4) {
      const share = (counted.get() ?? 0) / REPORTS;
      while (quarters.length < 4 && share >= (quarters.length + 1) / 4) {
        quarters.push(performance.now() - started);
      }
      await sleep(5);
    }
    const busier = Math.max(
      cpuMs(parties.guardian) - guardianCpu,
      cpuMs(parties.employer) - employerCpu,
    );
    db.close();
    const [first, , third, last] = quarters as [number, number, number, number];
    await untilRound(parties.guardian, (round) => round.finished);
    const released = performance.now() - started;
    const tokenCpu = tokenCheckCpu(parties.task, reports.slice(0, CHECKED));
    const reportCpu = (busier / REPORTS) * 1000;
    return [
      { name: 'count', unit: 'reports/s', value: Math.round((REPORTS / last) * 1000) },
      {
        name: 'count.cpu',
        unit: 'µs of the busier party, a report',
        value: reportCpu,
      },
      {
        name: 'count.tokens',
        unit: '% of that, checking tokens',
        value: (100 * tokenCpu) / reportCpu,
        note: `${Math.round(tokenCpu)} µs each`,
      },
      { name: 'count.flat', unit: 'last quarter / first', value: first / (last - third) },
      { name: 'count.released', unit: 's to the signed list', value: released / 1000 },
      {
        name: 'count.memory',
        unit: 'MB',
        value: Math.max(peakMemoryMb(parties.guardian), peakMemoryMb(parties.employer)),
      },
    ];
  } finally {
    await parties.close();
  }
}
