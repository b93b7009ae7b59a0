import { describe, expect, test } from 'vitest';
import { planLots, refusalCap, shuffle } from '../../../server/domain/lots.ts';
import { systemRandomness } from '../../../server/party.ts';

/** Good enough to cut lots with, and fast. */
const quick = (length: number) => Uint8Array.from({ length }, () => Math.random() * 256);

const numbers = (length: number) => Array.from({ length }, (_, i) => i);

describe('shuffle', () => {
  test('keeps every item once, and leaves its argument alone', () => {
    const items = numbers(500);
    const before = [...items];
    const shuffled = shuffle(items, systemRandomness);
    expect(items).toEqual(before);
    expect([...shuffled].sort((a, b) => a - b)).toEqual(before);
    expect(shuffled).not.toEqual(before);
  });

  test('all orders of four items are about equally likely', () => {
    const seen = new Map<string, number>();
    const runs = 24_000;
    for (let i = 0; i < runs; i++) {
      const order = shuffle([1, 2, 3, 4], quick).join('');
      seen.set(order, (seen.get(order) ?? 0) + 1);
    }
    expect(seen.size).toBe(24);
    // χ² with 23 degrees of freedom: above 70 once in 10^6 runs.
    const expected = runs / 24;
    let chi = 0;
    for (const count of seen.values()) chi += (count - expected) ** 2 / expected;
    expect(chi).toBeLessThan(70);
  });

  test('a draw in the uneven rest of 2^32 is drawn again', () => {
    // For three items: 2^32 − 1 is the only draw beyond 3·⌊2^32 / 3⌋.
    const draws = [0xffffffff, 1, 0];
    const randomness = (length: number) => {
      expect(length).toBe(4);
      const bytes = new Uint8Array(4);
      new DataView(bytes.buffer).setUint32(0, draws.shift() as number);
      return bytes;
    };
    // i = 2 swaps with 1 mod 3 = 1, then i = 1 with 0 mod 2 = 0.
    expect(shuffle(['a', 'b', 'c'], randomness)).toEqual(['c', 'a', 'b']);
    expect(draws).toEqual([]);
  });

  test('nothing and one item need no randomness', () => {
    const none = () => {
      throw new Error('asked for randomness');
    };
    expect(shuffle([], none)).toEqual([]);
    expect(shuffle(['a'], none)).toEqual(['a']);
  });
});

describe('lots', () => {
  const sizes = (reports: number, k: number) =>
    planLots(numbers(reports), k, quick).map((lot) => lot.length);

  test.each([
    [8, 8, [8]],
    [199, 8, [199]],
    [200, 8, [200]],
    [399, 8, [399]],
    [400, 8, [200, 200]],
    [407, 8, [200, 207]],
    [1250, 10, [250, 250, 250, 250, 250]],
    [1249, 10, [250, 250, 250, 499]],
    // As many as fit one request: 4,000, the last 7,999.
    [10_000, 400, [4000, 6000]],
    [7_999, 4000, [7999]],
    [8_000, 4000, [4000, 4000]],
  ])('%i reports at k = %i', (reports, k, expected) => {
    expect(sizes(reports, k)).toEqual(expected);
  });

  test('every report is in one lot, no lot has fewer than k, no lot more than a request takes', () => {
    for (const k of [8, 10, 57, 163, 164, 1000, 4000]) {
      for (const reports of [k, k + 1, 25 * k - 1, 25 * k, 50 * k - 1, 50 * k, 12_345]) {
        if (reports < k || reports > 20_000) continue;
        const lots = planLots(numbers(reports), k, quick);
        expect(lots.flat().sort((a, b) => a - b)).toEqual(numbers(reports));
        for (const lot of lots) {
          expect(lot.length).toBeGreaterThanOrEqual(k);
          expect(lot.length).toBeLessThan(8000);
        }
      }
    }
  });

  test('the order of arrival is nowhere', () => {
    const [first, second] = planLots(numbers(400), 8, systemRandomness);
    expect(first).not.toEqual(numbers(200));
    expect(Math.max(...(first as number[]))).toBeGreaterThan(300);
    expect(Math.min(...(second as number[]))).toBeLessThan(100);
  });
});

test.each([
  [8, 3],
  [60, 3],
  [79, 3],
  [80, 4],
  [99, 4],
  [100, 5],
  [10_000, 500],
])('of %i reports the employer may refuse %i', (sent, cap) => {
  expect(refusalCap(sent)).toBe(cap);
});
