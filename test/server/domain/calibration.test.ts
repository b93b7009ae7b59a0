import { describe, expect, it } from 'vitest';
import { surveyOf } from '../../../crypto/manifest.ts';
import { discreteGaussians } from '../../../crypto/noise.ts';
import type { Sheet } from '../../../crypto/sheet.ts';
import { prio3Survey } from '../../../crypto/vdaf/circuits/survey.ts';
import { addNoise } from '../../../server/aggregator/share.ts';
import { parseSheetFile } from '../../../server/domain/sheet-file.ts';
import { random } from '../../crypto/support.ts';
import { testSheet } from '../../support/parties.ts';
import { floatGaussian, hasVariance, isDiscreteGaussian } from '../../support/statistics.ts';

/**
 * From the preset in a sheet's file to the noise on its totals, once through everything: what is
 * measured on released shares must be the discrete Gaussian of variance max(Q/ρ, 5).
 */

/** Draws on released totals for each sheet; an exact sampler fails with a chance below 10^-10. */
const DRAWS = 60_000;
/** Enough floats that rounding, which adds 1/12 to the variance, is seen at σ² = 5. */
const FLOATS = 1_000_000;

/** What the policy says of a sheet, written out once more. */
interface Terms {
  readonly questions: number;
  readonly scores: number;
  readonly roundsAYear: number;
  /** The preset's account; none for Light. */
  readonly cap: number | undefined;
}

function policyVariance({ questions, scores, roundsAYear, cap }: Terms): number {
  return cap === undefined ? 5 : Math.max(((questions + scores) * roundsAYear) / cap, 5);
}

/** The check: whether these draws are the noise that the policy asks for. */
function isCalibrated(draws: readonly number[], terms: Terms): boolean {
  const sigma2 = policyVariance(terms);
  return hasVariance(draws, sigma2) && isDiscreteGaussian(draws, sigma2);
}

function sheetOf({ questions, scores }: Terms, preset: string, cadence: string): Sheet {
  const { noise: _, questions: [question] = [], ...rest } = testSheet();
  const notice = { ...rest.notice, points: ['It is a test.'] };
  return parseSheetFile({
    ...{ ...rest, notice },
    ...{ cadence, noise: { preset } },
    questions: Array.from({ length: questions }, (_, i) => ({ ...question, id: `q${i}` })),
    derived: Array.from({ length: scores }, (_, i) => ({
      ...{ id: `s${i}`, name: 'Score', why: 'To test.', favourable: 'high' },
      ...{ from: ['q0'], reversed: [] },
      levels: [
        { name: 'Low', least: 1 },
        { name: 'High', least: 3 },
      ],
    })),
  });
}

/** The noise on all totals of as many releases as it takes. */
function released(sheet: Sheet): number[] {
  const vdaf = prio3Survey(surveyOf(sheet));
  const nothing = vdaf.aggregateInit();
  const share = vdaf.encodeAggregateShare(nothing).reveal();
  const draws: number[] = [];
  while (draws.length < DRAWS) {
    const noised = vdaf.decodeAggregateShare(addNoise({ vdaf, sheet }, share, random));
    for (const element of vdaf.sumAggregateShares([noised, nothing])) {
      draws.push(Number(vdaf.field.centered(element)));
    }
  }
  return draws;
}

const gaussians = (sigma2: number) =>
  discreteGaussians(
    { numerator: BigInt(Math.round(sigma2 * 12)), denominator: 12n },
    DRAWS,
    random,
  ).map(Number);

describe('the noise on released totals', () => {
  it.each([
    ['standard', 'monthly', { questions: 6, scores: 1, roundsAYear: 12, cap: 4 }],
    ['standard', 'quarterly', { questions: 3, scores: 0, roundsAYear: 4, cap: 4 }],
    ['standard', 'weekly', { questions: 1, scores: 0, roundsAYear: 52, cap: 4 }],
    ['strong', 'quarterly', { questions: 4, scores: 2, roundsAYear: 4, cap: 1 }],
    ['light', 'weekly', { questions: 6, scores: 0, roundsAYear: 52, cap: undefined }],
  ] as const)('is the policy’s: %s, %s', (preset, cadence, terms) => {
    expect(isCalibrated(released(sheetOf(terms, preset, cadence)), terms)).toBe(true);
  });
});

describe('the check of it', () => {
  const terms: Terms = { questions: 6, scores: 1, roundsAYear: 12, cap: 4 };

  it('takes draws of the right variance', () => {
    expect(isCalibrated(gaussians(21), terms)).toBe(true);
  });

  it.each([
    ['Q is ignored', 3],
    ['Q is halved', 10.5],
    ['Q is doubled', 42],
    ['scores are forgotten', 18],
    ['the variance is 10 % too small', 18.9],
    ['every round gets the whole account', 5],
  ])('notices that %s', (_, sigma2) => {
    expect(isCalibrated(gaussians(sigma2), terms)).toBe(false);
  });

  it('notices a rounded Gaussian', () => {
    const least: Terms = { questions: 3, scores: 0, roundsAYear: 4, cap: 4 };
    const floats = Array.from({ length: FLOATS }, () => Math.round(floatGaussian(Math.sqrt(5))));
    expect(isCalibrated(floats, least)).toBe(false);
  });

  it('notices noise that is clamped, and noise of even numbers only', () => {
    const draws = gaussians(21);
    expect(
      isCalibrated(
        draws.map((draw) => Math.max(draw, -5)),
        terms,
      ),
    ).toBe(false);
    expect(
      isCalibrated(
        draws.map((draw) => 2 * draw),
        terms,
      ),
    ).toBe(false);
  });
});
