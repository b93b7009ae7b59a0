import { CryptoError } from '../errors.ts';

/** @throws CryptoError `invalid_argument` unless the value is an integer within the bounds */
export function requireInteger(name: string, value: number, least: number, most: number): void {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw new CryptoError('invalid_argument', `the ${name} must be from ${least} to ${most}`);
  }
}

/** For what the caller made. @throws CryptoError `invalid_argument` for another length */
export function requireLength(name: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) {
    throw new CryptoError('invalid_argument', `the ${name} must have ${length} bytes`);
  }
}

/** For what came over the wire. @throws CryptoError `decode` for another length */
export function decodeLength(name: string, bytes: Uint8Array, length: number): void {
  if (bytes.length !== length) {
    throw new CryptoError('decode', `the ${name} must have ${length} bytes, not ${bytes.length}`);
  }
}
