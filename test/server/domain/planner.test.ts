import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type OrgTree, orgTree, type UnitSize } from '../../../server/domain/org.ts';
import { groupOfUnit, type Plan, planGroups } from '../../../server/domain/planner.ts';
import {
  inRowSpan,
  publishedRows,
  reorganised,
  subtree,
  unitsArbitrary,
} from '../../support/org-trees.ts';

/** How many people each published set leaves to itself, by node. */
function atoms(tree: OrgTree, published: ReadonlySet<number>): Map<number, number> {
  const left = new Map([...published].map((id) => [id, 0]));
  for (const { id, direct } of tree.nodes) {
    let at = id;
    while (at !== -1 && !published.has(at)) at = tree.nodes[at]?.parent as number;
    left.set(at, (left.get(at) ?? 0) + direct);
  }
  return left;
}

/** Every set of nodes in turn, by the rule of the policy and the tie order as it is documented. */
function bruteForce(tree: OrgTree, smallest: number): number[] | undefined {
  const count = tree.nodes.length;
  let best: { weight: number; ids: number[] } | undefined;
  // The lowest id is the highest bit, so that of two equal sets the preferred one comes first.
  for (let bits = 2 ** count - 1; bits > 0; bits--) {
    const ids = tree.nodes.map(({ id }) => id).filter((id) => (bits >> (count - 1 - id)) & 1);
    const left = atoms(tree, new Set(ids));
    if ((left.get(-1) ?? 0) > 0) continue;
    if ([...left.values()].some((people) => people > 0 && people < smallest)) continue;
    const weight = ids.reduce((sum, id) => sum + (tree.nodes[id]?.size as number), 0);
    if (best === undefined || weight > best.weight) best = { weight, ids };
  }
  return best?.ids;
}

function planned(units: readonly UnitSize[], smallest: number): { tree: OrgTree; plan: Plan } {
  const tree = orgTree(units);
  return { tree, plan: planGroups(tree, smallest) };
}

function names(units: readonly UnitSize[], smallest: number): string[] {
  return planned(units, smallest).plan.groups.map(
    ({ name, rosterSize }) => `${name}: ${rosterSize}`,
  );
}

function flat(sizes: Record<string, number>): UnitSize[] {
  return Object.entries(sizes).map(([path, people]) => ({ path, people }));
}

const small = { units: unitsArbitrary(12, 6), smallest: fc.integer({ min: 1, max: 12 }) };
const large = { units: unitsArbitrary(80, 30), smallest: fc.integer({ min: 1, max: 60 }) };
const moves = fc.array(fc.record({ from: fc.nat(), to: fc.nat(), people: fc.nat(20) }), {
  maxLength: 6,
});

function enough(units: readonly UnitSize[], smallest: number): boolean {
  return units.reduce((sum, { people }) => sum + people, 0) >= smallest;
}

describe('the planner', () => {
  it('finds what trying every set of at most 12 nodes finds, ties and all', () => {
    fc.assert(
      fc.property(small.units, small.smallest, (units, smallest) => {
        fc.pre(enough(units, smallest));
        const { tree, plan } = planned(units, smallest);
        expect(plan.published).toEqual(bruteForce(tree, smallest));
      }),
      { numRuns: 400 },
    );
  });

  it('puts everybody into one group, and nobody into a small one', () => {
    fc.assert(
      fc.property(large.units, large.smallest, moves, (before, smallest, changes) => {
        fc.pre(enough(before, smallest));
        for (const units of [before, reorganised(before, changes)]) {
          const { tree, plan } = planned(units, smallest);
          const people = plan.groups.map(() => 0);
          tree.nodes.forEach(({ direct, id }) => {
            const group = plan.groupOf[id] as number;
            if (direct > 0) expect(group).toBeGreaterThanOrEqual(0);
            if (group !== -1) people[group] = (people[group] as number) + direct;
          });
          expect(plan.groups.map(({ rosterSize }) => rosterSize)).toEqual(people);
          expect(Math.min(...people)).toBeGreaterThanOrEqual(smallest);
          expect(people.reduce((sum, size) => sum + size)).toBe(tree.nodes[0]?.size);
        }
      }),
    );
  });

  it('publishes units whose every total is a sum of groups, and whose atoms are the groups', () => {
    fc.assert(
      fc.property(large.units, large.smallest, (units, smallest) => {
        fc.pre(enough(units, smallest));
        const { tree, plan } = planned(units, smallest);
        const left = atoms(tree, new Set(plan.published));
        const filled = [...left].filter(([, people]) => people > 0);
        expect(plan.groups.map(({ node, rosterSize }) => [node, rosterSize])).toEqual(filled);
        for (const id of plan.published) {
          const under = new Set(subtree(tree, id));
          const groups = plan.groups.filter(({ node }) => under.has(node));
          const sum = groups.reduce((people, { rosterSize }) => people + rosterSize, 0);
          expect(sum).toBe(tree.nodes[id]?.size);
        }
      }),
    );
  });

  it('lets nobody derive the total of 1 … k − 1 people, by any combination of totals', () => {
    const k = fc.integer({ min: 2, max: 5 });
    const units = unitsArbitrary(9, 3);
    fc.assert(
      fc.property(units, k, moves, (before, smallest, changes) => {
        const people = before.reduce((sum, unit) => sum + unit.people, 0);
        fc.pre(people >= smallest && people <= 12);
        for (const now of [before, reorganised(before, changes)]) {
          const { tree, plan } = planned(now, smallest);
          const { rows } = publishedRows(tree, plan.published);
          for (let bits = 1; bits < 2 ** people; bits++) {
            const subset = Array.from({ length: people }, (_, i) => BigInt((bits >> i) & 1));
            const size = subset.filter((one) => one === 1n).length;
            if (size < smallest) expect(inRowSpan(rows, subset)).toBe(false);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('would be caught by that test if it published a unit too many', () => {
    const tree = orgTree(flat({ 'C / A': 5, 'C / B': 3 }));
    const { rows } = publishedRows(tree, [0, 1]);
    expect(inRowSpan(rows, [0n, 0n, 0n, 0n, 0n, 1n, 1n, 1n])).toBe(true);
    expect(inRowSpan(rows, [0n, 0n, 0n, 0n, 0n, 0n, 1n, 1n])).toBe(false);
  });

  it('gives the same plan for units in any order', () => {
    fc.assert(
      fc.property(large.units, large.smallest, fc.infiniteStream(fc.nat()), (units, m, keys) => {
        fc.pre(enough(units, m));
        const shuffled = units
          .map((unit) => ({ unit, key: keys.next().value as number }))
          .sort((a, b) => a.key - b.key)
          .map(({ unit }) => unit);
        expect(planned(shuffled, m)).toEqual(planned(units, m));
      }),
    );
  });

  it('says which group a unit’s people are in, in any spelling of the unit', () => {
    const { tree, plan } = planned(flat({ 'C / A / B': 9, 'C / D': 5, 'C / E': 6 }), 9);
    expect(plan.groups.map(({ name }) => name)).toEqual(['C, smaller teams', 'B']);
    expect(groupOfUnit(tree, plan, 'c/a/b')).toBe(1);
    expect(groupOfUnit(tree, plan, 'C / D')).toBe(0);
    expect(groupOfUnit(tree, plan, 'C / Nowhere')).toBeUndefined();
  });

  it('prefers the unit that comes first where two would do as well', () => {
    // 12 people each, groups of 12: A or B, but not both beside the 4 people at the top.
    const units = flat({ C: 4, 'C / B': 12, 'C / A': 12 });
    expect(names(units, 12)).toEqual(['C, without A: 16', 'A: 12']);
  });
});

describe('the names of groups', () => {
  it('are the units’ own, and say what is left where a unit is divided', () => {
    expect(names(flat({ 'C / Sales': 40, 'C / Logistics': 45 }), 39)).toEqual([
      'Logistics: 45',
      'Sales: 40',
    ]);
    const even = flat({ 'C / A': 9, 'C / B': 9, 'C / D': 1 });
    expect(names(even, 9)).toEqual(['C, other teams: 10', 'A: 9']);
    const teams = { 'C / L / Drivers': 60, 'C / L / Night': 25, 'C / L / Early': 20 };
    expect(names(flat({ 'C / S': 50, ...teams }), 39)).toEqual([
      'L, smaller teams: 45',
      'Drivers: 60',
      'S: 50',
    ]);
    expect(names(flat({ 'C / L': 39, 'C / L / A': 40, 'C / L / B': 40 }), 39)).toEqual([
      'C, without its teams: 39',
      'A: 40',
      'B: 40',
    ]);
  });

  it('claim no more than is true of everybody in the group', () => {
    // With somebody directly at L, it is not only teams.
    expect(names(flat({ 'C / S': 9, 'C / L': 1, 'C / L / A': 9, 'C / L / B': 8 }), 9)).toEqual([
      'L, without A: 9',
      'A: 9',
      'S: 9',
    ]);
    const many = flat({ C: 1, 'C / P': 9, 'C / Q': 9, 'C / R': 9, 'C / S': 8 });
    expect(names(many, 9)).toEqual(['C, everyone else: 9', 'P: 9', 'Q: 9', 'R: 9']);
    const long = (letter: string) => letter.repeat(90);
    const wordy = flat({ C: 1, [`C / ${long('P')}`]: 9, 'C / S': 8 });
    expect(names(wordy, 9)[0]).toBe('C, everyone else: 9');
  });

  it('call teams smaller only if they are', () => {
    fc.assert(
      fc.property(large.units, large.smallest, (units, smallest) => {
        fc.pre(enough(units, smallest));
        const { tree, plan } = planned(units, smallest);
        for (const { node, name } of plan.groups) {
          if (!name.endsWith(', smaller teams')) continue;
          expect(tree.nodes[node]?.direct).toBe(0);
          const within = plan.published.filter(
            (id) => id !== node && subtree(tree, node).includes(id),
          );
          // Those next below: what they hold in turn is not left of this unit.
          const below = within.filter(
            (id) => !within.some((other) => other !== id && subtree(tree, other).includes(id)),
          );
          const smallestPublished = Math.min(...below.map((id) => tree.nodes[id]?.size as number));
          const inGroup = plan.groups.findIndex((group) => group.node === node);
          const largest = tree.nodes
            .filter(({ id, direct }) => direct > 0 && plan.groupOf[id] === inGroup)
            .reduce((most, { direct }) => Math.max(most, direct), 0);
          expect(largest).toBeLessThan(smallestPublished);
        }
      }),
    );
  });

  it('take the names above where two would be the same', () => {
    const twice = flat({ 'C / IT / Support': 9, 'C / Sales / SUPPORT': 9, 'C / IT / Data': 9 });
    expect(names(twice, 9)).toEqual(['Data: 9', 'IT / Support: 9', 'Sales / SUPPORT: 9']);
    const odd = flat({
      'C / L / A': 9,
      'C / L / B': 5,
      'C / L / D': 4,
      'C / L, smaller teams': 9,
    });
    expect(names(odd, 9)).toEqual([
      'C / L, smaller teams: 9',
      'A: 9',
      'C / L, smaller teams (2): 9',
    ]);
  });

  it('are unique in every plan, in any capitals, and so is nothing empty', () => {
    fc.assert(
      fc.property(large.units, large.smallest, (units, smallest) => {
        fc.pre(enough(units, smallest));
        const { groups } = planned(units, smallest).plan;
        const keys = groups.map(({ name }) => name.toLowerCase());
        expect(new Set(keys).size).toBe(groups.length);
        expect(keys).not.toContain('');
      }),
    );
  });

  it('stand beside the department: the unit right under the company', () => {
    const units = flat({
      'Holding / C': 9,
      'Holding / C / Ops / Logistics / A': 9,
      'Holding / C / Ops / Logistics / B': 9,
      'Holding / C / Sales': 9,
    });
    const { groups } = planned(units, 9).plan;
    expect(groups.map(({ name, department }) => [name, department])).toEqual([
      ['Holding, without its teams', 'Holding'],
      ['A', 'Ops'],
      ['B', 'Ops'],
      ['Sales', 'Sales'],
    ]);
  });
});

describe('odd companies', () => {
  it('of one unit, of a chain, and of one huge flat unit are one group', () => {
    expect(names(flat({ C: 9 }), 9)).toEqual(['C: 9']);
    expect(names(flat({ 'C / A / B / D': 9, 'C / A': 0, 'C / A / B / E': 0 }), 9)).toEqual([
      'C: 9',
    ]);
    expect(names(flat({ 'C / A': 1_000_000 }), 39)).toEqual(['C: 1000000']);
    const many = Array.from({ length: 5000 }, (_, i) => ({ path: `C / ${i}`, people: 1 }));
    expect(names(many, 39)).toEqual(['C: 5000']);
  });

  it('with one person directly at every manager’s unit have no group of one', () => {
    const units: UnitSize[] = [{ path: 'C', people: 1 }];
    for (let i = 0; i < 4; i++) {
      units.push({ path: `C / D${i}`, people: 1 });
      for (let j = 0; j < 4; j++) units.push({ path: `C / D${i} / T${j}`, people: 12 + j });
    }
    const { groups } = planned(units, 12).plan;
    expect(Math.min(...groups.map(({ rosterSize }) => rosterSize))).toBeGreaterThanOrEqual(12);
    expect(groups.reduce((sum, { rosterSize }) => sum + rosterSize, 0)).toBe(221);
    // A department gives up its smallest team for its manager's sake.
    expect(groups.map(({ name }) => name)).toContain('D0 / T3');
  });

  it.each([
    [[], 39, 'Nobody is on the roster'],
    [flat({ 'C / A': 1 }), 39, '1 person is on the roster'],
    [flat({ 'C / A': 20, 'C / B': 18 }), 39, '1 more person is needed'],
    [flat({ 'C / A': 20 }), 39, '19 more people are needed'],
  ])('too small for one group are refused in words', (units, smallest, words) => {
    expect(() => planned(units, smallest)).toThrow(
      expect.objectContaining({ code: 'too-small', message: expect.stringContaining(words) }),
    );
  });

  it.each([0, -1, 1.5, Number.NaN])('are not planned in groups of %d', (smallest) => {
    expect(() => planned(flat({ C: 9 }), smallest)).toThrow(
      expect.objectContaining({ code: 'argument' }),
    );
  });
});
