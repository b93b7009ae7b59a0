import { CryptoError } from '../errors.ts';

/**
 * A prime field with a large multiplicative subgroup of order a power of two (VDAF §NTT-Friendly
 * Fields). Its elements are BigInts, and there are two kinds of value in this directory:
 *
 * - an *element* is the one representative in [0, modulus);
 * - a *representative* is any integer, negative or long, congruent to an element.
 *
 * A remainder costs five times a product, so sums of products are kept as representatives and
 * reduced once. Where a function takes or returns representatives, its comment says so; everything
 * else deals in elements.
 *
 * BigInt arithmetic does not take constant time: whoever can time a party closely may learn
 * something about the shares it handles (VDAF §Side-Channel Resistance).
 */
export class Field {
  readonly name: string;
  readonly modulus: bigint;
  /** Bytes of an encoded element: 8 or 16. The top 32 bits of both moduli are all ones. */
  readonly encodedSize: 8 | 16;
  /** The order of the subgroup that `#generator` generates; a power of two. */
  readonly generatorOrder: bigint;
  readonly #generator: bigint;
  readonly #roots = new Map<number, readonly bigint[]>();

  /**
   * The field of order cofactor · generatorOrder + 1, in which `base` raised to the cofactor
   * generates the subgroup.
   */
  constructor(
    name: string,
    encodedSize: 8 | 16,
    generatorOrder: bigint,
    cofactor: bigint,
    base: bigint,
  ) {
    this.name = name;
    this.modulus = cofactor * generatorOrder + 1n;
    this.encodedSize = encodedSize;
    this.generatorOrder = generatorOrder;
    this.#generator = this.pow(base, cofactor);
  }

  /** The element that a representative stands for. */
  reduce(representative: bigint): bigint {
    const rest = representative % this.modulus;
    return rest < 0n ? rest + this.modulus : rest;
  }

  /** The representative in (−modulus/2, modulus/2] of an element: the way to read signed sums. */
  centered(element: bigint): bigint {
    return 2n * element > this.modulus ? element - this.modulus : element;
  }

  /** The product of two representatives, an element. */
  mul(a: bigint, b: bigint): bigint {
    return this.reduce(a * b);
  }

  /** `base` (a representative) to the power `exponent` ≥ 0. */
  pow(base: bigint, exponent: bigint): bigint {
    let result = 1n;
    let square = this.reduce(base);
    for (let rest = exponent; rest > 0n; rest >>= 1n) {
      if (rest & 1n) result = this.mul(result, square);
      square = this.mul(square, square);
    }
    return result;
  }

  /** The multiplicative inverse of a representative of a nonzero element. Slow: some 40 µs. */
  inverse(a: bigint): bigint {
    return this.pow(a, this.modulus - 2n);
  }

  /** 1/n for n a power of two up to the generator's order; no exponentiation. */
  inverseOfPowerOfTwo(n: number): bigint {
    return this.modulus - (this.modulus - 1n) / BigInt(n);
  }

  /**
   * The n-th roots of unity in order, [1, ω, …, ω^(n−1)], ω = nth_root(n); n a power of two no
   * greater than the generator's order. Kept after the first call.
   * @throws CryptoError `invalid_argument`
   */
  roots(n: number): readonly bigint[] {
    const known = this.#roots.get(n);
    if (known !== undefined) return known;
    if (n < 1 || !Number.isInteger(Math.log2(n)) || BigInt(n) > this.generatorOrder) {
      throw new CryptoError('invalid_argument', `${this.name} has no ${n}-th root of unity`);
    }
    const root = this.pow(this.#generator, this.generatorOrder / BigInt(n));
    const roots = [1n];
    for (let i = 1; i < n; i++) roots.push(this.mul(roots[i - 1] as bigint, root));
    this.#roots.set(n, roots);
    return roots;
  }

  /** `length` zero elements. */
  zeros(length: number): bigint[] {
    return new Array<bigint>(length).fill(0n);
  }

  /** Σ a_i · b_i over the shorter length, an element; takes representatives. */
  innerProduct(a: readonly bigint[], b: readonly bigint[]): bigint {
    const length = Math.min(a.length, b.length);
    let sum = 0n;
    for (let i = 0; i < length; i++) sum += (a[i] as bigint) * (b[i] as bigint);
    return this.reduce(sum);
  }

  /** a − b, element by element; both of one length. */
  subVec(a: readonly bigint[], b: readonly bigint[]): bigint[] {
    const out = new Array<bigint>(a.length);
    for (let i = 0; i < a.length; i++) {
      const difference = (a[i] as bigint) - (b[i] as bigint);
      out[i] = difference < 0n ? difference + this.modulus : difference;
    }
    return out;
  }

  /** The sum of any number of vectors of `length` representatives each. */
  sumVecs(vectors: readonly (readonly bigint[])[], length: number): bigint[] {
    return this.lazySumVecs(vectors, length).map((sum) => this.reduce(sum));
  }

  /** `sumVecs` in representatives: for sums that are multiplied anyhow. */
  lazySumVecs(vectors: readonly (readonly bigint[])[], length: number): bigint[] {
    const out = new Array<bigint>(length);
    for (let i = 0; i < length; i++) {
      let sum = 0n;
      for (let k = 0; k < vectors.length; k++) sum += (vectors[k] as bigint[])[i] as bigint;
      out[i] = sum;
    }
    return out;
  }

  /** Little-endian elements, one after another (VDAF §Finite Fields, encode_vec). */
  encodeVec(elements: readonly bigint[]): Uint8Array {
    // Writing into a BigUint64Array keeps the low 64 bits: no mask is needed.
    const perElement = this.encodedSize / 8;
    const words = new BigUint64Array(elements.length * perElement);
    for (let i = 0; i < elements.length; i++) {
      const element = elements[i] as bigint;
      words[i * perElement] = element;
      if (perElement === 2) words[2 * i + 1] = element >> 64n;
    }
    return swapOnBigEndian(new Uint8Array(words.buffer));
  }

  /**
   * The elements that `encoded` holds (VDAF §Finite Fields, decode_vec).
   * @throws CryptoError `decode` for a length that is no multiple of `encodedSize`, or an element
   * not below the modulus
   */
  decodeVec(encoded: Uint8Array): bigint[] {
    if (encoded.length % this.encodedSize !== 0) {
      throw new CryptoError('decode', `${encoded.length} bytes are no vector over ${this.name}`);
    }
    if (this.indexOfNonCanonical(encoded) !== -1) {
      throw new CryptoError('decode', `an encoded element is not below the ${this.name} modulus`);
    }
    return this.#read(encoded);
  }

  /** Which encoded element, if any, is not below the modulus: the index of the first, or −1. */
  indexOfNonCanonical(encoded: Uint8Array): number {
    for (let end = this.encodedSize; end <= encoded.length; end += this.encodedSize) {
      // Only an element whose top 32 bits are all ones can reach the modulus: one in 2^32. Stopping
      // early tells no more of a share than that it is not such a one.
      if (encoded[end - 1] !== 0xff || encoded[end - 2] !== 0xff) continue;
      if (encoded[end - 3] !== 0xff || encoded[end - 4] !== 0xff) continue;
      const start = end - this.encodedSize;
      const [element] = this.#read(encoded.subarray(start, end)) as [bigint];
      if (element >= this.modulus) return start / this.encodedSize;
    }
    return -1;
  }

  /** Whole encoded integers, unchecked. */
  #read(encoded: Uint8Array): bigint[] {
    const isAligned = encoded.byteOffset % 8 === 0 && !HOST_IS_BIG_ENDIAN;
    const bytes = isAligned ? encoded : swapOnBigEndian(new Uint8Array(encoded));
    const words = new BigUint64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8);
    if (this.encodedSize === 8) return Array.from(words);
    const out = new Array<bigint>(words.length / 2);
    for (let i = 0; i < out.length; i++) {
      out[i] = (words[2 * i] as bigint) | ((words[2 * i + 1] as bigint) << 64n);
    }
    return out;
  }
}

/** GF(2^64 − 2^32 + 1); elements of 8 bytes (VDAF §Parameters). */
export const Field64 = new Field('Field64', 8, 1n << 32n, 4294967295n, 7n);

/** GF(2^128 − 28·2^64 + 1); elements of 16 bytes (VDAF §Parameters). */
export const Field128 = new Field('Field128', 16, 1n << 66n, 4611686018427387897n, 7n);

const HOST_IS_BIG_ENDIAN = new Uint8Array(new BigUint64Array([1n]).buffer)[0] === 0;

/** Typed arrays of words follow the host's byte order, the wire does not. Works in place. */
function swapOnBigEndian(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  if (HOST_IS_BIG_ENDIAN) {
    for (let at = 0; at < bytes.length; at += 8) bytes.subarray(at, at + 8).reverse();
  }
  return bytes;
}
