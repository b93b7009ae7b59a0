import { equalBytes } from './bytes.ts';
import { canonicalJson, parseCanonicalJson } from './canonical.ts';
import { sha256 } from './sha256.ts';
import { fields, list, natural, oneOf, type Shape, text } from './shape.ts';

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
    /** Variance of the noise on every count, as a fraction in lowest terms; at least 5. */
    readonly variance: { readonly numerator: number; readonly denominator: number };
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
}

/** The number of one-hot places of each question: its options and, last, "prefer not to say". */
export function blockLengths(sheet: Sheet): number[] {
  return sheet.questions.map((question) => question.options.length + 1);
}

/** SHA-256 of what a person agrees to: the extension `consent` of their report. 32 bytes. */
export function noticeHash(sheet: Sheet): Uint8Array {
  return sha256(canonicalJson(sheet.notice));
}

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
    variance: fields<Sheet['noise']['variance']>({ numerator: natural, denominator: natural }),
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
