import fc from 'fast-check';
import type { OrgTree, UnitSize } from '../../server/domain/org.ts';

/** How a generated unit hangs in its tree: its parent by number, its own people, its name. */
interface Seed {
  readonly parent: number;
  readonly people: number;
  readonly name: number;
}

/** Units whose names repeat, some empty, some single children; the first is the company. */
export function unitsArbitrary(most: number, people: number): fc.Arbitrary<UnitSize[]> {
  const seed: fc.Arbitrary<Seed> = fc.record({
    parent: fc.nat(1000),
    people: fc.oneof(fc.constant(0), fc.nat(people)),
    name: fc.nat(5),
  });
  return fc.array(seed, { minLength: 1, maxLength: most }).map(unitsOf);
}

function unitsOf(seeds: readonly Seed[]): UnitSize[] {
  const paths: string[] = [];
  return seeds.map(({ parent, people, name }, i) => {
    // Siblings may share a name, and are then one unit.
    const above = i === 0 ? undefined : paths[parent % i];
    const path = above === undefined ? 'Company' : `${above} / Unit ${name}`;
    paths.push(path);
    return { path, people };
  });
}

/** The same people, after some moved from one unit to another, and some units under others. */
export function reorganised(
  units: readonly UnitSize[],
  moves: readonly { from: number; to: number; people: number }[],
): UnitSize[] {
  let now = units.map((unit) => ({ ...unit }));
  for (const { from, to, people } of moves) {
    const a = now[from % now.length] as { path: string; people: number };
    const b = now[to % now.length] as { path: string; people: number };
    if (people % 2 === 0) {
      const moved = Math.min(a.people, people);
      a.people -= moved;
      b.people += moved;
    } else if (!`${b.path} / `.startsWith(`${a.path} / `)) {
      const old = `${a.path} / `;
      const fresh = `${b.path} / ${a.path.split(' / ').at(-1)}`;
      now = now.map((unit) =>
        `${unit.path} / `.startsWith(old)
          ? { ...unit, path: `${fresh}${unit.path.slice(old.length - 3)}` }
          : unit,
      );
    }
  }
  return now;
}

/** The ids of a node and of all nodes under it. */
export function subtree(tree: OrgTree, id: number): number[] {
  return tree.nodes.filter(({ id: other }) => isUnder(tree, other, id)).map((node) => node.id);
}

function isUnder(tree: OrgTree, id: number, above: number): boolean {
  for (let at = id; at !== -1; at = tree.nodes[at]?.parent ?? -1) if (at === above) return true;
  return false;
}

/** People under each published node, as indicator rows over people numbered by their nodes. */
export function publishedRows(
  tree: OrgTree,
  published: readonly number[],
): { rows: bigint[][]; people: number[] } {
  const people = tree.nodes.flatMap(({ id, direct }) => Array<number>(direct).fill(id));
  const rows = published.map((id) => {
    const under = new Set(subtree(tree, id));
    return people.map((node) => (under.has(node) ? 1n : 0n));
  });
  return { rows, people };
}

/** Whether a vector is a rational combination of the rows: elimination without fractions. */
export function inRowSpan(
  rows: readonly (readonly bigint[])[],
  vector: readonly bigint[],
): boolean {
  let rest = [...vector];
  for (const row of echelon(rows)) {
    const pivot = row.findIndex((x) => x !== 0n);
    const [a, b] = [row[pivot] as bigint, rest[pivot] as bigint];
    if (b !== 0n) rest = rest.map((x, i) => x * a - (row[i] as bigint) * b);
  }
  return rest.every((x) => x === 0n);
}

function echelon(rows: readonly (readonly bigint[])[]): bigint[][] {
  const out: bigint[][] = [];
  for (const row of rows) {
    let rest = [...row];
    for (const above of out) {
      const pivot = above.findIndex((x) => x !== 0n);
      const [a, b] = [above[pivot] as bigint, rest[pivot] as bigint];
      if (b !== 0n) rest = rest.map((x, i) => x * a - (above[i] as bigint) * b);
    }
    if (rest.some((x) => x !== 0n)) out.push(rest);
  }
  return out;
}
