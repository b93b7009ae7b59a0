import { type Cell, LEAST_SHARE, MOST_SHARE } from './gate.ts';

/** How numbers and days are written where people see them. What may be shown, `gate.ts` says. */

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

/** How a number of each unit is written. A share's ends stand for all beyond them. */
const WRITTEN = {
  share: {
    number: (share: number) => `${Math.round(share * 100)}%`,
    error: (share: number) => `${Number((share * 100).toPrecision(1))}%`,
  },
  scale: {
    number: (mean: number) => mean.toFixed(1),
    error: String,
  },
} as const;

/** Parts of one, written in percent; or points of a scale from 1. */
export type Unit = keyof typeof WRITTEN;

/** A cell in the words of a table. */
export interface CellWords {
  readonly state: Cell['state'];
  /** "40%", "40% to 70%", "too noisy to tell". */
  readonly words: string;
  /** The 90 % interval of a number: "30% to 50%"; null beside anything else. */
  readonly interval: string | null;
  /** The standard error of a number's noise: "4%"; null beside anything else. */
  readonly error: string | null;
}

export function cellWords(cell: Cell, unit: Unit): CellWords {
  const { number, error } = WRITTEN[unit];
  if (cell.state === 'gap') return { ...cell, interval: null, error: null };
  const range = `${number(cell.low)} to ${number(cell.high)}`;
  if (cell.state === 'number') {
    const words = unit === 'share' ? shareWords(cell.value) : number(cell.value);
    return { state: cell.state, words, interval: range, error: error(cell.error) };
  }
  const words = {
    under: `under ${number(cell.high)}`,
    between: range,
    over: `over ${number(cell.low)}`,
  };
  return { state: cell.state, words: words[cell.side], interval: null, error: null };
}

/** A shown share, where the ends of the range stand for all beyond them. */
function shareWords(share: number): string {
  if (share <= LEAST_SHARE) return `${WRITTEN.share.number(LEAST_SHARE)} or less`;
  if (share >= MOST_SHARE) return `${WRITTEN.share.number(MOST_SHARE)} or more`;
  return WRITTEN.share.number(share);
}
