import { CryptoError } from '../../errors.ts';
import type { Gadget } from './gadget.ts';

/**
 * The sum of `count` ≥ 1 copies of another gadget, each on inputs of its own, in order (VDAF
 * §Parallel Sum). One call then checks `count` values, for a proof of about the square root of the
 * size (BBCGGI19, §4.4).
 * @throws CryptoError `invalid_argument`
 */
export function ParallelSum(inner: Gadget, count: number): Gadget {
  if (!Number.isSafeInteger(count) || count < 1) {
    throw new CryptoError('invalid_argument', 'a parallel sum needs a positive count');
  }
  const arity = inner.arity * count;
  return {
    arity,
    degree: inner.degree,
    eval(inputs, at = 0) {
      let sum = 0n;
      for (let i = at; i < at + arity; i += inner.arity) sum += inner.eval(inputs, i);
      return sum;
    },
  };
}
