import type { Sheet } from '../../crypto/sheet.ts';
import { orgTree, type UnitSize } from './org.ts';
import { planMin } from './plan-size.ts';
import { type Plan, planGroups } from './planner.ts';

/** The smallest group that may be planned for a sheet, in people. */
export function smallestGroup(sheet: Sheet): number {
  return planMin({
    k: sheet.k,
    response: sheet.response_percent / 100,
    variance: sheet.noise.variance,
    by: sheet.noise.by,
  });
}

/**
 * The reporting groups of a round: what both parties make of the same units and the same sheet.
 * @throws PlanError `too-small` if there are too few people for one group, in words
 */
export function roundGroups(units: readonly UnitSize[], sheet: Sheet): Plan {
  return planGroups(orgTree(units), smallestGroup(sheet));
}
