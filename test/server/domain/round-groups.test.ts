import { describe, expect, test } from 'vitest';
import type { UnitSize } from '../../../server/domain/org.ts';
import { planGroups } from '../../../server/domain/planner.ts';
import { roundGroups, smallestGroup } from '../../../server/domain/round-groups.ts';
import { atOnce } from '../../../server/domain/turns.ts';
import { testSheet } from '../../support/parties.ts';

const planned = (units: readonly UnitSize[], changes = {}) =>
  atOnce(roundGroups(units, testSheet(changes)));
const shown = (units: readonly UnitSize[], changes = {}) =>
  planned(units, changes).groups.map(({ name, rosterSize }) => `${name}: ${rosterSize}`);

describe('the smallest group', () => {
  test('follows from minimum, noise and expected response of the sheet', () => {
    expect(smallestGroup(testSheet())).toBe(23);
    expect(smallestGroup(testSheet({ k: 30 }))).toBe(30);
    expect(smallestGroup(testSheet({ k: 10, response_percent: 60 }))).toBe(39);
    const noise = (numerator: number, by: 'guardian' | 'both') => ({
      noise: { ...testSheet().noise, variance: { numerator, denominator: 1 }, by },
    });
    expect(smallestGroup(testSheet(noise(5, 'both')))).toBe(33);
    expect(smallestGroup(testSheet({ k: 10, response_percent: 60, ...noise(6, 'guardian') }))).toBe(
      42,
    );
  });

  test('is what a company needs for one group: one person fewer is refused in words', () => {
    expect(shown([{ path: 'C', people: 23 }])).toEqual(['C: 23']);
    expect(() => planned([{ path: 'C', people: 22 }])).toThrow(
      /^22 people are on the roster, and a group takes 23: .* 1 more person is needed/,
    );
    expect(() => planned([])).toThrow(/^Nobody is on the roster/);
    expect(() => planned([{ path: 'C', people: 0 }])).toThrow(/^Nobody is on the roster/);
  });
});

describe('the groups of a round', () => {
  test('are those of the planner over the tree of the units', () => {
    const units = [
      { path: 'C', people: 3 },
      { path: 'C / A', people: 30 },
      { path: 'C / B', people: 40 },
      { path: 'C / D', people: 10 },
      { path: 'C / E', people: 12 },
    ];
    const plan = planned(units);
    expect(plan.groups).toEqual(planGroups(plan.tree, 23).groups);
    expect(shown(units)).toEqual(['C, without A and B: 25', 'A: 30', 'B: 40']);
  });

  test('are the same whatever the order of the units', () => {
    const units = Array.from({ length: 40 }, (_, i) => ({
      path: `C / D${i % 7} / T${i}`,
      people: (i * 7) % 30,
    }));
    expect(shown([...units].reverse())).toEqual(shown(units));
  });

  test('of units without a common root are those of the company that the sheet names', () => {
    const units = [
      { path: 'A', people: 15 },
      { path: 'B', people: 15 },
    ];
    expect(shown(units)).toEqual(['The employer: 30']);
  });
});
