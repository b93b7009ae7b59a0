import { sha256 as hash } from '@noble/hashes/sha2.js';
import { concat } from './bytes.ts';

/** The size of a SHA-256 digest in bytes. */
export const SHA256_SIZE = 32;

/** SHA-256 (FIPS 180-4) of the concatenation of `parts`; 32 bytes. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const [first, ...rest] = parts;
  return hash(first !== undefined && rest.length === 0 ? first : concat(...parts));
}
