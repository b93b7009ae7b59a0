import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { fromBase64url } from '../../crypto/bytes.ts';
import type { Randomness } from '../../crypto/random.ts';
import { decodeTokenSpki, encodeTokenSpki } from '../../crypto/token-key.ts';
import type { IssuerKey } from '../../server/employer/token-keys.ts';

/** An RSA key pair. Takes about 0.2 s for 2048 bits. */
export function rsaPair(modulusLength = 2048): { publicKey: KeyObject; privateKey: KeyObject } {
  return generateKeyPairSync('rsa', { modulusLength });
}

/** The modulus of an RSA key, big-endian. */
export function modulusOf(key: KeyObject): Uint8Array {
  return fromBase64url(key.export({ format: 'jwk' }).n ?? '');
}

/** A new key as the employer has it open. */
export function issuerKey(pair = rsaPair()): IssuerKey {
  const spki = encodeTokenSpki(modulusOf(pair.publicKey));
  return { ...pair, spki, modulus: decodeTokenSpki(spki) };
}

/** Randomness that gives these draws, in order, and fails on any other. */
export function scripted(...draws: readonly Uint8Array[]): Randomness {
  const left = [...draws];
  return (length) => {
    const draw = left.shift();
    if (draw?.length !== length) throw new Error(`a draw of ${length} bytes is not expected`);
    return draw;
  };
}

export function toInteger(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}

/** `value` as `size` big-endian bytes. */
export function toBytes(value: bigint, size = 256): Uint8Array {
  return new Uint8Array(Buffer.from(value.toString(16).padStart(2 * size, '0'), 'hex'));
}

/** base^exponent mod modulus, plainly. */
export function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) {
    result = (result * result) % modulus;
    if (bit === '1') result = (result * base) % modulus;
  }
  return result;
}

/** `whole` with another byte at `at`. */
export function withByte(whole: Uint8Array, at: number, byte: number): Uint8Array {
  const out = whole.slice();
  out[at] = byte;
  return out;
}
