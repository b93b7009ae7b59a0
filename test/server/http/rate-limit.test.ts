import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { RateLimit } from '../../../server/http/rate-limit.ts';
import { systemRandomness } from '../../../server/party.ts';

const WINDOW_MS = 1000;

function limited(limit: number) {
  const clock = { at: 0, now: () => clock.at };
  return { clock, rate: new RateLimit(limit, WINDOW_MS, clock, systemRandomness) };
}

test('so many of each address, then none until its time is over', () => {
  const { clock, rate } = limited(3);
  const three = (address: string) => [1, 2, 3, 4].map(() => rate.allows(address));
  expect(three('a')).toEqual([true, true, true, false]);
  expect(three('b')).toEqual([true, true, true, false]);
  clock.at = WINDOW_MS - 1;
  expect(rate.allows('a')).toBe(false);
  clock.at = WINDOW_MS;
  expect(three('a')).toEqual([true, true, true, false]);
});

test('forgets an address when its time is over', () => {
  const { clock, rate } = limited(1);
  for (let i = 0; i < 100; i++) rate.allows(String(i));
  expect(rate.size).toBe(100);
  clock.at = WINDOW_MS;
  rate.allows('another');
  expect(rate.size).toBe(1);
});

test('holds ten thousand addresses at most, and forgets the oldest for a new one', () => {
  const { rate } = limited(1);
  for (let i = 0; i < 10_500; i++) expect(rate.allows(String(i))).toBe(true);
  expect(rate.size).toBe(10_000);
  expect(rate.allows('10499')).toBe(false);
  expect(rate.allows('0')).toBe(true);
});

test('shows no address, and takes none for another', () => {
  const { rate } = limited(1);
  rate.allows('203.0.113.7');
  expect(inspect(rate, { depth: 9, showHidden: true })).not.toContain('203.0.113.7');
  expect(rate.allows('203.0.113.70')).toBe(true);
  expect(rate.allows('')).toBe(true);
});
