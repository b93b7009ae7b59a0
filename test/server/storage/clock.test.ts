import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ClockStore, forwardClock } from '../../../server/storage/clock.ts';
import { openDatabase } from '../../../server/storage/database.ts';
import { testFolder } from '../../support/folder.ts';
import { MIGRATIONS } from '../../support/parties.ts';

function start() {
  const path = join(testFolder(), 'a.sqlite');
  const db = openDatabase(path, [join(MIGRATIONS, 'common')]);
  onTestFinished(() => {
    db.close();
  });
  const source = { at: 1_000_000, now: () => source.at };
  return { db, source, clock: () => forwardClock(source, new ClockStore(db)) };
}

test('follows its source', () => {
  const { source, clock } = start();
  const running = clock();
  expect(running.now()).toBe(1_000_000);
  source.at += 1;
  expect(running.now()).toBe(1_000_001);
});

test('does not go back while it runs', () => {
  const { source, clock } = start();
  const running = clock();
  running.now();
  source.at -= 500_000;
  expect(running.now()).toBe(1_000_000);
  source.at = 1_000_002;
  expect(running.now()).toBe(1_000_002);
});

test('does not go back over a restart', () => {
  const { source, clock } = start();
  clock().now();
  source.at = 5;
  expect(clock().now()).toBe(1_000_000);
});

test('forgets less than a second over a restart', () => {
  const { source, clock } = start();
  const running = clock();
  for (let i = 0; i < 100; i++) {
    source.at += 77;
    running.now();
  }
  const shown = running.now();
  source.at = 0;
  expect(shown - clock().now()).toBeLessThan(1000);
});

test('writes at most once a second', () => {
  const { db, source, clock } = start();
  const running = clock();
  running.now();
  const before = db.prepare('SELECT total_changes()').pluck().get() as number;
  for (let i = 0; i < 999; i++) {
    source.at += 1;
    running.now();
  }
  expect(db.prepare('SELECT total_changes()').pluck().get()).toBe(before);
  source.at += 1;
  running.now();
  expect(db.prepare('SELECT total_changes()').pluck().get()).toBe(before + 1);
});

test('a jump seen in a transaction that is rolled back is not forgotten', () => {
  const { db, source, clock } = start();
  const running = clock();
  running.now();
  source.at += 91 * 86_400_000;
  const refused = db.transaction(() => {
    running.now();
    throw new Error('refused');
  });
  expect(() => refused.immediate()).toThrow('refused');
  const shown = running.now();
  source.at = 0;
  expect(clock().now()).toBe(shown);
});

test('a jump seen in a transaction that is committed is stored with it', () => {
  const { db, source, clock } = start();
  const running = clock();
  running.now();
  source.at += 91 * 86_400_000;
  db.transaction(() => running.now()).immediate();
  source.at = 0;
  expect(clock().now()).toBe(1_000_000 + 91 * 86_400_000);
});

test('two writers: the later time stays', () => {
  const { db, source, clock } = start();
  const slow = clock();
  const fast = clock();
  source.at = 9_000_000;
  fast.now();
  new ClockStore(db).raise(3);
  expect(new ClockStore(db).latest()).toBe(9_000_000);
  source.at = 2_000_000;
  slow.now();
  expect(new ClockStore(db).latest()).toBe(9_000_000);
});
