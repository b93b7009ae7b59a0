import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';

export type Database = Sqlite.Database;

/** A store refused to start: a migration that had landed was edited, or is from a newer version. */
export class MigrationError extends Error {
  override readonly name = 'MigrationError';
}

/**
 * Opens (or makes) a party's database and brings its schema up to date.
 * @param folders migration folders, applied in this order, each in the order of its file names
 * @throws MigrationError if an applied migration differs from its file, or is unknown
 */
export function openDatabase(path: string, folders: readonly string[]): Database {
  const db = new Sqlite(path);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = FULL');
  // Deleted content is overwritten with zeros; nothing spills into temporary files.
  db.pragma('secure_delete = ON');
  db.pragma('temp_store = MEMORY');
  // 16 MB: an upload waits for a checkpoint seldom, and a truncating one empties the log anyway.
  db.pragma('wal_autocheckpoint = 4000');
  db.pragma('foreign_keys = ON');
  migrate(db, folders);
  return db;
}

function migrate(db: Database, folders: readonly string[]): void {
  db.exec(
    'CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, sha256 TEXT NOT NULL) STRICT',
  );
  const known = new Map<string, string>();
  for (const folder of folders) {
    for (const file of readdirSync(folder).sort()) {
      if (file.endsWith('.sql')) {
        known.set(
          `${folder.split(/[/\\]/).at(-1)}/${file}`,
          readFileSync(join(folder, file), 'utf8'),
        );
      }
    }
  }
  const applied = new Map(
    db
      .prepare<[], { name: string; sha256: string }>('SELECT name, sha256 FROM migrations')
      .all()
      .map((row) => [row.name, row.sha256]),
  );
  for (const name of applied.keys()) {
    if (!known.has(name))
      throw new MigrationError(`the database has a migration unknown here: ${name}`);
  }
  for (const [name, sql] of known) {
    const sha256 = createHash('sha256').update(sql).digest('hex');
    const before = applied.get(name);
    if (before === sha256) continue;
    if (before !== undefined) throw new MigrationError(`a landed migration was edited: ${name}`);
    db.transaction(() => {
      db.exec(sql);
      db.prepare('INSERT INTO migrations (name, sha256) VALUES (?, ?)').run(name, sha256);
    })();
  }
}

/**
 * Whether this error says that the disk is full or failing, or the database held by somebody else:
 * the transaction was rolled back, and the same work may succeed later.
 */
export function isStorageFailure(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' && /^(SQLITE_(FULL|IOERR|BUSY)|ENOSPC|EDQUOT)/.test(code);
}

/** How long another process that truncates the log is waited for, and how often it is looked at. */
const TRUNCATE_LIMIT_MS = 1_000;
const TRUNCATE_PAUSE_MS = 10;

/**
 * Writes the whole WAL into the main file and truncates it, so that what was overwritten or deleted
 * is in neither. Called after each write that must leave nothing behind.
 * @throws Error if another connection kept the checkpoint from finishing
 */
export function truncateWal(db: Database): void {
  const end = performance.now() + TRUNCATE_LIMIT_MS;
  for (;;) {
    const [row] = db.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[];
    if (row?.busy === 0) return;
    if (performance.now() >= end) throw new Error('the write-ahead log could not be truncated');
    // SQLite's own timeout is for readers and writers, not for another checkpoint.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, TRUNCATE_PAUSE_MS);
  }
}

/**
 * A write that tells nothing, after `truncateWal`, where it must not be seen which rows were written
 * last: the shared memory beside the database goes on naming their pages until the next write. What
 * is written is what was there (a field of the first page), so it need not be durable.
 */
export function coverWal(db: Database): void {
  db.pragma('synchronous = OFF');
  try {
    db.pragma('user_version = 0');
  } finally {
    db.pragma('synchronous = FULL');
  }
}

/** Whether nobody else has the database open. */
export function standsAlone(db: Database): boolean {
  try {
    // Only who is alone can go without a write-ahead log.
    return db.pragma('journal_mode = DELETE', { simple: true }) === 'delete';
  } catch (error) {
    if (isStorageFailure(error)) return false;
    throw error;
  } finally {
    db.pragma('journal_mode = WAL');
  }
}
