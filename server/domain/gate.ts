import type { Sheet } from '../../crypto/sheet.ts';
import {
  type BlockEstimate,
  type Direction,
  type Estimate,
  estimateBlock,
  type Noise,
  reliableChanges,
  roundedDown,
} from './estimate.ts';
import { type Item, itemsOf } from './items.ts';
import { decodePublished, type Published } from './published.ts';

/**
 * The gate between released totals and everything that people see (disclosure policy §4). Totals and
 * the exact number of reports go in, and cannot be read again: what comes out is rounded, a band, or
 * the words that stand in its place. It depends on the noised totals, the number of reports and the
 * sheet, and on nothing else.
 */

declare const roundedHere: unique symbol;
/** A number that may be shown: made in this file only. */
export type Rounded = number & { readonly [roundedHere]: true };

export interface NumberCell {
  readonly state: 'number';
  readonly value: Rounded;
  /** The 90 % interval, rounded outwards to the same step. */
  readonly low: Rounded;
  readonly high: Rounded;
  /** Standard error of the noise, to one significant digit. */
  readonly error: Rounded;
}

/** Too noisy for a number: one of three bands. */
export interface BandCell {
  readonly state: 'band';
  readonly side: 'under' | 'between' | 'over';
  /** The ends of the band; the scale's own where the band has none. */
  readonly low: Rounded;
  readonly high: Rounded;
}

/** An ordinary state without a number, in words. */
export interface GapCell {
  readonly state: 'gap';
  readonly words: string;
}

export type Cell = NumberCell | BandCell | GapCell;

/** What is shown of one item. */
export interface ItemCells {
  readonly share: Cell;
  /** Null for a score. */
  readonly mean: Cell | null;
  /** The share of each option, if every one passes as a number, and the favourable one too. */
  readonly distribution: readonly NumberCell[] | GapCell;
}

/** A change since an earlier round. */
export interface Change {
  readonly direction: Direction;
  /** The place of the earlier round among those given. */
  readonly since: number;
}

/** How the values of one unit are shown. Errors are standard errors of the noise. */
interface Rules {
  /** Up to which error a number is shown, and up to which a band. */
  readonly numberError: number;
  readonly bandError: number;
  readonly bands: readonly [number, number];
  /** Steps a unit to round to, finest first. */
  readonly steps: readonly number[];
  /** What is never left by a number. */
  readonly least: number;
  readonly most: number;
  /** The ends of the scale, as bands are drawn. */
  readonly bottom: number;
  readonly top: number;
}

/** Unanimity does not show: no share is shown under the one or over the other. */
export const LEAST_SHARE = 0.05;
export const MOST_SHARE = 0.95;

const SHARE: Rules = {
  numberError: 0.05,
  bandError: 0.12,
  bands: [0.4, 0.7],
  steps: [20, 10],
  least: LEAST_SHARE,
  most: MOST_SHARE,
  bottom: 0,
  top: 1,
};

/** The policy's limits are for a scale from 1 to 5, and grow with the scale. */
function meanRules(top: number, bands: readonly [number, number]): Rules {
  const length = (top - 1) / 4;
  return {
    ...{ numberError: 0.15 * length, bandError: 0.3 * length, bands },
    ...{ steps: [10, 5, 2, 1], least: 1, most: top, bottom: 1, top },
  };
}

export const TOO_NOISY = 'too noisy to tell';

export function tooFewWords(k: number): string {
  return `not shown: fewer than ${k} answers`;
}

const gap = (words: string): GapCell => ({ state: 'gap', words });

function numberCell(estimate: Estimate, { steps, least, most }: Rules): NumberCell {
  const fine = steps.find((perUnit) => estimate.noiseError <= 0.5 / perUnit);
  const perUnit = fine ?? (steps.at(-1) as number);
  const clipped = (count: number) => Math.min(most, Math.max(least, count / perUnit)) as Rounded;
  return {
    state: 'number',
    value: clipped(Math.round(estimate.value * perUnit)),
    low: clipped(Math.floor(estimate.low * perUnit)),
    high: clipped(Math.ceil(estimate.high * perUnit)),
    error: Number(estimate.noiseError.toPrecision(1)) as Rounded,
  };
}

function bandCell({ value }: Estimate, { bands: [low, high], bottom, top }: Rules): BandCell {
  const band = (side: BandCell['side'], from: number, to: number): BandCell => ({
    ...{ state: 'band', side, low: from as Rounded, high: to as Rounded },
  });
  if (value < low) return band('under', bottom, low);
  return value > high ? band('over', high, top) : band('between', low, high);
}

function cellOf(estimate: Estimate, rules: Rules): Cell {
  const form = formOf(estimate, rules);
  if (form === 'number') return numberCell(estimate, rules);
  return form === 'band' ? bandCell(estimate, rules) : gap(TOO_NOISY);
}

/** What a figure may be shown as. */
export type Form = 'number' | 'band' | 'too noisy';

function formOf({ noiseError }: Estimate, { numberError, bandError }: Rules): Form {
  if (noiseError <= numberError) return 'number';
  return noiseError <= bandError ? 'band' : 'too noisy';
}

/**
 * How the figures of a group would be shown before anybody has answered: those of its worst item, if
 * as many answered as are expected and spread evenly over the options. Made of sizes alone.
 * @param reports how many are expected, of `roster` people
 */
export function expectedForms(
  sheet: Sheet,
  reports: number,
  roster: number,
): { readonly share: Form; readonly mean: Form } {
  const forms: { share: Form[]; mean: Form[] } = { share: [], mean: [] };
  for (const { options, favourable, meanBands } of itemsOf(sheet)) {
    const counts = [...options.map(() => reports / options.length), 0];
    const estimate =
      reports < sheet.k
        ? undefined
        : estimateBlock({ counts, reports, roster, groups: 1, favourable }, noiseOf(sheet));
    forms.share.push(estimate === undefined ? 'too noisy' : formOf(estimate.share, SHARE));
    if (meanBands === null) continue;
    const rules = meanRules(options.length, meanBands);
    forms.mean.push(estimate === undefined ? 'too noisy' : formOf(estimate.mean, rules));
  }
  const worst = (of: readonly Form[]): Form =>
    of.includes('too noisy') ? 'too noisy' : of.includes('band') ? 'band' : 'number';
  return { share: worst(forms.share), mean: worst(forms.mean) };
}

/** The cells of one item. @param estimate undefined where nothing could be estimated */
function cellsOf(item: Item, estimate: BlockEstimate | undefined, k: number): ItemCells {
  const everywhere = (cell: GapCell): ItemCells => ({
    ...{ share: cell, mean: item.meanBands && cell, distribution: cell },
  });
  // A question needs k answers of its own, "prefer not to say" aside.
  if (estimate === undefined || estimate.answers < k) return everywhere(gap(tooFewWords(k)));
  const share = cellOf(estimate.share, SHARE);
  const options = estimate.options.map((option) => cellOf(option, SHARE));
  const numbers = options.filter((cell) => cell.state === 'number');
  const isWhole = share.state === 'number' && numbers.length === options.length;
  return {
    share,
    mean: item.meanBands && cellOf(estimate.mean, meanRules(item.options.length, item.meanBands)),
    distribution: isWhole ? numbers : gap(TOO_NOISY),
  };
}

/** What is said of how many answered. */
export interface Response {
  /** A multiple of 5. */
  readonly atLeast: Rounded;
  /** Part of the roster in a band of ten percent: "60 to 70%". */
  readonly part: string;
}

/** How many reports there are, as far as it is said of those that nobody has released: "at least 35". */
export function reportsWords(count: number): string {
  const atLeast = roundedDown(count);
  return atLeast === 0 ? 'fewer than 5' : `at least ${atLeast}`;
}

/** A part of a whole as a band of ten percent: "60 to 70%". */
export function tenPercentBand(part: number, whole: number): string {
  const low = Math.min(90, Math.floor((10 * part) / whole) * 10);
  return `${low} to ${low + 10}%`;
}

/** The signed totals of one group, or of several added up. */
export class Released {
  readonly #published: Published;
  /** People on the roster of these groups. */
  readonly #roster: number;
  readonly #groups: number;

  /** @param roster people on the group's roster */
  constructor(published: Published, roster: number, groups = 1) {
    this.#published = published;
    this.#roster = roster;
    this.#groups = groups;
  }

  /** @param published the bytes that both parties signed */
  static decode(published: Uint8Array, roster: number): Released {
    return new Released(decodePublished(published), roster);
  }

  /** @param released at least one, of one round */
  static together(released: readonly Released[]): Released {
    const sum = (value: (each: Released) => number) =>
      released.reduce((total, each) => total + value(each), 0);
    const [places = []] = released.map((each) => each.#published.totals);
    return new Released(
      {
        count: sum((each) => each.#published.count),
        totals: places.map((_, i) => sum((each) => each.#published.totals[i] ?? 0)),
      },
      sum((each) => each.#roster),
      sum((each) => each.#groups),
    );
  }

  /** What is shown of each item of the sheet. */
  cells(sheet: Sheet): ItemCells[] {
    return itemsOf(sheet).map((item) => cellsOf(item, this.#estimate(sheet, item), sheet.k));
  }

  response(): Response {
    const atLeast = roundedDown(this.#published.count) as Rounded;
    return { atLeast, part: tenPercentBand(atLeast, this.#roster) };
  }

  /**
   * How each item of the last of these rounds differs from the newest earlier one in which it is
   * shown: in its mean, or a score in its share. Where both are numbers they are tested, all of them
   * together, so what is asked for in one call is what stands on one page.
   * @param rounds oldest first; undefined where nothing is released
   * @returns for each item; null where there is nothing to compare
   */
  static changes(sheet: Sheet, rounds: readonly (Released | undefined)[]): (Change | null)[] {
    const pairs = itemsOf(sheet).map((item) => {
      const line = rounds.map((round) => {
        const estimate = round === undefined ? undefined : round.#estimate(sheet, item);
        const { mean, share } = cellsOf(item, estimate, sheet.k);
        const isNumber = (mean ?? share).state === 'number';
        return {
          isShown: (mean ?? share).state !== 'gap',
          number: isNumber ? estimate?.[mean === null ? 'share' : 'mean'] : undefined,
        };
      });
      const after = line.at(-1);
      const earlier = line.slice(0, -1).map(({ isShown }) => isShown);
      const since = earlier.lastIndexOf(true);
      const before = line[since];
      return after?.isShown && before
        ? { since, before: before.number, after: after.number }
        : undefined;
    });
    const tested = pairs.flatMap((pair) =>
      pair?.before && pair.after ? [{ before: pair.before, after: pair.after, pair }] : [],
    );
    const directions = reliableChanges(tested);
    const directionOf = new Map(tested.map(({ pair }, i) => [pair, directions[i] as Direction]));
    return pairs.map((pair) =>
      pair === undefined
        ? null
        : { since: pair.since, direction: directionOf.get(pair) ?? 'unclear' },
    );
  }

  #estimate(sheet: Sheet, { places, favourable }: Item): BlockEstimate | undefined {
    return estimateBlock(
      {
        counts: this.#published.totals.slice(places.from, places.to),
        reports: this.#published.count,
        roster: this.#roster,
        groups: this.#groups,
        favourable,
      },
      noiseOf(sheet),
    );
  }
}

function noiseOf({ noise }: Sheet): Noise {
  return { variance: noise.variance.numerator / noise.variance.denominator, by: noise.by };
}
