/** Milliseconds of one day. */
export const DAY_MS = 86_400_000;

/** A run of whole days (UTC), counted since 1970-01-01. */
export interface Days {
  readonly start: number;
  readonly duration: number;
}

/** When a round opens, closes and must be released, in milliseconds since 1970 (UTC). */
export function roundTimes(
  days: Days,
  deadlineDays: number,
): { opensMs: number; closesMs: number; deadlineMs: number } {
  const closesMs = (days.start + days.duration) * DAY_MS;
  return {
    opensMs: days.start * DAY_MS,
    closesMs,
    deadlineMs: closesMs + deadlineDays * DAY_MS,
  };
}
