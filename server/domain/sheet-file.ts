import type { Sheet } from '../../crypto/sheet.ts';
import { dayOf } from './days.ts';
import { parseSheet } from './sheets.ts';

/** What a sheet says where its file says nothing: the Standard preset, for quarterly rounds. */
const DEFAULTS = {
  version: 1,
  k: 10,
  cadence: 'quarterly',
  response_percent: 60,
  deadline_days: 7,
};
const ROUND_DAYS = 14;
const TRENDS_DAYS = 730;

/** Rounds of each cadence in a year. */
const ROUNDS_A_YEAR: Readonly<Record<string, number>> = {
  weekly: 52,
  fortnightly: 26,
  monthly: 12,
  quarterly: 4,
};
/** What the Standard preset lets a person's answers cost in twelve months (disclosure policy §3). */
const STANDARD_ACCOUNT = 4;
const SMALLEST_VARIANCE = 5;

/**
 * The sheet that a person wrote as JSON: what it does not say is taken from the Standard preset, and
 * a day may be a date like "2026-11-21".
 * @throws ZodError with the path and the reason of each fault
 */
export function parseSheetFile(value: unknown): Sheet {
  if (!isRecord(value)) return parseSheet(value);
  const file: Record<string, unknown> = { ...DEFAULTS, ...value };
  const schedule = over({ round_days: ROUND_DAYS }, file.schedule);
  return parseSheet({
    ...file,
    noise: over({ variance: standardVariance(file), by: 'guardian' }, file.noise),
    schedule: isRecord(schedule) ? { ...schedule, first_day: asDay(schedule.first_day) } : schedule,
    retention: over({ trends_days: TRENDS_DAYS }, file.retention),
    end_day: asDay(file.end_day),
  });
}

/** σ² = max(Q · rounds a year ÷ account, 5), in lowest terms. */
function standardVariance({ questions, cadence }: Record<string, unknown>) {
  const asked = Array.isArray(questions) ? questions.length : 0;
  let numerator = asked * (ROUNDS_A_YEAR[String(cadence)] ?? 0);
  let denominator = STANDARD_ACCOUNT;
  if (numerator <= SMALLEST_VARIANCE * denominator) {
    return { numerator: SMALLEST_VARIANCE, denominator: 1 };
  }
  while (denominator > 1 && numerator % 2 === 0) {
    numerator /= 2;
    denominator /= 2;
  }
  return { numerator, denominator };
}

/** What is given over the defaults; what is no object stays, to be refused. */
function over(defaults: object, given: unknown): unknown {
  if (given === undefined) return defaults;
  return isRecord(given) ? { ...defaults, ...given } : given;
}

/** The day of a date; anything else stays as it is. */
function asDay(given: unknown): unknown {
  return (typeof given === 'string' ? dayOf(given) : undefined) ?? given;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
