import { CryptoError } from './errors.ts';
import type { Randomness } from './random.ts';

/**
 * The discrete Gaussian sampler of Canonne, Kamath and Steinke ("The Discrete Gaussian for
 * Differential Privacy", 2020, §5). It is exact: integers, random bits and comparisons, never a
 * float, so that no rounding leaks what differential privacy should hide. How long a draw takes
 * depends on the draw.
 */

/** A variance σ² = numerator / denominator. Both are positive. */
export interface Variance {
  readonly numerator: bigint;
  readonly denominator: bigint;
}

/** Random bytes asked for at a time, for one draw and for many; a draw at σ² = 5 uses about ten. */
const CHUNK_SIZE = 32;
const LARGE_CHUNK_SIZE = 1024;
/** The most bits that `BitSource.bits` gives at once: an int32 holds them and one more byte. */
const PIECE_BITS = 23;
/** Up to here U(m) is drawn as a number; numbers of 23 bits are exact, and faster than bigints. */
const SMALL = 1n << BigInt(PIECE_BITS);

/**
 * One draw from the discrete Gaussian N_ℤ(0, σ²): an integer y with probability proportional to
 * e^(−y²/2σ²).
 *
 * @throws CryptoError `invalid_argument` if the variance is not positive
 */
export function discreteGaussian(variance: Variance, randomness: Randomness): bigint {
  return gaussian(variance, new BitSource(randomness, CHUNK_SIZE))();
}

/** `count` independent draws, as `discreteGaussian` makes them, with fewer calls of `randomness`. */
export function discreteGaussians(
  variance: Variance,
  count: number,
  randomness: Randomness,
): bigint[] {
  const draw = gaussian(variance, new BitSource(randomness, LARGE_CHUNK_SIZE));
  return Array.from({ length: count }, draw);
}

/** A uniform integer x, 0 ≤ x < m. @throws CryptoError `invalid_argument` if m < 1 */
export function uniform(m: bigint, randomness: Randomness): bigint {
  if (m < 1n) throw new CryptoError('invalid_argument', 'there is no integer below zero');
  return below(m, new BitSource(randomness, CHUNK_SIZE));
}

/** Algorithm 3, with the discrete Laplace distribution of scale t = ⌊σ⌋ + 1 as its proposal. */
function gaussian({ numerator, denominator }: Variance, source: BitSource): () => bigint {
  if (numerator < 1n || denominator < 1n) {
    throw new CryptoError('invalid_argument', 'a variance is positive');
  }
  const t = squareRoot(numerator / denominator) + 1n;
  const scale = t * denominator;
  const divisor = 2n * numerator * scale * t;
  return () => {
    for (;;) {
      const y = laplace(t, source);
      // y is kept with probability e^(−(|y| − σ²/t)²/2σ²), all over the common divisor 2abt².
      const z = (y < 0n ? -y : y) * scale - numerator;
      if (bernoulliExp(z * z, divisor, source)) return y;
    }
  };
}

/** Algorithm 2 with scale t: an integer y with probability proportional to e^(−|y|/t). */
function laplace(t: bigint, source: BitSource): bigint {
  for (;;) {
    const u = below(t, source);
    if (!bernoulliExp01(u, t, source)) continue;
    let v = 0n;
    while (bernoulliExp01(1n, 1n, source)) v++;
    const y = u + t * v;
    const isNegative = source.bits(1) === 1;
    if (isNegative && y === 0n) continue; // else 0 would be drawn twice as often
    return isNegative ? -y : y;
  }
}

/** Algorithm 1: true with probability e^(−n/d), n ≥ 0. */
function bernoulliExp(n: bigint, d: bigint, source: BitSource): boolean {
  let rest = n;
  for (; rest > d; rest -= d) if (!bernoulliExp01(1n, 1n, source)) return false;
  return bernoulliExp01(rest, d, source);
}

/** Algorithm 1 for 0 ≤ n ≤ d: the first k at which a coin of n/(dk) fails is odd. */
function bernoulliExp01(n: bigint, d: bigint, source: BitSource): boolean {
  let k = 1n;
  while (below(d * k, source) < n) k++;
  return k % 2n === 1n;
}

/** A uniform integer x, 0 ≤ x < m: as many bits as m − 1 has, until they are below m. */
function below(m: bigint, source: BitSource): bigint {
  if (m <= SMALL) {
    const limit = Number(m);
    const length = 32 - Math.clz32(limit - 1);
    let x = source.bits(length);
    while (x >= limit) x = source.bits(length);
    return BigInt(x);
  }
  const length = (m - 1n).toString(2).length;
  for (;;) {
    let x = BigInt(source.bits(length % PIECE_BITS));
    for (let i = length % PIECE_BITS; i < length; i += PIECE_BITS) {
      x = (x << BigInt(PIECE_BITS)) | BigInt(source.bits(PIECE_BITS));
    }
    if (x < m) return x;
  }
}

/** ⌊√n⌋ by Newton's method, from above. */
function squareRoot(n: bigint): bigint {
  if (n < 2n) return n;
  let root = 1n << BigInt(Math.ceil(n.toString(2).length / 2));
  for (;;) {
    const next = (root + n / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** Random bits, taken from `randomness` a chunk at a time; unused ones are dropped with it. */
class BitSource {
  readonly #randomness: Randomness;
  readonly #chunkSize: number;
  #chunk: Uint8Array = new Uint8Array(0);
  #at = 0;
  #held = 0;
  #heldBits = 0;

  constructor(randomness: Randomness, chunkSize: number) {
    this.#randomness = randomness;
    this.#chunkSize = chunkSize;
  }

  /** A uniform integer of `length` bits, 0 ≤ length ≤ 23. */
  bits(length: number): number {
    while (this.#heldBits < length) {
      this.#held = (this.#held << 8) | this.#byte();
      this.#heldBits += 8;
    }
    this.#heldBits -= length;
    const out = this.#held >> this.#heldBits;
    this.#held &= (1 << this.#heldBits) - 1;
    return out;
  }

  #byte(): number {
    if (this.#at === this.#chunk.length) {
      this.#chunk = this.#randomness(this.#chunkSize);
      this.#at = 0;
    }
    const byte = this.#chunk[this.#at++];
    if (byte === undefined) throw new CryptoError('invalid_argument', 'randomness gave no bytes');
    return byte;
  }
}
