import { CryptoError } from '../../errors.ts';
import type { Field } from '../field.ts';

/**
 * Integers from 0 to `max` as a few zeros and ones that can stand for no other integer (VDAF
 * §Prio3Sum): all weights but the last are powers of two, and the last one makes their sum `max`.
 */
export interface RangeCheckedInt {
  /** Elements of an encoded integer. */
  readonly bits: number;
  /** @throws CryptoError `invalid_argument` for an integer out of range */
  encode(value: bigint): bigint[];
  /** The weighted sum of the `bits` elements from index `at` on: linear, so shares will do. */
  decode(elements: readonly bigint[], at: number): bigint;
}

/**
 * @param max from 1 on
 * @throws CryptoError `invalid_argument` if `max` is too small, or too large for the field
 */
export function rangeCheckedInt(field: Field, max: bigint): RangeCheckedInt {
  const bits = max < 1n ? 0 : max.toString(2).length;
  if (bits === 0 || 1n << BigInt(bits) >= field.modulus) {
    throw new CryptoError('invalid_argument', 'the maximum does not fit the field');
  }
  const restMax = (1n << BigInt(bits - 1)) - 1n;
  const lastWeight = max - restMax;
  const weights = Array.from({ length: bits - 1 }, (_, bit) => 1n << BigInt(bit));
  weights.push(lastWeight);
  return {
    bits,
    encode(value) {
      if (value < 0n || value > max) {
        throw new CryptoError('invalid_argument', `an integer must be from 0 to ${max}`);
      }
      const last = value > restMax ? 1n : 0n;
      const rest = value - last * lastWeight;
      return weights.map((weight, bit) => {
        if (bit === bits - 1) return last;
        return (rest & weight) === 0n ? 0n : 1n;
      });
    },
    decode: (elements, at) => field.innerProduct(elements.slice(at, at + bits), weights),
  };
}
