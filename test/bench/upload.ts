import { decodeReport } from '../../crypto/dap/upload.ts';
import { p99AtRate, uploadAll, uploading } from './load.ts';
import { cpuMs, peakMemoryMb, startBenchParties } from './parties.ts';
import { hollowReports, realReports, tokenCheckCpu } from './reports.ts';
import type { BenchResult } from './result.ts';

const AT_FULL_RATE = 10_000;
const AT_HALF_RATE = 4_000;
const PORTION = 10_000;
const ALL = 100_000;
/** Whose tokens are checked once more, by themselves. */
const CHECKED = 1_000;

/**
 * Reports that the guardian's process takes into the box over HTTP, each durable before it is
 * acknowledged, with the load from this process: two cores in all. Then the 99th percentile at half
 * of that rate, the most memory of either process by 100,000 uploads, and how much of the
 * guardian's time at full rate is the checking of tokens (Linux).
 */
export async function benchUpload(): Promise<BenchResult[]> {
  const parties = await startBenchParties(ALL + 1);
  try {
    const [real] = realReports(parties.task, 1);
    const report = decodeReport(real as Uint8Array);
    const sizes = {
      publicShare: report.publicShare.length,
      leader: report.leaderEncryptedInputShare.payload.length,
      helper: report.helperEncryptedInputShare.payload.length,
    };
    const make = (count: number) => hollowReports(parties.task, sizes, count);
    await uploadAll(parties, make(1_000));
    const sent = make(AT_FULL_RATE);
    const before = cpuMs(parties.guardian);
    const full = await uploadAll(parties, sent);
    const cpu = ((cpuMs(parties.guardian) - before) / AT_FULL_RATE) * 1000;
    const tokenCpu = tokenCheckCpu(parties.task, sent.slice(0, CHECKED));
    const p99 = await p99AtRate(uploading(parties), make(AT_HALF_RATE), full / 2);
    for (let count = 1_000 + AT_FULL_RATE + AT_HALF_RATE; count < ALL; count += PORTION) {
      await uploadAll(parties, make(Math.min(PORTION, ALL - count)));
    }
    return [
      { name: 'upload', unit: 'reports/s', value: full },
      {
        name: 'upload.cpu',
        unit: 'µs of the guardian, a report',
        value: cpu,
      },
      {
        name: 'upload.tokens',
        unit: '% of that, checking tokens',
        value: (100 * tokenCpu) / cpu,
        note: `${Math.round(tokenCpu)} µs each`,
      },
      { name: 'upload.p99', unit: 'ms at half of that', value: p99 },
      {
        name: 'upload.memory',
        unit: 'MB at 100,000',
        value: Math.max(peakMemoryMb(parties.guardian), peakMemoryMb(parties.employer)),
      },
    ];
  } finally {
    await parties.close();
  }
}
