import { describe, expect, test } from 'vitest';
import type { Sheet } from '../../../crypto/sheet.ts';
import type { AccountEntry } from '../../../server/domain/account.ts';
import { exact } from '../../../server/domain/fraction.ts';
import { presetNoise } from '../../../server/domain/noise-presets.ts';
import type { UnitSize } from '../../../server/domain/org.ts';
import { orgTree } from '../../../server/domain/org.ts';
import { planGroups } from '../../../server/domain/planner.ts';
import { previewing } from '../../../server/domain/preview.ts';
import { smallestGroup } from '../../../server/domain/round-groups.ts';
import { atOnce } from '../../../server/domain/turns.ts';
import { testSheet } from '../../support/parties.ts';

const DAY = 20_000;

/** Six questions of five options, quarterly, as the policy's examples have them. */
function sixQuestions(changes: Partial<Sheet> = {}): Sheet {
  const [question] = testSheet().questions;
  const options = ['1', '2', '3', '4', '5'];
  return testSheet({
    k: 10,
    response_percent: 60,
    schedule: { first_day: DAY, round_days: 14 },
    questions: Array.from({ length: 6 }, (_, i) => ({
      ...(question as NonNullable<typeof question>),
      ...{ id: `q${i}`, options, bands: [300, 370] },
    })),
    noise: presetNoise('standard', { numerator: 4, denominator: 1 }, 6, 'quarterly'),
    ...changes,
  });
}

const units: UnitSize[] = [
  { path: 'All / Large', people: 400 },
  { path: 'All / Middle', people: 90 },
  { path: 'All / Small', people: 45 },
];

const preview = (sheet = sixQuestions(), roster = units, account: AccountEntry[] = []) =>
  atOnce(previewing(sheet, roster, account, DAY));

const row = (of: ReturnType<typeof preview>, name: string) =>
  of.rows.find((each) => each.name.includes(name));

describe('the presets', () => {
  test('are all worked out; the sheet’s own with its own part', () => {
    const { presets } = preview();
    expect(
      presets.map(({ preset, variance, by, chosen }) => [preset, variance, by, chosen]),
    ).toEqual([
      ['standard', 6, 'guardian', true],
      ['strong', 24, 'both', false],
      ['light', 5, 'guardian', false],
    ]);
    const half = { numerator: 2, denominator: 1 };
    const noise = presetNoise('standard', half, 6, 'quarterly');
    expect(preview(sixQuestions({ noise })).presets[0]?.variance).toBe(12);
  });

  test('plan what the round would: the same groups', () => {
    const sheet = sixQuestions();
    const tree = orgTree(units);
    const planned = planGroups(tree, smallestGroup(sheet));
    expect(preview().presets[0]?.groups).toBe(planned.groups.length);
    for (const { name, rosterSize } of planned.groups) {
      const shown = preview().rows.find((each) => each.name === name);
      expect(shown?.people).toBe(rosterSize);
      expect(shown?.cells[0]?.state).toBe('group');
    }
  });

  test('say which figures each group would have, and which is too small', () => {
    const shown = preview();
    // 400 people, 240 expected: SE(mean) = √6·√10/240 = 0.03.
    expect(row(shown, 'Large')?.cells[0]).toEqual({
      state: 'group',
      as: null,
      share: 'number',
      mean: 'number',
    });
    // 45 people, 27 expected: SE(share) = √6·√1.5/27 = 0.11, SE(mean) = 0.29.
    expect(row(shown, 'Small')?.cells[0]).toMatchObject({
      state: 'group',
      share: 'band',
      mean: 'band',
    });
    // With two draws of 24 a group takes 118 people.
    expect(row(shown, 'Small')?.cells[1]).toMatchObject({ state: 'too small' });
    expect(row(shown, 'Small')?.expected).toBe(27);
  });

  test('say the chance of being guessed and what the year costs', () => {
    const [standard, strong, light] = preview().presets;
    expect(standard).toMatchObject({ guess: { once: 61, year: 72 }, roundCost: '1' });
    expect(standard).toMatchObject({ accountAfter: '4 of 4', shortage: null, warning: null });
    expect(strong).toMatchObject({ guess: { once: 56, year: 61 }, accountAfter: '1 of 1' });
    expect(light).toMatchObject({ accountAfter: '4.8, without a cap' });
    expect(light?.warning).toContain('averaged out');
  });

  test('of a survey that runs count the rounds that it has had, and those still to come', () => {
    const had = [0, 92].map((day, i) => ({
      round: i + 1,
      firstDay: DAY + day,
      cost: exact(1n, 1n),
      preset: 'standard' as const,
    }));
    const now = DAY + 100;
    const standard = (changes: Partial<Sheet> = {}) =>
      atOnce(previewing(sixQuestions(changes), units, had, now, DAY + 92)).presets[0];
    // Four more: those of a year ago do not count any more when the last of them begins.
    expect(standard()).toMatchObject({ accountAfter: '4 of 4', shortage: null });
    // One more before it ends.
    expect(standard({ end_day: DAY + 200 })).toMatchObject({ accountAfter: '3 of 4' });
    expect(standard({ end_day: DAY + 110 })).toMatchObject({ accountAfter: '2 of 4' });
  });

  test('say when the account has no room for them', () => {
    const earlier = {
      round: 1,
      firstDay: DAY - 30,
      cost: exact(1n, 2n),
      preset: 'standard',
    } as const;
    const [standard, strong, light] = preview(sixQuestions(), units, [earlier]).presets;
    expect(standard?.shortage).toContain('would be 4.5 of 4');
    expect(strong?.shortage).toContain('of 1;');
    // Its own rounds cost 1.2 each: the third passes the cap of the other survey.
    expect(light?.shortage).toContain('of 4;');
  });

  test('refuse in words where there would be no group', () => {
    const { presets, rows } = preview(sixQuestions(), [{ path: 'All', people: 60 }]);
    expect(presets.map(({ groups }) => groups)).toEqual([1, 0, 1]);
    expect(presets[1]?.refusal).toContain('60 people are on the roster');
    expect(rows).toHaveLength(1);
    expect(rows[0]?.cells[1]).toEqual({ state: 'no group' });
    expect(preview(sixQuestions(), [{ path: 'All', people: 5 }]).rows).toEqual([]);
    expect(preview(sixQuestions(), []).people).toBe(0);
  });
});

test('a unit whose people are in groups below it under another preset is finer there', () => {
  const roster = ['A', 'B', 'C'].map((name) => ({ path: `All / Logistics / ${name}`, people: 60 }));
  const shown = preview(sixQuestions(), [...roster, { path: 'All / Sales', people: 200 }]);
  // Under Strong a group takes 118 people, so that Logistics is one.
  const states = row(shown, 'Logistics')?.cells.map(({ state }) => state);
  expect(states).toEqual(['finer', 'group', 'finer']);
  expect(row(shown, 'B')?.cells[1]).toEqual({ state: 'too small', within: 'Logistics' });
});

test('finer groups show less, coarser ones more', () => {
  const roster = Array.from({ length: 30 }, (_, i) => ({
    path: `All / D${i % 3} / T${i}`,
    people: 44,
  }));
  const { coarseness } = preview(sixQuestions(), roster);
  expect(coarseness.map(({ planned }) => planned)).toEqual([false, true, false]);
  const [finer, planned, coarser] = coarseness;
  expect(finer?.smallest).toBe(23);
  expect(planned?.smallest).toBe(42);
  expect(planned).toMatchObject({ groups: 30, share: { number: 0, band: 30 } });
  expect(coarser).toMatchObject({ groups: 3, share: { number: 3, band: 0 } });
});
