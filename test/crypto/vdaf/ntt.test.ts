import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Field64, Field128 } from '../../../crypto/vdaf/field.ts';
import { ntt, oddValues } from '../../../crypto/vdaf/ntt.ts';
import { hornerEval } from '../../support/polynomials.ts';

describe.each([Field64, Field128])('over $name', (field) => {
  const coefficients = fc
    .constantFrom(1, 2, 4, 8, 16, 32)
    .chain((n) => fc.array(fc.bigInt(0n, field.modulus - 1n), { minLength: n, maxLength: n }));

  test('the transform is evaluation at the roots of unity, in order', () => {
    fc.assert(
      fc.property(coefficients, (p) => {
        const expected = field.roots(p.length).map((root) => hornerEval(field, p, root));
        expect(ntt(field, p).map((x) => field.reduce(x))).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });

  test('odd values are those between the given ones, whatever representatives come in', () => {
    fc.assert(
      fc.property(coefficients, (p) => {
        const all = field.roots(2 * p.length).map((root) => hornerEval(field, p, root));
        const even = all.filter((_, i) => i % 2 === 0).map((x, i) => x - BigInt(i) * field.modulus);
        const odd = oddValues(field, even).map((x) => field.reduce(x));
        expect(odd).toEqual(all.filter((_, i) => i % 2 === 1));
      }),
      { numRuns: 30 },
    );
  });
});
