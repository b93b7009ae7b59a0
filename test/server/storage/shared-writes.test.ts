import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { type Database, openDatabase } from '../../../server/storage/database.ts';
import { SharedWrites } from '../../../server/storage/shared-writes.ts';
import { testFolder } from '../../support/folder.ts';

let path: string;
let db: Database;
let writes: SharedWrites;

beforeEach(() => {
  path = join(testFolder(), 'a.sqlite');
  db = openDatabase(path, []);
  db.exec('CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT');
  writes = new SharedWrites(db);
  onTestFinished(() => {
    db.close();
  });
});

const add = (id: number, text = 'a note') =>
  db.prepare('INSERT INTO notes VALUES (?, ?)').run(id, text).changes;
const ids = () => db.prepare<[], number>('SELECT id FROM notes ORDER BY id').pluck().all();
const logSize = () => statSync(`${path}-wal`).size;

test('those of one turn are one transaction; each gets what its own work returned', async () => {
  const inOne = [1, 2, 3].map((id) => writes.write(() => [add(id), db.inTransaction, ids()]));
  expect(ids()).toEqual([]);
  expect(await Promise.all(inOne)).toEqual([
    [1, true, [1]],
    [1, true, [1, 2]],
    [1, true, [1, 2, 3]],
  ]);
  expect(await writes.write(() => ids())).toEqual([1, 2, 3]);
});

test('one that throws changes nothing, and the others are stored', async () => {
  const ended = await Promise.allSettled([
    writes.write(() => add(1)),
    writes.write(() => {
      add(2);
      throw new Error('no');
    }),
    writes.write(() => add(3)),
    writes.write(() => add(3)),
  ]);
  expect(ended.map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
    'rejected',
  ]);
  expect(ids()).toEqual([1, 3]);
});

describe('what is overwritten', () => {
  test('is in no file once the promise resolves; a write that came along waits for that', async () => {
    const secret = 'the exact sum of a group';
    await writes.write(() => add(1, secret));
    expect(readFileSync(`${path}-wal`).includes(secret)).toBe(true);
    const along = writes.write(() => add(2)).then(() => expect(logSize()).toBe(0));
    await writes.overwrite(() => db.prepare(`UPDATE notes SET text = '' WHERE id = 1`).run());
    await along;
    expect(logSize()).toBe(0);
    expect(readFileSync(path).includes(secret)).toBe(false);
  });

  test('is told nobody where the log cannot be truncated, though it is stored', async () => {
    await writes.write(() => add(1));
    db.pragma('busy_timeout = 10');
    const reader = openDatabase(path, []);
    const reading = reader.prepare('SELECT * FROM notes').iterate();
    reading.next();
    const ended = await Promise.allSettled([
      writes.overwrite(() => db.prepare('DELETE FROM notes').run()),
      writes.write(() => add(2)),
    ]);
    expect(ended.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    reading.return?.();
    reader.close();
    expect(ids()).toEqual([2]);
    await writes.overwrite(() => {});
    expect(logSize()).toBe(0);
  });
});

test('what the disk refuses is refused to all, and nothing of it is stored', async () => {
  const busy = openDatabase(path, []);
  busy.exec('BEGIN IMMEDIATE');
  db.pragma('busy_timeout = 10');
  const ended = await Promise.allSettled([writes.write(() => add(1)), writes.write(() => add(2))]);
  busy.exec('ROLLBACK');
  busy.close();
  expect(ended.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await writes.write(() => ids())).toEqual([]);
});
