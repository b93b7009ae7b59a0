import type { Sheet } from '../../crypto/sheet.ts';
import { type Days, dayOf, isoDate } from './days.ts';

const FIXED_DAYS = { weekly: 7, fortnightly: 14 } as const;
const MONTHS = { monthly: 1, quarterly: 3 } as const;

/**
 * The days of a sheet's round number `index` (from 0 on), or undefined if it would not be over by the
 * sheet's last day. Months are calendar months: a round that begins on the 31st begins on the last
 * day of a shorter one.
 */
export function roundDays(sheet: Sheet, index: number): Days | undefined {
  const start = nthStart(sheet, index);
  const days = { start, duration: sheet.schedule.round_days };
  return start + days.duration - 1 <= sheet.end_day ? days : undefined;
}

/**
 * The next round to plan of a sheet: the first one after `lastStart` that is not over yet.
 * @param lastStart first day of the newest round that is planned, or undefined if there is none
 * @param today the day that it is; rounds that were missed are not made up for
 */
export function nextRound(
  sheet: Sheet,
  lastStart: number | undefined,
  today: number,
): Days | undefined {
  for (let index = 0; ; index++) {
    const days = roundDays(sheet, index);
    if (days === undefined) return undefined;
    const over = days.start + days.duration <= today;
    if (!over && (lastStart === undefined || days.start > lastStart)) return days;
  }
}

/**
 * Whether a sheet allows a round on these days: not longer than it says, and over by its last day.
 * @param lastStart first day of the sheet's newest round; a round on or before it is refused
 * @param offSchedule also on days that its cadence does not give; each round costs privacy, so only
 * where nobody real is asked
 */
export function allowsDays(
  sheet: Sheet,
  days: Days,
  lastStart: number | undefined,
  offSchedule: boolean,
): boolean {
  if (
    days.duration < 1 ||
    days.duration > sheet.schedule.round_days ||
    days.start + days.duration - 1 > sheet.end_day ||
    (lastStart !== undefined && days.start <= lastStart)
  ) {
    return false;
  }
  if (offSchedule) return true;
  for (let index = 0; ; index++) {
    const start = nthStart(sheet, index);
    if (start >= days.start) return start === days.start;
  }
}

function nthStart(sheet: Sheet, index: number): number {
  const { cadence, schedule } = sheet;
  if (cadence === 'weekly' || cadence === 'fortnightly') {
    return schedule.first_day + index * FIXED_DAYS[cadence];
  }
  const [year, month, date] = isoDate(schedule.first_day).split('-').map(Number) as [
    number,
    number,
    number,
  ];
  const months = year * 12 + (month - 1) + index * MONTHS[cadence];
  const first = new Date(Date.UTC(Math.floor(months / 12), months % 12, 1));
  const last = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0));
  const day = Math.min(date, last.getUTCDate());
  const text = `${first.toISOString().slice(0, 8)}${String(day).padStart(2, '0')}`;
  return dayOf(text) as number;
}
