import { groupNames } from './group-names.ts';
import { nodeOfUnit, type OrgTree } from './org.ts';
import { PlanError } from './plan-error.ts';
import { atOnce, type Turns } from './turns.ts';

/**
 * Which units a round publishes, so that no subtraction of published totals leaves fewer than a
 * planned group (disclosure policy §2). Publishing a set F of nodes cuts the company into atoms:
 * the people under a published node who are under no published node below it. Every set of people
 * whose total follows from the published ones is a union of atoms, so it is enough, and needed,
 * that each atom is empty or large enough. Each atom that is not empty is one reporting group.
 */

/** One reporting group: one task, one token key, one release. */
export interface Group {
  /** The id of the published node that it is what is left of. */
  readonly node: number;
  /** Unique in the plan. */
  readonly name: string;
  /** The unit right under the company that it belongs to, or the company. */
  readonly department: string;
  /** People on the roster. */
  readonly rosterSize: number;
}

export interface Plan {
  /** Ids of the published nodes, rising. Their totals are sums of groups. */
  readonly published: readonly number[];
  /** In the order of their nodes. */
  readonly groups: readonly Group[];
  /**
   * By node id: the index of the group that people directly at that node are in; −1 for a node with
   * nobody directly, where every group lies further down.
   */
  readonly groupOf: Int32Array;
}

/**
 * The plan of a round: the allowed F with the largest sum of sizes, that is, with the most published
 * nodes above each person, added up. Of several, the one that holds the lowest id in which they
 * differ. Exact, and a function of the tree alone.
 *
 * @param smallest people on the roster of the smallest group, ≥ 1; see `planMin`
 * @throws PlanError `too-small` if the whole company is below `smallest`; `argument`
 */
export function planGroups(tree: OrgTree, smallest: number): Plan {
  return atOnce(planning(tree, smallest));
}

/** `planGroups`, with a pause after every few nodes. */
export function* planning(tree: OrgTree, smallest: number): Turns<Plan> {
  if (!Number.isSafeInteger(smallest) || smallest < 1) {
    throw new PlanError('argument', 'the smallest group is a whole number of people, at least 1');
  }
  const people = tree.nodes[0]?.size ?? 0;
  if (people < smallest) throw tooSmall(people, smallest);
  const published = yield* choose(tree, smallest);
  yield;

  const cover = new Int32Array(tree.nodes.length);
  const rosterSize = new Int32Array(tree.nodes.length);
  for (const { id, parent, direct } of tree.nodes) {
    const covered = published[id] === 1 ? id : (cover[parent] as number);
    cover[id] = covered;
    rosterSize[covered] = (rosterSize[covered] as number) + direct;
  }
  const ids = tree.nodes.filter(({ id }) => published[id] === 1).map(({ id }) => id);
  const atoms = ids.filter((id) => (rosterSize[id] as number) > 0);
  const indexOf = new Int32Array(tree.nodes.length).fill(-1);
  atoms.forEach((id, index) => {
    indexOf[id] = index;
  });
  const named = groupNames(tree, cover, atoms);
  return {
    published: ids,
    groups: atoms.map((node, index) => ({
      node,
      ...(named[index] as { name: string; department: string }),
      rosterSize: rosterSize[node] as number,
    })),
    groupOf: cover.map((node) => indexOf[node] as number),
  };
}

/** The index of the group that people directly at this unit are in. @returns undefined if none are */
export function groupOfUnit(tree: OrgTree, plan: Plan, path: string): number | undefined {
  const node = nodeOfUnit(tree, path);
  const group = node === undefined ? -1 : (plan.groupOf[node] as number);
  return group === -1 ? undefined : group;
}

function tooSmall(people: number, smallest: number): PlanError {
  const has = people === 0 ? 'Nobody is' : people === 1 ? '1 person is' : `${people} people are`;
  const more = smallest - people;
  return new PlanError(
    'too-small',
    `${has} on the roster, and a group takes ${smallest}: that many must be asked for the survey’s ` +
      'minimum of answers to be likely and for its noise to leave something to see. ' +
      `${more} more ${more === 1 ? 'person is' : 'people are'} needed, or a sheet with a smaller ` +
      'minimum or less noise, as far as the rules allow one.',
  );
}

/**
 * What can be done within a node, or within a node's first children: one entry for each possible
 * number of people left uncovered (capped at `smallest`: more makes no difference), with the best
 * way to leave that many. Lists of equal length, `left` rising.
 */
interface Options {
  readonly left: Int32Array;
  /** Largest sum of published sizes. */
  readonly weight: Float64Array;
  /** Places in the tie order of the sets behind the entries; 0 is preferred to 1. */
  readonly rank: Int32Array;
  /** How each entry came about: which entry of the lists it was made from. */
  readonly from: Int32Array;
  readonly child: Int32Array;
}

/** Nodes decided between two pauses. */
const NODES_A_TURN = 50;

/** For each node 1 if it is published. The program of the policy, from the leaves. */
function* choose(tree: OrgTree, m: number): Turns<Uint8Array> {
  const count = tree.nodes.length;
  const firstChild = new Int32Array(count).fill(-1);
  const sibling = new Int32Array(count).fill(-1);
  for (let id = count - 1; id > 0; id--) {
    const parent = tree.nodes[id]?.parent as number;
    sibling[id] = firstChild[parent] as number;
    firstChild[parent] = id;
  }
  const scratch = new Scratch(m);
  // By node: itself after its own decision; its parent's list after it was merged into that.
  const decided: Options[] = new Array(count);
  const merged: Options[] = new Array(count);
  for (let id = count - 1; id >= 0; id--) {
    if (id % NODES_A_TURN === 0) yield;
    const { direct, size } = tree.nodes[id] as { direct: number; size: number };
    let options = single(Math.min(m, direct));
    for (let c = firstChild[id] as number; c !== -1; c = sibling[c] as number) {
      options = scratch.merge(options, decided[c] as Options);
      merged[c] = options;
    }
    decided[id] = decide(options, size, m);
  }

  const published = new Uint8Array(count);
  // The root leaves nobody, which only a published root does; entry 0 is that one.
  const todo: [node: number, entry: number][] = [[0, 0]];
  for (let next = todo.pop(); next !== undefined; next = todo.pop()) {
    const [id, entry] = next;
    const own = decided[id] as Options;
    if (own.left[entry] === 0) published[id] = 1;
    let at = own.from[entry] as number;
    const children: number[] = [];
    for (let c = firstChild[id] as number; c !== -1; c = sibling[c] as number) children.push(c);
    for (const c of children.reverse()) {
      const step = merged[c] as Options;
      todo.push([c, step.child[at] as number]);
      at = step.from[at] as number;
    }
  }
  return published;
}

function optionsOf(length: number): Options {
  return {
    left: new Int32Array(length),
    weight: new Float64Array(length),
    rank: new Int32Array(length),
    from: new Int32Array(length),
    child: new Int32Array(length),
  };
}

function single(left: number): Options {
  const options = optionsOf(1);
  options.left[0] = left;
  return options;
}

/**
 * A node's own decision: to publish it, where it is left with nobody or with at least m; a node
 * left with nobody is always published, as that costs nothing. So "0 left" means published.
 */
function decide(options: Options, size: number, m: number): Options {
  const { left, weight, rank } = options;
  const last = left.length - 1;
  const none = left[0] === 0 ? 0 : -1;
  const enough = left[last] === m ? last : -1;
  let best = Math.max(none, enough);
  if (none !== -1 && enough !== -1 && better(options, none, enough)) best = none;
  // Entries that stay as they are follow the published one, if there is one.
  const kept = none === -1 ? 0 : 1;
  const head = best === -1 ? 0 : 1;
  const out = optionsOf(head + left.length - kept);
  if (head === 1) {
    out.weight[0] = (weight[best] as number) + size;
    out.from[0] = best;
  }
  for (let i = kept; i <= last; i++) {
    const at = head + i - kept;
    out.left[at] = left[i] as number;
    out.weight[at] = weight[i] as number;
    // This node is the lowest id of its subtree, so what publishes it comes first.
    out.rank[at] = (rank[i] as number) + 1;
    out.from[at] = i;
  }
  return out;
}

function better({ weight, rank }: Options, a: number, b: number): boolean {
  const difference = (weight[a] as number) - (weight[b] as number);
  return difference === 0 ? (rank[a] as number) < (rank[b] as number) : difference > 0;
}

/** Room for merging two lists, kept from one merge to the next. */
class Scratch {
  readonly #m: number;
  readonly #weight: Float64Array;
  readonly #from: Int32Array;
  readonly #child: Int32Array;

  constructor(m: number) {
    this.#m = m;
    this.#weight = new Float64Array(m + 1).fill(-1);
    this.#from = new Int32Array(m + 1);
    this.#child = new Int32Array(m + 1);
  }

  /** All that a node's earlier children `a` and its next child `b` can leave together. */
  merge(a: Options, b: Options): Options {
    const m = this.#m;
    const found: number[] = [];
    for (let i = 0; i < a.left.length; i++) {
      for (let j = 0; j < b.left.length; j++) {
        const left = Math.min(m, (a.left[i] as number) + (b.left[j] as number));
        const weight = (a.weight[i] as number) + (b.weight[j] as number);
        const known = this.#weight[left] as number;
        if (known === -1) found.push(left);
        else if (known > weight || (known === weight && !this.#precedes(a, b, i, j, left)))
          continue;
        this.#weight[left] = weight;
        this.#from[left] = i;
        this.#child[left] = j;
      }
    }
    found.sort((x, y) => x - y);
    const out = optionsOf(found.length);
    found.forEach((left, at) => {
      out.left[at] = left;
      out.weight[at] = this.#weight[left] as number;
      out.from[at] = this.#from[left] as number;
      out.child[at] = this.#child[left] as number;
      this.#weight[left] = -1;
    });
    rankBy(out, a.rank, b.rank);
    return out;
  }

  /** Whether entries i and j come before those now kept for `left`, in the tie order. */
  #precedes(a: Options, b: Options, i: number, j: number, left: number): boolean {
    const kept = this.#from[left] as number;
    // Ids of earlier children are lower, so their sets decide first.
    if (i !== kept) return (a.rank[i] as number) < (a.rank[kept] as number);
    return (b.rank[j] as number) < (b.rank[this.#child[left] as number] as number);
  }
}

/** Sets the ranks: by the earlier children's sets, then by the last child's. */
function rankBy(out: Options, earlier: Int32Array, last: Int32Array): void {
  const order = Array.from(out.left, (_, at) => at);
  const first = (at: number) => earlier[out.from[at] as number] as number;
  const second = (at: number) => last[out.child[at] as number] as number;
  order.sort((x, y) => first(x) - first(y) || second(x) - second(y));
  order.forEach((at, rank) => {
    out.rank[at] = rank;
  });
}
