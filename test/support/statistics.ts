/**
 * Statistical tests of samplers. An exact sampler passes each of them but for a chance below 10^-10;
 * their own tests, with samplers that are wrong, are in `test/crypto/noise.test.ts`.
 */

/** e^-25 = 1.4 · 10^-11. */
const TAIL_EXPONENT = 25;
/** A normal variable is farther out with a chance of 8 · 10^-11. */
export const STANDARD_ERRORS = 6.5;
/** Cells with fewer expected draws are joined, so that the statistic is distributed like χ². */
const MIN_EXPECTED = 50;
const MAX_CELLS = 60;

/** A bound that χ² with this many degrees of freedom passes with a chance of e^-25 at most. */
function chiSquareBound(degrees: number): number {
  // Laurent and Massart, "Adaptive estimation of a quadratic functional" (2000), Lemma 1.
  return degrees + 2 * Math.sqrt(degrees * TAIL_EXPONENT) + 2 * TAIL_EXPONENT;
}

/** Whether counts, given how many of each are expected, pass the χ² test. */
function passesChiSquare(observed: readonly number[], expected: readonly number[]): boolean {
  let statistic = 0;
  for (const [i, count] of observed.entries()) {
    statistic += (count - (expected[i] as number)) ** 2 / (expected[i] as number);
  }
  return statistic <= chiSquareBound(observed.length - 1);
}

/** The probability of each integer from −reach to reach. */
function probabilities(sigma2: number): { reach: number; pmf: readonly number[] } {
  const reach = Math.ceil(12 * Math.sqrt(sigma2)) + 2;
  const weights = Array.from({ length: 2 * reach + 1 }, (_, i) =>
    Math.exp(-((i - reach) ** 2) / (2 * sigma2)),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return { reach, pmf: weights.map((weight) => weight / total) };
}

/** The χ² test of integers against the discrete Gaussian's exact probabilities. */
export function isDiscreteGaussian(draws: readonly number[], sigma2: number): boolean {
  const { reach, pmf } = probabilities(sigma2);
  const counts = new Array<number>(pmf.length).fill(0);
  for (const draw of draws) {
    const at = Math.min(Math.max(draw + reach, 0), pmf.length - 1);
    counts[at] = (counts[at] as number) + 1;
  }
  const least = Math.max(MIN_EXPECTED, draws.length / MAX_CELLS);
  const observed = [0];
  const expected = [0];
  for (const [i, probability] of pmf.entries()) {
    if ((expected.at(-1) as number) >= least) {
      observed.push(0);
      expected.push(0);
    }
    observed[observed.length - 1] = (observed.at(-1) as number) + (counts[i] as number);
    expected[expected.length - 1] = (expected.at(-1) as number) + probability * draws.length;
  }
  // The last cell may hold too little: it is joined to the one before.
  const rest = [observed.pop() as number, expected.pop() as number] as const;
  observed[observed.length - 1] = (observed.at(-1) as number) + rest[0];
  expected[expected.length - 1] = (expected.at(-1) as number) + rest[1];
  return passesChiSquare(observed, expected);
}

/** Whether the mean square of the draws is the exact variance, within its standard error. */
export function hasVariance(draws: readonly number[], sigma2: number): boolean {
  const { reach, pmf } = probabilities(sigma2);
  const moment = (power: number) =>
    pmf.reduce((sum, probability, i) => sum + probability * (i - reach) ** power, 0);
  const meanSquare = draws.reduce((sum, draw) => sum + draw * draw, 0) / draws.length;
  const standardError = Math.sqrt((moment(4) - moment(2) ** 2) / draws.length);
  return Math.abs(meanSquare - moment(2)) <= STANDARD_ERRORS * standardError;
}

export function isUniform(cells: readonly number[], cellCount: number): boolean {
  const counts = new Array<number>(cellCount).fill(0);
  for (const cell of cells) counts[cell] = (counts[cell] as number) + 1;
  return passesChiSquare(counts, new Array<number>(cellCount).fill(cells.length / cellCount));
}

/** A Gaussian as textbooks draw it, in floats: what must not be used, and must not pass. */
export function floatGaussian(sigma: number): number {
  return (
    sigma * Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random())
  );
}
