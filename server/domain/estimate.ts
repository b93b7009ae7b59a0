import type { Sheet } from '../../crypto/sheet.ts';
import { favourableOptions } from './items.ts';
import { standardNormal } from './normal.ts';

/**
 * From the noised counts of one block to mean, shares and changes, with the error that noise and
 * non-response bring (disclosure policy §3 Estimates and §4). Pure arithmetic on raw values, for
 * `gate.ts` alone: it decides what of them is shown, and rounds.
 */

/** z of a two-sided 90 % interval. */
const Z90 = 1.645;

/** The chance, over all changes that are told together, of telling one where there is none. */
const FALSE_CHANGES = 0.05;

/** How the noise on each count was made. */
export interface Noise {
  /** Variance σ² of one draw on one count, in answers²; at least 5. */
  readonly variance: number;
  /** With `both`, each party added a draw of that variance. */
  readonly by: Sheet['noise']['by'];
}

/** The noised counts of one question or score in one group, or their sum over several groups. */
export interface NoisyBlock {
  /** Answers per option from the lowest to the highest, last "prefer not to say"; signed. */
  readonly counts: readonly number[];
  /** The exact number of reports, n > 0. It is never shown as it is. */
  readonly reports: number;
  /** People on the roster of these groups, N. */
  readonly roster: number;
  /** How many released groups were added up, G ≥ 1; each brought its own noise. */
  readonly groups: number;
  /** Which end options the share counts. */
  readonly favourable: 'high' | 'low';
}

/** An estimated number. The unit is that of `value`: scale points, or parts of one for a share. */
export interface Estimate {
  readonly value: number;
  /** Standard error of the noise alone; a bound on it for a share. */
  readonly noiseError: number;
  /** Of noise and sampling together. */
  readonly variance: number;
  /** The 90 % interval: noise, and the sampling of those who answered. Not clipped. */
  readonly low: number;
  readonly high: number;
}

/** What one block says. */
export interface BlockEstimate {
  /** Estimated answers other than "prefer not to say". */
  readonly answers: number;
  /** Mean on the scale 1 … number of options. */
  readonly mean: Estimate;
  /** Share of the favourable end options among the answers, 0 … 1. */
  readonly share: Estimate;
  /** The share of each option. */
  readonly options: readonly Estimate[];
}

/** `n` rounded down to a multiple of 5: the only form in which a count leaves this program. */
export function roundedDown(n: number): number {
  return Math.floor(n / 5) * 5;
}

/**
 * The counts closest (least squares) to the noised ones that add up to the exact number of
 * reports: the difference is spread evenly. Removes the part of the noise that is known.
 */
export function projected(counts: readonly number[], reports: number): number[] {
  const excess = (counts.reduce((sum, count) => sum + count, 0) - reports) / counts.length;
  return counts.map((count) => count - excess);
}

/**
 * Variance factor of Σ wᵢ·xᵢ over projected noise: |w|² − (Σw)²/m, where m counts all places of
 * the block and the last place ("prefer not to say") has weight 0. For five options,
 * wᵢ = i − μ gives 10 + 0.83·(3 − μ)², the policy's formula.
 */
function projectedVariance(weights: readonly number[]): number {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  const squares = weights.reduce((total, weight) => total + weight * weight, 0);
  return squares - (sum * sum) / (weights.length + 1);
}

/**
 * The largest variance factor of the share of `counted` of `options`: 1.5 for two of five. Its
 * weights are 1 − p for what is counted and −p for the rest; the factor is convex in p, so that it
 * is largest where p is 0 or 1.
 */
function shareVariance(options: number, counted: number): number {
  const factor = (p: number) =>
    projectedVariance(Array.from({ length: options }, (_, i) => (i < counted ? 1 - p : -p)));
  return Math.max(factor(0), factor(1));
}

/** Standard deviation of the noise on one count of a sum over `groups` groups, in answers. */
function countError(noise: Noise, groups: number): number {
  return Math.sqrt(noise.variance * (noise.by === 'both' ? 2 : 1) * groups);
}

function estimated(value: number, noiseError: number, sampling: number): Estimate {
  const variance = noiseError ** 2 + sampling;
  const half = Z90 * Math.sqrt(variance);
  return { value, noiseError, variance, low: value - half, high: value + half };
}

/**
 * Mean and shares of one block. The mean's standard error is σ·√(10 + 0.83·(3 − μ̂)²)/a, the
 * favourable share's bound σ·√1.5/a (both for five options; general here), × √2 with noise by both
 * and × √G for a sum. The sampling term is (1 − a/N)·s²/a, with a rounded down to 5: s² is the
 * estimated spread, kept within 0.5 … 4 for the mean of five options, and p·(1 − p) with p within
 * 5 … 95 % for a share.
 *
 * @returns undefined where no more than one answer is left after projection: nothing can be said
 */
export function estimateBlock(block: NoisyBlock, noise: Noise): BlockEstimate | undefined {
  const counts = projected(block.counts, block.reports).slice(0, -1);
  const answers = counts.reduce((sum, count) => sum + count, 0);
  if (answers <= 1) return undefined;
  const options = counts.length;
  const sigma = countError(noise, block.groups);
  const heard = Math.max(5, roundedDown(Math.min(answers, block.reports)));
  const sampling = (spread: number) => (Math.max(0, 1 - heard / block.roster) * spread) / heard;

  const mean = counts.reduce((sum, count, i) => sum + count * (i + 1), 0) / answers;
  const deviations = counts.map((_, i) => i + 1 - mean);
  const spread = counts.reduce((sum, c, i) => sum + c * (deviations[i] ?? 0) ** 2, 0) / answers;
  // Half of all at either end of the scale; an eighth of it is what a near agreement has.
  const largest = ((options - 1) / 2) ** 2;
  const likelySpread = Math.min(largest, Math.max(largest / 8, spread));

  const shareOf = (chosen: readonly number[]): Estimate => {
    const share = chosen.reduce((sum, count) => sum + count, 0) / answers;
    const error = (sigma * Math.sqrt(shareVariance(options, chosen.length))) / answers;
    const likely = Math.min(0.95, Math.max(0.05, share));
    return estimated(share, error, sampling(likely * (1 - likely)));
  };
  const ends = favourableOptions(options);
  return {
    answers,
    mean: estimated(
      mean,
      (sigma * Math.sqrt(projectedVariance(deviations))) / answers,
      sampling(likelySpread),
    ),
    share: shareOf(block.favourable === 'high' ? counts.slice(-ends) : counts.slice(0, ends)),
    options: counts.map((count) => shareOf([count])),
  };
}

/** What can be said of two estimates of the same thing. */
export type Direction = 'rose' | 'fell' | 'unclear';

/**
 * Which of these changes are reliable, taken together: |Δ| above z·√(v₁ + v₂), where v is the
 * variance of noise and sampling, with Holm's z (two-sided, 5 % for all). Samples of two rounds are
 * taken as independent; the same people in both make a false change less likely still.
 */
export function reliableChanges(
  pairs: readonly { readonly before: Estimate; readonly after: Estimate }[],
): Direction[] {
  const scores = pairs.map(
    ({ before, after }) =>
      (after.value - before.value) / Math.sqrt(before.variance + after.variance),
  );
  const largestFirst = [...scores.entries()].sort(([, a], [, b]) => Math.abs(b) - Math.abs(a));
  const out = scores.map((): Direction => 'unclear');
  for (const [rank, [index, score]] of largestFirst.entries()) {
    const chance = 2 * (1 - standardNormal(Math.abs(score)));
    if (chance > FALSE_CHANGES / (scores.length - rank)) break;
    out[index] = score > 0 ? 'rose' : 'fell';
  }
  return out;
}
