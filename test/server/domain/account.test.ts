import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type AccountEntry,
  rhoWords,
  shortageOf,
  shortageWords,
  standingOn,
  WINDOW_DAYS,
} from '../../../server/domain/account.ts';
import { compare, exact, plus, ZERO } from '../../../server/domain/fraction.ts';
import {
  type Preset,
  presetNoise,
  TERMS,
  wholeAccount,
} from '../../../server/domain/noise-presets.ts';

let number = 0;
const entry = (
  firstDay: number,
  n: number,
  d: number,
  preset: Preset = 'standard',
): AccountEntry => ({
  round: ++number,
  firstDay,
  cost: exact(BigInt(n), BigInt(d)),
  preset,
});

const weekly = (from: number, weeks: number) =>
  Array.from({ length: weeks }, (_, week) => entry(from + 7 * week, 4, 52));

describe('the window', () => {
  test('is half-open: 52 weekly rounds fill it, and a year later there is room again', () => {
    const year = weekly(20_000, 52);
    expect(standingOn(year, 20_000 + 363).sum).toEqual(exact(4n, 1n));
    expect(standingOn(year, 20_000 + 364).entries).toHaveLength(51);
    expect(shortageOf(year.slice(0, 51), entry(20_000 + 7 * 51, 4, 52))).toBe(undefined);
    expect(shortageOf(year, entry(20_000 + 363, 1, 1_000_000))).toMatchObject({
      cap: exact(4n, 1n),
      roomFrom: 20_364,
    });
    expect(shortageOf(year, entry(20_364, 4, 52))).toBe(undefined);
  });

  test('is looked at from every round that shares one, also of later rounds', () => {
    const later = [entry(20_100, 2, 1), entry(20_300, 2, 1)];
    // On its own first day nothing else counts, on day 20 300 all three do.
    expect(shortageOf(later, entry(20_000, 1, 10))).toMatchObject({ sum: exact(41n, 10n) });
    expect(shortageOf(later, entry(20_300 - WINDOW_DAYS, 1, 10))).toBe(undefined);
  });
});

describe('the cap', () => {
  test('is the smallest of the sheets that had a round in the window', () => {
    const standard = [entry(20_000, 1, 1), entry(20_091, 1, 1)];
    expect(shortageOf(standard, entry(20_100, 1, 4, 'strong'))).toMatchObject({
      sum: exact(9n, 4n),
      cap: exact(1n, 1n),
    });
    expect(shortageOf(standard, entry(20_091 + 364, 1, 4, 'strong'))).toBe(undefined);
    expect(standingOn(standard, 20_091)).toMatchObject({ sum: exact(2n, 1n), cap: exact(4n, 1n) });
  });

  test('holds for Light too, which alone has none', () => {
    const light = Array.from({ length: 50 }, (_, week) => entry(20_000 + 7 * week, 6, 5, 'light'));
    expect(shortageOf(light, entry(20_350, 6, 5, 'light'))).toBe(undefined);
    expect(standingOn(light, 20_343).cap).toBe(undefined);
    const strong = entry(20_000, 1, 4, 'strong');
    expect(shortageOf([strong], entry(20_001, 3, 4, 'light'))).toBe(undefined);
    expect(shortageOf([strong], entry(20_001, 4, 5, 'light'))).toMatchObject({
      sum: exact(21n, 20n),
    });
  });

  test('that a round passes alone leaves no room ever, and the words say so', () => {
    const shortage = shortageOf([], entry(20_000, 5, 1));
    expect(shortage?.roomFrom).toBe(Number.POSITIVE_INFINITY);
    expect(shortageWords(shortage as never)).toBe(
      'with it the account of twelve months would be 5 of 4; it would never have room',
    );
  });
});

test('thirds add up to the cap and not past it', () => {
  const thirds = Array.from({ length: 11 }, () => entry(20_000, 1, 3));
  expect(shortageOf(thirds, entry(20_000, 1, 3))).toBe(undefined);
  expect(shortageOf([...thirds, entry(20_000, 1, 3)], entry(20_000, 1, 1_000_000))).toBeDefined();
});

test('whatever is let in, in any order, no window passes a cap', () => {
  const presets = ['standard', 'strong', 'light'] as const;
  const asked = fc.record({
    firstDay: fc.integer({ min: 20_000, max: 21_000 }),
    blocks: fc.integer({ min: 1, max: 12 }),
    preset: fc.constantFrom(...presets),
    cadence: fc.constantFrom('weekly' as const, 'monthly' as const, 'quarterly' as const),
  });
  fc.assert(
    fc.property(fc.array(asked, { maxLength: 40 }), (rounds) => {
      const open: AccountEntry[] = [];
      for (const { firstDay, blocks, preset, cadence } of rounds) {
        const { variance } = presetNoise(preset, wholeAccount(preset), blocks, cadence);
        const round = entry(firstDay, blocks * variance.denominator, variance.numerator, preset);
        const shortage = shortageOf(open, round);
        if (shortage === undefined) open.push(round);
        else if (Number.isFinite(shortage.roomFrom)) {
          expect(shortageOf(open, { ...round, firstDay: shortage.roomFrom })).toBe(undefined);
        }
      }
      for (let day = 20_000; day <= 21_400; day++) {
        const within = open.filter((e) => e.firstDay <= day && day < e.firstDay + 364);
        const sum = within.reduce((total, { cost }) => plus(total, cost), ZERO);
        for (const { preset } of within) {
          const { cap } = TERMS[preset];
          if (cap !== undefined) expect(compare(sum, cap)).toBeLessThanOrEqual(0);
        }
      }
    }),
    { numRuns: 60 },
  );
});

test.each([
  [exact(1n, 1n), '1'],
  [exact(5n, 4n), '1.25'],
  [exact(1n, 3n), '0.34'],
  [exact(10n, 1n), '10'],
  [ZERO, '0'],
])('rho of %o is written %s', (rho, words) => {
  expect(rhoWords(rho)).toBe(words);
});
