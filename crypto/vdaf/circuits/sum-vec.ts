import { CryptoError } from '../../errors.ts';
import type { Circuit, GadgetCall } from '../circuit.ts';
import { type Field, Field128 } from '../field.ts';
import { Prio3, type Prio3Options } from '../prio3.ts';
import { rangeCheck, rangeCheckGadget, requirePositive } from './range-check.ts';
import { rangeCheckedInt } from './range-checked-int.ts';

/** The algorithm identifier of Prio3SumVec (VDAF §IANA Considerations). */
export const PRIO3_SUM_VEC = 0x00000003;

/** What all parties agree on beforehand. */
export interface SumVecParameters {
  /** Integers in a measurement, at least 1. */
  readonly length: number;
  /** The greatest of them, from 1 on; half the modulus is too much. */
  readonly maxMeasurement: bigint;
  /** Bits that one gadget call checks, at least 1. */
  readonly chunkLength: number;
}

/**
 * A vector of integers from 0 to a maximum; the aggregate is their sum, place by place, modulo the
 * field (VDAF §Prio3SumVec).
 * @param field Field128, or Field64 with at least three proofs
 * @throws CryptoError `invalid_argument`
 */
export function sumVec(
  { length, maxMeasurement, chunkLength }: SumVecParameters,
  field: Field = Field128,
): Circuit<readonly bigint[], bigint[]> {
  requirePositive('length', length);
  const integer = rangeCheckedInt(field, maxMeasurement);
  const measurementLength = length * integer.bits;
  const range = rangeCheckGadget(measurementLength, chunkLength);
  return {
    field,
    measurementLength,
    jointRandLength: range.calls,
    outputLength: length,
    evalOutputLength: 1,
    gadgets: [range],

    encode(measurement) {
      if (measurement.length !== length) {
        throw new CryptoError('invalid_argument', `a measurement has ${length} integers`);
      }
      return measurement.flatMap((value) => integer.encode(value));
    },

    eval: (measurement, jointRand, one, [call]) => [
      rangeCheck(field, measurement, chunkLength, jointRand, one, call as GadgetCall),
    ],

    truncate: (measurement) =>
      Array.from({ length }, (_, i) => integer.decode(measurement, i * integer.bits)),
    decode: (aggregate) => [...aggregate],
  };
}

/** Prio3 with the vector sum circuit over Field128. @throws CryptoError `invalid_argument` */
export function prio3SumVec(
  parameters: SumVecParameters,
  options?: Prio3Options,
): Prio3<readonly bigint[], bigint[]> {
  return new Prio3(sumVec(parameters), PRIO3_SUM_VEC, options);
}
