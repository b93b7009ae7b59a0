import { describe, expect, test } from 'vitest';
import {
  DAY_MS,
  dayBegins,
  dayOf,
  isoDate,
  isTimeZone,
  roundTimes,
  today,
} from '../../../server/domain/days.ts';

const HOUR_MS = 3_600_000;
const day = (date: string) => dayOf(date) as number;
const begins = (date: string, timeZone: string) =>
  new Date(dayBegins(day(date), timeZone)).toISOString();

test('a round opens with its first day, closes with its last, and must be released some days later', () => {
  const times = roundTimes({ start: 20_000, duration: 14 }, 7);
  expect(times).toEqual({
    opensMs: Date.UTC(2024, 9, 4),
    closesMs: Date.UTC(2024, 9, 18),
    deadlineMs: Date.UTC(2024, 9, 25),
  });
  expect(times.closesMs - times.opensMs).toBe(14 * DAY_MS);
});

describe('dates', () => {
  test('and days lead to each other, leap days and ends of years too', () => {
    for (const [date, number] of [
      ['1970-01-01', 0],
      ['2000-02-29', 11_016],
      ['2024-02-29', 19_782],
      ['2024-12-31', 20_088],
      ['2025-01-01', 20_089],
    ] as const) {
      expect(dayOf(date)).toBe(number);
      expect(isoDate(number)).toBe(date);
    }
  });

  test.each([
    '2026-02-29',
    '2026-02-30',
    '2026-13-01',
    '2026-00-10',
    '2026-1-1',
    '26-01-01',
    '2026-01-01T00:00',
    '+002026-01-01',
    'tomorrow',
    '',
  ])('that there are not: %j', (date) => {
    expect(dayOf(date)).toBe(undefined);
  });
});

describe('the day in a time zone', () => {
  test.each([
    ['2026-07-01', 'UTC', '2026-07-01T00:00:00.000Z'],
    ['2026-07-01', 'Europe/Berlin', '2026-06-30T22:00:00.000Z'],
    ['2026-01-01', 'Europe/Berlin', '2025-12-31T23:00:00.000Z'],
    ['2026-01-01', 'Pacific/Kiritimati', '2025-12-31T10:00:00.000Z'],
    ['2026-01-01', 'Pacific/Pago_Pago', '2026-01-01T11:00:00.000Z'],
    ['2026-01-01', 'Asia/Kathmandu', '2025-12-31T18:15:00.000Z'],
    // The days on which clocks change at 2 or 3, and the days after.
    ['2026-03-29', 'Europe/Berlin', '2026-03-28T23:00:00.000Z'],
    ['2026-03-30', 'Europe/Berlin', '2026-03-29T22:00:00.000Z'],
    ['2026-10-25', 'Europe/Berlin', '2026-10-24T22:00:00.000Z'],
    ['2026-10-26', 'Europe/Berlin', '2026-10-25T23:00:00.000Z'],
    // Clocks that change at midnight: in Cairo it is skipped, in Havana it comes twice.
    ['2026-04-24', 'Africa/Cairo', '2026-04-23T22:00:00.000Z'],
    ['2026-11-01', 'America/Havana', '2026-11-01T04:00:00.000Z'],
  ])('%s begins in %s at %s', (date, timeZone, at) => {
    expect(begins(date, timeZone)).toBe(at);
  });

  test.each(['UTC', 'Europe/Berlin', 'America/Havana', 'Africa/Cairo', 'Pacific/Apia'])(
    'is today from when it begins in %s, and not a moment before',
    (timeZone) => {
      for (let number = day('2026-01-01'); number < day('2027-01-01'); number++) {
        const at = dayBegins(number, timeZone);
        expect(today(at, timeZone), isoDate(number)).toBe(number);
        expect(today(at - 1, timeZone), isoDate(number)).toBe(number - 1);
      }
    },
  );

  test('a round over a change of the clocks is an hour shorter or longer, and the deadline too', () => {
    const spring = roundTimes({ start: day('2026-03-23'), duration: 14 }, 7, 'Europe/Berlin');
    expect(spring.closesMs - spring.opensMs).toBe(14 * DAY_MS - HOUR_MS);
    expect(spring.deadlineMs - spring.closesMs).toBe(7 * DAY_MS);
    const autumn = roundTimes({ start: day('2026-10-01'), duration: 20 }, 7, 'Europe/Berlin');
    expect(autumn.closesMs - autumn.opensMs).toBe(20 * DAY_MS);
    expect(autumn.deadlineMs - autumn.closesMs).toBe(7 * DAY_MS + HOUR_MS);
  });
});

test('a time zone is known or not', () => {
  for (const name of ['UTC', 'Europe/Berlin', 'Asia/Tokyo']) expect(isTimeZone(name)).toBe(true);
  for (const name of ['', 'Berlin', 'Nowhere/At_All', 'UTC+25']) {
    expect(isTimeZone(name)).toBe(false);
  }
});
