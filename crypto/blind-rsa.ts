import { sha384 } from '@noble/hashes/sha2.js';
import { concat, equalBytes, toHex } from './bytes.ts';
import { CryptoError } from './errors.ts';
import type { Randomness } from './random.ts';

/**
 * The client's side of RSABSSA-SHA384-PSS-Deterministic (RFC 9474 §5): blind RSA signatures with
 * SHA-384 as the hash and in MGF1, a salt of 48 bytes, and e = 65537. What the signer does is one
 * raw RSA operation, and not in here.
 *
 * BigInt is not constant-time. The client's secrets (the salt and the blinding factor) are fresh
 * for each message, so that there is nothing to be learnt by timing it again.
 */

/** hLen: bytes of a SHA-384 digest. */
const HASH_SIZE = 48;
/** sLen. */
const SALT_SIZE = 48;
/** 0x00 × 8: what stands before the hash and the salt in M' (RFC 8017 §9.1.1). */
const PADDING = new Uint8Array(8);
/** The last byte of every encoded message. */
const TRAILER = 0xbc;
/** A draw is a usable factor with probability 1/2 or more: only a broken source fails this often. */
const DRAWS = 128;

/** An RSA public key with e = 65537. */
export interface RsaPublicKey {
  readonly modulus: bigint;
  /** Bytes of the modulus, of a message's representative and of a signature. */
  readonly size: number;
}

/** What `blindMessage` makes. */
export interface BlindedMessage {
  /** For the signer; as long as the modulus. */
  readonly blinded: Uint8Array;
  /** r⁻¹ mod n, for `unblindSignature`; as long as the modulus. Secret: it ties both ends together. */
  readonly inverse: Uint8Array;
}

/**
 * The key with this modulus, big-endian.
 * @throws CryptoError `decode` unless it is odd and its first bit is set, or if it is below 128 bytes
 */
export function rsaPublicKey(modulus: Uint8Array): RsaPublicKey {
  const size = modulus.length;
  if (size < 128 || (modulus[0] as number) < 0x80 || ((modulus[size - 1] as number) & 1) === 0) {
    throw new CryptoError('decode', 'not an RSA modulus of whole bytes');
  }
  return { modulus: toInteger(modulus), size };
}

/**
 * `Blind` (RFC 9474 §4.2), with a fresh salt and a fresh factor r.
 *
 * @param randomness asked for the salt (48 bytes), then for r (as long as the modulus) until it is
 * one: 0 < r < n, and invertible
 * @throws CryptoError `invalid_argument` if the source never gives a factor
 */
export function blindMessage(
  key: RsaPublicKey,
  message: Uint8Array,
  randomness: Randomness,
): BlindedMessage {
  const { modulus, size } = key;
  const encoded = toInteger(encodePss(message, randomness(SALT_SIZE), size));
  for (let draw = 0; draw < DRAWS; draw++) {
    const r = toInteger(randomness(size));
    if (r === 0n || r >= modulus) continue;
    // One inversion tells that r and the encoded message are both coprime to n, and inverts r.
    const inverseOfBoth = invert((encoded * r) % modulus, modulus);
    if (inverseOfBoth === undefined) continue;
    return {
      blinded: toBytes((encoded * power65537(r, modulus)) % modulus, size),
      inverse: toBytes((inverseOfBoth * encoded) % modulus, size),
    };
  }
  throw new CryptoError('invalid_argument', 'the randomness gives no blinding factor');
}

/**
 * `Finalize` (RFC 9474 §4.4): the signature of `message`, which is verified.
 *
 * @param blindSignature what the signer made of `blinded`: any bytes
 * @throws CryptoError `token` if it does not lead to a valid signature
 */
export function unblindSignature(
  key: RsaPublicKey,
  message: Uint8Array,
  blindSignature: Uint8Array,
  inverse: Uint8Array,
): Uint8Array {
  const { modulus, size } = key;
  if (isBelow(blindSignature, key)) {
    const product = toInteger(blindSignature) * toInteger(inverse);
    const signature = toBytes(product % modulus, size);
    if (verifyPss(key, message, signature)) return signature;
  }
  throw new CryptoError('token', 'the blind signature is not one of this message and key');
}

/** Whether these bytes are as long as the modulus and, as an integer, less than it. */
export function isBelow(bytes: Uint8Array, key: RsaPublicKey): boolean {
  return bytes.length === key.size && toInteger(bytes) < key.modulus;
}

/** RSASSA-PSS-VERIFY (RFC 8017 §8.1.2), SHA-384 and a salt of exactly 48 bytes; any signature. */
export function verifyPss(key: RsaPublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  if (!isBelow(signature, key)) return false;
  const encoded = toBytes(power65537(toInteger(signature), key.modulus), key.size);
  // With its salt a message has one encoding, so that all the checks of §9.1.2 are one comparison.
  const { masked, hash } = splitEncoded(encoded);
  const salt = xor(masked, mgf1(hash, masked.length)).subarray(-SALT_SIZE);
  return equalBytes(encoded, encodePss(message, salt, key.size));
}

/** EMSA-PSS-ENCODE (RFC 8017 §9.1.1) in one bit less than `size` bytes. */
function encodePss(message: Uint8Array, salt: Uint8Array, size: number): Uint8Array {
  const hash = sha384(concat(PADDING, sha384(message), salt));
  const block = new Uint8Array(size - HASH_SIZE - 1);
  block.set(salt, block.length - SALT_SIZE);
  block[block.length - SALT_SIZE - 1] = 1;
  const masked = xor(block, mgf1(hash, block.length));
  masked[0] = (masked[0] as number) & 0x7f;
  return concat(masked, hash, Uint8Array.of(TRAILER));
}

/** maskedDB and H. */
function splitEncoded(encoded: Uint8Array): { masked: Uint8Array; hash: Uint8Array } {
  const end = encoded.length - HASH_SIZE - 1;
  return { masked: encoded.subarray(0, end), hash: encoded.subarray(end, end + HASH_SIZE) };
}

/** MGF1 (RFC 8017 §B.2.1) with SHA-384. */
function mgf1(seed: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(Math.ceil(length / HASH_SIZE) * HASH_SIZE);
  const input = concat(seed, new Uint8Array(4));
  for (let i = 0; i * HASH_SIZE < length; i++) {
    input[input.length - 1] = i; // far below 256 blocks for any RSA modulus
    out.set(sha384(input), i * HASH_SIZE);
  }
  return out.subarray(0, length);
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, i) => byte ^ (b[i] as number));
}

/** base^65537 mod modulus: 65537 = 2¹⁶ + 1. */
function power65537(base: bigint, modulus: bigint): bigint {
  let power = base;
  for (let i = 0; i < 16; i++) power = (power * power) % modulus;
  return (power * base) % modulus;
}

/** value⁻¹ mod modulus by the extended Euclidean algorithm, or undefined if there is none. */
function invert(value: bigint, modulus: bigint): bigint | undefined {
  // remainder ≡ coefficient · value (mod modulus), for this row and the one before it.
  let [before, remainder] = [modulus, value];
  let [beforeCoefficient, coefficient] = [0n, 1n];
  while (remainder !== 0n) {
    const quotient = before / remainder;
    [before, remainder] = [remainder, before - quotient * remainder];
    [beforeCoefficient, coefficient] = [coefficient, beforeCoefficient - quotient * coefficient];
  }
  if (before !== 1n) return undefined;
  return beforeCoefficient < 0n ? beforeCoefficient + modulus : beforeCoefficient;
}

function toInteger(bytes: Uint8Array): bigint {
  return BigInt(`0x${toHex(bytes)}`);
}

/** `value` as `size` big-endian bytes; 0 ≤ value < 2^(8·size). */
function toBytes(value: bigint, size: number): Uint8Array {
  const hex = value.toString(16).padStart(2 * size, '0');
  return Uint8Array.from({ length: size }, (_, i) =>
    Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16),
  );
}
