import { randomFillSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { discreteGaussians } from '../../../crypto/noise.ts';
import {
  type Estimate,
  estimateBlock,
  type Noise,
  type NoisyBlock,
  projected,
  reliableChanges,
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
  const firsts: number[] = [];
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
    firsts.push(estimate?.options[0]?.value ?? Number.NaN);
  }
  return { mean: deviation(means), share: deviation(shares), first: deviation(firsts) };
}

/** The policy's formulas, written out once more. */
function formulas(truth: readonly number[], noise: Noise, groups: number) {
  const answers = truth.slice(0, 5).reduce((sum, count) => sum + count, 0);
  const mean = truth.slice(0, 5).reduce((sum, c, i) => sum + c * (i + 1), 0) / answers;
  const share = ((truth[3] ?? 0) + (truth[4] ?? 0)) / answers;
  const first = (truth[0] ?? 0) / answers;
  const sigma = Math.sqrt(noise.variance * (noise.by === 'both' ? 2 : 1) * groups);
  return {
    mean,
    share,
    meanError: (sigma * Math.sqrt(10 + (5 / 6) * (3 - mean) ** 2)) / answers,
    shareBound: (sigma * Math.sqrt(1.5)) / answers,
    first,
    // One option of five: |w|² − (Σw)²/6 with w = 1 − p once and −p four times.
    firstError: (sigma * Math.sqrt(5 / 6 - (1 / 3) * first + (5 / 6) * first ** 2)) / answers,
    optionBound: (sigma * Math.sqrt(4 / 3)) / answers,
    shareError: (sigma * Math.sqrt(4 / 3 - (2 / 3) * share + (5 / 6) * share ** 2)) / answers,
  };
}

/** The check: whether what was measured errs as it is stated to. */
function errsAs(measured: { readonly error: number }, stated: number): boolean {
  return Math.abs(measured.error / stated - 1) < TOLERANCE;
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
    expect(errsAs(measured.mean, expected.meanError)).toBe(true);
    expect(errsAs(measured.share, expected.shareError)).toBe(true);
    expect(errsAs(measured.first, expected.firstError)).toBe(true);
    expect(measured.share.error).toBeLessThan(expected.shareBound * (1 + TOLERANCE));
    expect(measured.first.error).toBeLessThan(expected.optionBound * (1 + TOLERANCE));
    expect(Math.abs(measured.mean.mean - expected.mean)).toBeLessThan(BIAS * expected.meanError);
    expect(Math.abs(measured.share.mean - expected.share)).toBeLessThan(BIAS * expected.shareError);
    expect(Math.abs(measured.first.mean - expected.first)).toBeLessThan(BIAS * expected.firstError);
  });

  it.each(CASES)('states those errors itself: $name', ({ truth, noise, groups }) => {
    const expected = formulas(truth, noise, groups);
    const estimate = estimateBlock(blockOf(truth, groups), noise);
    expect(estimate?.mean.value).toBeCloseTo(expected.mean, 10);
    expect(estimate?.share.value).toBeCloseTo(expected.share, 10);
    expect(estimate?.mean.noiseError).toBeCloseTo(expected.meanError, 10);
    expect(estimate?.share.noiseError).toBeCloseTo(expected.shareBound, 10);
    expect(estimate?.options[0]?.value).toBeCloseTo(expected.first, 10);
    for (const { noiseError } of estimate?.options ?? expect.fail()) {
      expect(noiseError).toBeCloseTo(expected.optionBound, 10);
    }
  });

  it('needs the projection: without it the error leaves the bound', () => {
    const truth = [70, 20, 5, 3, 2, 0];
    const draw = pool(LIGHT, DRAWS * 6);
    const means = Array.from({ length: DRAWS }, () => {
      const counts = truth.map((count) => count + draw()).slice(0, 5);
      const answers = counts.reduce((sum, count) => sum + count, 0);
      return counts.reduce((sum, count, i) => sum + count * (i + 1), 0) / answers;
    });
    expect(errsAs(deviation(means), formulas(truth, LIGHT, 1).meanError)).toBe(false);
  });

  it.each([
    ['noise of half the variance', { variance: 10, by: 'guardian' }, 1],
    ['noise of twice the variance', { variance: 2.5, by: 'guardian' }, 1],
    ['noise by one party that is stated as by both', { variance: 5, by: 'both' }, 1],
    ['one group that is stated as a sum of two', LIGHT, 2],
  ] as const)('would be noticed with %s', (_, stated, groups) => {
    const truth = [10, 10, 10, 10, 10, 2];
    const measured = releases(truth, LIGHT);
    const expected = formulas(truth, stated, groups);
    expect(errsAs(measured.mean, expected.meanError)).toBe(false);
    expect(errsAs(measured.share, expected.shareError)).toBe(false);
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

  it('takes as heard only who answered the question', () => {
    const counts = [5, 10, 15, 9, 5, 60];
    const block = { ...blockOf(counts), reports: 104, roster: 208 };
    const { mean } = estimateBlock(block, LIGHT) ?? expect.fail();
    const spread =
      counts.reduce((sum, c, i) => sum + (i < 5 ? c * (i + 1 - mean.value) ** 2 : 0), 0) / 44;
    expect(mean.variance - mean.noiseError ** 2).toBeCloseTo(((1 - 40 / 208) * spread) / 40, 10);
  });

  it('keeps s² within limits that grow with the scale', () => {
    const variance = (counts: number[]) =>
      estimateBlock(blockOf(counts), { variance: 0, by: 'guardian' })?.mean.variance;
    expect(variance([0, 100, 0])).toBeCloseTo((0.5 * (0.25 / 8)) / 100, 10);
    expect(variance([100, ...Array(8).fill(0), 100, 0])).toBeCloseTo((0.5 * 20.25) / 200, 10);
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

/** Answers of `n` people drawn from a company whose options have these weights. */
function sampled(company: readonly number[], n: number): number[] {
  const people = company.flatMap((count, option) => Array.from({ length: count }, () => option));
  const counts = company.map(() => 0);
  for (let i = 0; i < n; i++) {
    const j = i + Math.floor(Math.random() * (people.length - i));
    [people[i], people[j]] = [people[j] as number, people[i] as number];
    counts[people[i] as number] = (counts[people[i] as number] as number) + 1;
  }
  return counts;
}

describe('the 90 % interval', () => {
  // 3,000 draws: the part that holds the truth has a standard error of 0.55 %; 6 of those are 3.3 %.
  const DRAWN = 3_000;
  it.each([
    { name: 'of many', company: [60, 120, 180, 160, 60, 20], n: 300, sigma: LIGHT },
    { name: 'of a team', company: [10, 20, 40, 25, 15, 4], n: 70, sigma: LIGHT },
    { name: 'with much left unsaid', company: [20, 40, 60, 50, 30, 200], n: 240, sigma: LIGHT },
    { name: 'of a low mean', company: [120, 40, 15, 5, 0, 0], n: 100, sigma: LIGHT },
  ])('holds the truth about nine times in ten: $name', ({ company, n, sigma }) => {
    const roster = company.reduce((sum, count) => sum + count, 0);
    const truth = formulas(company, sigma, 1);
    const draw = pool(sigma, DRAWN * company.length);
    let [means, shares] = [0, 0];
    for (let i = 0; i < DRAWN; i++) {
      const counts = sampled(company, n).map((count) => count + draw());
      const block = { counts, reports: n, roster, groups: 1, favourable: 'high' as const };
      const { mean, share } = estimateBlock(block, sigma) ?? expect.fail();
      if (mean.low <= truth.mean && truth.mean <= mean.high) means++;
      if (share.low <= truth.share && truth.share <= share.high) shares++;
    }
    for (const held of [means, shares]) {
      expect(held / DRAWN).toBeGreaterThan(0.9 - 0.033);
      // The bounds that the policy sets (on shares, on s²) may only make it wider.
      expect(held / DRAWN).toBeLessThan(0.99);
    }
  });
});

describe('reliableChanges', () => {
  const at = (value: number, variance = 1): Estimate => ({
    ...{ value, noiseError: Math.sqrt(variance), variance, low: value, high: value },
  });
  const changes = (...scores: number[]) =>
    reliableChanges(scores.map((score) => ({ before: at(0), after: at(score * Math.SQRT2) })));

  it('is the two-sided test at 5 % for one', () => {
    expect(changes(1.959)).toEqual(['unclear']);
    expect(changes(1.961)).toEqual(['rose']);
    expect(changes(-1.961)).toEqual(['fell']);
    expect(changes()).toEqual([]);
  });

  it('takes Holm’s z for several: the largest against a part of 5 %, the rest only behind it', () => {
    // z of 5 % / 3, / 2 and / 1, two-sided: 2.394, 2.241, 1.960.
    expect(changes(2.39, 2.3, 0)).toEqual(['unclear', 'unclear', 'unclear']);
    expect(changes(-2.4, 2.2, 0)).toEqual(['fell', 'unclear', 'unclear']);
    expect(changes(2.25, -2.4, 0)).toEqual(['rose', 'fell', 'unclear']);
    expect(changes(2.25, -2.4, 1.97)).toEqual(['rose', 'fell', 'rose']);
  });

  it('weighs noise and sampling of both rounds', () => {
    const pair = (before: number, after: number) =>
      reliableChanges([{ before: at(0, before), after: at(3, after) }]);
    expect(pair(1, 1)).toEqual(['rose']);
    expect(pair(1, 2)).toEqual(['unclear']);
    expect(pair(2, 1)).toEqual(['unclear']);
  });

  it('tells no change where there is none, in 95 of 100 pages', () => {
    // 2,000 pages of six questions: 5 % has a standard error of 0.5 %; 6 of those are 3 %.
    const PAGES = 2_000;
    const company = [30, 60, 90, 80, 30, 10];
    const draw = pool(LIGHT, PAGES * 6 * 2 * company.length);
    const estimate = () => {
      const counts = sampled(company, 150).map((count) => count + draw());
      const block = { counts, reports: 150, roster: 300, groups: 1, favourable: 'high' as const };
      return estimateBlock(block, LIGHT)?.mean ?? expect.fail();
    };
    let told = 0;
    for (let page = 0; page < PAGES; page++) {
      const pairs = Array.from({ length: 6 }, () => ({ before: estimate(), after: estimate() }));
      if (reliableChanges(pairs).some((direction) => direction !== 'unclear')) told++;
    }
    expect(told / PAGES).toBeLessThan(0.08);
    expect(told).toBeGreaterThan(0);
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
