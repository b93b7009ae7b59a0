import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { concat, fromHex, toHex } from '../../../crypto/bytes.ts';
import { sodium, sodiumReady } from '../../../crypto/sodium.ts';
import { Field64, Field128 } from '../../../crypto/vdaf/field.ts';
import { deriveSeed, expandIntoVec, nextVec } from '../../../crypto/vdaf/xof.ts';
import { refusal, testBytes } from '../../support/vdaf-reports.ts';

beforeAll(sodiumReady);
afterEach(() => {
  vi.restoreAllMocks();
});

/** The part of libsodium's raw module that the tests watch. */
interface RawSodium {
  HEAPU8: Uint8Array;
  _malloc(length: number): number;
  _free(address: number): void;
  _crypto_xof_turboshake128_squeeze(state: number, at: number, length: number): number;
}
const raw = () => (sodium as unknown as { libsodium: RawSodium }).libsodium;

const SEED = testBytes(32, 1);
const DST = testBytes(46, 2);

test('the vector of the draft', () => {
  const vector = JSON.parse(readFileSync('test/vectors/vdaf-20/XofTurboShake128.json', 'utf8'));
  const [seed, dst, binder] = ['seed', 'dst', 'binder'].map((name) => fromHex(vector[name])) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  expect(toHex(deriveSeed(seed, dst, binder))).toBe(vector.derived_seed);
  const { elements, encoded } = expandIntoVec(Field128, vector.length, seed, dst, binder);
  expect(toHex(encoded)).toBe(vector.expanded_vec_field128);
  expect(Field128.encodeVec(elements)).toEqual(encoded);
});

test('the parts of a binder are hashed as one string, of any length', () => {
  const lengths = fc.array(fc.integer({ min: 0, max: 6000 }), { maxLength: 4 });
  fc.assert(
    fc.property(lengths, (parts) => {
      const binder = parts.map((length, i) => testBytes(length, i + 3));
      expect(deriveSeed(SEED, DST, ...binder)).toEqual(deriveSeed(SEED, DST, concat(...binder)));
    }),
    { numRuns: 30 },
  );
});

test('a long message and a long output agree with libsodium’s one-shot sponge in chunks', () => {
  const binder = testBytes(10_000, 9);
  const state = sodium.crypto_xof_turboshake128_init_with_domain(1);
  const prefix = concat(Uint8Array.of(DST.length, 0), DST, Uint8Array.of(32), SEED, binder);
  sodium.crypto_xof_turboshake128_update(state, prefix);
  const expected = sodium.crypto_xof_turboshake128_squeeze(state, 16_000);
  raw()._free(state as unknown as number);
  expect(expandIntoVec(Field128, 1000, SEED, DST, binder).encoded).toEqual(expected);
});

test('a vector of no elements is empty', () => {
  expect(expandIntoVec(Field64, 0, SEED, DST)).toEqual({ elements: [], encoded: new Uint8Array() });
});

test('seeds of another length and endless tags are refused', () => {
  for (const length of [0, 16, 31, 33]) {
    expect(refusal(() => deriveSeed(new Uint8Array(length), DST))).toBe('invalid_argument');
  }
  expect(refusal(() => deriveSeed(SEED, new Uint8Array(0x10000)))).toBe('invalid_argument');
  expect(deriveSeed(SEED, new Uint8Array(0xffff))).toHaveLength(32);
});

describe.each([Field64, Field128])('rejection sampling over $name', (field) => {
  const size = field.encodedSize;
  const encode = (value: bigint) =>
    Uint8Array.from({ length: size }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
  const max = 2n ** BigInt(8 * size) - 1n;

  test('passes over whole integers from the modulus on, in the order of the stream', () => {
    const good = fc.bigInt(0n, field.modulus - 1n);
    const bad = fc.bigInt(field.modulus, max);
    fc.assert(
      fc.property(fc.array(fc.oneof(good, bad), { minLength: 1, maxLength: 12 }), (stream) => {
        const accepted = stream.filter((x) => x < field.modulus);
        let rest = concat(...stream.map(encode));
        const next = (length: number) => {
          // Past the end the stream goes on with zeros.
          const taken = concat(rest, new Uint8Array(length)).slice(0, length);
          rest = rest.slice(length);
          return taken;
        };
        const { elements, encoded } = nextVec(field, accepted.length + 1, next);
        expect(elements).toEqual([...accepted, 0n]);
        expect(encoded).toEqual(field.encodeVec(elements));
      }),
    );
  });

  test('the bounds: modulus − 1 is taken, the modulus is not', () => {
    const stream = concat(
      encode(field.modulus),
      encode(field.modulus - 1n),
      encode(max),
      encode(5n),
    );
    let at = 0;
    const next = (length: number) => {
      at += length;
      return stream.slice(at - length, at);
    };
    expect(nextVec(field, 2, next).elements).toEqual([field.modulus - 1n, 5n]);
  });
});

describe('libsodium’s memory', () => {
  test('is usable again, and wiped, after something threw', () => {
    const before = deriveSeed(SEED, DST);
    const original = raw()._crypto_xof_turboshake128_squeeze.bind(raw());
    let state = 0;
    const failing = vi.spyOn(raw(), '_crypto_xof_turboshake128_squeeze');
    failing.mockImplementation((address, at, length) => {
      state = address;
      original(address, at, length);
      throw new Error('out of order');
    });
    expect(() => deriveSeed(SEED, DST)).toThrow('out of order');
    failing.mockRestore();
    expect(
      raw()
        .HEAPU8.slice(state, state + 4352)
        .every((byte) => byte === 0),
    ).toBe(true);
    expect(deriveSeed(SEED, DST)).toEqual(before);
  });

  test('holds neither seed nor output after a call', () => {
    const seed = testBytes(32, 77);
    const output = deriveSeed(seed, DST);
    const memory = Buffer.from(raw().HEAPU8.buffer);
    expect(memory.includes(Buffer.from(seed))).toBe(false);
    expect(memory.includes(Buffer.from(output))).toBe(false);
    // Of a long output, also what the last and shorter chunk did not overwrite.
    const { encoded } = expandIntoVec(Field128, 300, seed, DST);
    for (const at of [0, 2048, 4080, 4096, 4784]) {
      expect(memory.includes(Buffer.from(encoded.slice(at, at + 16)))).toBe(false);
    }
  });
});
