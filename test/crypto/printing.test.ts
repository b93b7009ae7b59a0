import { Console } from 'node:console';
import { Writable } from 'node:stream';
import { format, inspect } from 'node:util';
import { serialize } from 'node:v8';
import { pino } from 'pino';
import { beforeAll, describe, expect, test } from 'vitest';
import { toBase64url, toHex } from '../../crypto/bytes.ts';
import { CryptoError } from '../../crypto/errors.ts';
import { HpkePrivateKey, hpkeSeal } from '../../crypto/hpke.ts';
import { Secret } from '../../crypto/secret.ts';
import { sign } from '../../crypto/signing.ts';
import { sodiumReady } from '../../crypto/sodium.ts';
import { prio3Survey } from '../../crypto/vdaf/circuits/survey.ts';
import { helperInitialized, leaderInitialized } from '../../crypto/vdaf/ping-pong.ts';
import { CTX, report, testBytes, VERIFY_KEY } from '../support/vdaf-reports.ts';
import { random } from './support.ts';

beforeAll(sodiumReady);

type Hidden = Uint8Array | readonly bigint[];

/** A stream that keeps what is written to it. */
function sink(): { stream: Writable; text: () => string } {
  const chunks: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(String(chunk));
      done();
    },
  });
  return { stream, text: () => chunks.join('') };
}

/** Every way in which something gets onto a screen, into a log or into a file by mistake. */
function printed(subject: unknown): string {
  const { stream, text } = sink();
  const log = pino({ level: 'trace' }, stream);
  const within = { list: [subject], map: new Map([['key', subject]]), deep: { subject } };
  const error = new Error('failed', { cause: subject });
  const all = { depth: Number.POSITIVE_INFINITY, showHidden: true, getters: true } as const;
  const terminal = new Console({ stdout: stream, stderr: stream, inspectOptions: all });
  terminal.log(subject, within);
  terminal.error(error);
  terminal.dir(subject, all);
  terminal.table([subject]);
  log.info(subject as object);
  log.warn(within);
  log.error({ err: error, subject });
  log.error(Object.assign(new Error('wrapped', { cause: error }), { subject }));
  return [
    text(),
    attempt(() => String(subject)),
    attempt(() => `${subject}`),
    attempt(() => (subject as object).toString()),
    attempt(() => `${(subject as { toLocaleString(): string }).toLocaleString()}`),
    attempt(() => JSON.stringify(subject)),
    attempt(() => JSON.stringify(within)),
    attempt(() => JSON.stringify({ ...(subject as object) })),
    attempt(() => JSON.stringify(Object.getOwnPropertyDescriptors(subject))),
    attempt(() => Object.entries(subject as object).join()),
    inspect(subject, all),
    inspect(within, all),
    inspect(error, all),
    attempt(() => format('%s %o %O %j %d', subject, subject, subject, subject, subject)),
    // Copies of it, as a worker or a cache would make them.
    attempt(() => serialize(subject).toString('latin1')),
    attempt(() => inspect(structuredClone(subject), all)),
    String(error.stack),
  ].join('\n');
}

function attempt(run: () => string): string {
  try {
    return run();
  } catch {
    return ''; // what cannot be printed shows nothing
  }
}

/** How bytes and elements look in text. Eight in a row, which is no accident. */
function spellings(hidden: Hidden): string[] {
  if (!(hidden instanceof Uint8Array)) return hidden.filter((x) => x > 999n).map(String);
  const part = hidden.slice(8, 16);
  const list = [...part];
  return [
    toHex(part),
    toHex(part).toUpperCase(),
    [...part].map((byte) => byte.toString(16).padStart(2, '0')).join(' '),
    toBase64url(hidden.slice(9, 18)), // whole groups of three bytes from the start
    Buffer.from(hidden.slice(9, 18)).toString('base64'),
    list.join(),
    list.join(', '),
    list.map((byte, i) => `"${8 + i}":${byte}`).join(),
    Buffer.from(part).toString('latin1'),
  ];
}

function expectHidden(subject: unknown, ...secrets: Hidden[]): void {
  const text = printed(subject);
  for (const hidden of secrets) {
    const looks = spellings(hidden);
    expect(looks.length).toBeGreaterThan(0);
    for (const look of looks) expect(text).not.toContain(look);
  }
}

const prio3 = prio3Survey({ blockLengths: [3, 2], chunkLength: 2 });

test('the test sees what is not hidden', () => {
  const bytes = random(32);
  for (const subject of [bytes, Buffer.from(bytes), { bytes }, toHex(bytes), [...bytes]]) {
    const text = printed(subject);
    expect(spellings(bytes).some((look) => text.includes(look))).toBe(true);
  }
  const elements = [12345678901234567890n];
  expect(printed(elements)).toContain(spellings(elements)[0]);
});

test('a Secret', () => {
  const bytes = random(32);
  expectHidden(new Secret(bytes), bytes);
  expectHidden(new Secret([10n ** 20n]), [10n ** 20n]);
  expect(Object.keys(new Secret(bytes))).toEqual([]);
});

test('the input shares of a report, and whatever holds them', () => {
  const made = report(prio3, [1, 1]);
  const shares = made.inputShares.map((share) => share.reveal());
  expectHidden(made.inputShares, ...shares);
  expectHidden(made, ...shares);
});

test('a VerifyState, out shares and aggregate shares', () => {
  const { nonce, publicShare, inputShares } = report(prio3, [1, 1]);
  const [leader, helper] = inputShares as [Secret<Uint8Array>, Secret<Uint8Array>];
  const input = { nonce, publicShare };
  const started = leaderInitialized(prio3, VERIFY_KEY, CTX, { ...input, inputShare: leader });
  const answer = { ...input, inputShare: helper };
  const finished = helperInitialized(prio3, VERIFY_KEY, CTX, answer, started.outbound);
  const seed = finished.outbound.slice(5);
  const outShare = prio3.verifyNext(CTX, started.state, seed);
  expectHidden(started.state, seed, outShare.reveal());
  expectHidden(started, outShare.reveal());
  expectHidden(finished, finished.outShare.reveal(), helper.reveal());
  const encoded = prio3.encodeAggregateShare(outShare);
  expectHidden(encoded, encoded.reveal());
  const merged = prio3.aggregateUpdate(prio3.aggregateInit(), [outShare]);
  expectHidden(merged, merged.reveal());
  expectHidden(prio3.addIntegers(merged, [1n, 2n, 3n, 4n, 5n]), merged.reveal());
});

test('an HpkePrivateKey, and the shared secret of an encapsulation', () => {
  const seed = random(32);
  const key = HpkePrivateKey.fromSeed(new Secret(seed));
  const nothing = new Uint8Array(0);
  const { enc } = hpkeSeal(key.publicKey, nothing, nothing, nothing, random(64));
  const shared = key.decapsulate(enc);
  expectHidden(key, seed, shared.reveal());
  expectHidden(shared, shared.reveal());
  expect(Object.getOwnPropertyNames(key)).toEqual(['publicKey']);
});

describe('a refusal shows nothing of what was refused', () => {
  const bad = testBytes(100, 3);
  const { nonce, publicShare } = report(prio3, [0, 0], 5);

  test.each<[string, () => unknown]>([
    ['an input share', () => prio3.verifyInit(bad, CTX, 0, nonce, publicShare, new Secret(bad))],
    [
      'an input share of the wrong length',
      () => prio3.verifyInit(VERIFY_KEY, CTX, 0, nonce, publicShare, new Secret(bad)),
    ],
    ['an aggregate share', () => prio3.decodeAggregateShare(new Secret(bad))],
    ['randomness', () => prio3.shard(CTX, [0, 0], nonce, bad)],
    ['a seed', () => HpkePrivateKey.fromSeed(new Secret(bad))],
    ['a signing seed', () => sign(new Secret(bad), 'chorus list v1')],
    ['an encapsulation seed', () => hpkeSeal(bad, bad, bad, bad, bad)],
  ])('%s', (_name, step) => {
    let refusal: unknown;
    try {
      step();
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toBeInstanceOf(CryptoError);
    expectHidden(refusal, bad);
  });
});
