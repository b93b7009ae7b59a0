import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Mul } from '../../../../crypto/vdaf/gadgets/mul.ts';
import { ParallelSum } from '../../../../crypto/vdaf/gadgets/parallel-sum.ts';
import { PolyEval } from '../../../../crypto/vdaf/gadgets/poly-eval.ts';
import { refusal } from '../../../support/vdaf-reports.ts';

const integer = fc.bigInt(-(2n ** 260n), 2n ** 260n);

test('Mul multiplies two inputs, from any place on', () => {
  expect([Mul.arity, Mul.degree]).toEqual([2, 2]);
  fc.assert(
    fc.property(integer, integer, (x, y) => {
      expect(Mul.eval([x, y])).toBe(x * y);
      expect(Mul.eval([7n, x, y, 7n], 1)).toBe(x * y);
    }),
  );
});

test('PolyEval evaluates its polynomial', () => {
  const cubic = PolyEval([5n, 2n, -3n, 1n]);
  expect([cubic.arity, cubic.degree]).toEqual([1, 3]);
  fc.assert(
    fc.property(integer, (x) => {
      expect(cubic.eval([x])).toBe(5n + 2n * x - 3n * x ** 2n + x ** 3n);
      expect(cubic.eval([7n, x], 1)).toBe(cubic.eval([x]));
    }),
  );
});

test('PolyEval refuses polynomials without a degree', () => {
  for (const coefficients of [[], [1n], [0n], [1n, 0n]]) {
    expect(refusal(() => PolyEval(coefficients))).toBe('invalid_argument');
  }
});

test('ParallelSum adds what its gadget makes of consecutive inputs', () => {
  const sum = ParallelSum(Mul, 3);
  expect([sum.arity, sum.degree]).toEqual([6, 2]);
  expect(sum.eval([1n, 2n, 3n, 4n, 5n, 6n])).toBe(2n + 12n + 30n);
  expect(sum.eval([9n, 9n, 1n, 2n, 3n, 4n, 5n, 6n], 2)).toBe(2n + 12n + 30n);
  expect(ParallelSum(PolyEval([0n, 0n, 0n, 1n]), 2).degree).toBe(3);
});

test('ParallelSum refuses counts that are none', () => {
  for (const count of [0, -1, 1.5, Number.NaN]) {
    expect(refusal(() => ParallelSum(Mul, count))).toBe('invalid_argument');
  }
});
