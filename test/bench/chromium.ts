import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { fromBase64url, toBase64url } from '../../crypto/bytes.ts';
import { openTokenRequest } from '../../crypto/token.ts';
import { type IssuerKey, issueToken, TokenKeys } from '../../server/employer/token-keys.ts';
import { KeyFiles } from '../../server/storage/key-files.ts';
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

/** Both steps of a token, as the answering page has them; the employer's reply comes from outside. */
const TOKENS = `
  import { fromBase64url, toBase64url } from './crypto/bytes.ts';
  import { blindToken, finalizeToken } from './crypto/token.ts';
  const random = (length) => crypto.getRandomValues(new Uint8Array(length));
  const blind = (spki) =>
    blindToken({ spki, nonce: random(32), challengeHash: random(32) }, random);
  let states;
  globalThis.benchBlind = ({ key, count, warm }) => {
    const spki = fromBase64url(key);
    // As the answering page does it at its start.
    if (warm) {
      try {
        finalizeToken(blind(spki).state, new Uint8Array(256));
      } catch {
        // Zeros are no signature.
      }
    }
    const times = [];
    const made = Array.from({ length: count }, () => {
      const start = performance.now();
      const one = blind(spki);
      times.push(performance.now() - start);
      return one;
    });
    states = made.map(({ state }) => state);
    return { times, requests: made.map(({ request }) => toBase64url(request)) };
  };
  globalThis.benchFinalize = (signatures) =>
    signatures.map((signature, i) => {
      const start = performance.now();
      finalizeToken(states[i], fromBase64url(signature));
      return performance.now() - start;
    });
`;

/** Tokens a page; the first one is cold, the median of the others not. */
const TOKENS_A_PAGE = 101;
/** Fresh pages, for the median of their first tokens. */
const PAGES = 7;

/** One report sharded, signed and sealed in Chromium, and both steps of a token, in milliseconds. */
export async function benchChromium(): Promise<BenchResult[]> {
  const seal = await bundled(SCRIPT);
  const tokens = await bundled(TOKENS);
  const browser = await launchBrowser();
  const folder = mkdtempSync(join(tmpdir(), 'chorus-bench-'));
  try {
    const keys = new TokenKeys(new KeyFiles(join(folder, 'keys')));
    await keys.generate({ round: 1, groups: 1 });
    const key = keys.ofGroup(1, 0) as IssuerKey;
    /** What each token of a fresh page takes. */
    const tokenTimes = async (count: number, warm: boolean): Promise<number[]> => {
      const page = await browser.newPage();
      await page.addScriptTag({ content: tokens });
      const asked = { key: toBase64url(key.spki), count, warm };
      const { times, requests } = (await page.evaluate(`benchBlind(${JSON.stringify(asked)})`)) as {
        times: number[];
        requests: string[];
      };
      const signatures = requests.map((request) =>
        toBase64url(issueToken(key, openTokenRequest(fromBase64url(request), key.spki))),
      );
      const finalizing = (await page.evaluate(
        `benchFinalize(${JSON.stringify(signatures)})`,
      )) as number[];
      await page.close();
      return times.map((ms, i) => ms + (finalizing[i] as number));
    };
    const [, ...later] = await tokenTimes(TOKENS_A_PAGE, false);
    const firsts = async (warm: boolean) => {
      const times: number[] = [];
      for (let i = 0; i < PAGES; i++) times.push((await tokenTimes(1, warm))[0] as number);
      return median(times);
    };
    const [cold, warm] = [await firsts(false), await firsts(true)];
    const page = await browser.newPage();
    await page.addScriptTag({ content: seal });
    const times = (await page.evaluate('benchSeal()')) as Record<
      'first' | 'second' | 'median',
      number
    >;
    return [
      { name: 'token.chromium', unit: 'ms, median', value: median(later) },
      { name: 'token.chromium.first', unit: 'ms', value: cold },
      { name: 'token.chromium.warmed', unit: 'ms, the first after one for nothing', value: warm },
      { name: 'seal.chromium', unit: 'ms, median', value: times.median },
      { name: 'seal.chromium.first', unit: 'ms', value: times.first },
      { name: 'seal.chromium.second', unit: 'ms', value: times.second },
    ];
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function bundled(contents: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: PROJECT, loader: 'ts' },
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    external: ['node:*', 'module', 'crypto', 'fs', 'path', 'url'],
  });
  return outputFiles[0]?.text ?? '';
}

function median(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[times.length >> 1] as number;
}
