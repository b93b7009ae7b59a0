import { randomFillSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { discreteGaussians } from '../../../crypto/noise.ts';
import {
  estimateBlock,
  type Noise,
  type NoisyBlock,
  projected,
  roundedDown,
} from '../../../server/domain/estimate.ts';

/** Simulated releases a case. */
const DRAWS = 6_000;
/**
 * How far the measured standard error may lie from the formula: with 6,000 draws its relative
 * standard error is 1/√(2·6000) = 0.9 %; 6 of those (two-sided chance 2e-9 a comparison) and 1 %
 * for the curvature of a ratio.
 */
const TOLERANCE = 0.065;
/** A mean of 6,000 draws lies within 6 of its standard errors, and 1 % of one draw's for curvature. */
const BIAS = 6 / Math.sqrt(DRAWS) + 0.01;

const LIGHT: Noise = { variance: 5, by: 'guardian' };

function pool(noise: Noise, count: number): () => number {
  const draws = discreteGaussians(
    { numerator: BigInt(noise.variance), denominator: 1n },
    noise.by === 'both' ? 2 * count : count,
    (length) => randomFillSync(new Uint8Array(length)),
  );
  let at = 0;
  const one = () => Number(draws[at++]);
  return noise.by === 'both' ? () => one() + one() : one;
}

function deviation(values: readonly number[]): { mean: number; error: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, error: Math.sqrt(squares / (values.length - 1)) };
}

function blockOf(counts: readonly number[], groups = 1): NoisyBlock {
  const reports = counts.reduce((sum, count) => sum + count, 0);
  return { counts, reports, roster: 2 * reports, groups, favourable: 'high' };
}

/** Means and shares of many releases of the same true counts. */
function releases(truth: readonly number[], noise: Noise, groups = 1, reported?: number) {
  const draw = pool(noise, DRAWS * truth.length * groups);
  const means: number[] = [];
  const shares: number[] = [];
  for (let i = 0; i < DRAWS; i++) {
    const counts = truth.map((count) => {
      let noised = count;
      for (let g = 0; g < groups; g++) noised += draw();
      return noised;
    });
    const block = { ...blockOf(truth, groups), counts };
    const estimate = estimateBlock({ ...block, reports: reported ?? block.reports }, noise);
    means.push(estimate?.mean.value ?? Number.NaN);
    shares.push(estimate?.share.value ?? Number.NaN);
  }
  return { mean: deviation(means), share: deviation(shares) };
}

/** The policy's formulas, written out once more. */
function formulas(truth: readonly number[], noise: Noise, groups: number) {
  const answers = truth.slice(0, 5).reduce((sum, count) => sum + count, 0);
  const mean = truth.slice(0, 5).reduce((sum, c, i) => sum + c * (i + 1), 0) / answers;
  const share = ((truth[3] ?? 0) + (truth[4] ?? 0)) / answers;
  const sigma = Math.sqrt(noise.variance * (noise.by === 'both' ? 2 : 1) * groups);
  return {
    mean,
    share,
    meanError: (sigma * Math.sqrt(10 + (5 / 6) * (3 - mean) ** 2)) / answers,
    shareBound: (sigma * Math.sqrt(1.5)) / answers,
    shareError: (sigma * Math.sqrt(4 / 3 - (2 / 3) * share + (5 / 6) * share ** 2)) / answers,
  };
}

const CASES: readonly { name: string; truth: number[]; noise: Noise; groups: number }[] = [
  { name: 'an even team', truth: [10, 10, 10, 10, 10, 2], noise: LIGHT, groups: 1 },
  { name: 'a low mean', truth: [70, 20, 5, 3, 2, 0], noise: LIGHT, groups: 1 },
  { name: 'a high share', truth: [0, 2, 8, 40, 50, 10], noise: LIGHT, groups: 1 },
  { name: 'much left unsaid', truth: [12, 15, 14, 11, 8, 60], noise: LIGHT, groups: 1 },
  {
    name: 'noise by both',
    truth: [40, 60, 90, 70, 40, 10],
    noise: { variance: 6, by: 'both' },
    groups: 1,
  },
  { name: 'a sum of nine groups', truth: [90, 140, 200, 120, 50, 30], noise: LIGHT, groups: 9 },
];

describe('estimateBlock', () => {
  it.each(CASES)('errs as the formulas say: $name', ({ truth, noise, groups }) => {
    const expected = formulas(truth, noise, groups);
    const measured = releases(truth, noise, groups);
    expect(Math.abs(measured.mean.error / expected.meanError - 1)).toBeLessThan(TOLERANCE);
    expect(Math.abs(measured.share.error / expected.shareError - 1)).toBeLessThan(TOLERANCE);
    expect(measured.share.error).toBeLessThan(expected.shareBound * (1 + TOLERANCE));
    expect(Math.abs(measured.mean.mean - expected.mean)).toBeLessThan(BIAS * expected.meanError);
    expect(Math.abs(measured.share.mean - expected.share)).toBeLessThan(BIAS * expected.shareError);
  });

  it.each(CASES)('states those errors itself: $name', ({ truth, noise, groups }) => {
    const expected = formulas(truth, noise, groups);
    const estimate = estimateBlock(blockOf(truth, groups), noise);
    expect(estimate?.mean.value).toBeCloseTo(expected.mean, 10);
    expect(estimate?.share.value).toBeCloseTo(expected.share, 10);
    expect(estimate?.mean.noiseError).toBeCloseTo(expected.meanError, 10);
    expect(estimate?.share.noiseError).toBeCloseTo(expected.shareBound, 10);
  });

  it('needs the projection: without it the error leaves the bound', () => {
    const truth = [70, 20, 5, 3, 2, 0];
    const draw = pool(LIGHT, DRAWS * 6);
    const means = Array.from({ length: DRAWS }, () => {
      const counts = truth.map((count) => count + draw()).slice(0, 5);
      const answers = counts.reduce((sum, count) => sum + count, 0);
      return counts.reduce((sum, count, i) => sum + count * (i + 1), 0) / answers;
    });
    const { error } = deviation(means);
    expect(error / formulas(truth, LIGHT, 1).meanError - 1).toBeGreaterThan(2 * TOLERANCE);
  });

  it('needs the exact number of reports: a rounded one biases the mean', () => {
    const truth = [70, 20, 5, 3, 2, 4];
    const { mean } = releases(truth, LIGHT, 1, 60);
    const expected = formulas(truth, LIGHT, 1);
    expect(Math.abs(mean.mean - expected.mean)).toBeGreaterThan(10 * BIAS * expected.meanError);
  });

  it('counts the two options at the favourable end', () => {
    const counts = [40, 30, 15, 10, 5, 0];
    expect(estimateBlock({ ...blockOf(counts) }, LIGHT)?.share.value).toBeCloseTo(0.15);
    const low = { ...blockOf(counts), favourable: 'low' as const };
    expect(estimateBlock(low, LIGHT)?.share.value).toBeCloseTo(0.7);
  });

  it('adds the sampling of those who answered, with n rounded down to 5', () => {
    const counts = [5, 10, 15, 9, 5, 0];
    const [reports, roster] = [44, 64];
    const estimate = estimateBlock({ ...blockOf(counts), reports, roster }, LIGHT);
    const { mean, share } = estimate ?? expect.fail();
    const spread =
      counts.reduce((sum, c, i) => sum + (i < 5 ? c * (i + 1 - mean.value) ** 2 : 0), 0) / 44;
    const half = 1.645 * Math.sqrt(mean.noiseError ** 2 + ((1 - 40 / 64) * spread) / 40);
    expect(mean.high - mean.value).toBeCloseTo(half, 10);
    expect(mean.value - mean.low).toBeCloseTo(half, 10);
    const p = share.value;
    const shareHalf = 1.645 * Math.sqrt(share.noiseError ** 2 + ((1 - 40 / 64) * p * (1 - p)) / 40);
    expect(share.high - share.value).toBeCloseTo(shareHalf, 10);
  });

  it('keeps s² of a mean within 0.5 and 4', () => {
    const half = (counts: number[]) => {
      const { mean } =
        estimateBlock(blockOf(counts), { variance: 0, by: 'guardian' }) ?? expect.fail();
      return mean.high - mean.value;
    };
    expect(half([0, 0, 100, 0, 0, 0])).toBeCloseTo(1.645 * Math.sqrt((0.5 * 0.5) / 100), 10);
    // Signed noise can make the estimated spread larger than any five options allow.
    expect(half([80, -30, 0, -30, 80, 0])).toBeCloseTo(1.645 * Math.sqrt((0.5 * 4) / 100), 10);
  });

  it('has no sampling term where everybody answered', () => {
    const block = { ...blockOf([10, 20, 30, 20, 20, 0]), roster: 100 };
    const { mean } = estimateBlock(block, LIGHT) ?? expect.fail();
    expect(mean.high - mean.value).toBeCloseTo(1.645 * mean.noiseError, 10);
  });

  it('says nothing where nothing was answered', () => {
    expect(estimateBlock(blockOf([0, 0, 0, 0, 0, 20]), LIGHT)).toBeUndefined();
    expect(
      estimateBlock({ ...blockOf([-3, 1, -2, 0, -4, 31]), reports: 20 }, LIGHT),
    ).toBeUndefined();
  });
});

describe('projected', () => {
  it('adds up to the exact number of reports and moves every count alike', () => {
    const out = projected([10.5, -2, 7, 3, 4, 1], 30);
    expect(out.reduce((sum, count) => sum + count, 0)).toBeCloseTo(30, 10);
    expect((out[0] ?? 0) - (out[1] ?? 0)).toBeCloseTo(12.5, 10);
  });
});

describe('roundedDown', () => {
  it.each([
    [0, 0],
    [4, 0],
    [5, 5],
    [44, 40],
    [45, 45],
  ])('%i is shown as %i', (n, shown) => expect(roundedDown(n)).toBe(shown));
});
