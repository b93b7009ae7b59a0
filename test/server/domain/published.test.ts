import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodePublished,
  encodePublished,
  ImplausibleResult,
  plausibleTotals,
} from '../../../server/domain/published.ts';

const NOISE = { variance: { numerator: 5, denominator: 1 }, by: 'guardian' } as const;
/** ⌈11·√(2·5)⌉ */
const MARGIN = 35n;

describe('plausible totals', () => {
  test('are what the sum says, negative ones too', () => {
    expect(plausibleTotals([0n, 10n, -3n, 12n], 10, NOISE)).toEqual([0, 10, -3, 12]);
  });

  test('end where noise cannot reach, on both sides', () => {
    const bound = 10n + MARGIN;
    expect(plausibleTotals([bound, -bound], 10, NOISE)).toEqual([45, -45]);
    for (const total of [bound + 1n, -bound - 1n, 2n ** 127n, -(2n ** 127n)]) {
      expect(() => plausibleTotals([0n, total], 10, NOISE)).toThrow(ImplausibleResult);
    }
  });

  test('more noise gives more room', () => {
    const noise = { ...NOISE, variance: { numerator: 500, denominator: 1 } };
    expect(plausibleTotals([300n], 10, noise)).toEqual([300]);
    const half = { ...NOISE, variance: { numerator: 10, denominator: 2 } };
    expect(() => plausibleTotals([46n], 10, half)).toThrow(ImplausibleResult);
  });
});

describe('published bytes', () => {
  const taskId = new Uint8Array(32).fill(7);

  test('are canonical and hold what was released, and the task', () => {
    fc.assert(
      fc.property(fc.nat(), fc.array(fc.integer()), (count, totals) => {
        const bytes = encodePublished(taskId, { count, totals });
        expect(decodePublished(bytes)).toEqual({ count, totals });
        expect(encodePublished(taskId, decodePublished(bytes))).toEqual(bytes);
      }),
    );
    expect(new TextDecoder().decode(encodePublished(taskId, { count: 8, totals: [1, -2] }))).toBe(
      '{"count":8,"task_id":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc","totals":[1,-2],"version":1}',
    );
  });
});
