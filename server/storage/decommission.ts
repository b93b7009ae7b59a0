import { existsSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { DAY_MS } from '../domain/days.ts';
import type { Database } from './database.ts';
import { wipe } from './key-files.ts';
import { deleteTraceless, tablesOf } from './rewrite.ts';
import type { Round } from './rounds.ts';
import type { Stores } from './stores.ts';
import { roundDays } from './sweep.ts';

/** A round whose totals are still to be kept, and until when. */
export interface KeptRound {
  readonly round: Round;
  readonly untilMs: number;
}

/** Rows that were removed from one table, and those that stay. */
export interface Emptied {
  readonly table: string;
  readonly removed: number;
  readonly left: number;
}

/** What is kept whatever happens: without it the rest cannot be read. */
const FRAME = ['clock', 'ending', 'migrations'];

/** What would be lost, in words: rounds that are open with answers, or not counted to their end. */
export function unfinishedRounds(stores: Stores, nowMs: number): string[] {
  return stores.rounds.all().flatMap((round) => {
    const name = `round ${round.number}`;
    if (round.state === 'open') {
      return isAnswered(stores, round) ? [`${name} is open; close it, and wait for its count`] : [];
    }
    if (round.state !== 'closed') return [];
    const { boxed, counting, sealed, noised } = stores.tasks.states(round.manifestHash);
    const left = boxed + counting + sealed + noised;
    if (left > 0) return [`${name} is being counted; ${left} of its groups are not finished`];
    const listed = round.listEmployerSignature !== null || nowMs >= round.deadlineMs;
    return listed ? [] : [`the list of ${name}, for receipts, is not signed yet`];
  });
}

/** Whether anybody has answered, or at the employer may have. */
function isAnswered({ db }: Stores, { number, manifestHash }: Round): boolean {
  const statement = tablesOf(db).includes('codes')
    ? db.prepare<[number | Buffer], number>(
        'SELECT EXISTS (SELECT 1 FROM codes WHERE round = ? AND request_hash <> zeroblob(32))',
      )
    : db.prepare<[number | Buffer], number>(
        'SELECT EXISTS (SELECT 1 FROM tasks WHERE manifest_hash = ? AND accepted > 0)',
      );
  return statement.pluck().get(tablesOf(db).includes('codes') ? number : manifestHash) === 1;
}

/** Rounds with released totals whose retention is not over, oldest first. */
export function roundsToKeep(stores: Stores, nowMs: number): KeptRound[] {
  return stores.rounds.inState('closed').flatMap((round) => {
    if (stores.results.confirmed(round.manifestHash).length === 0) return [];
    const untilMs = round.closesMs + roundDays(stores, round, 'trends') * DAY_MS;
    return untilMs > nowMs ? [{ round, untilMs }] : [];
  });
}

/** When this party was decommissioned, or undefined. */
export function decommissionedMs(db: Database): number | undefined {
  return db.prepare<[], number>('SELECT decommissioned_ms FROM ending').pluck().get();
}

/** `decommissionedMs` of a database file that nobody has opened; neither it nor its schema is changed. */
export function decommissionedMsIn(path: string): number | undefined {
  const db = new Sqlite(path, { readonly: true });
  try {
    return tablesOf(db).includes('ending') ? decommissionedMs(db) : undefined;
  } finally {
    db.close();
  }
}

/**
 * Empties every table but for the rounds that are kept, with the totals, groups, sheets and
 * signatures that belong to them, and writes what is left anew: all of it in one transaction.
 * @param trial whether only to count
 */
export function emptyTables(
  { db }: Stores,
  kept: readonly KeptRound[],
  nowMs: number,
  trial = false,
): Emptied[] {
  const numbers = kept.map(({ round }) => round.number).join();
  const left: Readonly<Record<string, string>> = {
    rounds: `number IN (${numbers})`,
    sheets: 'hash IN (SELECT sheet_hash FROM rounds)',
    tasks: 'manifest_hash IN (SELECT manifest_hash FROM rounds)',
    results: 'task_id IN (SELECT task_id FROM tasks)',
    retention_changes: `state = 'applied' AND kind = 'trends'`,
  };
  // In this order: what stays of one is what belongs to the one before.
  const first = Object.keys(left);
  const tables = [...first, ...tablesOf(db).filter((name) => !first.includes(name))];
  return deleteTraceless(
    db,
    (touched) => {
      const emptied = tables
        .filter((table) => !FRAME.includes(table))
        .map((table): Emptied => {
          const stays = left[table] ?? 'FALSE';
          const removed = db.prepare(`DELETE FROM ${table} WHERE NOT (${stays})`).run().changes;
          const count = db.prepare<[], number>(`SELECT COUNT(*) FROM ${table}`).pluck();
          return { table, removed, left: count.get() as number };
        });
      if (!trial) {
        db.prepare('UPDATE tasks SET accepted = 0, lots = 0').run();
        db.prepare('INSERT OR IGNORE INTO ending (id, decommissioned_ms) VALUES (1, ?)').run(nowMs);
        for (const table of tables) touched.add(table);
      }
      return emptied;
    },
    trial,
  );
}

/** Overwrites and removes every key file and the log. @returns the key files' names */
export function removeFiles(stores: Stores, logPath: string): string[] {
  const names = stores.keyFiles.names();
  for (const name of names) stores.keyFiles.delete(name);
  stores.keyFiles.wipeDrafts();
  if (existsSync(logPath)) wipe(logPath);
  return names;
}

/**
 * Closes the database and removes what is left of the party's data: nothing is to be kept any more.
 * Files that are not Chorus's stay, and the folder with them.
 */
export function removeDatabase({ db }: Stores, folder: string): void {
  const path = db.name;
  db.close();
  for (const file of [path, `${path}-wal`, `${path}-shm`]) if (existsSync(file)) wipe(file);
  for (const empty of [join(folder, 'keys'), folder]) {
    if (existsSync(empty) && readdirSync(empty).length === 0) rmdirSync(empty);
  }
}

/** Makes the file as small as what is left. Truncate the log afterwards. */
export function compact(db: Database): void {
  db.exec('VACUUM');
}
