import { pathKey, unitPath } from './unit-path.ts';

/** What a person may do at a party. A person has one role. */
export type Role = 'admin' | 'manager' | 'auditor' | 'guardian';

/** The roles that there are at each party. */
export const ROLES = {
  guardian: ['guardian', 'auditor'],
  employer: ['admin', 'manager', 'auditor'],
} as const satisfies Record<string, readonly Role[]>;

/** Somebody with a role. */
export interface Staff {
  readonly id: number;
  /** In small letters. */
  readonly email: string;
  readonly role: Role;
  /** Paths of the units that a manager manages, in order; none for other roles. */
  readonly units: readonly string[];
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** How long a mailed link may be used. */
export const LINK_MS = 15 * MINUTE_MS;
/** A session ends when nobody has used it for this long. */
export const IDLE_MS = 8 * HOUR_MS;
/** A session ends this long after it began, however much it is used. */
export const SESSION_MS = 7 * 24 * HOUR_MS;
/** How late the last use of a session is written down: not every page is a write. */
export const SEEN_EVERY_MS = 5 * MINUTE_MS;

/** Whether a unit is one of these or stands under one. Paths as `unitPath` reads them. */
export function manages(units: readonly string[], path: string): boolean {
  const key = pathKey(unitPath(path));
  return units.some((unit) => {
    const own = pathKey(unitPath(unit));
    return key === own || key.startsWith(`${own}/`);
  });
}
