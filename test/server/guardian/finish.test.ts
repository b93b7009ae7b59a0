import { afterAll, beforeAll, expect, test } from 'vitest';
import { Secret } from '../../../crypto/secret.ts';
import { DAY_MS } from '../../../server/domain/days.ts';
import { openEmployer } from '../../../server/employer/employer.ts';
import {
  answerAll,
  closeTestRound,
  finished,
  openTestRound,
  standing,
  startTwoParties,
  type TestRound,
  type TwoParties,
  until,
} from '../../support/parties.ts';
import type { TestTask } from '../../support/test-tokens.ts';

/** A round ends as it should even if its totals are past their retention by then. */

let parties: TwoParties;
let round: TestRound;

beforeAll(async () => {
  parties = await startTwoParties();
  round = await openTestRound(parties, [30], { retention: { trends_days: 1 } });
  await answerAll(parties, round.tasks[0] as TestTask, Array(8).fill([0, 1]));
});

afterAll(() => parties.close());

test('the list of a round whose totals are deleted is signed all the same', async () => {
  parties.wires.guardian.before = (url) => {
    if (url.endsWith('/list')) throw new Error('cut');
  };
  closeTestRound(parties, round);
  const number = round.head.round;
  await until(() => standing(parties, number)?.groups.confirmed === 1);
  const { start, duration } = round.head.days;
  parties.clock.advance((start + duration + 2) * DAY_MS);
  await until(() => standing(parties, number)?.round.state === 'expired');
  await until(() => standing(parties, number, 'employer')?.round.state === 'expired');
  parties.wires.guardian.before = () => {};
  await finished(parties, number);
  expect(standing(parties, number)?.round.listEmployerSignature).not.toBeNull();
  const looking = parties.database('guardian');
  try {
    const rows = (table: string) =>
      looking.prepare<[], number>(`SELECT COUNT(*) FROM ${table}`).pluck().get();
    expect([rows('spent'), rows('outcomes'), rows('results')]).toEqual([0, 0, 0]);
    expect(rows('list_slices')).toBe(256);
  } finally {
    looking.close();
  }
});

test('keys that were still there when the totals were deleted go too', async () => {
  const parts = await openEmployer(parties.config('employer'));
  try {
    const number = round.head.round;
    expect(parts.rounds.withNumber(number)?.state).toBe('expired');
    parts.roundKeys.write(number, { inputSeed: new Secret(new Uint8Array(32)), verifyKeys: [] });
    parties.employer.nudge();
    await until(() => parts.roundKeys.read(number) === undefined);
  } finally {
    parts.db.close();
  }
});
