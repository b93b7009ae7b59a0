/**
 * From one question's noised counts to the share and the mean that a page shows, with the error
 * that noise and non-response bring (disclosure policy §3 Estimates and §4). Pure arithmetic on
 * raw values: rounding and clipping are the page's business.
 */

/** z of a two-sided 90 % interval. */
const Z90 = 1.645;

/** How the noise on each count was made. */
export interface Noise {
  /** Variance σ² of one draw on one count, in answers²; at least 5. */
  readonly variance: number;
  /** With `both`, each party added a draw of that variance. */
  readonly by: 'guardian' | 'both';
}

/** The noised counts of one question in one group, or their sum over several groups. */
export interface NoisyBlock {
  /** Answers per option from the lowest to the highest, last "prefer not to say"; signed. */
  readonly counts: readonly number[];
  /** The exact number of reports, n > 0. It is never shown as it is. */
  readonly reports: number;
  /** People on the roster of these groups, N. */
  readonly roster: number;
  /** How many released groups were added up, G ≥ 1; each brought its own noise. */
  readonly groups: number;
  /** Which two end options the share counts. */
  readonly favourable: 'high' | 'low';
}

/** An estimated number. The unit is that of `value`: scale points, or parts of one for a share. */
export interface Estimate {
  readonly value: number;
  /** Standard error of the noise alone. */
  readonly noiseError: number;
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
  /** Share of the two favourable end options among the answers, 0 … 1. */
  readonly share: Estimate;
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

/** Standard deviation of the noise on one count of a sum over `groups` groups, in answers. */
function countError(noise: Noise, groups: number): number {
  return Math.sqrt(noise.variance * (noise.by === 'both' ? 2 : 1) * groups);
}

/** Variance that comes from hearing n of N people: (1 − n/N)·s²/n, n rounded down to 5. */
function samplingVariance(block: NoisyBlock, spread: number): number {
  const n = Math.max(5, roundedDown(block.reports));
  return (Math.max(0, 1 - n / block.roster) * spread) / n;
}

function withInterval(value: number, noiseError: number, sampling: number): Estimate {
  const half = Z90 * Math.sqrt(noiseError ** 2 + sampling);
  return { value, noiseError, low: value - half, high: value + half };
}

/**
 * Mean and favourable share of one block. The mean's standard error is σ·√(10 + 0.83·(3 − μ̂)²)/a,
 * the share's bound σ·√1.5/a (both for five options; general here), × √2 with noise by both and
 * × √G for a sum. The sampling term uses s² = the estimated spread, kept within 0.5 … 4 for a
 * mean, and p·(1 − p) with p within 5 … 95 % for a share.
 *
 * @returns undefined where no more than one answer is left after projection: nothing can be said
 */
export function estimateBlock(block: NoisyBlock, noise: Noise): BlockEstimate | undefined {
  const counts = projected(block.counts, block.reports).slice(0, -1);
  const answers = counts.reduce((sum, count) => sum + count, 0);
  if (answers <= 1) return undefined;
  const options = counts.length;
  const sigma = countError(noise, block.groups);

  const mean = counts.reduce((sum, count, i) => sum + count * (i + 1), 0) / answers;
  const deviations = counts.map((_, i) => i + 1 - mean);
  const spread = counts.reduce((sum, c, i) => sum + c * (deviations[i] ?? 0) ** 2, 0) / answers;
  const meanError = (sigma * Math.sqrt(projectedVariance(deviations))) / answers;

  const ends = favourableOptions(options);
  const top = block.favourable === 'high' ? counts.slice(-ends) : counts.slice(0, ends);
  const share = top.reduce((sum, count) => sum + count, 0) / answers;
  // The variance is convex in the share, so its largest value stands at a share of 0 or of 1.
  const bound = Math.max(...[0, 1].map((p) => projectedVariance(shareWeights(options, p))));
  const shareError = (sigma * Math.sqrt(bound)) / answers;
  const likely = Math.min(0.95, Math.max(0.05, share));

  return {
    answers,
    mean: withInterval(
      mean,
      meanError,
      samplingVariance(block, Math.min(4, Math.max(0.5, spread))),
    ),
    share: withInterval(share, shareError, samplingVariance(block, likely * (1 - likely))),
  };
}

/** How many end options a share counts: two, or one where two would be more than half. */
export function favourableOptions(options: number): number {
  return options < 4 ? 1 : 2;
}

/** Weights of the counts in the share's error: 1 − p for the favourable options, else −p. */
function shareWeights(options: number, p: number): number[] {
  return Array.from({ length: options }, (_, i) => (i < favourableOptions(options) ? 1 - p : -p));
}
