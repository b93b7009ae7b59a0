import type { Sheet } from '../../crypto/sheet.ts';
import { growTree, type OrgTree, type UnitSize } from './org.ts';
import { planMin } from './plan-size.ts';
import { type Plan, planning } from './planner.ts';
import type { Turns } from './turns.ts';

/** The smallest group that may be planned for a sheet, in people. */
export function smallestGroup(sheet: Sheet): number {
  return planMin({
    k: sheet.k,
    response: sheet.response_percent / 100,
    variance: sheet.noise.variance,
    by: sheet.noise.by,
  });
}

/** A plan together with the tree that it is of. */
export interface RoundGroups extends Plan {
  readonly tree: OrgTree;
}

/**
 * The reporting groups of a round, in steps: what both parties make of the same units and the same
 * sheet.
 * @throws PlanError `too-small` if there are too few people for one group, in words
 */
export function* roundGroups(units: readonly UnitSize[], sheet: Sheet): Turns<RoundGroups> {
  const tree = yield* growTree(units, sheet.notice.employer);
  yield;
  return { tree, ...(yield* planning(tree, smallestGroup(sheet))) };
}
