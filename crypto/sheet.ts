import { equalBytes } from './bytes.ts';
import { canonicalJson, parseCanonicalJson } from './canonical.ts';
import { sha256 } from './sha256.ts';
import { fields, list, natural, oneOf, type Shape, text } from './shape.ts';

/** A fraction in lowest terms. */
export interface Fraction {
  readonly numerator: number;
  readonly denominator: number;
}

/**
 * A survey as both parties signed it: canonical JSON whose SHA-256 stands in every manifest head.
 * The browser shows this and nothing else, so that what a person reads is what was approved.
 */
export interface Sheet {
  readonly version: 1;
  readonly title: string;
  /** One paragraph: what the employer wants to know and what it will do with it. */
  readonly purpose: string;
  readonly notice: {
    /** The employer, as people know it. */
    readonly employer: string;
    /** The second party, as people know it. */
    readonly guardian: string;
    /** Whom to ask. */
    readonly contact: string;
    /** Plain sentences: how long, who sees it, how to withdraw. */
    readonly points: readonly string[];
  };
  /** Who sees the released trends. */
  readonly recipients: readonly string[];
  /** A group with fewer reports at close is destroyed unopened; 8 ≤ k. */
  readonly k: number;
  readonly noise: {
    /** What the rest follows from (disclosure policy §3). */
    readonly preset: 'standard' | 'strong' | 'light';
    /** ρ that twelve months of this survey may cost each person; 0 for `light`, which has no cap. */
    readonly part: Fraction;
    /** Variance of the noise on every count, in answers²; at least 5. */
    readonly variance: Fraction;
    readonly by: 'guardian' | 'both';
  };
  readonly cadence: 'weekly' | 'fortnightly' | 'monthly' | 'quarterly';
  readonly schedule: {
    /** First day of the first round, in days since 1970-01-01; the others follow by the cadence. */
    readonly first_day: number;
    /** Days that a round is open, 1 to 60. */
    readonly round_days: number;
  };
  /** How many of a hundred people are expected to answer; groups are planned for it. */
  readonly response_percent: number;
  readonly retention: {
    /** Days that released trends are kept. */
    readonly trends_days: number;
  };
  /** Days after close at which each party withholds what is not yet noised. */
  readonly deadline_days: number;
  /** Last day of the survey, in days since 1970-01-01. */
  readonly end_day: number;
  readonly questions: readonly Question[];
  /** Scores that the browser works out from the answers, and sends as further blocks. */
  readonly derived: readonly DerivedItem[];
}

/** One question of a sheet, with its answers from low to high. */
export interface Question {
  /** Stable over rounds: lower-case letters, digits and hyphens. */
  readonly id: string;
  /** One or two words for tables and charts. */
  readonly name: string;
  readonly text: string;
  /** Why it is asked, in one sentence. */
  readonly why: string;
  /** From the lowest (value 1) to the highest; "prefer not to say" is added behind them as the last. */
  readonly options: readonly string[];
  /** Which two end options the share counts. */
  readonly favourable: 'high' | 'low';
  /**
   * Two limits in hundredths of a scale point, rising: a mean that is too noisy for a number is shown
   * as below the first, between them, or above the second.
   */
  readonly bands: readonly number[];
}

/**
 * A banded score: the sum of the values of some questions (1 for the lowest option), put into one
 * of a few bands. A distribution of scores cannot be had from distributions of answers.
 */
export interface DerivedItem {
  readonly id: string;
  readonly name: string;
  readonly why: string;
  /** Ids of questions. */
  readonly from: readonly string[];
  /** Those of them whose values are counted from the other end. */
  readonly reversed: readonly string[];
  /** From the lowest score up; a band begins at its least sum, the first one at the smallest sum. */
  readonly levels: readonly { readonly name: string; readonly least: number }[];
  readonly favourable: 'high' | 'low';
}

/**
 * The number of one-hot places of each block: a question's options and, last, "prefer not to say";
 * then, for each derived item, its levels and "not known".
 */
export function blockLengths(sheet: Pick<Sheet, 'questions' | 'derived'>): number[] {
  return [
    ...sheet.questions.map(({ options }) => options.length + 1),
    ...sheet.derived.map(({ levels }) => levels.length + 1),
  ];
}

/**
 * What is cut and sealed: the chosen place of every block, those of the derived items worked out.
 * @param places the chosen place of each question; the last place is "prefer not to say"
 */
export function measurementOf(sheet: Sheet, places: readonly number[]): number[] {
  return [...places, ...sheet.derived.map((item) => levelOf(sheet, item, places))];
}

/** The level of a score, or the place behind all levels if one of its questions is not answered. */
export function levelOf(sheet: Sheet, item: DerivedItem, places: readonly number[]): number {
  let sum = 0;
  for (const [index, { id, options }] of sheet.questions.entries()) {
    if (!item.from.includes(id)) continue;
    const place = places[index] ?? options.length;
    if (place >= options.length) return item.levels.length;
    sum += item.reversed.includes(id) ? options.length - place : place + 1;
  }
  return item.levels.filter(({ least }) => least <= sum).length - 1;
}

/** SHA-256 of what a person agrees to: the extension `consent` of their report. 32 bytes. */
export function noticeHash(sheet: Sheet): Uint8Array {
  return sha256(canonicalJson(sheet.notice));
}

const FRACTION: Shape = fields<Fraction>({ numerator: natural, denominator: natural });

const SHEET: Shape = fields<Sheet>({
  version: oneOf(1),
  title: text,
  purpose: text,
  notice: fields<Sheet['notice']>({
    employer: text,
    guardian: text,
    contact: text,
    points: list(text),
  }),
  recipients: list(text),
  k: natural,
  noise: fields<Sheet['noise']>({
    preset: oneOf('standard', 'strong', 'light'),
    part: FRACTION,
    variance: FRACTION,
    by: oneOf('guardian', 'both'),
  }),
  cadence: oneOf('weekly', 'fortnightly', 'monthly', 'quarterly'),
  schedule: fields<Sheet['schedule']>({ first_day: natural, round_days: natural }),
  response_percent: natural,
  retention: fields<Sheet['retention']>({ trends_days: natural }),
  deadline_days: natural,
  end_day: natural,
  questions: list(
    fields<Question>({
      id: text,
      name: text,
      text,
      why: text,
      options: list(text),
      favourable: oneOf('high', 'low'),
      bands: list(natural),
    }),
  ),
  derived: list(
    fields<DerivedItem>({
      id: text,
      name: text,
      why: text,
      from: list(text),
      reversed: list(text),
      levels: list(
        fields<DerivedItem['levels'][number]>({
          name: text,
          least: natural,
        }),
      ),
      favourable: oneOf('high', 'low'),
    }),
  ),
});

/**
 * The sheet in these bytes, provided that they are canonical JSON with the hash that was signed.
 * Both parties validated the content before they signed it; here only its shape is checked, so that
 * whoever reads on finds every field.
 * @returns undefined if the hash is another one
 * @throws CryptoError `decode` if they are no canonical JSON, `manifest` if that is no sheet
 */
export function sheetWithHash(bytes: Uint8Array, hash: Uint8Array): Sheet | undefined {
  if (!equalBytes(sha256(bytes), hash)) return undefined;
  const value = parseCanonicalJson(bytes);
  SHEET(value, 'sheet');
  return value as unknown as Sheet;
}
