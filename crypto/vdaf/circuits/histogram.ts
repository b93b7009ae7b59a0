import { CryptoError } from '../../errors.ts';
import type { Circuit, GadgetCall } from '../circuit.ts';
import { Field128 } from '../field.ts';
import { Prio3, type Prio3Options } from '../prio3.ts';
import { decodeCounts } from './counts.ts';
import { rangeCheck, rangeCheckGadget } from './range-check.ts';

/** The algorithm identifier of Prio3Histogram (VDAF §IANA Considerations). */
export const PRIO3_HISTOGRAM = 0x00000004;

/** What all parties agree on beforehand. */
export interface HistogramParameters {
  /** The number of buckets, at least 1. */
  readonly length: number;
  /** Buckets that one gadget call checks, at least 1. */
  readonly chunkLength: number;
}

/**
 * A choice of one bucket, by its index; the aggregate counts the choices of each (VDAF
 * §Prio3Histogram). @throws CryptoError `invalid_argument`
 */
export function histogram({ length, chunkLength }: HistogramParameters): Circuit<number, number[]> {
  const range = rangeCheckGadget(length, chunkLength);
  return {
    field: Field128,
    measurementLength: length,
    jointRandLength: range.calls,
    outputLength: length,
    evalOutputLength: 2,
    gadgets: [range],

    encode(bucket) {
      if (!Number.isInteger(bucket) || bucket < 0 || bucket >= length) {
        throw new CryptoError('invalid_argument', 'there is no such bucket');
      }
      return Array.from({ length }, (_, i) => BigInt(Number(i === bucket)));
    },

    eval: (measurement, jointRand, one, [call]) => [
      rangeCheck(Field128, measurement, chunkLength, jointRand, one, call as GadgetCall),
      measurement.reduce((sum, x) => sum + x, -one),
    ],

    truncate: (measurement) => [...measurement],
    decode: decodeCounts,
  };
}

/** Prio3 with the histogram circuit. @throws CryptoError `invalid_argument` */
export function prio3Histogram(
  parameters: HistogramParameters,
  options?: Prio3Options,
): Prio3<number, number[]> {
  return new Prio3(histogram(parameters), PRIO3_HISTOGRAM, options);
}
