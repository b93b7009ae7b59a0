import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toBase64url } from '../../../../crypto/bytes.ts';
import { encodeCollectionJobReq, timeIntervalQuery } from '../../../../crypto/dap/collection.ts';
import { MEDIA_TYPE } from '../../../../crypto/dap/media-types.ts';
import { WITHHELD_REASONS } from '../../../../server/domain/withheld.ts';
import type { Database } from '../../../../server/storage/database.ts';
import {
  answerAll,
  closeTestRound,
  openTestRound,
  startTwoParties,
  type TestRound,
  type TwoParties,
  until,
} from '../../../support/parties.ts';
import { callAs, contextOf, refusedWith, taskPath } from '../../../support/played-party.ts';
import type { TestTask } from '../../../support/test-tokens.ts';

/** The employer says that it has withheld a group. */

const SEALED = 0;
const UNSEEN = 1;
const SEEN = 2;

let parties: TwoParties;
let round: TestRound;
let looking: Database;

const path = (group: number) => `${taskPath(round, group)}/withheld`;
const tell = (group: number, body: object = { reason: 'deadline' }) =>
  callAs(parties, 'employer', path(group), { body });
const stateOf = (group: number) =>
  looking
    .prepare<[Uint8Array], { state: string; reason: string | null }>(
      'SELECT state, withheld_reason AS reason FROM tasks WHERE task_id = ?',
    )
    .get(contextOf(round, group).taskId);

beforeAll(async () => {
  parties = await startTwoParties();
  looking = parties.database('guardian');
  round = await openTestRound(parties, [30, 30, 30]);
  // The employer’s own questions never arrive: the test asks in its place.
  parties.wires.employer.before = () => {
    throw new Error('cut');
  };
  for (const task of round.tasks) {
    await answerAll(parties, task as TestTask, Array(8).fill([0, 1]));
  }
});

afterAll(async () => {
  looking.close();
  await parties.close();
});

test.each([
  ['without a token', () => null],
  ['with the guardian’s own token', () => parties.token('guardian')],
  ['with any other token', () => toBase64url(new Uint8Array(32))],
])('%s: 401', async (_name, token) => {
  const body = { reason: 'deadline' };
  const reply = callAs(parties, 'employer', path(SEALED), { body, token: token() });
  expect(await refusedWith(reply)).toBe('401 unauthorized');
});

test('an unknown task, another media type, no reason or another one', async () => {
  const unknown = `/tasks/${'A'.repeat(43)}/withheld`;
  expect(
    await refusedWith(callAs(parties, 'employer', unknown, { body: { reason: 'deadline' } })),
  ).toBe('404 unrecognizedTask');
  expect(
    await refusedWith(callAs(parties, 'employer', path(0), { type: 'text/plain', body: {} })),
  ).toBe('415 wrongMediaType');
  for (const body of [{}, [], { reason: 'because' }, { reason: 'deadline', more: 1 }]) {
    expect(await refusedWith(tell(SEALED, body))).toBe('400 invalidMessage');
  }
});

test('while the round is open no word of the employer ends it', async () => {
  for (const reason of WITHHELD_REASONS) {
    expect(await refusedWith(tell(SEALED, { reason }))).toBe('409 notYet');
  }
  expect(stateOf(SEALED)).toEqual({ state: 'boxed', reason: null });
});

describe('after the count', () => {
  beforeAll(async () => {
    closeTestRound(parties, round);
    const body = encodeCollectionJobReq({
      query: timeIntervalQuery(round.head.days),
      aggParam: new Uint8Array(0),
      extensions: [],
    });
    const type = MEDIA_TYPE.collectionJobReq;
    await until(() => [0, 1, 2].every((group) => stateOf(group)?.state === 'sealed'));
    for (const group of [UNSEEN, SEEN]) {
      const job = `${taskPath(round, group)}/collection_jobs`;
      const asked = await callAs(parties, 'employer', job, { type, body });
      expect(asked.status).toBe(201);
      await until(() => stateOf(group)?.state === 'noised');
      if (group === UNSEEN) continue;
      const seen = await callAs(parties, 'employer', asked.headers.get('location') as string);
      expect((await seen.arrayBuffer()).byteLength).toBeGreaterThan(0);
    }
  });

  test.each([
    ['a sealed group is withheld', SEALED],
    ['so is a noised one whose result never left', UNSEEN],
  ])('%s, and nothing of it stays', async (_name, group) => {
    expect((await tell(group)).status).toBe(204);
    expect(stateOf(group)).toEqual({ state: 'withheld', reason: 'other-party' });
    for (const table of ['box', 'lots', 'buckets', 'seals', 'outcomes', 'collection_jobs']) {
      const rows = looking.prepare<[Uint8Array], number>(
        `SELECT COUNT(*) FROM ${table} WHERE task_id = ?`,
      );
      expect(rows.pluck().get(contextOf(round, group).taskId), table).toBe(0);
    }
    // Said again, it changes nothing.
    expect((await tell(group, { reason: 'too-few' })).status).toBe(204);
    expect(stateOf(group)).toEqual({ state: 'withheld', reason: 'other-party' });
  });

  test('one whose result has left stays noised: its half is still owed', async () => {
    expect(await refusedWith(tell(SEEN))).toBe('409 notYet');
    expect(stateOf(SEEN)).toEqual({ state: 'noised', reason: null });
  });

  test('said again after this party’s deadline, it ends as not revealed', async () => {
    parties.clock.advance(
      looking.prepare<[], number>('SELECT deadline_ms FROM rounds').pluck().get() as number,
    );
    expect((await tell(SEEN)).status).toBe(204);
    expect(stateOf(SEEN)).toEqual({ state: 'withheld', reason: 'not-revealed' });
  });
});
