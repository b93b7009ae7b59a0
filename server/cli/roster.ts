import { readFileSync } from 'node:fs';
import { PlanError } from '../domain/plan-error.ts';
import { parseRoster, type RosterRow } from '../domain/roster.ts';
import { COLUMN_WORDS } from '../domain/roster-columns.ts';
import { diffRoster, type RosterDiff } from '../domain/roster-diff.ts';
import { roundGroups, smallestGroup } from '../domain/round-groups.ts';
import { storedSheet } from '../domain/sheets.ts';
import { atOnce } from '../domain/turns.ts';
import type { EmployerParts } from '../employer/parts.ts';
import { truncateWal } from '../storage/database.ts';
import { type CommandIo, CommandRefused, UsageError } from './io.ts';

export const ROSTER_USAGE = 'chorus roster import FILE [--dry-run] | groups';

/** Rows of each kind that a preview names. */
const SHOWN = 20;

/** `chorus roster …`. @throws CommandRefused, UsageError */
export async function roster(
  args: readonly string[],
  open: () => Promise<EmployerParts>,
  io: CommandIo,
): Promise<void> {
  const [verb, file, flag, ...rest] = args;
  if (verb === 'groups' && file === undefined) return groups(await open(), io);
  if (verb !== 'import' || file === undefined || rest.length > 0)
    throw new UsageError(ROSTER_USAGE);
  if (flag !== undefined && flag !== '--dry-run') throw new UsageError(ROSTER_USAGE);
  const rows = readRoster(file, io);
  const parts = await open();
  const version = parts.roster.version();
  const diff = diffRoster(parts.roster.people(), rows);
  preview(diff, io);
  if (flag === '--dry-run') {
    io.out('Nothing was changed.');
    return;
  }
  if (diff.removesMoreThanATenth) {
    io.out(`This removes ${diff.removed.length} people, more than a tenth of the roster.`);
    if (!(await io.confirm('Remove them?'))) throw new CommandRefused('nothing was changed');
  }
  const written = parts.roster.replace(rows, version, (count) =>
    io.progress(`${count} of ${rows.length} people written`),
  );
  if (!written) throw new CommandRefused('the roster was changed in the meantime; look again');
  truncateWal(parts.db);
  io.out(`The roster has ${rows.length} people now. Rounds that are planned already keep theirs.`);
}

/** @throws CommandRefused with the reasons by row number */
function readRoster(file: string, io: CommandIo): readonly RosterRow[] {
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch {
    throw new CommandRefused(`${file} cannot be read`);
  }
  const reading = parseRoster(bytes, (rows) => io.progress(`${rows} rows read`));
  if (reading.refused === 0) return reading.rows;
  for (const { row, sentence } of reading.refusals) io.err(`Row ${row}: ${sentence}`);
  const more = reading.refused - reading.refusals.length;
  if (more > 0) io.err(`… and ${more} more.`);
  const faults = `${reading.refused} ${reading.refused === 1 ? 'fault' : 'faults'}`;
  throw new CommandRefused(`${file} has ${faults}; nothing was changed`);
}

function preview(diff: RosterDiff, io: CommandIo): void {
  section('added', diff.added.length, io);
  for (const row of diff.added.slice(0, SHOWN)) {
    io.out(`  row ${row.row}: ${row.email}, ${row.unit}`);
  }
  more(diff.added.length, io);
  section('changed', diff.changed.length, io);
  for (const { row, fields } of diff.changed.slice(0, SHOWN)) {
    io.out(
      `  row ${row.row}: ${row.email} (${fields.map((field) => COLUMN_WORDS[field]).join(', ')})`,
    );
  }
  more(diff.changed.length, io);
  section('removed', diff.removed.length, io);
  for (const person of diff.removed.slice(0, SHOWN)) io.out(`  ${person.email}, ${person.unit}`);
  more(diff.removed.length, io);
  io.out(`${diff.unchanged} unchanged`);
}

function section(what: string, count: number, io: CommandIo): void {
  io.out(`${count} ${what}`);
}

function more(count: number, io: CommandIo): void {
  if (count > SHOWN) io.out(`  … and ${count - SHOWN} more`);
}

/** What groups the roster would make today, for every survey that has not ended. */
function groups(parts: EmployerParts, io: CommandIo): void {
  const going = ['draft', 'submitted', 'approved'] as const;
  const sheets = going.flatMap((state) => parts.sheets.inState(state));
  if (sheets.length === 0) {
    io.out('No survey is submitted yet; groups follow from a survey’s minimum and noise.');
    return;
  }
  const units = parts.roster.unitSizes();
  for (const { bytes } of sheets) {
    const sheet = storedSheet(bytes);
    io.out(`“${sheet.title}”: groups of at least ${smallestGroup(sheet)} people`);
    try {
      for (const group of atOnce(roundGroups(units, sheet)).groups) {
        io.out(`  ${String(group.rosterSize).padStart(6)}  ${group.name} (${group.department})`);
      }
    } catch (error) {
      if (!(error instanceof PlanError)) throw error;
      io.out(`  none: ${error.message}`);
    }
  }
}
