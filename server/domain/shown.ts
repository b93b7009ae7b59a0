import type { Estimate } from './estimate.ts';

/**
 * How numbers and days are written where people see them (disclosure policy §4). Rounding happens
 * here and nowhere else.
 */

const MONTHS = [
  ...['January', 'February', 'March', 'April', 'May', 'June', 'July'],
  ...['August', 'September', 'October', 'November', 'December'],
];

function partsOf(day: number) {
  const date = new Date(day * 86_400_000);
  const month = MONTHS[date.getUTCMonth()] as string;
  return { date: date.getUTCDate(), month, year: date.getUTCFullYear() };
}

/** A day since 1970-01-01 (UTC) in words: "3 March 2026". */
export function dayWords(day: number): string {
  const { date, month, year } = partsOf(day);
  return `${date} ${month} ${year}`;
}

/** The same for narrow places: "3 Mar 2026". */
export function shortDay(day: number): string {
  const { date, month, year } = partsOf(day);
  return `${date} ${month.slice(0, 3)} ${year}`;
}

/** A part of a whole as a band of ten percent: "60 to 70%". */
export function band(part: number, whole: number): string {
  const low = Math.min(90, Math.floor((10 * part) / whole) * 10);
  return `${low} to ${low + 10}%`;
}

/** A number as it is shown; the interval's ends are rounded outwards. */
export interface Shown {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Rounds to `perUnit` steps a unit, then keeps within `least` … `most`. */
function stepped(estimate: Estimate, perUnit: number, least: number, most: number): Shown {
  const clipped = (steps: number) => Math.min(most, Math.max(least, steps / perUnit));
  return {
    value: clipped(Math.round(estimate.value * perUnit)),
    low: clipped(Math.floor(estimate.low * perUnit)),
    high: clipped(Math.ceil(estimate.high * perUnit)),
  };
}

const LEAST_SHARE = 0.05;
const MOST_SHARE = 0.95;

/** A share to the nearest 5 %, never under 5 % or over 95 %, so that unanimity does not show. */
export function shownShare(estimate: Estimate): Shown {
  return stepped(estimate, 20, LEAST_SHARE, MOST_SHARE);
}

/** A mean to the nearest 0.1 within its scale, 1 … `top`. */
export function shownMean(estimate: Estimate, top: number): Shown {
  return stepped(estimate, 10, 1, top);
}

/** A shown share as a number: "40%". */
export function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}

/** A shown share in a sentence, where the ends of the range stand for all beyond them. */
export function percentWords(share: number): string {
  if (share <= LEAST_SHARE) return '5% or less';
  if (share >= MOST_SHARE) return '95% or more';
  return percent(share);
}

/** What a figure may be shown as, by the standard error of its noise (disclosure policy §4). */
export type Form = 'number' | 'band' | 'too noisy';

/** @param error of a mean, in scale points */
export function meanForm(error: number): Form {
  return error <= 0.15 ? 'number' : error <= 0.3 ? 'band' : 'too noisy';
}

/** @param error of a share, 0 … 1 */
export function shareForm(error: number): Form {
  return error <= 0.05 ? 'number' : error <= 0.12 ? 'band' : 'too noisy';
}
