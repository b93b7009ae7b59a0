import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { launchBrowser } from '../support/browser.ts';
import type { BenchResult } from './result.ts';

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));

/** Seals reports in the page that loads it; `buildReport` and all below it as the answering page has them. */
const SCRIPT = `
  import { HpkePrivateKey } from './crypto/hpke.ts';
  import { Secret } from './crypto/secret.ts';
  import { sodiumReady } from './crypto/sodium.ts';
  import { buildReport } from './crypto/dap/report.ts';
  import { prio3Survey } from './crypto/vdaf/circuits/survey.ts';
  const random = (length) => crypto.getRandomValues(new Uint8Array(length));
  globalThis.benchSeal = async () => {
    await sodiumReady();
    const key = HpkePrivateKey.fromSeed(new Secret(random(32))).publicKey;
    const task = {
      taskId: random(32),
      taskConfiguration: random(200),
      vdaf: prio3Survey({ blockLengths: new Array(12).fill(6), chunkLength: 11 }),
      leader: { configId: 1, publicKey: key },
      helper: { configId: 1, publicKey: key },
      time: 20000,
    };
    const answer = new Array(12).fill(0).map((_, i) => i % 6);
    const times = [];
    for (let i = 0; i < 101; i++) {
      const start = performance.now();
      buildReport(task, answer, new Secret(random(32)), random);
      times.push(performance.now() - start);
    }
    const [first, ...rest] = times;
    return { first, second: rest[0], median: rest.sort((a, b) => a - b)[50] };
  };
`;

/** One report sharded, signed and sealed in Chromium, in milliseconds. */
export async function benchChromium(): Promise<BenchResult[]> {
  const bundle = await build({
    stdin: { contents: SCRIPT, resolveDir: PROJECT, loader: 'ts' },
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    external: ['node:*', 'module', 'crypto', 'fs', 'path', 'url'],
  });
  const browser = await launchBrowser();
  try {
    const page = await browser.newPage();
    await page.addScriptTag({ content: bundle.outputFiles[0]?.text ?? '' });
    const times = (await page.evaluate('benchSeal()')) as Record<
      'first' | 'second' | 'median',
      number
    >;
    return [
      { name: 'seal.chromium', unit: 'ms, median', value: times.median },
      { name: 'seal.chromium.first', unit: 'ms', value: times.first },
      { name: 'seal.chromium.second', unit: 'ms', value: times.second },
    ];
  } finally {
    await browser.close();
  }
}
