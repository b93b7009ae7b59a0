import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect } from 'vitest';
import { CryptoError, type CryptoErrorCode } from '../../crypto/errors.ts';
import type { Randomness } from '../../crypto/random.ts';

/** The system's randomness, as plain arrays. */
export const random: Randomness = (length) => new Uint8Array(randomBytes(length));

/** A file of `test/vectors/`, parsed. */
export function vectors<T>(path: string): T {
  return JSON.parse(readFileSync(new URL(`../vectors/${path}`, import.meta.url), 'utf8')) as T;
}

/** The code of the CryptoError that `run` throws; any other error goes on. */
export function codeOf(run: () => unknown): CryptoErrorCode | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    expect(error.message, 'a refusal says why').not.toBe('');
    return error.code;
  }
}

export function expectCode(code: CryptoErrorCode, run: () => unknown): void {
  expect(codeOf(run)).toBe(code);
}

/** Byte strings, as plain arrays. */
export function bytes(constraints: { min?: number; max?: number } = {}): fc.Arbitrary<Uint8Array> {
  const { min = 0, max = 64 } = constraints;
  return fc.uint8Array({ minLength: min, maxLength: max });
}

export function sized(length: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength: length, maxLength: length });
}

/** `message` with one byte changed, one left out, one put in, or its end cut off. */
export function mutated(message: Uint8Array): fc.Arbitrary<Uint8Array> {
  return fc
    .record({
      at: fc.nat(Math.max(message.length - 1, 0)),
      byte: fc.nat(255),
      how: fc.constantFrom('change', 'remove', 'insert', 'cut'),
    })
    .map(({ at, byte, how }) => {
      const head = [...message.slice(0, at)];
      if (how === 'cut') return Uint8Array.from(head);
      const tail = [...message.slice(how === 'insert' ? at : at + 1)];
      return Uint8Array.from([...head, ...(how === 'remove' ? [] : [byte]), ...tail]);
    });
}

/** The same bytes in the midst of other memory, which a decoder must not see. */
export function amid(input: Uint8Array, around = 0xa5): Uint8Array {
  const whole = new Uint8Array(input.length + 32).fill(around);
  whole.set(input, 16);
  return whole.subarray(16, 16 + input.length);
}

/**
 * What holds for every strict decoder: decode(encode(x)) holds x, encode(decode(b)) = b for every b
 * that is accepted, hostile bytes (arbitrary, or near a message) end in `decode`, and what lies
 * around the bytes in memory makes no difference.
 */
export function checkDecoder<T, D extends T>(options: {
  readonly values: fc.Arbitrary<T>;
  readonly encode: (value: T) => Uint8Array;
  readonly decode: (bytes: Uint8Array) => D;
  /** Encodes what was decoded, if that needs another way. */
  readonly encodeAgain?: (value: D) => Uint8Array;
  readonly runs?: number;
}): void {
  const { values, encode, decode, encodeAgain = encode, runs = 200 } = options;
  fc.assert(
    fc.property(values, (value) => {
      const encoded = encode(value);
      const decoded = decode(encoded);
      expect(decoded).toMatchObject(value as object);
      expect(encodeAgain(decoded)).toEqual(encoded);
    }),
    { numRuns: runs },
  );
  const hostile = fc.oneof(
    bytes({ max: 300 }),
    values.chain((value) => mutated(encode(value))),
  );
  fc.assert(
    fc.property(hostile, (input) => {
      let decoded: D | undefined;
      const code = codeOf(() => {
        decoded = decode(input);
      });
      for (const around of [0, 0xff]) {
        expect(codeOf(() => decode(amid(input, around)))).toBe(code);
      }
      if (code !== undefined) {
        expect(code).toBe('decode');
        return;
      }
      expect(encodeAgain(decoded as D)).toEqual(input);
      expect(encodeAgain(decode(amid(input)))).toEqual(input);
    }),
    { numRuns: 2 * runs },
  );
}
