import { CryptoError } from '../../errors.ts';
import type { Circuit, GadgetCall } from '../circuit.ts';
import { Field128 } from '../field.ts';
import { Prio3, type Prio3Options } from '../prio3.ts';
import { decodeCounts } from './counts.ts';
import { rangeCheck, rangeCheckGadget, requirePositive } from './range-check.ts';
import { rangeCheckedInt } from './range-checked-int.ts';

/** The algorithm identifier of Prio3MultihotCountVec (VDAF §IANA Considerations). */
export const PRIO3_MULTIHOT_COUNT_VEC = 0x00000005;

/** What all parties agree on beforehand. */
export interface MultihotCountVecParameters {
  /** Truth values in a measurement, at least 1. */
  readonly length: number;
  /** How many of them may be true, from 1 to `length`. */
  readonly maxWeight: number;
  /** Elements that one gadget call checks, at least 1. */
  readonly chunkLength: number;
}

/**
 * A vector of truth values of which at most `maxWeight` are true; the aggregate counts the true
 * ones of each place (VDAF §Prio3MultihotCountVec). The client states the weight in an encoding
 * that cannot exceed the maximum, and the circuit compares.
 * @throws CryptoError `invalid_argument`
 */
export function multihotCountVec({
  length,
  maxWeight,
  chunkLength,
}: MultihotCountVecParameters): Circuit<readonly boolean[], number[]> {
  requirePositive('length', length);
  requirePositive('greatest weight', maxWeight);
  if (maxWeight > length) {
    throw new CryptoError('invalid_argument', 'the greatest weight exceeds the length');
  }
  const weight = rangeCheckedInt(Field128, BigInt(maxWeight));
  const measurementLength = length + weight.bits;
  const range = rangeCheckGadget(measurementLength, chunkLength);
  return {
    field: Field128,
    measurementLength,
    jointRandLength: range.calls,
    outputLength: length,
    evalOutputLength: 2,
    gadgets: [range],

    encode(measurement) {
      if (measurement.length !== length) {
        throw new CryptoError('invalid_argument', `a measurement has ${length} truth values`);
      }
      const bits = measurement.map((value) => (value ? 1n : 0n));
      return [...bits, ...weight.encode(BigInt(measurement.filter(Boolean).length))];
    },

    eval(measurement, jointRand, one, [call]) {
      const counted = measurement.slice(0, length).reduce((sum, x) => sum + x, 0n);
      return [
        rangeCheck(Field128, measurement, chunkLength, jointRand, one, call as GadgetCall),
        counted - weight.decode(measurement, length),
      ];
    },

    truncate: (measurement) => measurement.slice(0, length),
    decode: decodeCounts,
  };
}

/** Prio3 with the multihot circuit. @throws CryptoError `invalid_argument` */
export function prio3MultihotCountVec(
  parameters: MultihotCountVecParameters,
  options?: Prio3Options,
): Prio3<readonly boolean[], number[]> {
  return new Prio3(multihotCountVec(parameters), PRIO3_MULTIHOT_COUNT_VEC, options);
}
