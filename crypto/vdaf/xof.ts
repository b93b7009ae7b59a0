import { concat } from '../bytes.ts';
import { CryptoError } from '../errors.ts';
import { sodium } from '../sodium.ts';
import type { Field } from './field.ts';

/** Bytes of a seed of XofTurboShake128, and of everything derived as one. */
export const SEED_SIZE = 32;

/** TurboSHAKE128's domain separation byte in VDAF. (HPKE uses another one, 0x1f.) */
const DOMAIN = 0x01;

/** Gives the next `length` bytes of a stream, in a new array. */
export type ByteStream = (length: number) => Uint8Array;

/** Field elements together with their encoding, which the caller often has to hash as well. */
export interface EncodedVec {
  readonly elements: readonly bigint[];
  readonly encoded: Uint8Array;
}

/**
 * 32 bytes from XofTurboShake128 (VDAF §XOFs, derive_seed).
 * @param seed 32 bytes
 * @param dst the domain separation tag, less than 2^16 bytes
 * @param binder the binder string, in parts that are hashed one after another
 * @throws CryptoError `invalid_argument`
 */
export function deriveSeed(seed: Uint8Array, dst: Uint8Array, ...binder: Uint8Array[]): Uint8Array {
  return withStream(seed, dst, binder, (next) => next(SEED_SIZE));
}

/**
 * `length` ≥ 0 uniform elements from XofTurboShake128 (VDAF §XOFs, expand_into_vec). Seed, dst and
 * binder as for `deriveSeed`.
 * @throws CryptoError `invalid_argument`
 */
export function expandIntoVec(
  field: Field,
  length: number,
  seed: Uint8Array,
  dst: Uint8Array,
  ...binder: Uint8Array[]
): EncodedVec {
  return withStream(seed, dst, binder, (next) => nextVec(field, length, next));
}

/**
 * The first `length` elements of a stream: integers of `encodedSize` bytes are read little-endian,
 * and those not below the modulus passed over whole (VDAF §XOFs, next_vec).
 */
export function nextVec(field: Field, length: number, next: ByteStream): EncodedVec {
  const size = field.encodedSize;
  const encoded = next(length * size);
  for (;;) {
    const rejected = field.indexOfNonCanonical(encoded);
    if (rejected === -1) return { elements: field.decodeVec(encoded), encoded };
    // Close the gap and read one more at the end, which is the order of the stream.
    encoded.copyWithin(rejected * size, (rejected + 1) * size);
    encoded.set(next(size), encoded.length - size);
  }
}

/** The part of libsodium's raw module that is used here. */
interface RawSodium {
  /** The WebAssembly memory. Replaced when it grows: never keep it over a call. */
  readonly HEAPU8: Uint8Array;
  _malloc(length: number): number;
  _crypto_xof_turboshake128_init_with_domain(state: number, domain: number): number;
  _crypto_xof_turboshake128_update(state: number, at: number, low: number, high: number): number;
  _crypto_xof_turboshake128_squeeze(state: number, at: number, length: number): number;
}

const STATE_SIZE = 256;
const BUFFER_SIZE = 4096;

/** The address of STATE_SIZE + BUFFER_SIZE bytes in libsodium's memory; 0 before the first use. */
let scratch = 0;

/**
 * Runs `read` on the stream TurboSHAKE128(le16(len dst) ‖ dst ‖ u8(len seed) ‖ seed ‖ binder).
 *
 * The wrappers' `crypto_xof_*_init_with_domain` allocates a state that they never free, and copies
 * each message through fresh allocations. So this calls the module beneath them, on one block that
 * is allocated once and wiped after each use: memory stays flat, whatever is thrown. One block is
 * enough as long as `read` starts no stream of its own.
 */
function withStream<T>(
  seed: Uint8Array,
  dst: Uint8Array,
  binder: readonly Uint8Array[],
  read: (next: ByteStream) => T,
): T {
  if (seed.length !== SEED_SIZE) throw new CryptoError('invalid_argument', 'a seed has 32 bytes');
  if (dst.length > 0xffff) throw new CryptoError('invalid_argument', 'the dst is too long');
  const raw = (sodium as unknown as { libsodium: RawSodium }).libsodium;
  if (scratch === 0) scratch = raw._malloc(STATE_SIZE + BUFFER_SIZE);
  try {
    raw._crypto_xof_turboshake128_init_with_domain(scratch, DOMAIN);
    absorb(raw, [littleEndian16(dst.length), dst, SEED_LENGTH, seed, ...binder]);
    return read((length) => squeeze(raw, length));
  } finally {
    raw.HEAPU8.fill(0, scratch, scratch + STATE_SIZE + BUFFER_SIZE);
  }
}

function absorb(raw: RawSodium, parts: readonly Uint8Array[]): void {
  const buffer = scratch + STATE_SIZE;
  let held = 0;
  const flush = () => {
    raw._crypto_xof_turboshake128_update(scratch, buffer, held, 0);
    held = 0;
  };
  for (const part of parts) {
    for (let at = 0; at < part.length; ) {
      const taken = Math.min(part.length - at, BUFFER_SIZE - held);
      const whole = taken === part.length;
      raw.HEAPU8.set(whole ? part : part.subarray(at, at + taken), buffer + held);
      at += taken;
      held += taken;
      if (held === BUFFER_SIZE) flush();
    }
  }
  flush();
}

function squeeze(raw: RawSodium, length: number): Uint8Array {
  const buffer = scratch + STATE_SIZE;
  const chunks: Uint8Array[] = [];
  for (let rest = length; rest > 0; rest -= BUFFER_SIZE) {
    const taken = Math.min(rest, BUFFER_SIZE);
    raw._crypto_xof_turboshake128_squeeze(scratch, buffer, taken);
    chunks.push(raw.HEAPU8.slice(buffer, buffer + taken));
  }
  return chunks.length === 1 ? (chunks[0] as Uint8Array) : concat(...chunks);
}

/** u8(len seed), the same for every seed. */
const SEED_LENGTH = Uint8Array.of(SEED_SIZE);

function littleEndian16(value: number): Uint8Array {
  const out = new Uint8Array(2);
  out[0] = value & 0xff;
  out[1] = value >> 8;
  return out;
}
