import { CryptoError } from '../../errors.ts';
import type { Circuit, GadgetCall } from '../circuit.ts';
import { Field64 } from '../field.ts';
import { Mul } from '../gadgets/mul.ts';
import { Prio3, type Prio3Options } from '../prio3.ts';
import { decodeCounts } from './counts.ts';

/** The algorithm identifier of Prio3Count (VDAF §IANA Considerations). */
export const PRIO3_COUNT = 0x00000001;

/** A measurement of 0 or 1; the aggregate counts the ones (VDAF §Prio3Count). */
export const count: Circuit<0 | 1, number> = {
  field: Field64,
  measurementLength: 1,
  jointRandLength: 0,
  outputLength: 1,
  evalOutputLength: 1,
  gadgets: [{ gadget: Mul, calls: 1 }],

  encode(measurement) {
    if (measurement !== 0 && measurement !== 1) {
      throw new CryptoError('invalid_argument', 'a measurement is 0 or 1');
    }
    return [BigInt(measurement)];
  },

  eval(measurement, _jointRand, _one, [call]) {
    const [x] = measurement as readonly [bigint];
    return [(call as GadgetCall)([x, x]) - x];
  },

  truncate: (measurement) => [...measurement],
  decode: (aggregate, measurementCount) => decodeCounts(aggregate, measurementCount)[0] as number,
};

/** Prio3 with the count circuit. @throws CryptoError `invalid_argument` */
export function prio3Count(options?: Prio3Options): Prio3<0 | 1, number> {
  return new Prio3(count, PRIO3_COUNT, options);
}
