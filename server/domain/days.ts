import { Cron } from 'croner';

/** Milliseconds of one day of 24 hours. */
export const DAY_MS = 86_400_000;

/** A run of whole calendar days, counted since 1970-01-01. */
export interface Days {
  readonly start: number;
  readonly duration: number;
}

/** A day as a date: "2026-11-21". */
export function isoDate(day: number): string {
  return dateAt(day * DAY_MS);
}

/** The date (UTC) of a moment in milliseconds since 1970: "2026-11-21". */
export function dateAt(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** The day of a date like "2026-11-21", or undefined if there is no such date. */
export function dayOf(date: string): number | undefined {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(date)) return undefined;
  const day = Date.parse(`${date}T00:00:00Z`) / DAY_MS;
  // Date.parse takes 30 February for 2 March.
  return Number.isInteger(day) && isoDate(day) === date ? day : undefined;
}

/** Whether this program knows a time zone of this name, such as Europe/Berlin. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/**
 * When a day begins in a time zone, in milliseconds since 1970 (UTC). Where a change of the clocks
 * skips midnight, the day begins at the first moment after it.
 */
export function dayBegins(day: number, timeZone: string): number {
  if (timeZone === 'UTC') return day * DAY_MS;
  const begins = new Cron(`${isoDate(day)}T00:00:00`, { timezone: timeZone }).nextRun(new Date(0));
  if (begins === null) throw new RangeError(`day ${day} does not begin in ${timeZone}`);
  return begins.getTime();
}

/** The day that it is in a time zone. */
export function today(nowMs: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' }).format(nowMs);
  return dayOf(parts) as number;
}

/** When a round that is closed ahead of time closes and must be released; the same at both parties. */
export function earlyTimes(
  closesMs: number,
  deadlineDays: number,
): { closesMs: number; deadlineMs: number } {
  return { closesMs, deadlineMs: closesMs + deadlineDays * DAY_MS };
}

/** When a round opens, closes and must be released, in milliseconds since 1970 (UTC). */
export function roundTimes(
  days: Days,
  deadlineDays: number,
  timeZone = 'UTC',
): { opensMs: number; closesMs: number; deadlineMs: number } {
  const end = days.start + days.duration;
  return {
    opensMs: dayBegins(days.start, timeZone),
    closesMs: dayBegins(end, timeZone),
    deadlineMs: dayBegins(end + deadlineDays, timeZone),
  };
}
