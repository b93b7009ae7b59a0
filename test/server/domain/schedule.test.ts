import { describe, expect, test } from 'vitest';
import type { Sheet } from '../../../crypto/sheet.ts';
import { type Days, dayOf, isoDate } from '../../../server/domain/days.ts';
import { allowsDays, nextRound, roundDays } from '../../../server/domain/schedule.ts';
import { testSheet } from '../../support/parties.ts';

const day = (date: string) => dayOf(date) as number;

function sheet(cadence: Sheet['cadence'], first: string, last = '2030-12-31', days = 7): Sheet {
  return testSheet({
    cadence,
    schedule: { first_day: day(first), round_days: days },
    end_day: day(last),
  });
}

/** The first days of the first rounds. */
const starts = (of: Sheet, count: number) =>
  Array.from({ length: count }, (_, index) => isoDate((roundDays(of, index) as Days).start));

describe('rounds begin', () => {
  test('every week, every other week', () => {
    expect(starts(sheet('weekly', '2026-12-21'), 3)).toEqual([
      '2026-12-21',
      '2026-12-28',
      '2027-01-04',
    ]);
    expect(starts(sheet('fortnightly', '2028-02-20'), 3)).toEqual([
      '2028-02-20',
      '2028-03-05',
      '2028-03-19',
    ]);
  });

  test('every month on the same date, or on the last day of a shorter month', () => {
    expect(starts(sheet('monthly', '2027-12-31'), 6)).toEqual([
      '2027-12-31',
      '2028-01-31',
      '2028-02-29',
      '2028-03-31',
      '2028-04-30',
      '2028-05-31',
    ]);
    expect(starts(sheet('monthly', '2027-01-29'), 2)).toEqual(['2027-01-29', '2027-02-28']);
  });

  test('every quarter, over the end of the year', () => {
    expect(starts(sheet('quarterly', '2026-08-31'), 4)).toEqual([
      '2026-08-31',
      '2026-11-30',
      '2027-02-28',
      '2027-05-31',
    ]);
  });
});

describe('the last day of a survey', () => {
  test('is the last that a round may have', () => {
    const until = sheet('weekly', '2026-01-01', '2026-01-14');
    expect(roundDays(until, 1)).toEqual({ start: day('2026-01-08'), duration: 7 });
    expect(roundDays(until, 2)).toBe(undefined);
    expect(roundDays(sheet('weekly', '2026-01-01', '2026-01-13'), 1)).toBe(undefined);
    expect(roundDays(sheet('weekly', '2026-01-08', '2026-01-01'), 0)).toBe(undefined);
  });

  test('ends the search for a next round', () => {
    const until = sheet('weekly', '2026-01-01', '2026-01-14');
    expect(nextRound(until, day('2026-01-08'), day('2026-01-09'))).toBe(undefined);
    expect(nextRound(until, undefined, day('2027-01-01'))).toBe(undefined);
  });
});

describe('the next round', () => {
  const monthly = sheet('monthly', '2026-01-31', '2030-12-31', 10);
  const next = (last: string | undefined, now: string) => {
    const days = nextRound(monthly, last === undefined ? last : day(last), day(now));
    return days && isoDate(days.start);
  };

  test('is the first one, however early it is asked for', () => {
    expect(next(undefined, '2020-01-01')).toBe('2026-01-31');
  });

  test('is one that has begun, to its last day; one that is over is not made up for', () => {
    expect(next(undefined, '2026-02-09')).toBe('2026-01-31');
    expect(next(undefined, '2026-02-10')).toBe('2026-02-28');
    expect(next(undefined, '2026-08-15')).toBe('2026-08-31');
  });

  test('is after the newest that is planned, also where that is planned ahead', () => {
    expect(next('2026-01-31', '2026-01-31')).toBe('2026-02-28');
    expect(next('2026-06-30', '2026-01-31')).toBe('2026-07-31');
  });

  test('keeps to the sheet after a round on other days', () => {
    expect(next('2026-03-05', '2026-03-06')).toBe('2026-03-31');
    expect(next('2026-03-05', '2026-06-20')).toBe('2026-06-30');
  });
});

describe('a sheet allows', () => {
  const one = sheet('monthly', '2026-01-31', '2026-12-31', 10);
  const allows = (start: string, duration = 10, last?: string, offSchedule = false) =>
    allowsDays(
      one,
      { start: day(start), duration },
      last === undefined ? last : day(last),
      offSchedule,
    );

  test('the days of its schedule, each after the last, missed ones left out', () => {
    expect(allows('2026-01-31')).toBe(true);
    expect(allows('2026-02-28', 10, '2026-01-31')).toBe(true);
    expect(allows('2026-06-30', 10, '2026-01-31')).toBe(true);
    expect(allows('2026-01-31', 10, '2026-01-31')).toBe(false);
    expect(allows('2026-01-31', 10, '2026-02-28')).toBe(false);
  });

  test('no other days, but where nobody real is asked', () => {
    for (const start of ['2026-01-01', '2026-01-30', '2026-02-27', '2026-03-01', '2026-05-05']) {
      expect(allows(start), start).toBe(false);
      expect(allows(start, 10, undefined, true), start).toBe(true);
    }
    expect(allows('2026-03-01', 10, '2026-03-01', true)).toBe(false);
    expect(allows('2026-03-01', 10, '2026-03-02', true)).toBe(false);
  });

  test('no longer rounds than it says, and none of no day', () => {
    for (const off of [false, true]) {
      expect(allows('2026-01-31', 1, undefined, off)).toBe(true);
      for (const duration of [11, 0, -1]) {
        expect(allows('2026-01-31', duration, undefined, off)).toBe(false);
      }
    }
  });

  test('none that is not over by its last day', () => {
    expect([allows('2026-12-22', 10, undefined, true)]).toEqual([true]);
    expect([allows('2026-12-23', 10, undefined, true)]).toEqual([false]);
    expect([allows('2026-12-31', 1), allows('2026-12-31', 2)]).toEqual([true, false]);
    expect([allows('2027-01-01', 1, undefined, true)]).toEqual([false]);
  });
});
