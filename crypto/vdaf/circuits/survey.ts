import { CryptoError } from '../../errors.ts';
import type { Circuit, GadgetCall } from '../circuit.ts';
import { Field128 } from '../field.ts';
import { Prio3 } from '../prio3.ts';
import { decodeCounts } from './counts.ts';
import { rangeCheck, rangeCheckGadget, requirePositive } from './range-check.ts';

/**
 * The algorithm identifier of Prio3Survey, in the range for private use (VDAF §IANA
 * Considerations).
 */
export const PRIO3_SURVEY = 0xffff5759;

/** One block for each question: how many options it has. */
export interface SurveyParameters {
  /** Options of each question, "prefer not to say" among them; at least one block. */
  readonly blockLengths: readonly number[];
  /** Elements that one gadget call checks; see `chunkLengthFor`. */
  readonly chunkLength: number;
}

/**
 * Chorus's own circuit: one choice in every question. A measurement is the index of the chosen
 * option of each block; it is encoded one-hot, block after block, and the aggregate counts how
 * often each option was chosen, in the same order.
 *
 * A vector is valid if every element is 0 or 1 (one random combination, as in Prio3Histogram) and
 * every block sums to 1 (one output each). VDAF binds no parameters of a circuit: both parties must
 * agree on them beforehand (in Chorus, by the DAP task configuration).
 * @throws CryptoError `invalid_argument`
 */
export function survey({
  blockLengths,
  chunkLength,
}: SurveyParameters): Circuit<readonly number[], number[]> {
  const length = totalLength(blockLengths);
  const blocks = [...blockLengths];
  const range = rangeCheckGadget(length, chunkLength);
  return {
    field: Field128,
    measurementLength: length,
    jointRandLength: range.calls,
    outputLength: length,
    evalOutputLength: 1 + blocks.length,
    gadgets: [range],

    encode(choices) {
      if (choices.length !== blocks.length) {
        throw new CryptoError('invalid_argument', 'there must be one choice for each block');
      }
      return blocks.flatMap((options, block) => {
        const choice = choices[block] as number;
        if (!Number.isInteger(choice) || choice < 0 || choice >= options) {
          throw new CryptoError('invalid_argument', 'a choice is not among the options');
        }
        return Array.from({ length: options }, (_, option) => BigInt(Number(option === choice)));
      });
    },

    eval(measurement, jointRand, one, [call]) {
      const check = call as GadgetCall;
      const outputs = [rangeCheck(Field128, measurement, chunkLength, jointRand, one, check)];
      let at = 0;
      for (const options of blocks) {
        let excess = -one;
        for (const end = at + options; at < end; at++) excess += measurement[at] as bigint;
        outputs.push(excess);
      }
      return outputs;
    },

    truncate: (measurement) => [...measurement],
    decode: decodeCounts,
  };
}

/**
 * Prio3 for two parties with the Survey circuit.
 * @throws CryptoError `invalid_argument`
 */
export function prio3Survey(parameters: SurveyParameters): Prio3<readonly number[], number[]> {
  return new Prio3(survey(parameters), PRIO3_SURVEY);
}

/**
 * The chunk length with the shortest proof: c = 11 for 72 elements. A proof has 2c + 2p − 1
 * elements, p the power of two above the number of calls, so for each p the smallest c that needs
 * no more than p − 1 calls is tried; of equals the one with the smaller p, as a step of the query
 * costs more than an element of the proof.
 * @throws CryptoError `invalid_argument`
 */
export function chunkLengthFor(blockLengths: readonly number[]): number {
  const length = totalLength(blockLengths);
  let best = { chunkLength: length, proofLength: Number.POSITIVE_INFINITY };
  for (let p = 2; p <= 2 * length; p *= 2) {
    const chunkLength = Math.ceil(length / (p - 1));
    const proofLength = 2 * chunkLength + 2 * p - 1;
    if (proofLength < best.proofLength) best = { chunkLength, proofLength };
  }
  return best.chunkLength;
}

function totalLength(blockLengths: readonly number[]): number {
  if (blockLengths.length === 0) {
    throw new CryptoError('invalid_argument', 'a survey needs a block');
  }
  for (const options of blockLengths) requirePositive('block length', options);
  return blockLengths.reduce((sum, options) => sum + options, 0);
}
