import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { dateAt } from '../domain/days.ts';
import { type PartyName, recordsWords } from '../domain/inventory.ts';
import { removalWords, type SweepParts, sweep, trySweep } from '../jobs/sweep.ts';
import { logPathOf } from '../party.ts';
import { standsAlone, truncateWal } from '../storage/database.ts';
import {
  compact,
  decommissionedMs,
  emptyTables,
  type KeptRound,
  removeDatabase,
  removeFiles,
  roundsToKeep,
  unfinishedRounds,
} from '../storage/decommission.ts';
import { takeInventory } from '../storage/inventory.ts';
import { openStores } from '../storage/stores.ts';
import { type CommandIo, CommandRefused, table, UsageError } from './io.ts';
import { partyConfig } from './serve.ts';
import type { Settings } from './settings.ts';

export const KEEPING_USAGE = 'chorus sweep [--dry-run] | inventory | decommission';

const USAGE = {
  sweep: 'chorus sweep [--dry-run]',
  inventory: 'chorus inventory',
  decommission: 'chorus decommission',
} as const;

/** A party's data, with or without its keys. */
export interface KeptParts extends SweepParts {
  readonly party: PartyName;
  readonly folder: string;
}

/** @throws CommandRefused if nothing is stored here */
export function openKept(settings: Settings): KeptParts {
  const { party } = settings;
  const { folder, migrations, clock } = partyConfig(settings);
  if (!existsSync(join(folder, `${party}.sqlite`))) {
    throw new CommandRefused(`nothing is stored in ${folder}`);
  }
  const stores = openStores(party, folder, migrations, clock);
  return { ...stores, party, folder, logPath: logPathOf(party, folder) };
}

/** `chorus sweep`, `inventory` and `decommission`, alike at both parties. */
export async function keeping(
  command: 'sweep' | 'inventory' | 'decommission',
  args: readonly string[],
  open: () => Promise<KeptParts>,
  io: CommandIo,
): Promise<void> {
  const dryRun = command === 'sweep' && args.length === 1 && args[0] === '--dry-run';
  if (args.length > 0 && !dryRun) throw new UsageError(USAGE[command]);
  const parts = await open();
  if (command === 'sweep') runSweep(parts, dryRun, io);
  else if (command === 'inventory') printInventory(parts, io);
  else await decommission(parts, io);
}

function runSweep(parts: KeptParts, dryRun: boolean, io: CommandIo): void {
  const now = parts.clock.now();
  const removals = dryRun ? trySweep(parts, now) : sweep(parts, now);
  if (removals.length === 0) io.out('Nothing is past its retention.');
  else io.out(dryRun ? 'Past its retention; would be deleted:' : 'Past its retention; deleted:');
  for (const removal of removals) io.out(`  ${removalWords(removal)}`);
  if (!dryRun && decommissionedMs(parts.db) !== undefined) end(parts, io);
}

function printInventory(parts: KeptParts, io: CommandIo): void {
  const day = (ms: number | null) => (ms === null ? '' : dateAt(ms));
  const items = takeInventory(parts, parts.party, parts.logPath);
  const rows = items.map((item) => [
    item.store,
    recordsWords(item, item.count),
    day(item.oldestMs),
    day(item.dueMs),
    item.holds,
  ]);
  const [head, ...lines] = table([['Store', 'Records', 'Oldest', 'Next goes', 'What'], ...rows]);
  io.out(head as string);
  for (const [i, { why, goes }] of items.entries()) {
    io.out(lines[i] as string);
    io.out(`  Why: ${why}. Goes ${goes}.`);
  }
}

/** @throws CommandRefused while something would be lost, or the service runs */
async function decommission(parts: KeptParts, io: CommandIo): Promise<void> {
  const { party } = parts;
  if (decommissionedMs(parts.db) !== undefined) {
    runSweep(parts, false, io);
    return;
  }
  requireIdle(parts);
  const now = parts.clock.now();
  const kept = roundsToKeep(parts, now);
  io.out(`This removes everything that the ${party} stores in ${parts.folder}:`);
  for (const { table: name, removed } of emptyTables(parts, kept, now, true)) {
    if (removed > 0) io.out(`  ${removed} of ${name}`);
  }
  for (const name of parts.keyFiles.names()) io.out(`  the key file ${name}`);
  io.out('  the log');
  sayKept(kept, io);
  io.out('It cannot be undone. Backups, the settings file and what was exported are not touched.');
  if (!(await io.confirm(`Decommission this ${party}?`, 'decommission'))) {
    throw new CommandRefused('nothing was removed');
  }
  // Time has passed, and the service may have been started.
  requireIdle(parts);
  const removed = emptyTables(parts, roundsToKeep(parts, now), now);
  truncateWal(parts.db);
  const files = removeFiles(parts, parts.logPath);
  const rows = removed.reduce((sum, { removed: count }) => sum + count, 0);
  io.out(`Removed: ${rows} records, ${files.length} key files, and the log.`);
  end(parts, io);
}

/** Removes the last files once nothing is left to keep, and says what stays until when. */
function end(parts: KeptParts, io: CommandIo): void {
  requireAlone(parts);
  // What a run that was cut off left.
  removeFiles(parts, parts.logPath);
  const now = parts.clock.now();
  const kept = roundsToKeep(parts, now);
  emptyTables(parts, kept, now);
  truncateWal(parts.db);
  if (kept.length === 0) {
    removeDatabase(parts, parts.folder);
    io.out('Nothing is left to be kept: the database is removed too.');
    return;
  }
  compact(parts.db);
  truncateWal(parts.db);
  sayKept(kept, io);
  io.out('npx chorus sweep removes it when it is due; run it then, or every night.');
}

function sayKept(kept: readonly KeptRound[], io: CommandIo): void {
  if (kept.length === 0) io.out('Nothing stays: no released trend is within its retention.');
  for (const { round, untilMs } of kept) {
    const until = dateAt(untilMs);
    io.out(
      `Stays until ${until}: the totals of round ${round.number}, with its sheet, manifest and signatures`,
    );
  }
}

/** @throws CommandRefused */
function requireIdle(parts: KeptParts): void {
  const unfinished = unfinishedRounds(parts, parts.clock.now());
  if (unfinished.length > 0) throw new CommandRefused(unfinished.join('; '));
  requireAlone(parts);
}

/** @throws CommandRefused */
function requireAlone({ db, party }: KeptParts): void {
  if (standsAlone(db)) return;
  throw new CommandRefused(`the ${party} is running, or another command; stop it first`);
}
