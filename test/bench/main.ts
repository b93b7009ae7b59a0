import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { benchChromium } from './chromium.ts';
import { benchCount } from './count.ts';
import { benchHpke } from './hpke.ts';
import { benchPlan } from './plan.ts';
import { benchNoise, benchRelease } from './release.ts';
import type { BenchResult } from './result.ts';
import { benchRounds } from './rounds.ts';
import { benchStart } from './start.ts';
import { benchTokenKeys } from './token-keys.ts';
import { benchTokens } from './tokens.ts';
import { benchUnlinkability } from './unlinkability.ts';
import { benchUpload } from './upload.ts';
import { benchVdaf } from './vdaf.ts';

/** Every benchmark, with the names of what it measures. */
const BENCHES: readonly { names: readonly string[]; run: () => Promise<BenchResult[]> }[] = [
  { names: ['vdaf', 'vdaf.verify', 'vdaf.shard'], run: benchVdaf },
  { names: ['hpke', 'seal.node'], run: benchHpke },
  { names: ['seal.chromium', 'token.chromium'], run: benchChromium },
  { names: ['upload'], run: benchUpload },
  { names: ['count'], run: benchCount },
  { names: ['plan', 'import'], run: benchPlan },
  { names: ['rounds'], run: benchRounds },
  { names: ['noise'], run: benchNoise },
  { names: ['release'], run: benchRelease },
  { names: ['start'], run: benchStart },
  { names: ['tokens'], run: benchTokens },
  { names: ['token-keys'], run: benchTokenKeys },
  { names: ['unlinkability'], run: benchUnlinkability },
];

const { values, positionals } = parseArgs({
  options: { json: { type: 'string' } },
  allowPositionals: true,
});
const known = BENCHES.flatMap(({ names }) => names);
const unknown = positionals.filter((name) => !known.includes(name));
if (unknown.length > 0) {
  console.error(`No benchmark is called ${unknown.join(', ')}; there are ${known.join(', ')}.`);
  process.exit(1);
}

const results: BenchResult[] = [];
for (const { names, run } of BENCHES) {
  if (positionals.length > 0 && !names.some((name) => positionals.includes(name))) continue;
  for (const result of await run()) {
    results.push(result);
    const { name, unit, value, peer, ratio, note } = result;
    const compared =
      peer === undefined || ratio === undefined
        ? ''
        : `   peer ${number(peer)}, ${number(ratio)} times better`;
    const remark = note === undefined ? '' : `   ${note}`;
    console.log(`${name.padEnd(24)}${number(value).padStart(10)} ${unit}${compared}${remark}`);
  }
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);

function number(value: number): string {
  return value >= 100 ? String(Math.round(value)) : value.toFixed(2);
}
