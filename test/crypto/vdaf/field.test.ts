import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Field, Field64, Field128 } from '../../../crypto/vdaf/field.ts';
import { refusal, testBytes } from '../../support/vdaf-reports.ts';

const littleEndian = (value: bigint, length: number) =>
  Uint8Array.from({ length }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));

/** Elements, with those at both ends of the range more often than chance would have them. */
const element = (field: Field) =>
  fc.oneof(
    fc.bigInt(0n, field.modulus - 1n),
    fc.bigInt(0n, 3n),
    fc.bigInt(field.modulus - 3n, field.modulus - 1n),
    fc.bigInt((1n << 64n) - 3n, (1n << 64n) - 1n).map((x) => x % field.modulus),
  );

test('the parameters are those of the draft', () => {
  expect(Field64.modulus).toBe(0xffffffff00000001n);
  expect(Field128.modulus).toBe(0xffffffffffffffe40000000000000001n);
  expect(Field64.roots(2 ** 4)[1]).toBe(Field64.pow(0x185629dcda58878cn, 1n << 28n));
  expect(Field128.roots(2 ** 4)[1]).toBe(
    Field128.pow(0x6d278fbf4f60228b1f9b2759c5109f06n, 1n << 62n),
  );
});

describe.each([Field64, Field128])('$name', (field) => {
  const size = field.encodedSize;

  test('encodes little-endian and decodes what it encoded', () => {
    fc.assert(
      fc.property(fc.array(element(field), { maxLength: 9 }), (elements) => {
        const encoded = field.encodeVec(elements);
        expect(encoded).toEqual(
          Uint8Array.from(elements.flatMap((x) => [...littleEndian(x, size)])),
        );
        expect(field.decodeVec(encoded)).toEqual(elements);
      }),
    );
  });

  test('decodes at any alignment and leaves its argument alone', () => {
    for (let offset = 0; offset < 8; offset++) {
      const bytes = testBytes(offset + 3 * size, 7).map((byte) => byte & 0x7f);
      const before = bytes.slice();
      const view = bytes.subarray(offset);
      expect(field.encodeVec(field.decodeVec(view))).toEqual(view);
      expect(bytes).toEqual(before);
    }
  });

  test('refuses every integer from the modulus on, at any place', () => {
    const tooLarge = [0n, 1n, 2n ** BigInt(8 * size) - 1n - field.modulus];
    for (const excess of tooLarge) {
      for (const place of [0, 1, 2]) {
        const encoded = field.encodeVec([0n, 1n, field.modulus - 1n]);
        encoded.set(littleEndian(field.modulus + excess, size), place * size);
        expect(refusal(() => field.decodeVec(encoded))).toBe('decode');
        expect(field.indexOfNonCanonical(encoded)).toBe(place);
      }
    }
    expect(field.decodeVec(littleEndian(field.modulus - 1n, size))).toEqual([field.modulus - 1n]);
  });

  test('refuses a length that is no multiple of an element', () => {
    for (const length of [1, size - 1, size + 1, 3 * size - 1]) {
      expect(refusal(() => field.decodeVec(new Uint8Array(length)))).toBe('decode');
    }
    expect(field.decodeVec(new Uint8Array(0))).toEqual([]);
  });

  test('reduces any representative, and reads elements as signed integers', () => {
    fc.assert(
      fc.property(element(field), fc.bigInt(-(2n ** 300n), 2n ** 300n), (x, multiple) => {
        expect(field.reduce(x + multiple * field.modulus)).toBe(x);
        const centered = field.centered(x);
        expect(field.reduce(centered)).toBe(x);
        expect(2n * (centered < 0n ? -centered : centered)).toBeLessThan(field.modulus);
      }),
    );
  });

  test('inverts', () => {
    fc.assert(
      fc.property(element(field), (x) => {
        fc.pre(x !== 0n);
        expect(field.mul(x, field.inverse(x))).toBe(1n);
      }),
      { numRuns: 20 },
    );
    for (let n = 1; n < 2 ** 20; n *= 2) {
      expect(field.mul(field.inverseOfPowerOfTwo(n), BigInt(n))).toBe(1n);
    }
  });

  test('its n-th roots are n different ones, in order', () => {
    for (const n of [1, 2, 8, 64]) {
      const roots = field.roots(n);
      expect(new Set(roots).size).toBe(n);
      roots.forEach((root, i) => {
        expect(field.pow(root, BigInt(n))).toBe(1n);
        expect(field.mul(root, roots[1 % n] as bigint)).toBe(roots[(i + 1) % n]);
      });
    }
    const tooMany = 2 * Number(field.generatorOrder);
    for (const n of [0, 3, 6, -2, -1, 0.5, 1.5, tooMany, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(refusal(() => field.roots(n))).toBe('invalid_argument');
    }
    expect(field.roots(8)).toBe(field.roots(8)); // kept
  });

  test('adds and subtracts vectors', () => {
    const vectors = fc.array(fc.tuple(element(field), element(field)), { maxLength: 5 });
    fc.assert(
      fc.property(vectors, (pairs) => {
        const a = pairs.map(([x]) => x);
        const b = pairs.map(([, y]) => y);
        const difference = field.subVec(a, b);
        expect(field.sumVecs([difference, b], a.length)).toEqual(a);
        expect(difference.every((x) => x >= 0n && x < field.modulus)).toBe(true);
      }),
    );
  });
});
