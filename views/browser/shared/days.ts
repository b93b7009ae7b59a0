const DAY_MS = 86_400_000;
const WORDS = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' });

/** A day since 1970-01-01 (UTC) in words: "3 March 2026". */
export function dayWords(day: number): string {
  return WORDS.format(new Date(day * DAY_MS));
}

/** The last day of a run of days, in words. */
export function lastDay(days: { readonly start: number; readonly duration: number }): string {
  return dayWords(days.start + days.duration - 1);
}

/** Today as a day since 1970-01-01, by this device's clock. */
export function today(): number {
  return Math.floor(Date.now() / DAY_MS);
}
