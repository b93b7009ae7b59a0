import { expect, test } from 'vitest';
import { DAY_MS, roundTimes } from '../../../server/domain/days.ts';

test('a round opens with its first day, closes with its last, and must be released some days later', () => {
  const times = roundTimes({ start: 20_000, duration: 14 }, 7);
  expect(times).toEqual({
    opensMs: Date.UTC(2024, 9, 4),
    closesMs: Date.UTC(2024, 9, 18),
    deadlineMs: Date.UTC(2024, 9, 25),
  });
  expect(times.closesMs - times.opensMs).toBe(14 * DAY_MS);
});
