import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Field64, Field128 } from '../../../crypto/vdaf/field.ts';
import {
  evaluateByCosets,
  extensionWeights,
  lagrangeBasis,
  powerOfTwoPower,
} from '../../../crypto/vdaf/lagrange.ts';
import { hornerEval } from '../../support/polynomials.ts';

describe.each([Field64, Field128])('over $name', (field) => {
  const element = fc.bigInt(0n, field.modulus - 1n);
  const polynomial = (length: number) =>
    fc.array(element, { minLength: length, maxLength: length });

  test('the basis evaluates a polynomial from its values', () => {
    const input = fc.constantFrom(1, 2, 4, 8, 32).chain((n) => fc.tuple(polynomial(n), element));
    fc.assert(
      fc.property(input, ([p, t]) => {
        const values = field.roots(p.length).map((root) => hornerEval(field, p, root));
        const basis = lagrangeBasis(field, p.length, t);
        expect(field.innerProduct(values, basis)).toBe(hornerEval(field, p, t));
      }),
      { numRuns: 40 },
    );
  });

  test('at a root of unity the basis picks one value', () => {
    field.roots(8).forEach((root, i) => {
      const basis = lagrangeBasis(field, 8, root).map((x) => field.reduce(x));
      expect(basis).toEqual(Array.from({ length: 8 }, (_, k) => (k === i ? 1n : 0n)));
    });
  });

  test('cosets of a smaller basis evaluate the same polynomial', () => {
    const input = fc.tuple(
      fc.constantFrom(1, 2, 4),
      fc.constantFrom(2, 4, 8),
      element,
      polynomial(32),
    );
    fc.assert(
      fc.property(input, ([cosets, p, t, random]) => {
        const coefficients = random.slice(0, cosets * p);
        const values = field.roots(cosets * p).map((root) => hornerEval(field, coefficients, root));
        const basis = lagrangeBasis(field, p, t);
        const power = powerOfTwoPower(field, t, p);
        expect(power).toBe(field.pow(t, BigInt(p)));
        expect(evaluateByCosets(field, values, t, power, basis)).toBe(
          hornerEval(field, coefficients, t),
        );
      }),
      { numRuns: 40 },
    );
  });

  test('missing values follow from those carried', () => {
    const input = fc
      .constantFrom([1, 1], [1, 2], [2, 2], [3, 4], [7, 8], [10, 16], [22, 32], [9, 16])
      .chain(([m, n]) => fc.tuple(fc.constant(n as number), polynomial(m as number)));
    fc.assert(
      fc.property(input, ([n, p]) => {
        const values = field.roots(n).map((root) => hornerEval(field, p, root));
        const rows = extensionWeights(field, p.length, n);
        const missing = rows.map((row) => field.innerProduct(row, values));
        expect(missing).toEqual(values.slice(p.length));
      }),
      { numRuns: 30 },
    );
  });

  test('one missing value has the weights −ω^(i+1)', () => {
    const roots = field.roots(8);
    const [row] = extensionWeights(field, 7, 8);
    expect(row).toEqual(
      Array.from({ length: 7 }, (_, i) => field.reduce(-(roots[i + 1] as bigint))),
    );
  });
});
