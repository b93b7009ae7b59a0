import type { Database } from './database.ts';

/**
 * Writes what is left of tables anew, so that nothing stays of rows that were deleted from them.
 * SQLite overwrites what it deletes, but when it moved rows from page to page before, copies stay in
 * the free space of a table's pages. Emptying a table frees all of its pages, and `secure_delete`
 * overwrites freed pages whole; what is left is then written to fresh ones. In one transaction with
 * the deletion: a crash leaves all of it done, or nothing. Truncate the log afterwards.
 *
 * Foreign keys have to be off (`unchained`), or SQLite would delete row by row.
 */
export function rewriteTables(db: Database, tables: Iterable<string>): void {
  for (const table of tables) {
    const rows = db.prepare(`SELECT * FROM ${table}`).raw().all() as unknown[][];
    db.prepare(`DELETE FROM ${table}`).run();
    const [first] = rows;
    if (first === undefined) continue;
    const insert = db.prepare(`INSERT INTO ${table} VALUES (${first.map(() => '?').join()})`);
    for (const row of rows) insert.run(...row);
  }
}

/** What a trial throws to undo itself. */
class TrialOver extends Error {}

/**
 * Runs `work` as one transaction in which foreign keys are looked at once, at its end.
 * @param trial whether to undo all of it afterwards
 * @returns what `work` returned
 */
export function unchained<T>(db: Database, work: () => T, trial = false): T {
  let result: T | undefined;
  db.pragma('foreign_keys = OFF');
  try {
    db.transaction(() => {
      result = work();
      if (trial) throw new TrialOver();
      const broken = db.pragma('foreign_key_check') as unknown[];
      if (broken.length > 0) throw new Error('a row would be left without what it refers to');
    }).immediate();
  } catch (error) {
    if (!(error instanceof TrialOver)) throw error;
  } finally {
    db.pragma('foreign_keys = ON');
  }
  return result as T;
}

/** The tables of a database, in the order of their names. */
export function tablesOf(db: Database): string[] {
  return db
    .prepare<[], string>(
      `SELECT name FROM sqlite_master
       WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name`,
    )
    .pluck()
    .all();
}

/** The tables that have a column of this name. */
export function tablesWith(db: Database, column: string): string[] {
  return tablesOf(db).filter((table) =>
    (db.pragma(`table_info(${table})`) as { name: string }[]).some(({ name }) => name === column),
  );
}
