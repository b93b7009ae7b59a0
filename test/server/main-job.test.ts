import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodePublished } from '../../server/domain/published.ts';
import {
  answerAll,
  closeTestRound,
  finished,
  openTestRound,
  standing,
  startTwoParties,
  type TwoParties,
} from '../support/parties.ts';

let parties: TwoParties;

beforeAll(async () => {
  parties = await startTwoParties();
});

afterAll(() => parties.close());

test('answers become the same noised totals at both parties, and a small group is withheld', async () => {
  const round = await openTestRound(parties, [30, 30]);
  const answers = Array.from({ length: 20 }, (_, i) => [i % 3, 3]);
  await answerAll(parties, round.tasks[0] as never, answers);
  await answerAll(parties, round.tasks[1] as never, answers.slice(0, 7));
  closeTestRound(parties, round);
  await finished(parties);
  expect(standing(parties, 1)?.groups).toMatchObject({ confirmed: 1, withheld: 1 });
  expect(standing(parties, 1, 'employer')?.groups).toMatchObject({ confirmed: 1, withheld: 1 });
  const published = (['guardian', 'employer'] as const).map((party) => {
    const db = parties.database(party);
    try {
      return db
        .prepare<[], Buffer>('SELECT published FROM results WHERE guardian_signature IS NOT NULL')
        .pluck()
        .all();
    } finally {
      db.close();
    }
  });
  expect(published[0]).toHaveLength(1);
  expect(published[0]).toEqual(published[1]);
  const { count, totals } = decodePublished(published[0]?.[0] as Buffer);
  expect(count).toBe(20);
  const truth = [7, 7, 6, 0, 0, 0, 0, 20];
  for (const [i, total] of totals.entries())
    expect(Math.abs(total - (truth[i] as number))).toBeLessThan(25);
});
