import type { OrgNode, OrgTree } from './org.ts';
import { nameKey, PATH_SEPARATOR } from './unit-path.ts';

/**
 * Names of reporting groups that the people in them recognise, and that say no more than is true.
 * A group is what is left of a published unit without the published units below it:
 *
 * | what is left of Logistics | name |
 * |---|---|
 * | all of it | Logistics |
 * | those directly at it alone | Logistics, without its teams |
 * | units alone, each smaller than any published one next below | Logistics, smaller teams |
 * | units alone, not all smaller | Logistics, other teams |
 * | anything else, one or two units being published | Logistics, without Drivers |
 * | anything else | Logistics, everyone else |
 *
 * A name that two groups would have gets the names above it in front: "Sales / Support".
 */

/** Longer lists of names are not read. UTF-16 code units. */
const MAX_WITHOUT = 80;

/** What a group is made of, besides the unit it is left of. */
interface Rest {
  /** Published units next below. */
  readonly published: OrgNode[];
  /** Units wholly in the group, below a node that is not. */
  readonly units: OrgNode[];
  /** Whether people stand directly at the unit itself, or at one that is partly published. */
  own: boolean;
  partly: boolean;
}

/**
 * The name and the department of each group.
 * @param cover by node id: the published node whose group the node's own people are in
 * @param atoms the published nodes with people left, rising
 */
export function groupNames(
  tree: OrgTree,
  cover: Int32Array,
  atoms: readonly number[],
): { name: string; department: string }[] {
  const rests = restsOf(tree, cover);
  const root = tree.nodes[0] as OrgNode;
  const names = unique(
    atoms.map((id) => {
      const { path } = tree.nodes[id] as OrgNode;
      return { path: id === 0 ? path.slice(0, 1) : path, suffix: suffixOf(rests[id] as Rest) };
    }),
  );
  return atoms.map((id, index) => ({
    name: names[index] as string,
    department: ((tree.nodes[id] as OrgNode).path[root.path.length] ?? root.path[0]) as string,
  }));
}

function restsOf({ nodes }: OrgTree, cover: Int32Array): Rest[] {
  const rests = nodes.map((): Rest => ({ published: [], units: [], own: false, partly: false }));
  // Whether something below a node is published; children have higher ids than their parents.
  const cut = new Uint8Array(nodes.length);
  for (let id = nodes.length - 1; id > 0; id--) {
    const parent = nodes[id]?.parent as number;
    if (cut[id] === 1 || cover[id] === id) cut[parent] = 1;
  }
  for (const node of nodes) {
    const { id, parent, direct } = node;
    const rest = rests[cover[id] as number] as Rest;
    if (cover[id] === id) {
      if (direct > 0) rest.own = true;
      if (parent !== -1) rests[cover[parent] as number]?.published.push(node);
    } else if (cut[id] === 1) {
      if (direct > 0) rest.partly = true;
    } else if (cut[parent] === 1) {
      rest.units.push(node);
    }
  }
  return rests;
}

function suffixOf({ published, units, own, partly }: Rest): string {
  if (published.length === 0) return '';
  if (units.length === 0 && !partly) return ', without its teams';
  if (units.length > 1 && !own && !partly) {
    const largest = units.reduce((most, { size }) => Math.max(most, size), 0);
    return published.every(({ size }) => size > largest) ? ', smaller teams' : ', other teams';
  }
  const without = `, without ${published.map(({ path }) => path.at(-1)).join(' and ')}`;
  if (published.length <= 2 && without.length <= MAX_WITHOUT) return without;
  return ', everyone else';
}

/** One name each, with as few of the names above as keep them apart. */
function unique(wanted: readonly { path: readonly string[]; suffix: string }[]): string[] {
  const levels = wanted.map(() => 1);
  const nameAt = (i: number) => {
    const { path, suffix } = wanted[i] as { path: readonly string[]; suffix: string };
    return path.slice(-(levels[i] as number)).join(PATH_SEPARATOR) + suffix;
  };
  let names = wanted.map((_, i) => nameAt(i));
  for (let longer = true; longer; ) {
    longer = false;
    const shared = sharedKeys(names);
    names = names.map((name, i) => {
      if (!shared.has(nameKey(name)) || levels[i] === wanted[i]?.path.length) return name;
      levels[i] = (levels[i] as number) + 1;
      longer = true;
      return nameAt(i);
    });
  }
  // Only a unit that is itself called "Logistics, smaller teams" can still stand in the way.
  const taken = new Set(names.map(nameKey));
  const first = new Set<string>();
  return names.map((name) => {
    if (!first.has(nameKey(name))) {
      first.add(nameKey(name));
      return name;
    }
    let number = 2;
    while (taken.has(nameKey(`${name} (${number})`))) number++;
    const numbered = `${name} (${number})`;
    taken.add(nameKey(numbered));
    return numbered;
  });
}

/** The keys of names that occur more than once. */
function sharedKeys(names: readonly string[]): Set<string> {
  const seen = new Set<string>();
  const shared = new Set<string>();
  for (const name of names) {
    const key = nameKey(name);
    if (seen.has(key)) shared.add(key);
    seen.add(key);
  }
  return shared;
}
