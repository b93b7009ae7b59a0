import { createHash, createHmac } from 'node:crypto';
import type { Randomness } from '../../crypto/random.ts';

/**
 * Repeatable randomness for the sample people: an interrupted start sends the same reports again, to
 * the byte, and the guardian knows them. Never used for a real person.
 */
export function seededRandomness(seed: string, ...label: readonly (string | number)[]): Randomness {
  const key = createHash('sha256')
    .update(`${seed}\0${label.join('\0')}`)
    .digest();
  let drawn = 0;
  return (length) => {
    const blocks: Buffer[] = [];
    for (let size = 0; size < length; size += 64) {
      blocks.push(createHmac('sha512', key).update(String(drawn++)).digest());
    }
    return new Uint8Array(Buffer.concat(blocks).subarray(0, length));
  };
}

/** A repeatable number in [0, 1). */
export function chance(seed: string, ...label: readonly (string | number)[]): number {
  const bytes = seededRandomness(seed, ...label)(6);
  return Buffer.from(bytes).readUIntBE(0, 6) / 2 ** 48;
}

/** A repeatable number around 0 with standard deviation about 1: the sum of twelve chances. */
export function spread(seed: string, ...label: readonly (string | number)[]): number {
  const bytes = Buffer.from(seededRandomness(seed, ...label)(24));
  let sum = 0;
  for (let i = 0; i < 12; i++) sum += bytes.readUInt16BE(2 * i) / 65_536;
  return sum - 6;
}
