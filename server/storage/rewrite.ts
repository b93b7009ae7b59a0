import type { Database } from './database.ts';

/** What a trial throws to undo itself. */
class TrialOver extends Error {}

/**
 * Deletes rows so that nothing stays of them in the database. SQLite overwrites what it deletes, but
 * when it moved rows from page to page before, copies stay in the free space of a table's pages.
 * Emptying a whole table frees all of its pages, and `secure_delete` overwrites freed pages whole; what
 * is left of the table is then written to fresh ones. All of it is one transaction: a crash leaves
 * everything done, or nothing. Truncate the log afterwards.
 *
 * @param work deletes, and names the tables that it has deleted from or changed. Foreign keys are off
 * meanwhile, so nothing is deleted by cascade; they are looked at before the transaction ends
 * @param trial whether to undo all of it
 * @returns what `work` returned
 */
export function deleteTraceless<T>(
  db: Database,
  work: (touched: Set<string>) => T,
  trial = false,
): T {
  let result: T | undefined;
  // With foreign keys on, SQLite would empty a table that others refer to row by row.
  db.pragma('foreign_keys = OFF');
  try {
    db.transaction(() => {
      const touched = new Set<string>();
      result = work(touched);
      if (trial) throw new TrialOver();
      for (const table of touched) rewriteTable(db, table);
      checkReferences(db, touched);
    }).immediate();
  } catch (error) {
    if (!(error instanceof TrialOver)) throw error;
  } finally {
    db.pragma('foreign_keys = ON');
  }
  return result as T;
}

/** By way of a copy in memory: `temp_store` is MEMORY, and nothing of it comes to a file. */
function rewriteTable(db: Database, table: string): void {
  db.exec(`
    CREATE TEMP TABLE rewritten AS SELECT * FROM main.${table};
    DELETE FROM main.${table};
    INSERT INTO main.${table} SELECT * FROM temp.rewritten;
    DROP TABLE temp.rewritten;
  `);
}

/** @throws Error if a row refers to one of these tables, and to no row of it */
function checkReferences(db: Database, parents: ReadonlySet<string>): void {
  for (const table of tablesOf(db)) {
    const keys = db.pragma(`foreign_key_list(${table})`) as { table: string }[];
    if (!keys.some((key) => parents.has(key.table))) continue;
    const broken = db.pragma(`foreign_key_check(${table})`) as unknown[];
    if (broken.length > 0) throw new Error(`a row of ${table} would be left alone`);
  }
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
