import { expect, test } from 'vitest';
import { exact, exactly, plus, toNumber, ZERO } from '../../../server/domain/fraction.ts';
import {
  epsilonOf,
  guessChance,
  guessSentence,
  presetNoise,
  ROUNDS_A_YEAR,
  roundCost,
  wholeAccount,
} from '../../../server/domain/noise-presets.ts';
import { TEST_NOISE, testSheet } from '../../support/parties.ts';

const CADENCES = Object.keys(ROUNDS_A_YEAR) as (keyof typeof ROUNDS_A_YEAR)[];

test.each([
  ['standard', 6, 'weekly', 78, 1, 'guardian'],
  ['standard', 6, 'quarterly', 6, 1, 'guardian'],
  ['standard', 4, 'quarterly', 5, 1, 'guardian'],
  ['strong', 6, 'quarterly', 24, 1, 'both'],
  ['strong', 1, 'quarterly', 5, 1, 'both'],
  ['light', 6, 'weekly', 5, 1, 'guardian'],
] as const)('%s, %i blocks, %s: variance %i/%i by %s', (preset, blocks, cadence, n, d, by) => {
  const noise = presetNoise(preset, wholeAccount(preset), blocks, cadence);
  expect(noise).toMatchObject({ preset, variance: { numerator: n, denominator: d }, by });
});

test('a part of the account takes as much more noise', () => {
  const part = { numerator: 4, denominator: 3 };
  const { variance } = presetNoise('standard', part, 5, 'monthly');
  expect(variance).toEqual({ numerator: 45, denominator: 1 });
});

test('the rounds of a year cost no more than the part, and exactly it where σ² is above 5', () => {
  for (const preset of ['standard', 'strong'] as const) {
    for (const cadence of CADENCES) {
      for (let blocks = 1; blocks <= 60; blocks++) {
        const part = { numerator: 1, denominator: 7 };
        const noise = presetNoise(preset, part, blocks, cadence);
        const question = testSheet().questions[0] as ReturnType<typeof testSheet>['questions'][0];
        const cost = roundCost({ questions: Array(blocks).fill(question), derived: [], noise });
        let sum = ZERO;
        for (let round = 0; round < ROUNDS_A_YEAR[cadence]; round++) sum = plus(sum, cost);
        if (noise.variance.numerator > 5 * noise.variance.denominator) {
          expect(sum).toEqual(exactly(part));
        } else {
          expect(toNumber(sum)).toBeLessThanOrEqual(1 / 7);
        }
      }
    }
  }
});

test('a derived item costs as a question does', () => {
  const sheet = testSheet({ noise: TEST_NOISE.both });
  const item = { ...sheet.questions[0], from: ['energy'], reversed: [], levels: [] };
  expect(roundCost(sheet)).toEqual(exact(1n, 4n));
  expect(roundCost({ ...sheet, derived: [item as never] })).toEqual(exact(3n, 8n));
});

test('the chance of being guessed is that of the release policy', () => {
  // §3: Q = 1, ρ = 1, so σ² = 1: 76 % after one round, 92 % after four.
  expect(guessChance(1, 1)).toBeCloseTo(0.7602, 4);
  expect(guessChance(1, 4)).toBeCloseTo(0.9214, 4);
  expect(guessChance(5, 1)).toBeCloseTo(0.6241, 4);
  expect(guessChance(1e9, 1)).toBeCloseTo(0.5, 4);
  expect(guessChance(1e-3, 1000)).toBe(1);
});

test('and stands in words in the notice', () => {
  expect(guessSentence(testSheet())).toContain('62 in 100 after one round');
  expect(guessSentence(testSheet())).toContain('74 in 100 after a year of 4 rounds');
});

test.each([
  [0.25, 3.54],
  [1, 7.77],
  [4, 17.9],
])('rho of %f is the epsilon that the release policy gives: %f', (rho, epsilon) => {
  expect(Math.abs(epsilonOf(rho) - epsilon)).toBeLessThan(epsilon > 10 ? 0.05 : 0.005);
});
