import { CryptoError } from '../../errors.ts';
import type { GadgetCall, GadgetUse } from '../circuit.ts';
import type { Field } from '../field.ts';
import { Mul } from '../gadgets/mul.ts';
import { ParallelSum } from '../gadgets/parallel-sum.ts';

/**
 * The gadget that checks `length` elements in chunks of `chunkLength`, and how often it is called.
 * A circuit takes one element of joint randomness for each call.
 * @throws CryptoError `invalid_argument`
 */
export function rangeCheckGadget(length: number, chunkLength: number): GadgetUse {
  requirePositive('length', length);
  requirePositive('chunk length', chunkLength);
  return { gadget: ParallelSum(Mul, chunkLength), calls: Math.ceil(length / chunkLength) };
}

/**
 * Σ r_i^(j+1)·x·(x − 1) over all chunks i and places j in them, the last chunk padded with zeros
 * (VDAF §Prio3SumVec). If some element is neither 0 nor 1, then this is zero for at most
 * `chunkLength` values of some r_i. Takes elements, returns a representative.
 */
export function rangeCheck(
  field: Field,
  elements: readonly bigint[],
  chunkLength: number,
  jointRand: readonly bigint[],
  one: bigint,
  call: GadgetCall,
): bigint {
  const inputs = new Array<bigint>(2 * chunkLength);
  // Every power is the product of a small one and a large one, unreduced, as the gadget takes
  // representatives: of c powers only 2·√c cost a remainder.
  const stride = Math.ceil(Math.sqrt(chunkLength));
  const small = new Array<bigint>(stride);
  let sum = 0n;
  for (let i = 0; i < jointRand.length; i++) {
    const r = jointRand[i] as bigint;
    small[0] = r;
    for (let k = 1; k < stride; k++) small[k] = field.mul(small[k - 1] as bigint, r);
    const step = small[stride - 1] as bigint;
    let large = 1n;
    for (let j = 0; j < chunkLength; j++) {
      const k = j % stride;
      if (k === 0 && j > 0) large = j === stride ? step : field.mul(large, step);
      const power = j < stride ? (small[k] as bigint) : large * (small[k] as bigint);
      const x = elements[i * chunkLength + j] ?? 0n;
      inputs[2 * j] = power * x;
      inputs[2 * j + 1] = x - one;
    }
    sum += call(inputs);
  }
  return sum;
}

/** @throws CryptoError `invalid_argument` unless the value is an integer from 1 on */
export function requirePositive(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new CryptoError('invalid_argument', `the ${name} must be a positive integer`);
  }
}
