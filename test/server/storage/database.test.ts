import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  type Database,
  isStorageFailure,
  MigrationError,
  openDatabase,
  truncateWal,
} from '../../../server/storage/database.ts';
import { testFolder } from '../../support/folder.ts';
import { MIGRATIONS } from '../../support/parties.ts';

function open(path: string, folders = [join(MIGRATIONS, 'common'), join(MIGRATIONS, 'guardian')]) {
  const db = openDatabase(path, folders);
  onTestFinished(() => {
    db.close();
  });
  return db;
}

const pragma = (db: Database, name: string) => db.pragma(name, { simple: true });

describe('openDatabase', () => {
  test('is durable, wipes what it deletes, and keeps temporary things in memory', () => {
    const path = join(testFolder(), 'a.sqlite');
    for (const db of [open(path), open(path)]) {
      expect(pragma(db, 'journal_mode')).toBe('wal');
      expect(pragma(db, 'synchronous')).toBe(2);
      expect(pragma(db, 'secure_delete')).toBe(1);
      expect(pragma(db, 'temp_store')).toBe(2);
      expect(pragma(db, 'foreign_keys')).toBe(1);
    }
  });

  test.each(['guardian', 'employer'])('every table of the %s is STRICT', (party) => {
    const db = open(join(testFolder(), 'a.sqlite'), [
      join(MIGRATIONS, 'common'),
      join(MIGRATIONS, party),
    ]);
    const tables = db.pragma('table_list') as { name: string; schema: string; strict: number }[];
    const own = tables.filter(
      ({ name, schema }) => schema === 'main' && !name.startsWith('sqlite'),
    );
    expect(own.length).toBeGreaterThan(10);
    for (const { name, strict } of own) expect(strict, name).toBe(1);
  });
});

describe('migrations', () => {
  /** A copy of the migrations to tamper with. */
  function migrations() {
    const folder = testFolder();
    cpSync(MIGRATIONS, folder, { recursive: true });
    return {
      common: join(folder, 'common'),
      guardian: join(folder, 'guardian'),
      path: join(folder, 'a.sqlite'),
    };
  }

  const applied = (db: Database) =>
    db.prepare<[], string>('SELECT name FROM migrations ORDER BY rowid').pluck().all();

  test('are applied once, in order', () => {
    const { common, guardian, path } = migrations();
    const names = [common, guardian].flatMap((folder) =>
      readdirSync(folder)
        .sort()
        .map((file) => `${folder.split(/[/\\]/).at(-1)}/${file}`),
    );
    const db = open(path, [common, guardian]);
    expect(applied(db)).toEqual(names);
    db.exec(`INSERT INTO clock VALUES (1, 5)`);
    expect(applied(open(path, [common, guardian]))).toEqual(names);
    expect(db.prepare('SELECT latest_ms FROM clock').pluck().get()).toBe(5);
  });

  test('a new one is applied to what is there', () => {
    const { common, guardian, path } = migrations();
    open(path, [common, guardian]);
    writeFileSync(join(guardian, '9999_more.sql'), 'CREATE TABLE more (a INTEGER) STRICT;');
    expect(applied(open(path, [common, guardian])).at(-1)).toBe('guardian/9999_more.sql');
  });

  test('one that had landed and was edited is refused, even by a comment', () => {
    const { common, guardian, path } = migrations();
    open(path, [common, guardian]);
    const [file] = readdirSync(common) as [string];
    const sql = readFileSync(join(common, file), 'utf8');
    writeFileSync(join(common, file), `${sql}\n-- edited`);
    expect(() => openDatabase(path, [common, guardian])).toThrow(MigrationError);
  });

  test('one that is not known here, from a newer version, is refused', () => {
    const { common, guardian, path } = migrations();
    open(path, [common, guardian]);
    expect(() => openDatabase(path, [common])).toThrow(MigrationError);
  });

  test('one that fails leaves nothing behind, and those before it stay', () => {
    const { common, guardian, path } = migrations();
    const sql = 'CREATE TABLE half (a INTEGER) STRICT; INSERT INTO nowhere VALUES (1);';
    writeFileSync(join(guardian, '9999_half.sql'), sql);
    expect(() => openDatabase(path, [common, guardian])).toThrow('no such table: nowhere');
    writeFileSync(join(guardian, '9999_half.sql'), 'CREATE TABLE half (a INTEGER) STRICT;');
    const db = open(path, [common, guardian]);
    expect(applied(db).at(-1)).toBe('guardian/9999_half.sql');
    expect(applied(db).length).toBeGreaterThan(2);
  });

  test('files that are not SQL are left alone', () => {
    const { common, guardian, path } = migrations();
    mkdirSync(join(common, 'notes'));
    writeFileSync(join(common, 'README.md'), 'no SQL');
    expect(applied(open(path, [common, guardian])).join()).not.toContain('README');
  });
});

describe('truncateWal', () => {
  const secret = Buffer.alloc(600, 'needle');

  /** Whether the bytes are in the database, its log, or anything beside it. */
  const found = (folder: string) =>
    readdirSync(folder).filter((file) => readFileSync(join(folder, file)).includes('needleneedle'));

  test('leaves deleted and overwritten content in no file', () => {
    const folder = testFolder();
    const db = open(join(folder, 'a.sqlite'));
    db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, a BLOB) STRICT');
    db.prepare('INSERT INTO t (a) VALUES (?), (?), (?)').run(secret, secret, secret);
    truncateWal(db);
    expect(found(folder)).toEqual(['a.sqlite']);
    db.exec('DELETE FROM t WHERE id = 2');
    db.prepare('UPDATE t SET a = ? WHERE id <> 2').run(Buffer.alloc(600));
    // This is what the truncation is for.
    expect(found(folder)).not.toEqual([]);
    truncateWal(db);
    expect(found(folder)).toEqual([]);
  });

  test('says so when a reader keeps it from finishing', () => {
    const path = join(testFolder(), 'a.sqlite');
    const db = open(path);
    const reader = open(path);
    db.pragma('busy_timeout = 0');
    reader.exec('BEGIN; SELECT * FROM clock');
    db.exec('INSERT INTO clock VALUES (1, 5)');
    expect(() => truncateWal(db)).toThrow('could not be truncated');
    reader.exec('COMMIT');
    truncateWal(db);
  });
});

test('a full, failing or held store is told from a fault of ours', () => {
  const coded = (code: unknown) => Object.assign(new Error('x'), { code });
  for (const code of [
    'SQLITE_FULL',
    'SQLITE_IOERR',
    'SQLITE_IOERR_WRITE',
    'SQLITE_BUSY',
    'SQLITE_BUSY_SNAPSHOT',
    'ENOSPC',
    'EDQUOT',
  ]) {
    expect(isStorageFailure(coded(code)), code).toBe(true);
  }
  for (const error of [
    coded('SQLITE_CONSTRAINT'),
    coded('SQLITE_CORRUPT'),
    coded('ENOENT'),
    coded(13),
    new Error('SQLITE_FULL'),
    'SQLITE_FULL',
    {},
  ]) {
    expect(isStorageFailure(error)).toBe(false);
  }
});
