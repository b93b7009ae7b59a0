import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  EXPECTED_RESPONSE,
  type PlanSize,
  planMin,
  sureToReach,
} from '../../../server/domain/plan-size.ts';

const USUAL: PlanSize = {
  k: 10,
  response: EXPECTED_RESPONSE,
  variance: { numerator: 5, denominator: 1 },
  by: 'guardian',
};

/** P(Bin(n, r) ≥ k) ≥ 0.95 in whole numbers, with r in thousandths. */
function surelyReaches(n: number, k: number, permille: number): boolean {
  let below = 0n;
  let choose = 1n;
  for (let i = 0; i < Math.min(k, n + 1); i++) {
    below += choose * BigInt(permille) ** BigInt(i) * BigInt(1000 - permille) ** BigInt(n - i);
    choose = (choose * BigInt(n - i)) / BigInt(i + 1);
  }
  return 20n * below <= 1000n ** BigInt(n);
}

describe('the smallest planned group', () => {
  it('has the size of disclosure policy §2', () => {
    expect(planMin(USUAL)).toBe(39);
    expect(planMin({ ...USUAL, variance: { numerator: 6, denominator: 1 } })).toBe(42);
    // √(1.5·10)/0.12/0.6 = 53.8
    expect(planMin({ ...USUAL, by: 'both' })).toBe(54);
    // Weekly under Standard with six questions.
    expect(planMin({ ...USUAL, variance: { numerator: 78, denominator: 1 } })).toBe(151);
  });

  it('is sure enough of k answers: 23 people for k = 10 at 60 %', () => {
    expect(sureToReach(10, 0.6)).toBe(23);
    expect(surelyReaches(23, 10, 600)).toBe(true);
    expect(surelyReaches(22, 10, 600)).toBe(false);
    // Where the band asks for less than k does.
    expect(planMin({ ...USUAL, k: 30 })).toBe(60);
    expect(surelyReaches(60, 30, 600)).toBe(true);
    expect(surelyReaches(59, 30, 600)).toBe(false);
  });

  it('is the smallest that meets both conditions, decided in whole numbers', () => {
    const cases = fc.record({
      k: fc.integer({ min: 8, max: 60 }),
      permille: fc.integer({ min: 50, max: 1000 }),
      numerator: fc.integer({ min: 10, max: 400 }),
      by: fc.constantFrom('guardian' as const, 'both' as const),
    });
    fc.assert(
      fc.property(cases, ({ k, permille, numerator, by }) => {
        const variance = { numerator, denominator: 2 };
        const n = planMin({ k, response: permille / 1000, variance, by });
        const v = BigInt(by === 'both' ? 2 * numerator : numerator);
        const fits = (size: number) =>
          (12n * BigInt(size) * BigInt(permille)) ** 2n * 4n >= 3n * v * 10n ** 10n &&
          surelyReaches(size, k, permille);
        expect(fits(n)).toBe(true);
        expect(fits(n - 1)).toBe(false);
      }),
      { numRuns: 150 },
    );
  });

  it('decides a band that fits exactly without a stray person', () => {
    // √(1.5·6)/0.12 is 25; at 50 % that is 50 people.
    const variance = { numerator: 6, denominator: 1 };
    expect(planMin({ ...USUAL, k: 8, variance, response: 0.5 })).toBe(50);
  });

  it('needs exactly k where everyone answers, and finds large ones', () => {
    expect(planMin({ ...USUAL, k: 300, response: 1 })).toBe(300);
    const large = planMin({ ...USUAL, k: 10_000 });
    // 10,000/0.6, and 1.645 standard deviations.
    expect(large).toBeGreaterThan(16_800);
    expect(large).toBeLessThan(16_850);
  });

  it.each([
    { k: 7 },
    { k: 10.5 },
    { k: 10_001 },
    { k: Number.NaN },
    { response: 0 },
    { response: 0.049 },
    { response: 1.001 },
    { response: 0.6005 },
    { response: Number.NaN },
    { variance: { numerator: 49, denominator: 10 } },
    { variance: { numerator: 5, denominator: 0 } },
    { variance: { numerator: 5.5, denominator: 1 } },
  ])('refuses %o', (wrong) => {
    expect(() => planMin({ ...USUAL, ...wrong })).toThrow(
      expect.objectContaining({ name: 'PlanError', code: 'argument' }),
    );
  });
});
