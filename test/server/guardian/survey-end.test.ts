import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { canonicalJson } from '../../../crypto/canonical.ts';
import { DAY_MS } from '../../../server/domain/days.ts';
import { openGuardian } from '../../../server/guardian/guardian.ts';
import type { StatusPage } from '../../../server/http/views.ts';
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

/** What a survey's last day means: nothing of it goes on without a newly signed sheet. */

const FIRST = 20_000;
const LAST = FIRST + 9;

/** A weekly survey with room for two rounds, of which the second ends on its last day. */
const sheet = (title: string) =>
  testSheet({
    title,
    cadence: 'weekly',
    schedule: { first_day: FIRST, round_days: 3 },
    end_day: LAST,
    retention: { trends_days: 30 },
  });

let parties: TwoParties;
let hash: Uint8Array;

function goTo(day: number): void {
  parties.clock.advance(day * DAY_MS);
  parties.employer.nudge();
  parties.guardian.nudge();
}

const state = (number: number, party: 'guardian' | 'employer' = 'guardian') =>
  standing(parties, number, party)?.round.state;

beforeAll(async () => {
  parties = await startTwoParties({ evaluation: false });
  parties.clock.advance((FIRST - 10) * DAY_MS);
  parties.employer.importRoster(testPeople([30]));
  hash = await approveTestSheet(parties, sheet('Ends'));
});

afterAll(() => parties.close());

beforeEach(() => {
  parties.wires.guardian.before = () => {};
});

test('a round that is open on the last day is closed after it, counted and released', async () => {
  goTo(FIRST + 6);
  await until(() => standing(parties, 1)?.round.employerSignature != null);
  goTo(FIRST + 7);
  await until(() => state(1) === 'open');
  const [task] = (
    await readTestRound(parties, standing(parties, 1)?.round.manifestHash as Buffer, sheet('Ends'))
  ).tasks;
  if (task === undefined) throw new Error('no group');
  await answerAll(
    parties,
    task,
    Array.from({ length: 12 }, () => [1, 2]),
  );
  parties.clock.advance((LAST + 1) * DAY_MS - 1);
  parties.guardian.nudge();
  expect(state(1)).toBe('open');
  // Nobody was there on the last day: both come back long after it.
  await parties.stop('guardian');
  parties.clock.advance((LAST + 3) * DAY_MS);
  await parties.start('guardian');
  parties.employer.nudge();
  await finished(parties);
  expect([state(1), state(1, 'employer')]).toEqual(['closed', 'closed']);
  expect(standing(parties, 1, 'employer')?.groups).toMatchObject({ confirmed: 1 });
});

test('afterwards nothing is planned, by the schedule or by hand, nor signed by the employer', async () => {
  const parts = await openGuardian(parties.config('guardian'));
  try {
    await until(() => parts.sheets.withHash(hash)?.state === 'retired');
    const status = (await (
      await fetch(`${parties.urls.guardian}/status.json`)
    ).json()) as StatusPage;
    expect(status.next).toEqual([]);
    for (const start of [FIRST + 14, LAST - 2, LAST]) {
      const days = { start, duration: 3 };
      await expect(parties.guardian.plan({ number: 2, sheetHash: hash, days })).rejects.toThrow();
    }
    // A guardian that goes on all the same: the employer holds to the sheet by itself.
    parts.db.prepare("UPDATE sheets SET state = 'approved'").run();
    await expect(
      parties.guardian.plan({
        number: 2,
        sheetHash: hash,
        days: { start: FIRST + 14, duration: 3 },
      }),
    ).rejects.toThrow();
    parts.db.prepare("UPDATE sheets SET state = 'retired'").run();
  } finally {
    parts.db.close();
  }
  expect(parties.guardian.rounds()).toHaveLength(1);
  expect(parties.employer.rounds()).toHaveLength(1);
});

test('the totals go on their day at both, and the pages say so', async () => {
  goTo(LAST + 1 + 29);
  expect((await fetch(`${parties.urls.guardian}/trends`)).status).toBe(200);
  // The sweep comes every hour.
  goTo(LAST + 1 + 30 + 1 / 24);
  await until(() => state(1) === 'expired' && state(1, 'employer') === 'expired');
  for (const party of ['guardian', 'employer'] as const) {
    const db = parties.database(party);
    expect(db.prepare('SELECT COUNT(*) FROM results').pluck().get()).toBe(0);
    db.close();
  }
  const page = await fetch(`${parties.urls.guardian}/trends`, { headers: { accept: 'text/html' } });
  expect(page.status).toBe(404);
  expect(await page.text()).toContain('past its retention');
});

test('goes on with a newly signed sheet only', async () => {
  const next = {
    ...sheet('Goes on'),
    end_day: LAST + 100,
    schedule: { first_day: LAST + 60, round_days: 3 },
  };
  expect(canonicalJson(next)).not.toEqual(canonicalJson(sheet('Ends')));
  await approveTestSheet(parties, next);
  goTo(LAST + 59);
  await until(() => standing(parties, 2)?.round.employerSignature != null);
  expect(standing(parties, 2)?.round.sheetHash).not.toEqual(hash);
});
