import type { Circuit, GadgetCall } from '../circuit.ts';
import { Field64 } from '../field.ts';
import { PolyEval } from '../gadgets/poly-eval.ts';
import { Prio3, type Prio3Options } from '../prio3.ts';
import { rangeCheckedInt } from './range-checked-int.ts';

/** The algorithm identifier of Prio3Sum (VDAF §IANA Considerations). */
export const PRIO3_SUM = 0x00000002;

/** What all parties agree on beforehand. */
export interface SumParameters {
  /** The greatest measurement, from 1 on; less than 2^63. */
  readonly maxMeasurement: bigint;
}

/**
 * An integer from 0 to a maximum; the aggregate is their sum, modulo the field (VDAF §Prio3Sum).
 * @throws CryptoError `invalid_argument`
 */
export function sum({ maxMeasurement }: SumParameters): Circuit<bigint, bigint> {
  const integer = rangeCheckedInt(Field64, maxMeasurement);
  return {
    field: Field64,
    measurementLength: integer.bits,
    jointRandLength: 0,
    outputLength: 1,
    evalOutputLength: integer.bits,
    // x² − x on each element: zero for 0 and 1 only.
    gadgets: [{ gadget: PolyEval([0n, -1n, 1n]), calls: integer.bits }],

    encode: (measurement) => integer.encode(measurement),
    eval: (measurement, _jointRand, _one, [call]) =>
      measurement.map((bit) => (call as GadgetCall)([bit])),
    truncate: (measurement) => [integer.decode(measurement, 0)],
    decode: ([total]) => total as bigint,
  };
}

/** Prio3 with the sum circuit. @throws CryptoError `invalid_argument` */
export function prio3Sum(parameters: SumParameters, options?: Prio3Options): Prio3<bigint, bigint> {
  return new Prio3(sum(parameters), PRIO3_SUM, options);
}
