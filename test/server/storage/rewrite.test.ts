import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { utf8 } from '../../../crypto/bytes.ts';
import { sha256 } from '../../../crypto/sha256.ts';
import { type Database, openDatabase, truncateWal } from '../../../server/storage/database.ts';
import { deleteTraceless, tablesOf, tablesWith } from '../../../server/storage/rewrite.ts';
import { testFolder } from '../../support/folder.ts';
import { findInFolder, Needles } from '../../support/needles.ts';

let db: Database;

beforeEach(() => {
  db = openDatabase(join(testFolder(), 'x.sqlite'), []);
  onTestFinished(() => void db.close());
  db.exec(`
    CREATE TABLE parents (name TEXT PRIMARY KEY, big INTEGER, data BLOB, real_one REAL) STRICT;
    CREATE TABLE children (
      id INTEGER PRIMARY KEY, name TEXT NOT NULL REFERENCES parents ON DELETE CASCADE
    ) STRICT;
    CREATE TABLE others (key BLOB PRIMARY KEY, child INTEGER) STRICT, WITHOUT ROWID;
    INSERT INTO parents VALUES ('a', 9007199254740991, x'00ff', 0.5), ('b', NULL, NULL, NULL);
    INSERT INTO children VALUES (7, 'a'), (9, 'b');
    INSERT INTO others VALUES (x'02', 1), (x'01', -5);
  `);
});

const dump = () =>
  ['parents', 'children', 'others'].map((table) =>
    db.prepare(`SELECT * FROM ${table}`).raw().all(),
  );

test('tables that are written anew hold what they held', () => {
  const before = dump();
  deleteTraceless(db, (touched) => {
    for (const table of ['parents', 'children', 'others']) touched.add(table);
  });
  truncateWal(db);
  expect(dump()).toEqual(before);
  expect(db.pragma('integrity_check', { simple: true })).toBe('ok');
});

test('a number that JavaScript has no exact one for stays as it is', () => {
  db.exec('UPDATE parents SET big = 9223372036854775807');
  deleteTraceless(db, (touched) => touched.add('parents'));
  const big = db.prepare('SELECT DISTINCT big FROM parents').pluck().safeIntegers();
  expect(big.all()).toEqual([2n ** 63n - 1n]);
});

test('no second copy stays, also where it is undone after the tables were written', () => {
  db.pragma('foreign_keys = OFF');
  db.exec("INSERT INTO children VALUES (10, 'nobody')");
  const before = dump();
  const copies = () => db.prepare('SELECT name FROM temp.sqlite_master').pluck().all();
  deleteTraceless(db, (touched) => touched.add('others'));
  expect(copies()).toEqual([]);
  expect(() => deleteTraceless(db, (touched) => touched.add('parents'))).toThrow('left alone');
  expect(copies()).toEqual([]);
  expect(dump()).toEqual(before);
});

describe('foreign keys', () => {
  const isOn = () => db.pragma('foreign_keys', { simple: true }) === 1;

  test('are on again afterwards, whatever happens', () => {
    deleteTraceless(db, () => expect(isOn()).toBe(false));
    expect(isOn()).toBe(true);
    expect(() =>
      deleteTraceless(db, () => {
        throw new Error('cut');
      }),
    ).toThrow('cut');
    expect(isOn()).toBe(true);
  });

  test('cascade to nothing, and undo a deletion that leaves a row alone', () => {
    const before = dump();
    expect(() =>
      deleteTraceless(db, (touched) => {
        touched.add('parents');
        db.exec("DELETE FROM parents WHERE name = 'a'");
      }),
    ).toThrow('a row of children would be left alone');
    expect(dump()).toEqual(before);
  });
});

test('a trial returns what it saw, and undoes it', () => {
  const before = dump();
  const seen = deleteTraceless(
    db,
    (touched) => {
      touched.add('others');
      return db.prepare('DELETE FROM others').run().changes;
    },
    true,
  );
  expect(seen).toBe(2);
  expect(dump()).toEqual(before);
});

test('tables are found by name and by column, without SQLite’s own', () => {
  db.exec('CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT)');
  expect(tablesOf(db)).toEqual(['children', 'counted', 'migrations', 'others', 'parents']);
  expect(tablesWith(db, 'name')).toEqual(['children', 'counted', 'migrations', 'parents']);
  expect(tablesWith(db, 'child')).toEqual(['others']);
});

describe('on the bytes', () => {
  /** Rows that came in any order, and of which every third stays. Nothing here is drawn. */
  const rows = Array.from({ length: 3000 }, (_, i) => ({
    key: sha256(utf8(`key ${i}`)),
    stays: i % 3 === 0,
  }));

  function filled(): Needles {
    const needles = new Needles();
    db.exec('CREATE TABLE keyed (key BLOB PRIMARY KEY, stays INTEGER NOT NULL) STRICT');
    const insert = db.prepare('INSERT INTO keyed VALUES (?, ?)');
    db.transaction(() => {
      for (const { key, stays } of rows) insert.run(key, Number(stays));
    })();
    for (const { key, stays } of rows) needles.add(stays ? 'stays' : 'goes', key);
    return needles;
  }
  const look = (needles: Needles) => {
    truncateWal(db);
    return [...findInFolder(needles, dirname(db.name))].sort();
  };

  test('a plain deletion leaves copies behind', () => {
    const needles = filled();
    db.exec('DELETE FROM keyed WHERE stays = 0');
    expect(look(needles)).toEqual(['goes', 'stays']);
  });

  test('this one leaves none', () => {
    const needles = filled();
    deleteTraceless(db, (touched) => {
      touched.add('keyed');
      db.exec('DELETE FROM keyed WHERE stays = 0');
    });
    expect(look(needles)).toEqual(['stays']);
    expect(db.prepare('SELECT COUNT(*) FROM keyed').pluck().get()).toBe(1000);
  });
});
