import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { fromBase64url, toBase64url } from '../../crypto/bytes.ts';
import {
  blindToken,
  finalizeToken,
  openTokenRequest,
  type TokenBinding,
  verifyToken,
} from '../../crypto/token.ts';
import { tokenKeyId } from '../../crypto/token-key.ts';
import { TokenVerifier } from '../../server/aggregator/token-check.ts';
import { type IssuerKey, issueToken, TokenKeys } from '../../server/employer/token-keys.ts';
import type { SampleCode } from '../../server/evaluation/messages.ts';
import { KeyFiles } from '../../server/storage/key-files.ts';
import type { TestTask } from '../support/test-tokens.ts';
import { p99AtRate, postAll } from './load.ts';
import { startBenchParties } from './parties.ts';
import type { BenchResult } from './result.ts';

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));
/** Groups of the round in which tokens are asked for over HTTP, and people in each. */
const GROUPS = 5;
const PEOPLE = 900;
const WARM_UP_REQUESTS = 500;
const AT_FULL_RATE = 2_500;
/** Replies that are made into tokens. */
const LOOKED_AT = 20;
/** Calls that are timed by themselves. */
const TOKENS = 500;
const WARM_UP_CALLS = 50;

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
 * Tokens: issued over HTTP; in one thread, issuing with the checks of a request, the client's two steps
 * (medians) and verifying with kept keys; the bytes of the client's part.
 */
export async function benchTokens(): Promise<BenchResult[]> {
  const folder = mkdtempSync(join(tmpdir(), 'chorus-bench-'));
  try {
    const keys = new TokenKeys(new KeyFiles(join(folder, 'keys')));
    await keys.generate({ round: 1, groups: 1 });
    const key = keys.ofGroup(1, 0);
    if (key === undefined) throw new Error('no key was made');
    return [...(await benchHttp()), ...benchParties(key), ...(await bundleSizes())];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Tokens over HTTP from an employer in a process of its own; what people's devices do was done before. A
 * few of the replies are made into tokens and checked afterwards.
 */
async function benchHttp(): Promise<BenchResult[]> {
  const parties = await startBenchParties(...Array<number>(GROUPS).fill(PEOPLE));
  try {
    const codes = (await parties.employer.request({ kind: 'codes', round: 1 })) as SampleCode[];
    const asked = codes.map(({ code, groupIndex }) => {
      const task = parties.tasks[groupIndex] as TestTask;
      const { request, state } = blindToken({ ...task, nonce: random(32) }, random);
      const body = JSON.stringify({
        code,
        token_key_id: toBase64url(tokenKeyId(task.spki)),
        request: toBase64url(request),
      });
      return { body: Buffer.from(body), state };
    });
    const posting = {
      url: parties.urls.employer,
      path: '/tokens',
      type: 'application/json',
      good: (body: string) => body.startsWith('{"signature":"'),
    };
    const bodies = asked.map(({ body }) => body);
    await postAll(posting, bodies.slice(0, WARM_UP_REQUESTS));
    const first = bodies.slice(WARM_UP_REQUESTS, WARM_UP_REQUESTS + AT_FULL_RATE);
    const full = await postAll(posting, first);
    const rest = bodies.slice(WARM_UP_REQUESTS + AT_FULL_RATE);
    const p99 = await p99AtRate(posting, rest, full / 2);
    for (const { body, state } of asked.slice(0, LOOKED_AT)) {
      const reply = await fetch(`${posting.url}${posting.path}`, {
        method: 'POST',
        headers: { 'content-type': posting.type },
        body,
      });
      const { signature } = (await reply.json()) as { signature: string };
      finalizeToken(state, fromBase64url(signature));
    }
    return [
      { name: 'tokens', unit: 'tokens/s over HTTP', value: full },
      { name: 'tokens.p99', unit: 'ms at half of that', value: p99 },
    ];
  } finally {
    await parties.close();
  }
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
