import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import {
  blindToken,
  finalizeToken,
  openTokenRequest,
  type TokenBinding,
  verifyToken,
} from '../../crypto/token.ts';
import { TokenVerifier } from '../../server/aggregator/token-check.ts';
import { type IssuerKey, issueToken, TokenKeys } from '../../server/employer/token-keys.ts';
import { KeyFiles } from '../../server/storage/key-files.ts';
import type { BenchResult } from './result.ts';

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));
/** Enough for one whole file of keys and the beginning of the next. */
const GROUPS = 60;
const ROUND = 1;
const TOKENS = 500;
const WARM_UP_CALLS = 50;
/** How finely the delays of the event loop are taken, in milliseconds. */
const DELAY_RESOLUTION_MS = 1;
/** How long nothing is done, to see what the machine itself does to the event loop. */
const IDLE_MS = 5000;

/** What the answering page has without tokens, and what it needs for one. */
const PAGE = `
  export { buildReport } from './crypto/dap/report.ts';
  export { openManifest } from './crypto/manifest.ts';
`;
const CLIENT = `
  export { taskChallengeHash } from './crypto/token-challenge.ts';
  export { blindToken, finalizeToken, pendingTokenRequest } from './crypto/token.ts';
`;

/**
 * Tokens, in one thread: issuing with the checks of a request, the client's two steps (medians),
 * verifying with kept keys; keys made in the background, and the longest that the event loop was
 * held up meanwhile; the bytes of the client's part.
 */
export async function benchTokens(): Promise<BenchResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'chorus-bench-'));
  try {
    const keys = new TokenKeys(new KeyFiles(join(folder, 'keys')));
    const keygen = await benchKeygen(keys);
    const key = keys.ofGroup(ROUND, 0);
    if (key === undefined) throw new Error('no key was made');
    return [...benchParties(key), ...keygen, ...(await bundleSizes())];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function benchKeygen(keys: TokenKeys): Promise<BenchResult[]> {
  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  delay.enable();
  const started = performance.now();
  await keys.generate({ round: ROUND, groups: GROUPS });
  const seconds = (performance.now() - started) / 1000;
  // What is recorded is the time between two looks, of which the resolution itself is no delay.
  const held = delay.max / 1e6 - DELAY_RESOLUTION_MS;
  delay.reset();
  await sleep(IDLE_MS);
  const idle = delay.max / 1e6 - DELAY_RESOLUTION_MS;
  delay.disable();
  return [
    { name: 'token.keygen', unit: 'keys/s in the background', value: GROUPS / seconds },
    { name: 'token.keygen.held', unit: 'ms the event loop was held up at most', value: held },
    { name: 'token.keygen.idle', unit: 'ms, the same with nothing to do', value: idle },
  ];
}

function benchParties(key: IssuerKey): BenchResult[] {
  const bindings = Array.from(
    { length: TOKENS + WARM_UP_CALLS },
    (): TokenBinding => ({ spki: key.spki, nonce: random(32), challengeHash: random(32) }),
  );
  const [blinding, blinded] = timed(bindings, (binding) => blindToken(binding, random));
  const [issuing, replies] = timed(blinded, ({ request }) =>
    issueToken(key, openTokenRequest(request, key.spki)),
  );
  const [finalizing, tokens] = timed(blinded, ({ state }, i) =>
    finalizeToken(state, replies[i] as Uint8Array),
  );
  const verifier = new TokenVerifier();
  const check = (token: Uint8Array, i: number) =>
    verifier.verify(token, bindings[i] as TokenBinding);
  const [verifying] = timed(tokens, check);
  const [verifyingInPage] = timed(tokens, (token, i) =>
    verifyToken(token, bindings[i] as TokenBinding),
  );
  return [
    { name: 'token.issue', unit: 'tokens/s, one thread', value: 1000 / issuing },
    { name: 'token.client', unit: 'ms, blind and finalize', value: blinding + finalizing },
    { name: 'token.client.blind', unit: 'ms', value: blinding },
    { name: 'token.client.finalize', unit: 'ms', value: finalizing },
    { name: 'token.verify', unit: 'µs', value: verifying * 1000 },
    { name: 'token.verify.bigint', unit: 'µs', value: verifyingInPage * 1000 },
  ];
}

/** The median of the calls in milliseconds, without the first ones, and what they all gave. */
function timed<T, R>(inputs: readonly T[], call: (input: T, i: number) => R): [number, R[]] {
  const times: number[] = [];
  const outputs = inputs.map((input, i) => {
    const started = performance.now();
    const output = call(input, i);
    times.push(performance.now() - started);
    return output;
  });
  const counted = times.slice(WARM_UP_CALLS).sort((a, b) => a - b);
  return [counted[counted.length >> 1] as number, outputs];
}

async function bundleSizes(): Promise<BenchResult[]> {
  const alone = await bundle(CLIENT);
  const [before, after] = [await bundle(PAGE), await bundle(PAGE + CLIENT)];
  return [
    { name: 'token.bundle', unit: 'bytes, minified', value: alone.min },
    { name: 'token.bundle.gz', unit: 'bytes, compressed', value: alone.gz },
    {
      name: 'token.bundle.more',
      unit: 'bytes more in the answering page, minified',
      value: after.min - before.min,
    },
    {
      name: 'token.bundle.more.gz',
      unit: 'bytes more in the answering page, compressed',
      value: after.gz - before.gz,
    },
  ];
}

async function bundle(contents: string): Promise<{ min: number; gz: number }> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: PROJECT, loader: 'ts' },
    bundle: true,
    write: false,
    minify: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    legalComments: 'none',
    external: ['node:*', 'module', 'crypto', 'fs', 'path', 'url'],
  });
  const bytes = outputFiles[0]?.contents ?? new Uint8Array(0);
  return { min: bytes.length, gz: gzipSync(bytes).length };
}

function random(length: number): Uint8Array {
  return new Uint8Array(randomBytes(length));
}
