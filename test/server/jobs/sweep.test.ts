import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { DAY_MS } from '../../../server/domain/days.ts';
import { Sweeper, type SweepParts, sweep, trySweep } from '../../../server/jobs/sweep.ts';
import { openStores } from '../../../server/storage/stores.ts';
import { testFolder } from '../../support/folder.ts';
import { MIGRATIONS } from '../../support/parties.ts';
import { insertFinished } from '../../support/retained.ts';

const CLOSES = 20_000;
const HOUR_MS = 3_600_000;

let now: number;
let staffNow: number;
let logged: object[];
let parts: SweepParts & { log: { info(fields: object, message: string): void } };

beforeEach(() => {
  now = CLOSES * DAY_MS;
  staffNow = 0;
  logged = [];
  const folder = testFolder();
  const stores = openStores('guardian', folder, MIGRATIONS, { now: () => now });
  onTestFinished(() => void stores.db.close());
  const log = { info: (fields: object) => void logged.push(fields) };
  parts = { ...stores, logPath: join(folder, 'guardian.log'), log };
  insertFinished(parts, { number: 1, closes: CLOSES, trendsDays: 100 });
});

const results = () => parts.db.prepare('SELECT COUNT(*) FROM results').pluck().get();

describe('the sweeper of a party', () => {
  test('runs at its start, every hour, and no more often', async () => {
    const sweeper = new Sweeper(parts, () => staffNow);
    now += 100 * DAY_MS - HOUR_MS / 2;
    expect(await sweeper.run()).toBe(true);
    expect(results()).toBe(6);
    now += HOUR_MS - 1;
    expect(await sweeper.run()).toBe(false);
    expect(results()).toBe(6);
    now += 1;
    expect(await sweeper.run()).toBe(true);
    expect(results()).toBe(0);
    expect(logged.at(-1)).toEqual({ removals: ['6 released totals of round 1'] });
    now += HOUR_MS;
    expect(await sweeper.run()).toBe(false);
  });

  test('runs at once when a setting has come into force', async () => {
    const sweeper = new Sweeper(parts, () => staffNow);
    now += 40 * DAY_MS;
    await sweeper.run();
    const change = { kind: 'trends', sheet: null, number: 1, days: 40 } as const;
    parts.retention.insert(change, 'waiting', null, now);
    expect(await sweeper.run()).toBe(false);
    parts.retention.insert({ ...change, number: 2 }, 'applied', null, now);
    expect(await sweeper.run()).toBe(true);
    expect(results()).toBe(0);
  });

  test('runs when an hour of sessions has passed, by their clock', async () => {
    parts.staff.put({ email: 'a@example.com', role: 'auditor', units: [] }, 0);
    parts.signIns.begin(new Uint8Array(32), 1, 0);
    const sweeper = new Sweeper(parts, () => staffNow);
    expect(await sweeper.run()).toBe(false);
    staffNow += 8 * HOUR_MS;
    expect(await sweeper.run()).toBe(true);
    expect(logged).toEqual([{ removals: ['1 link or session'] }]);
    // It happens every day: no event for people.
    expect(parts.events.recent(1)).toEqual([]);
  });

  test('tries again at the next turn where it failed', async () => {
    const sweeper = new Sweeper(parts, () => staffNow);
    now += 100 * DAY_MS;
    parts.db.exec(
      `CREATE TEMP TRIGGER cut BEFORE DELETE ON main.results BEGIN SELECT RAISE(ABORT, 'cut'); END`,
    );
    await expect(sweeper.run()).rejects.toThrow('cut');
    parts.db.exec('DROP TRIGGER temp.cut');
    expect(await sweeper.run()).toBe(true);
    expect(results()).toBe(0);
  });
});

test('what is removed of rounds is said on the pages, in one sentence', () => {
  now += 400 * DAY_MS;
  const removals = sweep(parts, 0);
  expect(removals.length).toBeGreaterThan(2);
  expect(parts.events.recent(9).map(({ sentence }) => sentence)).toEqual([
    expect.stringContaining('6 released totals of round 1, '),
  ]);
});

test('a trial changes neither tables nor log', () => {
  const line = `${JSON.stringify({ time: 0, msg: 'old' })}\n`;
  writeFileSync(parts.logPath, line);
  now += 400 * DAY_MS;
  const trial = trySweep(parts, 0);
  expect(trial.at(-1)).toMatchObject({ what: 'line of the log', count: 1 });
  expect(readFileSync(parts.logPath, 'utf8')).toBe(line);
  expect(results()).toBe(6);
  expect(sweep(parts, 0)).toEqual(trial);
  expect(readFileSync(parts.logPath, 'utf8')).toBe('');
});
