import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { BoxStore } from '../../../server/storage/box.ts';
import { type Database, openDatabase } from '../../../server/storage/database.ts';
import { testFolder } from '../../support/folder.ts';
import { MIGRATIONS } from '../../support/parties.ts';

const TASK = Buffer.alloc(32, 1);
const OTHER = Buffer.alloc(32, 2);

let db: Database;
let box: BoxStore;

beforeEach(() => {
  db = openDatabase(join(testFolder(), 'a.sqlite'), [
    join(MIGRATIONS, 'common'),
    join(MIGRATIONS, 'guardian'),
  ]);
  onTestFinished(() => {
    db.close();
  });
  db.pragma('foreign_keys = OFF');
  box = new BoxStore(db);
});

/** Puts reports in, in this order. */
function fill(task: Buffer, ids: readonly Buffer[]): void {
  for (const id of ids) box.insert(task, id, Buffer.concat([id, task]));
}

const randomIds = (count: number) => Array.from({ length: count }, () => randomBytes(16));

describe('box', () => {
  test('gives ids sorted, never in the order of arrival, and of one group alone', () => {
    const ids = randomIds(50);
    fill(TASK, ids);
    fill(OTHER, randomIds(5));
    expect(box.ids(TASK)).toEqual([...ids].sort(Buffer.compare));
  });

  test('takes an id once in a group', () => {
    const [id] = randomIds(1) as [Buffer];
    fill(TASK, [id]);
    expect(() => fill(TASK, [id])).toThrow('UNIQUE');
    fill(OTHER, [id]);
  });

  test('a token is spent once, in whatever group', () => {
    const [key, nonce, id, another] = [Buffer.alloc(32), ...randomIds(3)] as [
      Buffer,
      Buffer,
      Buffer,
      Buffer,
    ];
    const on = { taskId: TASK, reportId: id, reportHash: Buffer.alloc(32, 9) };
    box.spend(key, nonce, on);
    expect(box.spentWithNonce(key, nonce)).toEqual(on);
    expect(box.spentOnReport(id)).toEqual(on);
    expect(box.spentOnReport(another)).toBe(undefined);
    expect(() => box.spend(key, nonce, { ...on, reportId: another })).toThrow('UNIQUE');
    expect(() => box.spend(key, nonce, { ...on, taskId: OTHER })).toThrow('UNIQUE');
    expect(() => box.spend(key, another, on)).toThrow('UNIQUE');
    expect(() => box.spend(key, another, { ...on, taskId: OTHER })).toThrow('UNIQUE');
    box.unspend(TASK, id);
    expect(box.spentWithNonce(key, nonce)).toBe(undefined);
    box.spend(key, nonce, { ...on, reportId: another });
  });
});

describe('lots', () => {
  test('keep the order they were shuffled into, and end one after the other', () => {
    const ids = randomIds(30);
    fill(TASK, ids);
    fill(OTHER, ids.slice(0, 10));
    box.insertLot(TASK, 0, ids.slice(0, 10));
    box.insertLot(TASK, 1, ids.slice(10, 30));
    box.insertLot(OTHER, 0, ids.slice(0, 10));
    const lot = box.lot(TASK, 1);
    expect(lot.map(({ reportId }) => reportId)).toEqual(ids.slice(10, 30));
    expect(lot[3]?.report).toEqual(Buffer.concat([ids[13] as Buffer, TASK]));
    expect([box.nextLot(TASK), box.nextLot(TASK, 1), box.nextLot(TASK, 2)]).toEqual([
      0,
      1,
      undefined,
    ]);

    box.deleteLot(TASK, 0, ids.slice(0, 10));
    expect(box.nextLot(TASK)).toBe(1);
    expect(box.lot(TASK, 0)).toEqual([]);
    expect(box.ids(TASK)).toHaveLength(20);
    expect(box.report(TASK, ids[0] as Buffer)).toBe(undefined);
    // The other group’s lot with the same number and ids is another lot.
    expect(box.lot(OTHER, 0)).toHaveLength(10);
  });

  test('a box is emptied with its lots, and no other', () => {
    const ids = randomIds(10);
    for (const task of [TASK, OTHER]) {
      fill(task, ids);
      box.insertLot(task, 0, ids);
    }
    box.empty(TASK);
    expect([box.ids(TASK), box.lot(TASK, 0), box.nextLot(TASK)]).toEqual([[], [], undefined]);
    expect(box.lot(OTHER, 0)).toHaveLength(10);
  });

  test('a report is in one place of one lot', () => {
    const ids = randomIds(3);
    fill(TASK, ids);
    box.insertLot(TASK, 0, ids);
    expect(() => box.insertLot(TASK, 0, ids)).toThrow('UNIQUE');
  });
});
