import { toBase64url } from '../../crypto/bytes.ts';
import { sha256 } from '../../crypto/sha256.ts';
import type { Role } from '../../server/domain/staff.ts';
import { systemRandomness } from '../../server/party.ts';
import { SignInStore } from '../../server/storage/sign-ins.ts';
import { StaffStore } from '../../server/storage/staff.ts';
import type { TwoParties } from './parties.ts';

const cookies = new WeakMap<TwoParties, Map<string, string>>();

/**
 * The `Cookie` header of somebody with a role, signed in behind the server's back: for tests that
 * are about something else. One session for each party and role.
 */
export function staffCookie(
  parties: TwoParties,
  party: 'guardian' | 'employer',
  role: Role,
  units: readonly string[] = [],
): string {
  const known = cookies.get(parties) ?? new Map<string, string>();
  cookies.set(parties, known);
  const key = [party, role, ...units].join();
  const cookie = known.get(key) ?? `chorus-${party}=${newSession(parties, party, role, units)}`;
  known.set(key, cookie);
  return cookie;
}

function newSession(
  parties: TwoParties,
  party: 'guardian' | 'employer',
  role: Role,
  units: readonly string[],
): string {
  const db = parties.database(party);
  try {
    const staff = new StaffStore(db);
    const secret = systemRandomness(32);
    const email = `${role}-${toBase64url(secret).slice(0, 6).toLowerCase()}@example.com`;
    staff.put({ email, role, units }, Date.now());
    const id = staff.withEmail(email)?.id as number;
    new SignInStore(db).begin(sha256(secret), id, Date.now());
    return toBase64url(secret);
  } finally {
    db.close();
  }
}
