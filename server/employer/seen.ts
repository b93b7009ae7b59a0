import { manages, type Staff } from '../domain/staff.ts';
import type { EmployerParts } from './parts.ts';

/**
 * Which groups of a round somebody may look at by themselves: for a manager those that held one of
 * their people when the round was planned, whoever else is in them.
 */
export function groupsOf(
  parts: EmployerParts,
  staff: Staff,
  round: number,
): ReadonlySet<number> | 'all' {
  if (staff.role !== 'manager') return 'all';
  const own = parts.roster.roundUnits(round).filter(({ path }) => manages(staff.units, path));
  return new Set(own.map(({ groupIndex }) => groupIndex));
}
