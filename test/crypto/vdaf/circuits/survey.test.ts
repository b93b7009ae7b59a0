import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { sodiumReady } from '../../../../crypto/sodium.ts';
import {
  chunkLengthFor,
  PRIO3_SURVEY,
  prio3Survey,
  survey,
} from '../../../../crypto/vdaf/circuits/survey.ts';
import { Flp } from '../../../../crypto/vdaf/flp.ts';
import {
  aggregateOf,
  cheatingPrio3,
  refusal,
  report,
  verify,
} from '../../../support/vdaf-reports.ts';

beforeAll(sodiumReady);

const TWELVE = { blockLengths: new Array<number>(12).fill(6), chunkLength: 11 };

test('the sizes of twelve questions with six options are those planned', () => {
  const prio3 = prio3Survey(TWELVE);
  expect(prio3.algorithmId).toBe(0xffff5759);
  expect(prio3).toMatchObject({
    shares: 2,
    randSize: 128,
    outputLength: 72,
    publicShareSize: 64,
    verifierShareSize: 416,
    verifierMessageSize: 32,
    aggregateShareSize: 1152,
  });
  expect([prio3.inputShareSize(0), prio3.inputShareSize(1)]).toEqual([1776, 64]);
});

test('every choice is accepted and counted exactly', () => {
  const surveys = fc
    .array(fc.integer({ min: 1, max: 7 }), { minLength: 1, maxLength: 5 })
    .chain((blockLengths) =>
      fc.record({
        blockLengths: fc.constant(blockLengths),
        chunkLength: fc.integer({ min: 1, max: 40 }),
        choices: fc.array(fc.tuple(...blockLengths.map((m) => fc.nat(m - 1))), {
          minLength: 1,
          maxLength: 3,
        }),
      }),
    );
  fc.assert(
    fc.property(surveys, ({ blockLengths, chunkLength, choices }) => {
      const expected = blockLengths.flatMap((options, block) =>
        Array.from(
          { length: options },
          (_, option) => choices.filter((choice) => choice[block] === option).length,
        ),
      );
      expect(aggregateOf(prio3Survey({ blockLengths, chunkLength }), choices)).toEqual(expected);
    }),
    { numRuns: 40 },
  );
});

describe('a vector that is no answer is refused', () => {
  const circuit = survey({ blockLengths: [3, 4, 2], chunkLength: 4 });
  const honest = prio3Survey({ blockLengths: [3, 4, 2], chunkLength: 4 });
  const cheating = cheatingPrio3(circuit, PRIO3_SURVEY);
  const { modulus } = circuit.field;

  test.each([
    ['two options in one question', [1, 1, 0, 0, 0, 1, 0, 1, 0]],
    ['no option in one question', [1, 0, 0, 0, 0, 0, 0, 1, 0]],
    ['no option at all', [0, 0, 0, 0, 0, 0, 0, 0, 0]],
    ['every option', [1, 1, 1, 1, 1, 1, 1, 1, 1]],
    ['a weight of 2 made up for by −1', [2, -1, 0, 0, 0, 1, 0, 1, 0]],
    ['a weight of 2', [2, 0, 0, 0, 0, 1, 0, 1, 0]],
    ['the right total in the wrong questions', [1, 1, 0, 0, 0, 0, 0, 1, 0]],
    ['a negative vote', [-1, 1, 1, 0, 0, 1, 0, 1, 0]],
  ])('%s', (_name, vector) => {
    const elements = vector.map((x) => (BigInt(x) + modulus) % modulus);
    for (let seed = 1; seed <= 5; seed++) {
      expect(refusal(() => verify(honest, report(cheating, elements, seed)))).toBe('vdaf_verify');
    }
  });

  test('a half vote in two options', () => {
    const half = circuit.field.inverse(2n);
    const elements = [half, half, 0n, 1n, 0n, 0n, 0n, 1n, 0n];
    expect(refusal(() => verify(honest, report(cheating, elements)))).toBe('vdaf_verify');
  });

  test('any vector that is not one-hot in each question', () => {
    const small = fc.array(fc.constantFrom(0n, 1n, 2n, modulus - 1n), {
      minLength: 9,
      maxLength: 9,
    });
    fc.assert(
      fc.property(small, (elements) => {
        const blocks = [elements.slice(0, 3), elements.slice(3, 7), elements.slice(7)];
        const valid = blocks.every(
          (block) => block.filter((x) => x === 1n).length === 1 && block.every((x) => x < 2n),
        );
        const made = report(cheating, elements);
        if (valid) expect(verify(honest, made)).toHaveLength(2);
        else expect(refusal(() => verify(honest, made))).toBe('vdaf_verify');
      }),
    );
  });

  test('an honest vector passes the same way', () => {
    expect(verify(honest, report(cheating, [0n, 1n, 0n, 1n, 0n, 0n, 0n, 0n, 1n]))).toHaveLength(2);
  });
});

test('choices that are none cannot be encoded', () => {
  const circuit = survey({ blockLengths: [3, 2], chunkLength: 2 });
  for (const choices of [[], [0], [0, 0, 0], [3, 0], [0, 2], [-1, 0], [0.5, 0], [Number.NaN, 0]]) {
    expect(refusal(() => circuit.encode(choices))).toBe('invalid_argument');
  }
});

test('surveys without a question, an option or a chunk are refused', () => {
  for (const blockLengths of [[], [0], [3, 0], [1.5], [-1]]) {
    expect(refusal(() => survey({ blockLengths, chunkLength: 1 }))).toBe('invalid_argument');
  }
  for (const chunkLength of [0, -1, 1.5, Number.NaN]) {
    expect(refusal(() => survey({ blockLengths: [3], chunkLength }))).toBe('invalid_argument');
  }
});

test('the chunk length chosen has the shortest proof there is', () => {
  expect(chunkLengthFor(TWELVE.blockLengths)).toBe(11);
  for (let length = 1; length <= 30; length++) {
    const proofLength = (chunkLength: number) =>
      new Flp(survey({ blockLengths: [length], chunkLength })).proofLength;
    const all = Array.from({ length }, (_, i) => proofLength(i + 1));
    expect(proofLength(chunkLengthFor([length]))).toBe(Math.min(...all));
  }
});
