import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { discreteGaussian, discreteGaussians, uniform } from '../../crypto/noise.ts';
import type { Randomness } from '../../crypto/random.ts';
import { codeOf } from './support.ts';

/**
 * Canonne, Kamath and Steinke's algorithms once more, as the paper writes them and with no thought
 * of speed, on the bits of the same stream: the sampler must give the very same integers.
 */
type Bits = (count: number) => bigint;

/** Bytes of a small generator: not random, but the same for the same seed. */
function stream(seed: number): Randomness {
  let state = Math.imul(seed, 0x9e3779b1) | 1;
  return (length) =>
    Uint8Array.from({ length }, () => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return (state >>> 8) & 0xff;
    });
}

/** The bits of a stream, the highest of each byte first. */
function bitsOf(randomness: Randomness): Bits {
  let held: number[] = [];
  return (count) => {
    let value = 0n;
    for (let i = 0; i < count; i++) {
      if (held.length === 0) {
        const [byte] = randomness(1);
        held = [7, 6, 5, 4, 3, 2, 1, 0].map((bit) => ((byte as number) >> bit) & 1);
      }
      value = 2n * value + BigInt(held.shift() as number);
    }
    return value;
  };
}

function below(m: bigint, bits: Bits): bigint {
  let length = 0;
  while (1n << BigInt(length) < m) length++;
  for (;;) {
    const x = bits(length);
    if (x < m) return x;
  }
}

/** Algorithm 1, e^(−n/d): what exceeds 1 of the exponent is taken off in ones. */
function bernoulliExp(n: bigint, d: bigint, bits: Bits): boolean {
  if (n > d) return bernoulliExp(1n, 1n, bits) && bernoulliExp(n - d, d, bits);
  for (let k = 1n; ; k++) {
    if (below(d * k, bits) >= n) return k % 2n === 1n;
  }
}

/** Algorithm 2 with s = 1. */
function laplace(t: bigint, bits: Bits): bigint {
  for (;;) {
    const u = below(t, bits);
    if (!bernoulliExp(u, t, bits)) continue;
    let v = 0n;
    while (bernoulliExp(1n, 1n, bits)) v += 1n;
    const x = u + t * v;
    const sign = bits(1);
    if (sign === 1n && x === 0n) continue;
    return sign === 1n ? -x : x;
  }
}

/** Algorithm 3 for σ² = a/b. */
function gaussian(a: bigint, b: bigint, bits: Bits): bigint {
  let t = 1n;
  while (t * t * b <= a) t += 1n;
  for (;;) {
    const y = laplace(t, bits);
    const distance = (y < 0n ? -y : y) * t * b - a;
    if (bernoulliExp(distance ** 2n, 2n * a * b * t * t, bits)) return y;
  }
}

const seed = fc.integer({ min: 1, max: 2 ** 31 - 1 });

describe('the same bits give the same integers as the algorithms of the paper', () => {
  it.each([
    ['small', 1n, 30n],
    ['in between', 100n, 10_000n],
    ['large', 2n ** 30n, 2n ** 36n],
  ])('discreteGaussian, variances that are %s', (_name, least, most) => {
    const fraction = fc.tuple(fc.bigInt(least, most), fc.bigInt(1n, 7n), seed);
    fc.assert(
      fc.property(fraction, ([numerator, denominator, start]) => {
        const variance = { numerator, denominator };
        const expected = bitsOf(stream(start));
        const draws = Array.from({ length: 20 }, () => gaussian(numerator, denominator, expected));
        expect(discreteGaussian(variance, stream(start))).toBe(draws[0]);
        expect(discreteGaussians(variance, 20, stream(start))).toEqual(draws);
      }),
      { numRuns: 40 },
    );
  });

  it('uniform', () => {
    const limit = fc.oneof(
      fc.bigInt(1n, 70n),
      fc.bigInt(2n ** 23n - 2n, 2n ** 23n + 2n),
      fc.bigInt(2n ** 46n - 2n, 2n ** 46n + 2n),
      fc.bigInt(1n, 2n ** 200n),
      fc.integer({ min: 0, max: 130 }).map((bits) => 1n << BigInt(bits)),
    );
    fc.assert(
      fc.property(limit, seed, (m, start) => {
        expect(uniform(m, stream(start))).toBe(below(m, bitsOf(stream(start))));
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    [5n, [0b101_100_00, 0], 4n], // five of three bits, then four
    [5n, [0b100_000_00, 0], 4n],
    [2n ** 23n - 1n, [0xff, 0xff, 0xfe, 0, 0, 0], 0n],
    [2n ** 23n, [0xff, 0xff, 0xfe, 0, 0, 0], 2n ** 23n - 1n],
    [2n ** 23n + 1n, [0x80, 0, 1, 0, 0, 5], 5n],
    [2n ** 23n + 1n, [0x80, 0, 0, 0, 0, 5], 2n ** 23n],
  ])('uniform below %s passes over the bound itself: %j', (m, bytes, expected) => {
    let at = 0;
    const next: Randomness = (length) => {
      at += length;
      return Uint8Array.from({ length }, (_, i) => bytes[at - length + i] ?? 0xff);
    };
    expect(uniform(m, next)).toBe(expected);
  });

  it('asks for randomness in chunks, and for no more than it needs', () => {
    const asked: number[] = [];
    const counting: Randomness = (length) => {
      asked.push(length);
      return stream(asked.length)(length);
    };
    const variance = { numerator: 5n, denominator: 1n };
    discreteGaussian(variance, counting);
    expect(asked[0]).toBe(32);
    asked.length = 0;
    discreteGaussians(variance, 72, counting);
    expect(asked).toEqual([1024]);
    asked.length = 0;
    expect(uniform(1n, counting)).toBe(0n);
    expect(discreteGaussians(variance, 0, counting)).toEqual([]);
    expect(asked).toEqual([]);
  });

  it('refuses what is no variance before it draws', () => {
    const never: Randomness = () => {
      throw new Error('it drew');
    };
    for (const [numerator, denominator] of [
      [0n, 1n],
      [1n, 0n],
      [-1n, 1n],
      [1n, -1n],
    ] as const) {
      const variance = { numerator, denominator };
      expect(codeOf(() => discreteGaussian(variance, never))).toBe('invalid_argument');
      expect(codeOf(() => discreteGaussians(variance, 1, never))).toBe('invalid_argument');
    }
    expect(codeOf(() => uniform(0n, never))).toBe('invalid_argument');
    const empty: Randomness = () => new Uint8Array(0);
    expect(codeOf(() => uniform(2n, empty))).toBe('invalid_argument');
  });
});
