import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { equalBytes } from '../../../crypto/bytes.ts';
import type { Sheet } from '../../../crypto/sheet.ts';
import { DAY_MS } from '../../../server/domain/days.ts';
import type { StatusPage } from '../../../server/http/views.ts';
import type { Clock } from '../../../server/storage/clock.ts';
import type { Database } from '../../../server/storage/database.ts';
import {
  answerAll,
  approveTestSheet,
  finished,
  readTestRound,
  standing,
  startTwoParties,
  type TwoParties,
  testPeople,
  testSheet,
  until,
} from '../../support/parties.ts';
import { roundKeysIn } from '../../support/rounds.ts';
import { staffCookie } from '../../support/staff.ts';

/** Rounds as the schedule makes them: nobody plans, opens or closes anything here. */

const FIRST = 20_000;
const ROUND_DAYS = 3;

/** Weekly rounds of three days from FIRST on. */
const weekly = (changes: Partial<Sheet> = {}) =>
  testSheet({
    cadence: 'weekly',
    schedule: { first_day: FIRST, round_days: ROUND_DAYS },
    ...changes,
  });

let parties: TwoParties;

async function status(party: 'guardian' | 'employer' = 'guardian'): Promise<StatusPage> {
  // The employer's page is for its staff.
  const headers = party === 'employer' ? { cookie: staffCookie(parties, party, 'admin') } : {};
  const read = () => fetch(`${parties.urls[party]}/status.json`, { headers });
  // A kept connection ends when its party restarts.
  return (await (await read().catch(read)).json()) as StatusPage;
}

function goTo(day: number): void {
  parties.clock.advance(day * DAY_MS);
  parties.employer.nudge();
  parties.guardian.nudge();
}

const stateOf = (number: number, party: 'guardian' | 'employer' = 'guardian') =>
  standing(parties, number, party)?.round.state;
const signed = (number: number) => standing(parties, number)?.round.employerSignature != null;

/** Long enough for some turns of both parties. */
const someTurns = () => new Promise((resolve) => setTimeout(resolve, 150));

afterEach(() => {
  for (const party of ['guardian', 'employer'] as const) {
    parties.wires[party].before = () => {};
    parties.wires[party].after = (_url, response) => response;
  }
});

describe('a survey from its approval to its end', () => {
  beforeAll(async () => {
    parties = await startTwoParties();
    parties.clock.advance((FIRST - 10) * DAY_MS);
    parties.employer.importRoster(testPeople([30, 30]));
  });

  afterAll(() => parties.close());

  test('waits for the guardian, then for the day before its first round', async () => {
    const sheet = weekly({ end_day: FIRST + 9 });
    const hash = parties.employer.submit(sheet);
    await until(async () => (await status()).next.length > 0);
    expect((await status()).next).toEqual([
      '“A test” waits for this party to approve or refuse it.',
    ]);
    await until(async () => (await status('employer')).next[0]?.includes('decision') === true);
    expect(parties.guardian.approve(hash)).toBe(true);
    expect((await status()).next).toEqual([
      'The next round of “A test” begins on 4 October 2024 and is planned 1 day before.',
    ]);
    goTo(FIRST - 2);
    await someTurns();
    expect(parties.guardian.rounds()).toEqual([]);
    expect(parties.employer.rounds()).toEqual([]);
  });

  test('is planned then, with the roster as it is, and does not open before its day', async () => {
    goTo(FIRST - 1);
    await until(() => signed(1));
    expect(standing(parties, 1, 'employer')?.round.state).toBe('planned');
    expect((await status()).next).toEqual([
      'Round 1 is planned for 4 October 2024. It is not open: its first day has not begun.',
      'The next round of “A test” begins on 11 October 2024 and is planned 1 day before.',
    ]);
    expect((await status('employer')).next).toEqual([
      'Round 1 is planned and opens at the guardian.',
    ]);
    parties.clock.advance(FIRST * DAY_MS - 1);
    await someTurns();
    expect(stateOf(1)).toBe('planned');
  });

  test('opens, closes, is counted, sealed and released', async () => {
    goTo(FIRST);
    await until(() => stateOf(1) === 'open');
    // A roster that changes now changes the next round, and not this one.
    parties.employer.importRoster(testPeople([50]));
    const hash = standing(parties, 1)?.round.manifestHash as Buffer;
    const round = await readTestRound(parties, hash, weekly());
    expect(round.tasks).toHaveLength(2);
    await answerAll(parties, round.tasks[0] as never, Array(9).fill([0, 1]));
    parties.clock.advance((FIRST + ROUND_DAYS) * DAY_MS - 1);
    await someTurns();
    expect(stateOf(1)).toBe('open');
    goTo(FIRST + ROUND_DAYS);
    await finished(parties, 1);
    for (const party of ['guardian', 'employer'] as const) {
      await until(() => roundKeysIn(parties.folder, party).length === 0);
      expect(standing(parties, 1, party)?.groups).toMatchObject({ confirmed: 1, withheld: 1 });
    }
    expect((await status()).rounds[0]).toMatchObject({ number: 1, stateLabel: 'Finished' });
  });

  test('goes on with the next round, planned from the roster of that day', async () => {
    goTo(FIRST + 6);
    await until(() => signed(2));
    expect(standing(parties, 2)?.groups.boxed).toBe(1);
    expect((await status()).next).toContain(
      '“A test” has no further round; to go on it needs a newly approved sheet.',
    );
    goTo(FIRST + 10);
    await finished(parties, 2);
  });

  test('is retired when its last day is over', async () => {
    await until(async () => (await status()).next.length === 0);
    goTo(FIRST + 30);
    await someTurns();
    expect(parties.guardian.rounds()).toHaveLength(2);
    const db = parties.database('guardian');
    try {
      expect(db.prepare('SELECT state FROM sheets').pluck().all()).toEqual(['retired']);
    } finally {
      db.close();
    }
    const failures = [...(await status()).failures, ...(await status('employer')).failures];
    expect(failures).toEqual([]);
  });
});

describe('a plan that is cut off goes on by itself, one round however often:', () => {
  let number = 0;

  beforeAll(async () => {
    parties = await startTwoParties();
    parties.clock.advance((FIRST - 2) * DAY_MS);
    parties.employer.importRoster(testPeople([30]));
    await approveTestSheet(parties, weekly());
  });

  afterAll(() => parties.close());

  const CUTS = ['keys', 'token-keys', 'manifest'].flatMap((call) =>
    ['request', 'reply'].flatMap((part) =>
      ['nobody', 'guardian', 'employer'].map((restarts) => [call, part, restarts] as const),
    ),
  );

  test.each(CUTS)('the %s %s lost, %s restarted', async (call, part, restarts) => {
    number++;
    let cut = 0;
    const lose = (url: string) => {
      if (!url.endsWith(`/peer/rounds/${number}/${call}`) || cut >= 2) return;
      cut++;
      throw new Error('cut');
    };
    if (part === 'request') parties.wires.guardian.before = lose;
    else {
      parties.wires.guardian.after = (url, response) => {
        lose(url);
        return response;
      };
    }
    goTo(FIRST - 1 + 7 * (number - 1));
    await until(() => cut > 0);
    const drafted = standing(parties, number)?.round.manifestHash;
    expect(drafted !== undefined).toBe(call === 'manifest');
    if (restarts !== 'nobody') await parties.restart(restarts as 'guardian' | 'employer');
    await until(() => signed(number));
    const hash = standing(parties, number)?.round.manifestHash as Buffer;
    if (drafted !== undefined) expect(equalBytes(drafted, hash)).toBe(true);
    expect(standing(parties, number, 'employer')?.round.manifestHash).toEqual(hash);
    expect(parties.guardian.rounds()).toHaveLength(number);
  });

  test('the keys of a draft are gone: it is drafted anew', async () => {
    number++;
    let cut = true;
    parties.wires.guardian.before = async (url) => {
      if (!url.endsWith('/manifest') || !cut) return;
      throw new Error('cut');
    };
    goTo(FIRST - 1 + 7 * (number - 1));
    await until(() => standing(parties, number) !== undefined);
    const drafted = standing(parties, number)?.round.manifestHash as Buffer;
    await parties.stop('guardian');
    unlinkSync(`${parties.folder}/guardian/keys/round-${number}.json`);
    await parties.start('guardian');
    cut = false;
    parties.guardian.nudge();
    await until(() => signed(number));
    expect(standing(parties, number)?.round.manifestHash).not.toEqual(drafted);
  });
});

describe('what cannot be planned', () => {
  beforeAll(async () => {
    parties = await startTwoParties();
    parties.clock.advance((FIRST - 1) * DAY_MS);
  });

  afterAll(() => parties.close());

  test('a company too small is a failure on the status page, in words, until it has grown', async () => {
    parties.employer.importRoster(testPeople([20]));
    await approveTestSheet(parties, weekly());
    await until(async () => (await status()).failures.length > 0);
    const [failure, ...others] = (await status()).failures;
    expect(failure).toMatch(
      /^Could not plan rounds: 20 people are on the roster, and a group takes 23: .*\w\.$/,
    );
    expect(others).toEqual([]);
    const page = await (await fetch(parties.urls.guardian)).text();
    expect(page).toContain('20 people are on the roster');
    expect(parties.guardian.rounds()).toEqual([]);
    parties.employer.importRoster(testPeople([23]));
    await until(() => signed(1));
    await until(async () => (await status()).failures.length === 0);
  });

  test('while the employer is away is said, and is planned when it is back', async () => {
    goTo(FIRST + ROUND_DAYS);
    await finished(parties, 1);
    await parties.stop('employer');
    goTo(FIRST + 6);
    await until(async () => (await status()).waitingFor === 'employer');
    expect((await status()).failures).toEqual([]);
    expect(stateOf(2)).toBe(undefined);
    await parties.start('employer');
    await until(() => signed(2));
    await until(async () => (await status()).waitingFor === null);
  });

  test('a party that has another key than it was paired with plans nothing', async () => {
    goTo(FIRST + 10);
    await finished(parties, 2);
    for (const party of ['employer', 'guardian'] as const) {
      const path = `${parties.folder}/${party}/keys/identity.json`;
      const own = readFileSync(path);
      await parties.stop(party);
      writeFileSync(path, JSON.stringify({ signing_seed: 'E'.repeat(43) }));
      await parties.start(party);
      goTo(FIRST + 13);
      await until(async () => (await status()).failures.length > 0);
      expect((await status()).failures[0]).toMatch(/^Could not plan rounds: /);
      expect(standing(parties, 3, 'employer')).toBe(undefined);
      expect(signed(3)).toBe(false);
      await parties.stop(party);
      writeFileSync(path, own);
      // The draft of the wrong key may be there still; what both can sign replaces it.
      if (party === 'guardian') parties.clock.advance((FIRST + 13) * DAY_MS);
      await parties.start(party);
      if (party === 'guardian') await until(() => signed(3));
    }
  });
});

describe('a clock that goes back', () => {
  let behindMs = 0;
  let guardian: Database;

  beforeAll(async () => {
    const seen = (clock: Clock): Clock => ({ now: () => clock.now() - behindMs });
    parties = await startTwoParties({ seen });
    guardian = parties.database('guardian');
    parties.clock.advance((FIRST - 1) * DAY_MS);
    parties.employer.importRoster(testPeople([30]));
    await approveTestSheet(parties, weekly());
    await until(() => signed(1));
    goTo(FIRST + 1);
    await until(() => stateOf(1) === 'open' && stateOf(1, 'employer') === 'open');
  });

  afterAll(async () => {
    guardian.close();
    await parties.close();
  });

  test.each([false, true])('undoes nothing (parties restarted: %s)', async (restarted) => {
    const events = () => guardian.prepare('SELECT COUNT(*) FROM events').pluck().get();
    const before = [stateOf(1), stateOf(1, 'employer'), events()];
    behindMs = 30 * DAY_MS;
    if (restarted)
      for (const party of ['guardian', 'employer'] as const) await parties.restart(party);
    await someTurns();
    expect([stateOf(1), stateOf(1, 'employer'), events()]).toEqual(before);
    expect(parties.guardian.rounds()).toHaveLength(1);
    const round = await readTestRound(
      parties,
      standing(parties, 1)?.round.manifestHash as Buffer,
      weekly(),
    );
    // Somebody who answers is not told that it is too early.
    await answerAll(parties, round.tasks[0] as never, Array(5).fill([0, 1]));
  });

  test('and comes forward again closes, counts and plans once', async () => {
    behindMs = 0;
    goTo(FIRST + ROUND_DAYS);
    await finished(parties, 1);
    expect(standing(parties, 1)?.groups.confirmed).toBe(1);
    goTo(FIRST + 6);
    await until(() => signed(2));
    behindMs = 6 * DAY_MS;
    await someTurns();
    expect(parties.guardian.rounds()).toHaveLength(2);
  });
});

describe('two surveys', () => {
  beforeAll(async () => {
    parties = await startTwoParties();
    parties.clock.advance((FIRST - 10) * DAY_MS);
    parties.employer.importRoster(testPeople([30]));
  });

  afterAll(() => parties.close());

  test('one that no group is large enough for does not keep the other from its rounds', async () => {
    await approveTestSheet(parties, weekly({ title: 'Too large', k: 40 }));
    const hash = await approveTestSheet(parties, weekly({ title: 'Of use' }));
    goTo(FIRST - 1);
    await until(() => signed(1));
    expect(equalBytes(standing(parties, 1)?.round.sheetHash as Buffer, hash)).toBe(true);
    await until(async () => (await status()).failures.length > 0);
    expect((await status()).failures[0]).toContain('Could not plan rounds: 30 people');
  });
});
