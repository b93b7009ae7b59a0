import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Database } from '../../server/storage/database.ts';
import { campaign, type Findings } from './unlinkability/campaign.ts';
import { guessByTimes, liveSuccess } from './unlinkability/live.ts';
import type { Simulation } from './unlinkability/rounds.ts';
import { FALSE_ALARM, inWords, surprise, Tally } from './unlinkability/score.ts';

/*
 * Given both databases, all logs and all mail, an attacker program that guesses who sent which
 * report does no better than chance: between two writes of the open round, at its end, while it is
 * counted, and after the release. 80 rounds here; `npm run bench -- unlinkability` plays 1,000 and
 * says how well the same attacker does with the live times at both parties.
 *
 * A rightful system fails this test with a probability below 4 · 10⁻⁶ (10⁻⁶ a moment), by a bound
 * that is exact (see score.ts). With 80 rounds a way to guess that is right in three cases of ten,
 * where chance gives one in seven, is found.
 */

const hooks = vi.hoisted(() => ({ truncates: true }));

vi.mock('../../server/storage/database.ts', async (original) => {
  const actual = await original<typeof import('../../server/storage/database.ts')>();
  const unless = (work: (db: Database) => void) => (db: Database) => {
    if (hooks.truncates) work(db);
  };
  return {
    ...actual,
    truncateWal: unless(actual.truncateWal),
    coverWal: unless(actual.coverWal),
  };
});

beforeEach(() => {
  hooks.truncates = true;
});

const LIMIT_MS = 180_000;

describe('who sent which report', () => {
  test(
    'cannot be guessed from what both parties store, log and mail',
    async () => {
      const { findings } = await campaign({ manifests: 4, groups: 20, closed: true });
      expect(findings.map(({ moment }) => moment)).toEqual([
        'open',
        'full',
        'counting',
        'released',
      ]);
      for (const { moment, ways, best, alarms } of findings) {
        // That there was something to go by.
        expect(best.rounds, moment).toBeGreaterThan(0);
        expect(ways, moment).toBeGreaterThan(50);
        expect(alarms.map(inWords), moment).toEqual([]);
      }
    },
    LIMIT_MS,
  );

  /** Of a round that leaks, only while it is open. */
  async function leaking(prepare: Simulation['prepare'] = () => {}): Promise<readonly Findings[]> {
    const { findings } = await campaign({ manifests: 1, groups: 25, closed: false, prepare });
    return findings;
  }

  test(
    'could be guessed if the employer noted when a code was used, or kept the order in its pages',
    async () => {
      const findings = await leaking(({ db }) => {
        db.exec(`
          ALTER TABLE codes ADD COLUMN used_ms INTEGER;
          -- In the order of the codes' hashes; only where SQLite puts the second halves tells.
          CREATE TABLE used (code_hash BLOB PRIMARY KEY, note BLOB) STRICT, WITHOUT ROWID;
          CREATE TABLE went_on (code INTEGER) STRICT;
          CREATE TRIGGER used AFTER UPDATE OF request_hash ON codes BEGIN
            UPDATE codes SET used_ms = (SELECT latest_ms FROM clock) WHERE id = NEW.id;
            INSERT INTO used VALUES (NEW.code_hash, CAST(zeroblob(6000) || NEW.request_hash AS BLOB));
            INSERT INTO went_on VALUES (NEW.id);
          END;`);
      });
      const ways = findings.at(-1)?.alarms.map(({ way }) => way) ?? [];
      expect(ways).toContain('used_ms of code in employer.codes / row of id in guardian.box');
      expect(ways).toContain(
        'last request in employer/employer.sqlite / row of id in guardian.box',
      );
      expect(ways).toContain('row of number in employer.went_on / row of id in guardian.box');
    },
    LIMIT_MS,
  );

  test(
    'could be guessed if the employer’s log were not truncated',
    async () => {
      hooks.truncates = false;
      const ways = (await leaking()).at(-1)?.alarms.map(({ way }) => way) ?? [];
      expect(ways).toContain(
        'first request in employer/employer.sqlite-wal / row of id in guardian.box',
      );
    },
    LIMIT_MS,
  );

  test('is guessed well by who watches both servers live: reported, not hidden', () => {
    expect(guessByTimes([1000, 900_000], [181_000, 1_080_000])).toEqual([0, 1]);
    // Nobody is left for the second: both came before anybody else had a token.
    expect(guessByTimes([1000, 900_000], [181_000, 200_000])).toEqual([0, -1]);
    expect(liveSuccess(8, 200)).toBeGreaterThan(0.5);
  });
});

describe('the bound of chance', () => {
  /** Right guesses of a random injection of reports into people. */
  function randomRight(reports: number, people: number): number {
    const order = Array.from({ length: people }, (_, person) => person);
    for (let i = people - 1; i > 0; i--) {
      const j = Math.floor(Math.random() * (i + 1));
      [order[i], order[j]] = [order[j] as number, order[i] as number];
    }
    return order.slice(0, reports).filter((person, report) => person === report).length;
  }

  test('is above what random guesses do, and not by much', () => {
    const trials = 20_000;
    const [rounds, reports, people] = [20, 5, 6];
    const expected = (rounds * reports) / people;
    const counts = new Map<number, number>();
    for (let trial = 0; trial < trials; trial++) {
      let right = 0;
      for (let round = 0; round < rounds; round++) right += randomRight(reports, people);
      counts.set(right, (counts.get(right) ?? 0) + 1);
    }
    for (const right of [20, 24, 28]) {
      const seen = [...counts].reduce((sum, [n, times]) => sum + (n >= right ? times : 0), 0);
      const bound = surprise({ right, expected });
      // Six standard deviations of the count for the one, a factor of twenty for the other.
      expect(seen).toBeLessThan(trials * bound + 6 * Math.sqrt(trials * bound) + 10);
      if (trials * bound > 200) expect(seen).toBeGreaterThan((trials * bound) / 20);
    }
  });

  test('accuses one way that is always right among many, and none that is right by chance', () => {
    const tally = new Tally();
    for (let round = 0; round < 100; round++) {
      for (let way = 0; way < 50; way++) tally.add(`${way}`, 5, randomRight(5, 6), 5 / 6);
      tally.add('leak', 5, 2, 5 / 6);
    }
    expect(tally.alarms.map(({ way }) => way)).toEqual(['leak']);
    expect(surprise({ right: 10, expected: 12 })).toBe(1);
    expect(FALSE_ALARM).toBeLessThanOrEqual(1e-6);
  });
});
