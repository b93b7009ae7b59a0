import { CryptoError } from '../../errors.ts';
import type { Gadget } from './gadget.ts';

/**
 * The value of a polynomial in one variable (VDAF §Polynomial Evaluation).
 * @param coefficients integers, the constant term first; the last one nonzero, at least two
 * @throws CryptoError `invalid_argument`
 */
export function PolyEval(coefficients: readonly bigint[]): Gadget {
  const degree = coefficients.length - 1;
  if (degree < 1 || coefficients[degree] === 0n) {
    throw new CryptoError('invalid_argument', 'a polynomial of degree at least 1 is needed');
  }
  return {
    arity: 1,
    degree,
    eval(inputs, at = 0) {
      const x = inputs[at] as bigint;
      return coefficients.reduceRight((value, coefficient) => value * x + coefficient, 0n);
    },
  };
}
