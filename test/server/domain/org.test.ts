import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nodeOfUnit, orgTree } from '../../../server/domain/org.ts';
import { showPath, unitPath } from '../../../server/domain/unit-path.ts';
import { unitsArbitrary } from '../../support/org-trees.ts';

const refusedPath = expect.objectContaining({ name: 'PlanError', code: 'unit-path' });

describe('a unit’s path', () => {
  it('is read with any blanks around its slashes', () => {
    for (const text of ['A / B C / D', 'A/B C/D', '  A /B\u00a0 C/ D ']) {
      expect(showPath(unitPath(text))).toBe('A / B C / D');
    }
    expect(unitPath('Zu\u0308rich')).toEqual(['Zürich']);
  });

  it.each(['', ' ', '/', 'A//B', 'A / ', '/A', 'A; B', 'A\u0000', 'A\tB', 'A\nB', 'A\u202eB'])(
    'is refused: %j',
    (text) => {
      expect(() => unitPath(text)).toThrow(refusedPath);
    },
  );

  it('is refused if a name or the path is too long, or half a character', () => {
    expect(() => unitPath('x'.repeat(101))).toThrow(refusedPath);
    expect(() => unitPath(Array(33).fill('x').join('/'))).toThrow(refusedPath);
    expect(() => unitPath('x/'.repeat(1_000_000))).toThrow(refusedPath);
    expect(() => unitPath('A\ud800')).toThrow(refusedPath);
  });
});

describe('the org tree', () => {
  const TREE = orgTree([
    { path: 'Company/Operations/Logistics/Drivers', people: 4 },
    { path: 'Company / operations / Logistics', people: 3 },
    { path: 'Company / Sales', people: 2 },
    { path: 'Company / Sales / Nobody', people: 0 },
    { path: 'Company', people: 1 },
  ]);

  it('has people at any node, units in order, and no chain of single units', () => {
    expect(TREE.nodes.map(({ path, ...node }) => ({ ...node, path: showPath(path) }))).toEqual([
      { id: 0, parent: -1, direct: 1, size: 10, path: 'Company' },
      { id: 1, parent: 0, direct: 3, size: 7, path: 'Company / Operations / Logistics' },
      { id: 2, parent: 1, direct: 4, size: 4, path: 'Company / Operations / Logistics / Drivers' },
      { id: 3, parent: 0, direct: 2, size: 2, path: 'Company / Sales' },
    ]);
  });

  it('finds the node of a unit in any spelling, also within a chain', () => {
    expect(nodeOfUnit(TREE, 'COMPANY/operations')).toBe(1);
    expect(nodeOfUnit(TREE, 'company / Operations / logistics')).toBe(1);
    expect(nodeOfUnit(TREE, 'Company / Sales / Nobody')).toBeUndefined();
    expect(nodeOfUnit(TREE, 'Elsewhere')).toBeUndefined();
  });

  it('puts the company above units that begin with different names', () => {
    const tree = orgTree(
      [
        { path: 'Sales', people: 2 },
        { path: 'Company', people: 3 },
      ],
      'Company',
    );
    expect(tree.nodes.map(({ path }) => showPath(path))).toEqual([
      'Company',
      'Company / Company',
      'Company / Sales',
    ]);
    expect(nodeOfUnit(tree, 'Sales')).toBe(2);
    expect(nodeOfUnit(tree, 'Company')).toBe(1);
  });

  it('may be empty', () => {
    expect(orgTree([]).nodes).toEqual([]);
    expect(orgTree([{ path: 'Company', people: 0 }]).nodes).toEqual([]);
  });

  it('is the same for units in any order and in parts', () => {
    fc.assert(
      fc.property(unitsArbitrary(30, 9), fc.infiniteStream(fc.nat()), (units, keys) => {
        const shuffled = units
          .flatMap(({ path, people }) => [
            { path, people: people >> 1 },
            { path: path.toUpperCase().toLowerCase(), people: 0 },
            { path, people: people - (people >> 1) },
          ])
          .map((unit) => ({ unit, key: keys.next().value as number }))
          .sort((a, b) => a.key - b.key)
          .map(({ unit }) => unit);
        expect(orgTree(shuffled)).toEqual(orgTree(units));
      }),
    );
  });

  it('has each person once, subtrees in runs, and no node that stands for the same people', () => {
    fc.assert(
      fc.property(unitsArbitrary(40, 9), (units) => {
        const { nodes } = orgTree(units);
        const people = units.reduce((sum, unit) => sum + unit.people, 0);
        expect(nodes[0]?.size ?? 0).toBe(people);
        expect(nodes.reduce((sum, { direct }) => sum + direct, 0)).toBe(people);
        nodes.forEach((node, id) => {
          const children = nodes.filter(({ parent }) => parent === id);
          expect(node.id).toBe(id);
          expect(node.parent).toBeLessThan(id);
          expect(node.size).toBe(node.direct + children.reduce((sum, { size }) => sum + size, 0));
          expect(node.direct > 0 || children.length > 1).toBe(true);
        });
      }),
    );
  });

  it.each([-1, 0.5, Number.NaN, 2 ** 53, 10_000_001])('refuses a unit of %d people', (people) => {
    expect(() => orgTree([{ path: 'Company', people }])).toThrow(
      expect.objectContaining({ code: 'argument' }),
    );
  });

  it('refuses more people than there can be, and a path that cannot be read', () => {
    const half = { path: 'Company', people: 6_000_000 };
    expect(() => orgTree([half, half])).toThrow(expect.objectContaining({ code: 'argument' }));
    expect(() => orgTree([{ path: 'Company // A', people: 0 }])).toThrow(refusedPath);
  });
});
