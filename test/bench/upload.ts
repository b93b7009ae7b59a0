import { decodeReport } from '../../crypto/dap/upload.ts';
import { uploadAll } from './load.ts';
import { peakMemoryMb, startBenchParties } from './parties.ts';
import { hollowReports, realReports } from './reports.ts';
import type { BenchResult } from './result.ts';

const AT_FULL_RATE = 10_000;
const AT_HALF_RATE = 4_000;
const PORTION = 10_000;
const ALL = 100_000;

/**
 * Reports that the guardian's process takes into the box over HTTP, each durable before it is
 * acknowledged, with the load from this process: two cores in all. Then the 99th percentile at half
 * of that rate, and the most memory of either process by 100,000 uploads.
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
    const full = await uploadAll(parties, make(AT_FULL_RATE));
    const half = await uploadAll(parties, make(AT_HALF_RATE), Math.round(full.perSecond / 2));
    for (let sent = 1_000 + AT_FULL_RATE + AT_HALF_RATE; sent < ALL; sent += PORTION) {
      await uploadAll(parties, make(Math.min(PORTION, ALL - sent)));
    }
    return [
      { name: 'upload', unit: 'reports/s', value: full.perSecond },
      { name: 'upload.p99', unit: 'ms at half of that', value: half.p99Ms },
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
