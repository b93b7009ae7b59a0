import { describe, expect, it } from 'vitest';
import { discreteGaussian, discreteGaussians, uniform, type Variance } from '../../crypto/noise.ts';
import {
  floatGaussian,
  hasVariance,
  isDiscreteGaussian,
  isUniform,
  STANDARD_ERRORS,
} from '../support/statistics.ts';
import { expectCode, random } from './support.ts';

/**
 * Statistical tests with fresh randomness. Each bound is passed by an exact sampler but for a chance
 * below 10^-10, all of them together below 10^-9; each test is then shown to fail for a sampler that
 * is wrong. Draws: 200,000 for each variance, 50,000 uniform ones, 20,000 at σ² = 2^120.
 */
const DRAWS = 200_000;
const UNIFORM_DRAWS = 50_000;
const LARGE_DRAWS = 20_000;

const times = <T>(count: number, draw: () => T): T[] => Array.from({ length: count }, draw);

const variances: readonly (readonly [string, Variance])[] = [
  ['1/4', { numerator: 1n, denominator: 4n }],
  ['1', { numerator: 1n, denominator: 1n }],
  ['22/7', { numerator: 22n, denominator: 7n }],
  ['5', { numerator: 5n, denominator: 1n }],
  ['78', { numerator: 78n, denominator: 1n }],
  ['10^5', { numerator: 100_000n, denominator: 1n }],
];
const ratioOf = ({ numerator, denominator }: Variance) => Number(numerator) / Number(denominator);

describe.each(variances)('discreteGaussian at σ² = %s', (_, variance) => {
  const sigma2 = ratioOf(variance);

  it('has the exact probabilities and the exact variance', () => {
    const draws = discreteGaussians(variance, DRAWS, random).map(Number);
    expect(isDiscreteGaussian(draws, sigma2)).toBe(true);
    expect(hasVariance(draws, sigma2)).toBe(true);
  });

  it('would be noticed with a variance 10 % larger or smaller', () => {
    for (const percent of [90n, 110n]) {
      const wrong = {
        numerator: variance.numerator * percent,
        denominator: variance.denominator * 100n,
      };
      const draws = discreteGaussians(wrong, DRAWS / 2, random).map(Number);
      expect(isDiscreteGaussian(draws, sigma2)).toBe(false);
      expect(hasVariance(draws, sigma2)).toBe(false);
    }
  });
});

describe('the tests of the sampler', () => {
  it.each([0.25, 1])('notice a rounded Gaussian of variance %d', (sigma2) => {
    const draws = times(DRAWS, () => Math.round(floatGaussian(Math.sqrt(sigma2))));
    expect(isDiscreteGaussian(draws, sigma2)).toBe(false);
    expect(hasVariance(draws, sigma2)).toBe(false);
  });

  it('notice a sampler that draws zero too often', () => {
    const variance = { numerator: 5n, denominator: 1n };
    const draws = discreteGaussians(variance, DRAWS, random).map(Number);
    const wrong = draws.map((draw, i) => (i % 50 === 0 ? 0 : draw));
    expect(isDiscreteGaussian(wrong, 5)).toBe(false);
  });
});

describe('uniform', () => {
  const m = 3n * 2n ** 61n;
  const twelfth = m / 12n;
  const cells = (draw: () => bigint) =>
    times(UNIFORM_DRAWS, () => Number((draw() / twelfth) % 12n));

  it('is unbiased for m = 3 · 2^61', () => {
    const draws = times(UNIFORM_DRAWS, () => uniform(m, random));
    expect(draws.every((draw) => draw >= 0n && draw < m)).toBe(true);
    expect(
      isUniform(
        draws.map((draw) => Number(draw / twelfth)),
        12,
      ),
    ).toBe(true);
    expect(
      isUniform(
        draws.map((draw) => Number(draw % 24n)),
        24,
      ),
    ).toBe(true);
  });

  it('would be noticed if it reduced modulo m, or kept what is too large', () => {
    expect(
      isUniform(
        cells(() => uniform(2n ** 63n, random) % m),
        12,
      ),
    ).toBe(false);
    expect(
      isUniform(
        cells(() => uniform(2n ** 63n, random)),
        12,
      ),
    ).toBe(false);
  });

  it.each([1n, 2n, 3n, 5n, 2n ** 23n, 2n ** 23n + 1n, 2n ** 46n, 2n ** 130n + 1n])(
    'stays below %s, and reaches both halves',
    (limit) => {
      const draws = times(500, () => uniform(limit, random));
      expect(draws.every((draw) => draw >= 0n && draw < limit)).toBe(true);
      const half = limit / 2n;
      expect(draws.some((draw) => draw >= half)).toBe(true);
      expect(draws.some((draw) => draw <= half)).toBe(true);
    },
  );

  it('has nothing below zero', () => {
    expectCode('invalid_argument', () => uniform(0n, random));
    expectCode('invalid_argument', () => uniform(-1n, random));
  });
});

describe('discreteGaussian at σ² = 2^120', () => {
  const sigma = 2 ** 60;
  const lowBits = (draws: readonly bigint[]) => draws.map((draw) => Number(draw & 31n));
  const scaled = (draws: readonly bigint[]) => draws.map((draw) => Number(draw) / sigma);
  /** At this size the fourth moment is that of the normal distribution. */
  const hasUnitVariance = (draws: readonly number[]) => {
    const meanSquare = draws.reduce((sum, draw) => sum + draw * draw, 0) / draws.length;
    return Math.abs(meanSquare - 1) <= STANDARD_ERRORS * Math.sqrt(2 / draws.length);
  };

  it('has uniform low bits, both signs alike and the variance', () => {
    const variance = { numerator: 2n ** 120n, denominator: 1n };
    const draws = discreteGaussians(variance, LARGE_DRAWS, random);
    expect(isUniform(lowBits(draws), 32)).toBe(true);
    expect(
      isUniform(
        draws.map((draw) => Number(draw < 0n)),
        2,
      ),
    ).toBe(true);
    expect(hasUnitVariance(scaled(draws))).toBe(true);
  });

  it('would be noticed if it came from floats, with one sign only or with another variance', () => {
    const floats = times(LARGE_DRAWS, () => BigInt(Math.round(floatGaussian(sigma))));
    expect(isUniform(lowBits(floats), 32)).toBe(false);
    expect(isUniform(new Array<number>(LARGE_DRAWS).fill(0), 2)).toBe(false); // one sign only
    const wide = { numerator: 2n ** 121n, denominator: 1n };
    expect(hasUnitVariance(scaled(discreteGaussians(wide, LARGE_DRAWS, random)))).toBe(false);
  });
});

describe('the contract of discreteGaussian', () => {
  const five = { numerator: 5n, denominator: 1n };

  it('follows from the randomness alone', () => {
    const replay = (): ((length: number) => Uint8Array) => {
      let state = 1;
      return (length) =>
        Uint8Array.from({ length }, () => {
          state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
          return state >>> 24;
        });
    };
    expect(discreteGaussian(five, replay())).toBe(discreteGaussian(five, replay()));
    expect(discreteGaussians(five, 100, replay())).toEqual(discreteGaussians(five, 100, replay()));
    expect(discreteGaussians(five, 0, random)).toEqual([]);
  });

  it.each([
    ['zero', 0n, 1n],
    ['negative', -1n, 1n],
    ['over zero', 1n, 0n],
    ['negative on both sides', -1n, -1n],
  ])('refuses a variance that is %s', (_, numerator, denominator) => {
    expectCode('invalid_argument', () => discreteGaussian({ numerator, denominator }, random));
  });

  it('does not go on when randomness gives nothing', () => {
    expectCode('invalid_argument', () => discreteGaussian(five, () => new Uint8Array(0)));
  });
});
