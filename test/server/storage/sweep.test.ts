import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { sha256 } from '../../../crypto/sha256.ts';
import { DAY_MS } from '../../../server/domain/days.ts';
import type { RetentionKind } from '../../../server/domain/retention.ts';
import { IDLE_MS, LINK_MS, SESSION_MS } from '../../../server/domain/staff.ts';
import { truncateWal } from '../../../server/storage/database.ts';
import { InvitationStore } from '../../../server/storage/invitations.ts';
import { MailQueue } from '../../../server/storage/mail-queue.ts';
import { openStores, type Stores, transact } from '../../../server/storage/stores.ts';
import { type Removal, sweepTables } from '../../../server/storage/sweep.ts';
import { testFolder } from '../../support/folder.ts';
import { findInFolder, Needles } from '../../support/needles.ts';
import { MIGRATIONS } from '../../support/parties.ts';
import { insertFinished } from '../../support/retained.ts';

const CLOSES = 20_000;

let folder: string;
let stores: Stores;

beforeEach(() => {
  folder = testFolder();
  stores = openStores('employer', folder, MIGRATIONS, { now: () => 0 });
  onTestFinished(() => {
    if (stores.db.open) stores.db.close();
  });
});

const at = (day: number, staffNowMs = 0) => ({ nowMs: day * DAY_MS, staffNowMs });
const set = (kind: RetentionKind, days: number, sheet: Uint8Array | null = null) =>
  stores.retention.insert(
    { number: stores.retention.lastNumber() + 1, kind, sheet, days },
    'applied',
    null,
    0,
  );
const said = (removals: readonly Removal[]) =>
  removals.map(({ kind, round, what, count }) => [kind, round, what, count].join(' '));
const rows = (table: string) =>
  stores.db.prepare<[], number>(`SELECT COUNT(*) FROM ${table}`).pluck().get();

describe('a finished round', () => {
  test('loses its totals when the sheet’s retention is over, not a millisecond before', () => {
    insertFinished(stores, { number: 1, closes: CLOSES, trendsDays: 100 });
    const { nowMs } = at(CLOSES + 100);
    const before = sweepTables(stores, { nowMs: nowMs - 1, staffNowMs: 0 });
    expect(before.filter(({ kind }) => kind === 'trends')).toEqual([]);
    expect(rows('results')).toBe(6);
    expect(said(sweepTables(stores, at(CLOSES + 100)))).toEqual(['trends 1 released totals 6']);
    expect(rows('results')).toBe(0);
    expect(stores.rounds.withNumber(1)?.state).toBe('expired');
    expect(sweepTables(stores, at(CLOSES + 100))).toEqual([]);
  });

  test('keeps groups and list as long as either of them is kept', () => {
    insertFinished(stores, { number: 1, closes: CLOSES, trendsDays: 400 });
    sweepTables(stores, at(CLOSES + 365));
    expect([rows('list_slices'), rows('tasks'), rows('results')]).toEqual([0, 6, 6]);
    sweepTables(stores, at(CLOSES + 400));
    expect([rows('tasks'), rows('results'), rows('rounds'), rows('sheets')]).toEqual([0, 0, 1, 1]);
    insertFinished(stores, { number: 2, closes: CLOSES, trendsDays: 30 });
    sweepTables(stores, at(CLOSES + 200));
    expect([rows('list_slices'), rows('tasks'), rows('results')]).toEqual([256, 6, 0]);
  });

  test('loses its counts and invitations after their own time', () => {
    insertFinished(stores, { number: 1, closes: CLOSES });
    const invitations = new InvitationStore(stores.db);
    invitations.begin(1, 120);
    invitations.end(1);
    invitations.begin(2, 5);
    const accepted = () =>
      stores.db.prepare<[], number>('SELECT SUM(accepted) FROM tasks').pluck().get();
    expect(accepted()).toBe(6);
    expect(said(sweepTables(stores, at(CLOSES + 90)))).toEqual([
      'counts 1 counts of a group’s reports 6',
      'counts 1 count of who went on 1',
    ]);
    expect(accepted()).toBe(0);
    expect(invitations.of(1)).toMatchObject({ people: 120, codesUsed: null, ended: true });
    sweepTables(stores, at(CLOSES + 180));
    expect(invitations.of(1)).toBeUndefined();
    // Round 2 is under way: nothing of it is due.
    expect(invitations.live().map(({ round }) => round)).toEqual([2]);
  });

  test.each(['boxed', 'counting', 'sealed', 'noised'])(
    'is left alone while a group is %s',
    (state) => {
      insertFinished(stores, { number: 1, closes: CLOSES });
      stores.db.prepare('UPDATE tasks SET state = ? WHERE group_index = 3').run(state);
      expect(sweepTables(stores, at(CLOSES + 5000))).toEqual([]);
      expect(rows('results')).toBe(6);
    },
  );

  test('that is not closed is left alone', () => {
    insertFinished(stores, { number: 1, closes: CLOSES });
    stores.db.prepare("UPDATE rounds SET state = 'open'").run();
    expect(sweepTables(stores, at(CLOSES + 5000))).toEqual([]);
  });
});

describe('settings', () => {
  test('the fewest days of sheet, survey and installation count', () => {
    const sheet = insertFinished(stores, { number: 1, closes: CLOSES, trendsDays: 100 });
    insertFinished(stores, { number: 2, closes: CLOSES, trendsDays: 101 });
    set('trends', 60);
    set('trends', 40, sheet);
    expect(said(sweepTables(stores, at(CLOSES + 40)))).toEqual(['trends 1 released totals 6']);
    expect(said(sweepTables(stores, at(CLOSES + 60)))).toEqual(['trends 2 released totals 6']);
  });

  test('a trial says the same and changes nothing', () => {
    insertFinished(stores, { number: 1, closes: CLOSES, trendsDays: 100 });
    const trial = sweepTables(stores, at(CLOSES + 400), true);
    expect(rows('results')).toBe(6);
    expect(stores.rounds.withNumber(1)?.state).toBe('closed');
    expect(sweepTables(stores, at(CLOSES + 400))).toEqual(trial);
  });

  test('a trial can be made with other days', () => {
    insertFinished(stores, { number: 1, closes: CLOSES, trendsDays: 100 });
    const daysOf = ({ kind }: { kind: RetentionKind }) => (kind === 'trends' ? 30 : 9999);
    expect(said(sweepTables(stores, at(CLOSES + 30), true, daysOf))).toEqual([
      'trends 1 released totals 6',
    ]);
  });
});

test('mail that nobody took goes, by when it was queued and not by when it is tried', () => {
  const queue = new MailQueue(stores.db);
  queue.add(1, 1, 'invitation', 0);
  queue.add(1, 2, 'invitation', DAY_MS);
  queue.defer(1, 100 * DAY_MS);
  queue.refuse(2);
  expect(said(sweepTables(stores, at(14)))).toEqual(['mail  mail that was not taken 1']);
  expect(said(sweepTables(stores, at(15)))).toEqual(['mail  mail that was not taken 1']);
});

test('links and sessions that can no longer be used go, and no others', () => {
  const NOW = 1_700_000_000_000;
  const hash = (text: string) => sha256(Buffer.from(text));
  stores.staff.put({ email: 'a@example.com', role: 'admin', units: [] }, NOW);
  const id = stores.staff.withEmail('a@example.com')?.id as number;
  const { signIns } = stores;
  signIns.addLink(hash('old link'), id, NOW);
  signIns.addLink(hash('link'), id, NOW + LINK_MS);
  signIns.begin(hash('idle'), id, NOW - IDLE_MS);
  signIns.begin(hash('old'), id, NOW - SESSION_MS);
  signIns.touch(hash('old'), NOW - 1);
  signIns.begin(hash('live'), id, NOW - SESSION_MS + 1);
  signIns.touch(hash('live'), NOW - IDLE_MS + 1);
  expect(said(sweepTables(stores, at(0, NOW)))).toEqual(['sessions  links and sessions 3']);
  expect([rows('sign_in_links'), rows('staff_sessions')]).toEqual([1, 1]);
  expect(signIns.session(hash('live'), NOW)).toBeDefined();
  expect(signIns.link(hash('link'), NOW)).toBeDefined();
});

test('of the logs: events, refused surveys that no round has, settings that were replaced', () => {
  const event = { round: null, groupIndex: null, kind: 'x', sentence: 'x' };
  stores.events.add({ ...event, atMs: 0 });
  stores.events.add({ ...event, atMs: 1 });
  stores.sheets.insert(new Uint8Array(32), new Uint8Array(1), 'submitted', 0);
  stores.sheets.refuse(new Uint8Array(32), 'No.', 0);
  set('mail', 13);
  set('mail', 12);
  set('mail', 11, new Uint8Array(32));
  for (const { hash } of stores.retention.all()) stores.retention.setTold(hash, true);
  expect(said(sweepTables(stores, at(365)))).toEqual([
    'logs  event 1',
    'logs  refused survey 1',
    'logs  setting that is no longer in force 1',
  ]);
  expect(stores.retention.days({ kind: 'mail', sheet: null })).toBe(12);
  expect(stores.retention.days({ kind: 'mail', sheet: new Uint8Array(32) })).toBe(11);
});

describe('on the bytes', () => {
  /** Rounds in any order, so that SQLite moves rows between pages. @returns what to look for */
  function many(): Needles {
    const needles = new Needles();
    for (let i = 1; i <= 24; i++) {
      const number = (i * 7) % 25;
      insertFinished(stores, { number, closes: CLOSES + number, groups: 9 }, needles);
    }
    truncateWal(stores.db);
    return needles;
  }
  const labels = (needles: Needles) => [...findInFolder(needles, folder)].sort();

  test('what is removed is in no file, the log included, and the rest is', () => {
    const needles = many();
    expect(labels(needles)).toHaveLength(3 * 24);
    set('lists', 30);
    sweepTables(stores, at(CLOSES + 12 + 400));
    truncateWal(stores.db);
    const left = labels(needles);
    for (let number = 1; number <= 24; number++) {
      const gone = number <= 12;
      expect(left.includes(`totals ${number}`), `totals ${number}`).toBe(!gone);
      expect(left.includes(`list ${number}`), `list ${number}`).toBe(false);
      expect(left.includes(`groups ${number}`), `groups ${number}`).toBe(!gone);
    }
    expect(stores.db.pragma('integrity_check', { simple: true })).toBe('ok');
    expect(rows('results')).toBe(12 * 9);
  });

  test('also where rows that stayed longer were moved from page to page', () => {
    const needles = many();
    set('lists', 30);
    for (let number = 1; number <= 24; number++) {
      sweepTables(stores, at(CLOSES + number + 400));
      truncateWal(stores.db);
      const left = labels(needles);
      const gone = left.filter((label) => Number(label.split(' ')[1]) <= number);
      expect(gone, `after round ${number}`).toEqual([]);
    }
    expect(labels(needles)).toEqual([]);
  });

  test('a sweep that is cut off in the middle has done nothing, and the next does all', () => {
    const needles = many();
    const { db } = stores;
    db.exec(
      `CREATE TEMP TRIGGER cut BEFORE INSERT ON main.results BEGIN SELECT RAISE(ABORT, 'cut'); END`,
    );
    expect(() => sweepTables(stores, at(CLOSES + 5 + 400))).toThrow('cut');
    expect(db.pragma('foreign_keys', { simple: true })).toBe(1);
    expect([rows('results'), rows('tasks')]).toEqual([24 * 9, 24 * 9]);
    db.exec('DROP TRIGGER temp.cut');
    expect(sweepTables(stores, at(CLOSES + 5 + 400)).length).toBeGreaterThan(0);
    truncateWal(db);
    expect(labels(needles)).not.toContain('totals 5');
  });

  test('one that is killed before the log is truncated is finished when the party starts', () => {
    const needles = many();
    sweepTables(stores, at(CLOSES + 24 + 400));
    expect(labels(needles)).not.toEqual([]);
    const again = openStores('employer', folder, MIGRATIONS, { now: () => 0 });
    onTestFinished(() => void again.db.close());
    expect(labels(needles)).toEqual([]);
  });

  test('two at once: one of them finds nothing left', () => {
    many();
    const other = openStores('employer', folder, MIGRATIONS, { now: () => 0 });
    onTestFinished(() => void other.db.close());
    const both = [sweepTables(stores, at(CLOSES + 500)), sweepTables(other, at(CLOSES + 500))];
    expect(both.map((removals) => removals.length > 0)).toEqual([true, false]);
  });

  test('a sweep while somebody else writes waits, or says that it could not', () => {
    many();
    const other = openStores('employer', folder, MIGRATIONS, { now: () => 0 });
    onTestFinished(() => void other.db.close());
    other.db.pragma('busy_timeout = 0');
    transact(stores.db, () => {
      expect(() => sweepTables(other, at(CLOSES + 500))).toThrow(/locked/);
    });
    expect(rows('results')).toBe(24 * 9);
  });
});
