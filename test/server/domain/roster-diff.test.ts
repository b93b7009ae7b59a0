import { describe, expect, it } from 'vitest';
import type { RosterRow } from '../../../server/domain/roster.ts';
import { diffRoster } from '../../../server/domain/roster-diff.ts';

function people(
  count: number,
  change: (n: number) => Partial<RosterRow> = () => ({}),
): RosterRow[] {
  return Array.from({ length: count }, (_, n) => ({
    row: n + 2,
    email: `person${n}@example.com`,
    name: `Person ${n}`,
    unit: 'C',
    managerOf: [],
    language: null,
    ...change(n),
  }));
}

describe('what a file would change', () => {
  it('is nothing where it says the same, in whatever rows', () => {
    const diff = diffRoster(people(5), people(5).reverse());
    expect(diff).toEqual({
      added: [],
      changed: [],
      removed: [],
      unchanged: 5,
      removesMoreThanATenth: false,
    });
  });

  it('is who comes, who changes in which fields, and who goes', () => {
    const after = people(4, (n) => {
      if (n === 0) return { name: 'Person Zero', language: 'en' };
      if (n === 1) return { unit: 'C / A', managerOf: ['C'] };
      return n === 2 ? { email: 'person9@example.com' } : {};
    });
    const diff = diffRoster(people(4), after);
    expect(diff.added.map(({ row, email }) => [row, email])).toEqual([[4, 'person9@example.com']]);
    expect(diff.changed.map(({ row, before, fields }) => [row.row, before.name, fields])).toEqual([
      [2, 'Person 0', ['name', 'language']],
      [3, 'Person 1', ['unit', 'managerOf']],
    ]);
    expect(diff.removed.map(({ email }) => email)).toEqual(['person2@example.com']);
    expect(diff.unchanged).toBe(1);
  });

  it('asks again above a tenth, and not at a tenth', () => {
    expect(diffRoster(people(20), people(18)).removesMoreThanATenth).toBe(false);
    expect(diffRoster(people(20), people(17)).removesMoreThanATenth).toBe(true);
    expect(diffRoster(people(1), []).removesMoreThanATenth).toBe(true);
    expect(diffRoster([], people(3)).removesMoreThanATenth).toBe(false);
  });
});
