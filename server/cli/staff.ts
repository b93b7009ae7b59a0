import { parseArgs } from 'node:util';
import { isEmail, tidyEmail } from '../domain/email.ts';
import { PlanError } from '../domain/plan-error.ts';
import { LINK_MS, manages, ROLES, type Role, type Staff } from '../domain/staff.ts';
import { showPath, unitPath } from '../domain/unit-path.ts';
import { newLink } from '../http/staff-desk.ts';
import type { PartyBase } from '../party.ts';
import { truncateWal } from '../storage/database.ts';
import { type CommandIo, CommandRefused, table, UsageError } from './io.ts';

export const STAFF_USAGE =
  'chorus staff list | add EMAIL ROLE [--unit PATH …] | remove EMAIL | link EMAIL';

/** What the commands need of a party. */
export type StaffParts = Pick<
  PartyBase,
  'db' | 'staff' | 'signIns' | 'clock' | 'randomness' | 'url'
> & {
  /** The employer's: to say whether a unit has people. */
  readonly roster?: { unitSizes(): readonly { readonly path: string }[] };
};

/** `chorus staff …`, alike at both parties. @throws CommandRefused, UsageError */
export async function staff(
  args: readonly string[],
  party: 'guardian' | 'employer',
  open: () => Promise<StaffParts>,
  io: CommandIo,
): Promise<void> {
  const [verb, email, ...rest] = args;
  if (verb === 'list' && email === undefined) return list(await open(), io);
  if (email === undefined) throw new UsageError(STAFF_USAGE);
  if (verb === 'add') return add(await open(), party, email, rest, io);
  if (rest.length > 0) throw new UsageError(STAFF_USAGE);
  if (verb === 'remove') return remove(await open(), email, io);
  if (verb === 'link') return link(await open(), email, io);
  throw new UsageError(STAFF_USAGE);
}

function list(parts: StaffParts, io: CommandIo): void {
  const people = parts.staff.all();
  if (people.length === 0) {
    io.out('Nobody has a role yet. Give one with npx chorus staff add EMAIL ROLE.');
    return;
  }
  const rows = people.map(({ email, role, units }) => [email, role, units.join('; ')]);
  for (const line of table([['Address', 'Role', 'Units'], ...rows])) io.out(line);
}

function add(
  parts: StaffParts,
  party: 'guardian' | 'employer',
  given: string,
  rest: readonly string[],
  io: CommandIo,
): void {
  const { role, units } = roleOf(party, rest);
  const email = tidyEmail(given);
  if (!isEmail(email)) throw new CommandRefused(`“${given}” is no e-mail address`);
  const people = parts.roster?.unitSizes() ?? [];
  for (const unit of units) {
    if (people.some(({ path }) => manages([unit], path))) continue;
    io.err(`Nobody is in “${unit}” now; it shows nothing until somebody is.`);
  }
  const before = parts.staff.put({ email, role, units }, parts.clock.now());
  if (before !== undefined && before.role !== role) {
    truncateWal(parts.db);
    io.out(`${email} is ${role} now, and ${before.role} no longer; their sessions have ended.`);
  } else {
    const of = units.length === 0 ? '' : ` of ${units.join('; ')}`;
    io.out(`${email} is ${role}${of}. They sign in at ${parts.url}/sign-in`);
  }
}

/** @throws CommandRefused, UsageError */
function roleOf(
  party: 'guardian' | 'employer',
  args: readonly string[],
): { role: Role; units: string[] } {
  let parsed: { values: { unit?: string[] }; positionals: string[] };
  try {
    parsed = parseArgs({
      args: [...args],
      options: { unit: { type: 'string', multiple: true } },
      allowPositionals: true,
    });
  } catch {
    throw new UsageError(STAFF_USAGE);
  }
  const [name, ...more] = parsed.positionals;
  if (name === undefined || more.length > 0) throw new UsageError(STAFF_USAGE);
  const role = ROLES[party].find((known) => known === name);
  if (role === undefined) {
    throw new CommandRefused(`the roles of the ${party} are ${ROLES[party].join(', ')}`);
  }
  const units = [...new Set((parsed.values.unit ?? []).map(readUnit))].sort();
  if (role === 'manager' && units.length === 0) {
    throw new CommandRefused('a manager has units: add --unit "Company / Department" for each');
  }
  if (role !== 'manager' && units.length > 0) {
    throw new CommandRefused(`only a manager has units; ${role} sees everything`);
  }
  return { role, units };
}

function readUnit(path: string): string {
  try {
    return showPath(unitPath(path));
  } catch (error) {
    if (error instanceof PlanError) throw new CommandRefused(error.message);
    throw error;
  }
}

function remove(parts: StaffParts, given: string, io: CommandIo): void {
  const { email, role } = known(parts, given);
  parts.staff.remove(email);
  // The address is to be in no file any more.
  truncateWal(parts.db);
  io.out(`${email} is ${role} no longer; their sessions and links have ended.`);
}

/** For the first sign-in, and for the day on which no mail goes out. */
function link(parts: StaffParts, given: string, io: CommandIo): void {
  const person = known(parts, given);
  io.out(newLink(parts, person, parts.clock.now()));
  io.err(`Signs in as ${person.email}, once, within ${LINK_MS / 60_000} minutes.`);
}

function known(parts: StaffParts, given: string): Staff {
  const person = parts.staff.withEmail(tidyEmail(given));
  if (person === undefined) throw new CommandRefused(`${given} has no role here`);
  return person;
}
