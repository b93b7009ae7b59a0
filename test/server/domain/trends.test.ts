import { describe, expect, it } from 'vitest';
import type { TrendItem } from '../../../server/domain/trend-items.ts';
import { companyTrends, groupTrends } from '../../../server/domain/trends.ts';
import { FORTY, HUNDRED, roundsOf, sheet, TWENTY } from '../../views/sample.ts';

function item(items: readonly TrendItem[], id: string): TrendItem {
  return items.find((candidate) => candidate.id === id) ?? expect.fail(`no item ${id}`);
}

describe('companyTrends', () => {
  it('adds up the released groups and says what part of the roster they are', () => {
    const page = companyTrends(sheet, roundsOf([HUNDRED, HUNDRED, 'too-few']));
    expect(page.basis.join(' ')).toContain('At least 200 answers of 304 people (60 to 70%).');
    expect(page.basis.join(' ')).toContain(
      'This figure adds up 2 of 3 groups, 70 to 80% of the 408 people on the roster. One group is not shown.',
    );
    const row = item(page.items, 'energy').rows[0] ?? expect.fail();
    expect(row).toMatchObject({
      ...{ number: 1, gap: null, share: { words: '40%' }, mean: { words: '3.2' } },
    });
  });

  it('says that every group is in where none was withheld', () => {
    const page = companyTrends(sheet, roundsOf([HUNDRED, HUNDRED, HUNDRED]));
    expect(page.basis.join(' ')).toContain('All 3 groups are in this figure.');
  });

  it('shows no partial sum while groups are still being counted', () => {
    const page = companyTrends(sheet, roundsOf([HUNDRED, HUNDRED, 'counting']));
    expect(page.hasResults).toBe(false);
    expect(page.items[0]?.rows[0]?.gap).toBe('being counted');
    expect(page.pending).toEqual(['Round 1 is closed and being counted: 2 of 3 groups are done.']);
  });

  it('says in words that a round is open, and speaks of the newest finished one', () => {
    const page = companyTrends(sheet, roundsOf([HUNDRED], ['open']));
    expect(page.pending[0]).toContain('Round 2 is open until the end of 13 June 2026.');
    expect(item(page.items, 'energy').sentence).toMatch(/^Energy in Mar 2026: about 40% chose/);
  });

  it('has a page without any round', () => {
    const page = companyTrends(sheet, []);
    expect(page).toMatchObject({ hasResults: false, basis: [], pending: [], departments: [] });
    expect(page.items.every((each) => each.latest === null)).toBe(true);
  });

  it('never writes a count that is not a multiple of 5', () => {
    const page = companyTrends(sheet, roundsOf([{ count: 98, block: [10, 19, 28, 24, 16, 1] }]));
    expect(page.basis.join(' ')).toContain('At least 95 answers of 144 people (60 to 70%).');
    expect(JSON.stringify(page)).not.toContain('98');
  });
});

describe('groupTrends', () => {
  it('reads the two lowest options as favourable where the sheet says so', () => {
    const page = groupTrends(sheet, roundsOf([HUNDRED]), 0) ?? expect.fail();
    expect(item(page.items, 'energy').sentence).toContain(
      'about 40% chose “Plenty” or “More than enough” (90% interval',
    );
    expect(item(page.items, 'stress').sentence).toContain(
      'about 30% chose “Not at all” or “A little” (90% interval',
    );
    expect(item(page.items, 'stress').meanCaption).toContain('Lower is better.');
  });

  it('shows a withheld group as an ordinary gap', () => {
    const page =
      groupTrends(sheet, roundsOf([HUNDRED], ['too-few'], [HUNDRED]), 0) ?? expect.fail();
    const { rows, share } = item(page.items, 'energy');
    expect(rows.map((row) => row.gap)).toEqual([null, 'not shown: fewer than 10 answers', null]);
    expect(share.points.map(({ state }) => state)).toEqual(['number', 'gap', 'number']);
  });

  it.each([
    ['too-few', 'not shown: fewer than 10 answers'],
    ['deadline', 'not shown: not released before the deadline'],
    ['a reason of a later version', 'not shown'],
  ])('says why a group was withheld: %s', (reason, words) => {
    const rounds = roundsOf([HUNDRED], ['too-few']).map((round) => ({
      ...round,
      groups: round.groups.map((g) => (g.state === 'withheld' ? { ...g, reason } : g)),
    }));
    expect(groupTrends(sheet, rounds, 0)?.items[0]?.rows[0]?.gap).toBe(words);
  });

  it('says why the newest round shows nothing', () => {
    const page = groupTrends(sheet, roundsOf([HUNDRED], ['too-few']), 0) ?? expect.fail();
    expect(item(page.items, 'energy').sentence).toBe(
      'Energy in May 2026: not shown: fewer than 10 answers.',
    );
  });

  it('shows no question that fewer than k answered, whatever the number of reports', () => {
    const unsaid = { count: 100, block: [1, 2, 2, 2, 2, 91] };
    const page = groupTrends(sheet, roundsOf([unsaid]), 0) ?? expect.fail();
    expect(page.items[0]?.rows[0]?.gap).toBe('not shown: fewer than 10 answers');
  });

  it('never shows unanimity', () => {
    const all = { count: 100, block: [0, 0, 0, 0, 100, 0] };
    const page = groupTrends(sheet, roundsOf([all]), 0) ?? expect.fail();
    expect(item(page.items, 'energy').rows[0]).toMatchObject({ share: { words: '95% or more' } });
    expect(item(page.items, 'stress').rows[0]).toMatchObject({ share: { words: '5% or less' } });
    for (const { share } of page.items) {
      for (const point of share.points) {
        if (point.state !== 'number') expect.fail();
        expect(point.low).toBeGreaterThanOrEqual(0.05);
        expect(point.high).toBeLessThanOrEqual(0.95);
      }
    }
  });

  it('draws numbers, bands and gaps as what they are', () => {
    const rounds = roundsOf([HUNDRED], [FORTY], [TWENTY], [], ['open']);
    const page = groupTrends(sheet, rounds, 0) ?? expect.fail();
    const { share, mean, rows } = item(page.items, 'energy');
    const states = ['number', 'band', 'gap', 'gap', 'gap'];
    expect(share.points.map(({ state }) => state)).toEqual(states);
    expect(mean?.points.map(({ state }) => state)).toEqual(states);
    expect(share.points[1]).not.toHaveProperty('value');
    expect(rows.map((row) => row.share.words)).toEqual([
      'open',
      'no round',
      'too noisy to tell',
      '40% to 70%',
      '40%',
    ]);
    expect(rows.map((row) => row.share.interval)).toEqual([null, null, null, null, '30% to 50%']);
  });

  it('speaks of a band as of a range, and gives no interval', () => {
    const page = groupTrends(sheet, roundsOf([FORTY]), 0) ?? expect.fail();
    expect(item(page.items, 'energy').sentence).toBe(
      'Energy in Mar 2026: between 40% and 70% chose “Plenty” or “More than enough”. That is a range: for a number, the noise is too large.',
    );
    expect(item(page.items, 'stress').sentence).toContain('Stress in Mar 2026: under 40% chose');
    expect(item(page.items, 'energy').latest?.mean?.words).toBe('3.0 to 3.7');
  });

  it('draws the distribution only where every share of it is a number', () => {
    const spread = (fate: typeof HUNDRED) =>
      item(groupTrends(sheet, roundsOf([fate]), 0)?.items ?? [], 'energy').distribution;
    expect(spread(HUNDRED)?.bars.map(({ name, value }) => [name, value])).toEqual([
      ['None', 0.1],
      ['A little', 0.2],
      ['Some', 0.3],
      ['Plenty', 0.2],
      ['More than enough', 0.2],
    ]);
    expect(spread(FORTY)).toBeNull();
    expect(spread('too-few')).toBeNull();
  });

  it('shows a score as a share of its favourable levels and as a distribution', () => {
    const page = groupTrends(sheet, roundsOf([HUNDRED]), 0) ?? expect.fail();
    const strain = item(page.items, 'strain');
    expect(strain.asked).toBe(
      'A score, worked out on each device from the answers on Stress, Workload, Recovery.',
    );
    expect(strain.sentence).toMatch(/^Strain in Mar 2026: about 30% had “Low” \(90% interval/);
    expect(strain.mean).toBeNull();
    expect(strain.latest?.mean).toBeNull();
    expect(strain.distribution?.bars.map(({ name }) => name)).toEqual(['Low', 'Moderate', 'High']);
  });

  it('tells a change only where it is reliable', () => {
    const high = { count: 100, block: [2, 8, 20, 40, 28, 2] };
    const changed = groupTrends(sheet, roundsOf([HUNDRED], [high]), 0) ?? expect.fail();
    expect(item(changed.items, 'energy')).toMatchObject({ change: 'probably rose' });
    expect(item(changed.items, 'energy').sentence).toMatch(
      /^Energy in Inbound probably rose since Mar 2026\. In May 2026, about 70% chose/,
    );
    const lower = { ...high, scores: [70, 20, 8, 2] };
    const scored = groupTrends(sheet, roundsOf([HUNDRED], [lower]), 0) ?? expect.fail();
    expect(item(scored.items, 'strain')).toMatchObject({ change: 'share probably rose' });
    expect(item(scored.items, 'strain').sentence).toMatch(
      /^Strain in Inbound: the share who had “Low” probably rose since Mar 2026\. In May 2026, about 70% had “Low”/,
    );
    const alike = groupTrends(sheet, roundsOf([HUNDRED], [HUNDRED]), 0) ?? expect.fail();
    expect(item(alike.items, 'energy').sentence).toMatch(
      /^Energy in Inbound: no reliable change since Mar 2026\. In May 2026, about 40% chose/,
    );
    const banded = groupTrends(sheet, roundsOf([HUNDRED], [FORTY]), 0) ?? expect.fail();
    expect(item(banded.items, 'energy').change).toBe('no reliable change');
    for (const rounds of [roundsOf([HUNDRED]), roundsOf(['too-few'], [high])]) {
      const page = groupTrends(sheet, rounds, 0) ?? expect.fail();
      expect(item(page.items, 'energy').change).toBeNull();
    }
  });

  it('compares with the newest round that was shown, and names it', () => {
    const rounds = roundsOf([HUNDRED], ['too-few'], [HUNDRED], ['open']);
    const page = groupTrends(sheet, rounds, 0) ?? expect.fail();
    expect(item(page.items, 'energy').sentence).toContain('no reliable change since Mar 2026');
  });

  it('follows a group by name and department when a later plan numbers it anew', () => {
    const [first, second] = roundsOf([HUNDRED, 'too-few'], [HUNDRED, HUNDRED]);
    const swapped = second?.groups.map((group) => ({ ...group, index: 1 - group.index })) ?? [];
    const rounds = [first, second && { ...second, groups: swapped }].filter((r) => r !== undefined);
    const page = groupTrends(sheet, rounds, 1) ?? expect.fail();
    expect(page.heading).toBe('Inbound');
    expect(page.items[0]?.rows.map((row) => row.gap)).toEqual([null, null]);
  });

  it('marks the chosen group among all, by department', () => {
    const page = groupTrends(sheet, roundsOf([HUNDRED, HUNDRED, HUNDRED]), 1) ?? expect.fail();
    expect(page.departments.map(({ name }) => name)).toEqual(['Warehouse', 'Transport']);
    const marked = page.departments.flatMap(({ groups }) => groups.filter((g) => g.current));
    expect(marked).toEqual([
      { href: '/trends/groups/1', name: 'Outbound', current: true, note: '160 people' },
    ]);
  });

  it('knows no group that no round has', () => {
    expect(groupTrends(sheet, roundsOf([HUNDRED]), 7)).toBeUndefined();
  });
});
