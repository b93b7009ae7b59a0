import type { Sheet } from '../../crypto/sheet.ts';
import { PlanError } from './plan-error.ts';

/**
 * The smallest group worth planning (disclosure policy §2), in people on the roster. Both parties
 * work it out and must agree, so nothing here depends on a machine's logarithm or power: sums,
 * products and quotients of doubles are the same everywhere, and the band is decided in integers.
 */

/** The part of a roster that is expected to answer, unless something better is known. */
export const EXPECTED_RESPONSE = 0.6;

/** How sure a planned group should be to reach k answers. */
const SURE = 0.95;
/** Terms below this part of the largest one cannot move a sum of doubles. */
const NEGLIGIBLE = 1e-20;

export interface PlanSize {
  /** The sheet's minimum of reports, 8 ≤ k ≤ 10,000. */
  readonly k: number;
  /** Expected part of the roster that answers: 0.05 … 1 in steps of 0.001. */
  readonly response: number;
  /** σ² of one draw of noise, in answers²; at least 5. */
  readonly variance: Sheet['noise']['variance'];
  readonly by: Sheet['noise']['by'];
}

/**
 * The smallest planned group: large enough to reach k answers with 95 %, and large enough that a
 * share can at least be shown as a band.
 *
 * @returns people on the roster
 * @throws PlanError `argument`
 * @example planMin({ k: 10, response: 0.6, variance: { numerator: 5, denominator: 1 }, by: 'guardian' }) // 39
 */
export function planMin(size: PlanSize): number {
  const { k, response, variance, by } = size;
  whole('k', k, 8, 10_000);
  whole('the numerator of the variance', variance.numerator, 1, 1e9);
  whole('the denominator of the variance', variance.denominator, 1, 1e6);
  if (variance.numerator < 5 * variance.denominator) {
    throw new PlanError('argument', 'the variance of the noise is at least 5');
  }
  const permille = Math.round(response * 1000);
  if (!(permille >= 50 && permille <= 1000 && Math.abs(permille - response * 1000) < 1e-6)) {
    throw new PlanError('argument', 'the expected response is 0.05 to 1, in steps of 0.001');
  }
  return Math.max(sureToReach(k, permille / 1000), showsBand(variance, by, permille));
}

/**
 * Smallest N with P(Bin(N, r) ≥ k) ≥ 0.95: the k-th answer comes at or before the N-th person.
 * Arguments as `planMin` has checked them.
 */
export function sureToReach(k: number, r: number): number {
  if (r === 1) return k;
  // P(the k-th answer comes at person N) relative to the likeliest N, by its ratio from N to N + 1:
  // N·(1 − r)/(N − k + 1). Starting there, nothing can underflow.
  const likeliest = Math.floor((k - 1) / r) + 1;
  const before: number[] = [];
  for (let n = likeliest, term = 1; n > k && term > NEGLIGIBLE; n--) {
    term *= (n - k) / ((n - 1) * (1 - r));
    before.push(term);
  }
  const after: number[] = [];
  for (let n = likeliest, term = 1; term > NEGLIGIBLE; n++) {
    after.push(term);
    term *= (n * (1 - r)) / (n - k + 1);
  }
  const terms = [...before.reverse(), ...after];
  const enough = SURE * terms.reduce((sum, term) => sum + term, 0);
  let reached = 0;
  const at = terms.findIndex((term) => {
    reached += term;
    return reached >= enough;
  });
  return likeliest - before.length + at;
}

/** ⌈√(1.5·v)/0.12 / r⌉, decided exactly: the smallest N with (0.12·N·r)² ≥ 1.5·v. */
function showsBand(variance: PlanSize['variance'], by: PlanSize['by'], permille: number): number {
  const draws = by === 'both' ? 2 : 1;
  const { numerator, denominator } = variance;
  // Times 10⁵ squared: (12·N·permille)²·2·denominator ≥ 3·draws·numerator·10¹⁰.
  const needed = 3n * BigInt(draws) * BigInt(numerator) * 10n ** 10n;
  const shown = (n: number) =>
    (12n * BigInt(n) * BigInt(permille)) ** 2n * 2n * BigInt(denominator);
  const near = Math.sqrt((1.5 * draws * numerator) / denominator) / 0.12 / (permille / 1000);
  let n = Math.max(1, Math.floor(near) - 1);
  while (shown(n) < needed) n++;
  return n;
}

function whole(what: string, value: number, least: number, most: number): void {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw new PlanError('argument', `${what} is a whole number from ${least} to ${most}`);
  }
}
