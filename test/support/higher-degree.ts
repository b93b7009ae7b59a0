import type { Circuit, GadgetCall } from '../../crypto/vdaf/circuit.ts';
import { Field64 } from '../../crypto/vdaf/field.ts';
import { PolyEval } from '../../crypto/vdaf/gadgets/poly-eval.ts';

/**
 * A measurement of 0, 1 or 2, checked by one gadget of degree 3, x·(x − 1)·(x − 2): the circuit
 * behind the vectors of Prio3HigherDegree, which exist to test the proof system.
 */
export const higherDegree: Circuit<number, number> = {
  field: Field64,
  measurementLength: 1,
  jointRandLength: 0,
  outputLength: 1,
  evalOutputLength: 1,
  gadgets: [{ gadget: PolyEval([0n, 2n, -3n, 1n]), calls: 1 }],
  encode: (measurement) => [BigInt(measurement)],
  eval: (measurement, _jointRand, _one, [call]) => [(call as GadgetCall)(measurement)],
  truncate: (measurement) => [...measurement],
  decode: ([total]) => Number(total),
};
