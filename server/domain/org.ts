import { PlanError } from './plan-error.ts';
import { atOnce, type Turns } from './turns.ts';
import { MAX_LEVELS, nameKey, pathKey, unitName, unitPath } from './unit-path.ts';

/** A unit and the people who stand directly at it: all that the guardian learns of a roster. */
export interface UnitSize {
  /** As `unitPath` reads it. */
  readonly path: string;
  readonly people: number;
}

/** One node of the tree: a unit with people at or under it. */
export interface OrgNode {
  /** Its place in the tree's order: every unit before those under it, siblings by name. */
  readonly id: number;
  /** Names from the company down. */
  readonly path: readonly string[];
  /** The id of the unit above, or −1 at the root. */
  readonly parent: number;
  /** People directly at it. */
  readonly direct: number;
  /** People at it and under it; at least 1. */
  readonly size: number;
}

/** Units with their people, each node's subtree in one run of ids. */
export interface OrgTree {
  readonly nodes: readonly OrgNode[];
  /** `pathKey` of each unit with people at or under it → the id of the node it is part of. */
  readonly ids: ReadonlyMap<string, number>;
}

/** What Int32 sums over 33 levels can hold, and more than any company has. */
const MAX_PEOPLE = 10_000_000;

/** Units read between two pauses. */
const UNITS_A_TURN = 500;

/** A unit while the tree is built. */
interface Draft {
  name: string;
  direct: number;
  size: number;
  readonly children: Map<string, Draft>;
}

/**
 * The tree of these units; the same for any order of them. Units without people are dropped. A unit
 * that has nobody directly and only one unit under it is the same people twice: both become one
 * node, under the lower path. Spellings that differ in capitals are merged, and the first by code
 * units is shown. Where the paths do not all begin with one name, a root is put above them.
 *
 * @param company the name of that root, if it is needed
 * @throws PlanError `unit-path`, or `argument` for a count that is none or a sum above 10 million
 */
export function orgTree(units: readonly UnitSize[], company = 'Company'): OrgTree {
  return atOnce(growTree(units, company));
}

/** `orgTree`, with a pause after every few hundred units. */
export function* growTree(units: readonly UnitSize[], company = 'Company'): Turns<OrgTree> {
  const above = draft(unitName(company));
  const names = new Map<string, string>();
  let read = 0;
  for (const { path, people } of units) {
    if (++read % UNITS_A_TURN === 0) yield;
    if (!Number.isSafeInteger(people) || people < 0 || people > MAX_PEOPLE) {
      throw new PlanError('argument', 'a unit has a whole number of people, not below 0');
    }
    const full = cachedPath(path, names);
    if (people > 0) insert(above, full, people);
  }
  if (above.size > MAX_PEOPLE) {
    throw new PlanError('argument', `a roster has at most ${MAX_PEOPLE} people`);
  }
  const nodes: OrgNode[] = [];
  const ids = new Map<string, number>();
  const [only] = above.children.values();
  if (only !== undefined) {
    if (above.children.size === 1) flatten(nodes, ids, only, [], nameKey(only.name), -1);
    else flatten(nodes, ids, above, [], '', -1);
  }
  return { nodes, ids };
}

/** The id of the node that holds this unit's people. @returns undefined if it has none */
export function nodeOfUnit(tree: OrgTree, path: string): number | undefined {
  return tree.ids.get(pathKey(unitPath(path)));
}

function draft(name: string): Draft {
  return { name, direct: 0, size: 0, children: new Map() };
}

/** `unitPath`, reading each distinct name once. */
function cachedPath(path: string, names: Map<string, string>): string[] {
  const parts = path.split('/');
  const known = parts.map((part) => names.get(part));
  if (!known.includes(undefined) && known.length <= MAX_LEVELS) return known as string[];
  const read = unitPath(path);
  read.forEach((name, i) => {
    names.set(parts[i] as string, name);
  });
  return read;
}

function insert(above: Draft, path: readonly string[], people: number): void {
  let at = above;
  at.size += people;
  for (const name of path) {
    const key = nameKey(name);
    let child = at.children.get(key);
    if (child === undefined) {
      child = draft(name);
      at.children.set(key, child);
    }
    if (name < child.name) child.name = name;
    child.size += people;
    at = child;
  }
  at.direct += people;
}

/** Adds a unit and what is under it. Paths have few levels, and so has the recursion. */
function flatten(
  nodes: OrgNode[],
  ids: Map<string, number>,
  top: Draft,
  prefix: readonly string[],
  topKey: string,
  parent: number,
): void {
  const id = nodes.length;
  const path = [...prefix, top.name];
  let unit = top;
  let key = topKey;
  ids.set(key, id);
  while (unit.direct === 0 && unit.children.size === 1) {
    const [[childKey, child]] = unit.children as unknown as [[string, Draft]];
    unit = child;
    key = key === '' ? childKey : `${key}/${childKey}`;
    path.push(unit.name);
    ids.set(key, id);
  }
  nodes.push({ id, path, parent, direct: unit.direct, size: unit.size });
  const children = [...unit.children].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [childKey, child] of children) {
    flatten(nodes, ids, child, path, key === '' ? childKey : `${key}/${childKey}`, id);
  }
}
