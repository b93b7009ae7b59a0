import { describe, expect, it } from 'vitest';
import { companyTrends, groupTrends, type TrendItem } from '../../../server/domain/trends.ts';
import { FIFTY, roundsOf, sheet } from '../../views/sample.ts';

function item(items: readonly TrendItem[], id: string): TrendItem {
  return items.find((candidate) => candidate.id === id) ?? expect.fail(`no item ${id}`);
}

describe('companyTrends', () => {
  it('adds up the released groups and says what part of the roster they are', () => {
    const page = companyTrends(sheet, roundsOf([FIFTY, FIFTY, 'too-few']));
    expect(page.basis.join(' ')).toContain('At least 100 answers of 152 people (60 to 70%).');
    expect(page.basis.join(' ')).toContain(
      'This figure adds up 2 of 3 groups, 70 to 80% of the 204 people on the roster. One group is not shown.',
    );
    const row = item(page.items, 'energy').rows[0] ?? expect.fail();
    expect(row).toMatchObject({ number: 1, gap: null, share: '40%', mean: '3.2' });
  });

  it('says that every group is in where none was withheld', () => {
    const page = companyTrends(sheet, roundsOf([FIFTY, FIFTY, FIFTY]));
    expect(page.basis.join(' ')).toContain('All 3 groups are in this figure.');
  });

  it('shows no partial sum while groups are still being counted', () => {
    const page = companyTrends(sheet, roundsOf([FIFTY, FIFTY, 'counting']));
    expect(page.hasResults).toBe(false);
    expect(page.items[0]?.rows[0]?.gap).toBe('being counted');
    expect(page.pending).toEqual(['Round 1 is closed and being counted: 2 of 3 groups are done.']);
  });

  it('says in words that a round is open, and speaks of the newest finished one', () => {
    const page = companyTrends(sheet, roundsOf([FIFTY], ['open']));
    expect(page.pending[0]).toContain('Round 2 is open until the end of 13 June 2026.');
    expect(item(page.items, 'energy').sentence).toMatch(/^Energy in Mar 2026: about 40% chose/);
  });

  it('has a page without any round', () => {
    const page = companyTrends(sheet, []);
    expect(page).toMatchObject({ hasResults: false, basis: [], pending: [], departments: [] });
    expect(page.items.every((each) => each.latest === null)).toBe(true);
  });

  it('never writes a count that is not a multiple of 5', () => {
    const page = companyTrends(sheet, roundsOf([{ count: 48, block: [5, 9, 13, 12, 8, 1] }]));
    expect(page.basis.join(' ')).toContain('At least 45 answers of 72 people (60 to 70%).');
    expect(JSON.stringify(page)).not.toContain('48');
  });
});

describe('groupTrends', () => {
  it('reads the two lowest options as favourable where the sheet says so', () => {
    const page = groupTrends(sheet, roundsOf([FIFTY]), 0) ?? expect.fail();
    expect(item(page.items, 'energy').sentence).toContain(
      'about 40% chose “Plenty” or “More than enough” (90% interval',
    );
    expect(item(page.items, 'stress').sentence).toContain(
      'about 30% chose “Not at all” or “A little” (90% interval',
    );
    expect(item(page.items, 'stress').meanCaption).toContain('Lower is better.');
  });

  it('shows a withheld group as an ordinary gap', () => {
    const page = groupTrends(sheet, roundsOf([FIFTY], ['too-few'], [FIFTY]), 0) ?? expect.fail();
    const { rows, share } = item(page.items, 'energy');
    expect(rows.map((row) => row.gap)).toEqual([null, 'not shown: fewer than 10 answers', null]);
    expect(share.points.map((point) => 'gap' in point)).toEqual([false, true, false]);
  });

  it.each([
    ['too-few', 'not shown: fewer than 10 answers'],
    ['deadline', 'not shown: not released before the deadline'],
    ['a reason of a later version', 'not shown'],
  ])('says why a group was withheld: %s', (reason, words) => {
    const rounds = roundsOf([FIFTY], ['too-few']).map((round) => ({
      ...round,
      groups: round.groups.map((g) => (g.state === 'withheld' ? { ...g, reason } : g)),
    }));
    expect(groupTrends(sheet, rounds, 0)?.items[0]?.rows[0]?.gap).toBe(words);
  });

  it('says why the newest round shows nothing', () => {
    const page = groupTrends(sheet, roundsOf([FIFTY], ['too-few']), 0) ?? expect.fail();
    expect(item(page.items, 'energy').sentence).toBe(
      'Energy in May 2026: not shown: fewer than 10 answers.',
    );
  });

  it('shows no question that fewer than k answered, whatever the number of reports', () => {
    const unsaid = { count: 50, block: [1, 2, 2, 2, 2, 41] };
    const page = groupTrends(sheet, roundsOf([unsaid]), 0) ?? expect.fail();
    expect(page.items[0]?.rows[0]?.gap).toBe('not shown: fewer than 10 answers');
  });

  it('never shows unanimity', () => {
    const all = { count: 50, block: [0, 0, 0, 0, 50, 0] };
    const page = groupTrends(sheet, roundsOf([all]), 0) ?? expect.fail();
    expect(item(page.items, 'energy').rows[0]).toMatchObject({ share: '95% or more' });
    expect(item(page.items, 'stress').rows[0]).toMatchObject({ share: '5% or less' });
    for (const { share } of page.items) {
      for (const point of share.points) {
        if ('gap' in point) continue;
        expect(point.low).toBeGreaterThanOrEqual(0.05);
        expect(point.high).toBeLessThanOrEqual(0.95);
      }
    }
  });

  it('gives charts and table only rounded numbers, with the value inside its interval', () => {
    const odd = { count: 53, block: [6.3, 9.1, 14.7, 11.9, 9.4, 2.2] };
    const page = groupTrends(sheet, roundsOf([odd]), 0) ?? expect.fail();
    for (const { share, mean } of page.items) {
      for (const [series, steps] of [
        [share, 20],
        [mean, 10],
      ] as const) {
        for (const point of series.points) {
          if ('gap' in point) continue;
          for (const x of [point.value, point.low, point.high]) {
            expect(x * steps).toBeCloseTo(Math.round(x * steps), 9);
          }
          expect(point.low).toBeLessThanOrEqual(point.value);
          expect(point.high).toBeGreaterThanOrEqual(point.value);
        }
      }
    }
  });

  it('follows a group by name and department when a later plan numbers it anew', () => {
    const [first, second] = roundsOf([FIFTY, 'too-few'], [FIFTY, FIFTY]);
    const swapped = second?.groups.map((group) => ({ ...group, index: 1 - group.index })) ?? [];
    const rounds = [first, second && { ...second, groups: swapped }].filter((r) => r !== undefined);
    const page = groupTrends(sheet, rounds, 1) ?? expect.fail();
    expect(page.heading).toBe('Inbound');
    expect(page.items[0]?.rows.map((row) => row.gap)).toEqual([null, null]);
  });

  it('marks the chosen group among all, by department', () => {
    const page = groupTrends(sheet, roundsOf([FIFTY, FIFTY, FIFTY]), 1) ?? expect.fail();
    expect(page.departments.map(({ name }) => name)).toEqual(['Warehouse', 'Transport']);
    const marked = page.departments.flatMap(({ groups }) => groups.filter((g) => g.current));
    expect(marked).toEqual([
      { href: '/trends/groups/1', name: 'Outbound', current: true, note: '80 people' },
    ]);
  });

  it('knows no group that no round has', () => {
    expect(groupTrends(sheet, roundsOf([FIFTY]), 7)).toBeUndefined();
  });
});
