const WORDS = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' });

/** A day since 1970-01-01 (UTC) in words: "3 March 2026". */
export function dayWords(day: number): string {
  return WORDS.format(new Date(day * 86_400_000));
}

/** The last day of a run of days, in words. */
export function lastDay(days: { readonly start: number; readonly duration: number }): string {
  return dayWords(days.start + days.duration - 1);
}
