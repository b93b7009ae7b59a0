import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toHex } from '../../../crypto/bytes.ts';
import { sha256 } from '../../../crypto/sha256.ts';
import type { Database } from '../../../server/storage/database.ts';
import {
  type Cheat,
  cheatingReport,
  flipped,
  HELPER_RUBBISH,
} from '../../support/cheating-reports.ts';
import {
  answerAll,
  closeTestRound,
  finished,
  openTestRound,
  openWire,
  startTwoParties,
  type TestRound,
  type TwoParties,
  until,
  upload,
} from '../../support/parties.ts';
import { contextOf } from '../../support/played-party.ts';
import type { TestTask } from '../../support/test-tokens.ts';

/** How many reports the employer may refuse: max(3, 5 % of those that the guardian sent). */

const LEADER_RUBBISH: Cheat = {
  plaintext: { leader: (plaintext) => flipped(plaintext, 8 * (plaintext.length - 1)) },
};

interface Story {
  readonly name: string;
  readonly honest: number;
  /** Reports that only the employer can find false. */
  readonly forEmployer: number;
  /** Reports that the guardian finds false by itself. */
  readonly forGuardian: number;
  readonly ends: 'confirmed' | 'refusals' | 'lot-too-small';
}

const STORIES: readonly Story[] = [
  { name: 'three of 11', honest: 8, forEmployer: 3, forGuardian: 0, ends: 'confirmed' },
  { name: 'four of 12', honest: 8, forEmployer: 4, forGuardian: 0, ends: 'refusals' },
  { name: 'four of 80', honest: 76, forEmployer: 4, forGuardian: 0, ends: 'confirmed' },
  { name: 'five of 81', honest: 76, forEmployer: 5, forGuardian: 0, ends: 'refusals' },
  {
    name: 'none, while the guardian itself refuses six',
    honest: 8,
    forEmployer: 0,
    forGuardian: 6,
    ends: 'confirmed',
  },
  {
    name: 'three, beside six by the guardian',
    honest: 8,
    forEmployer: 3,
    forGuardian: 6,
    ends: 'confirmed',
  },
  {
    name: 'one, which leaves fewer than k',
    honest: 7,
    forEmployer: 1,
    forGuardian: 0,
    ends: 'lot-too-small',
  },
  {
    name: 'none, but the guardian one, which leaves fewer than k',
    honest: 7,
    forEmployer: 0,
    forGuardian: 1,
    ends: 'lot-too-small',
  },
];

let parties: TwoParties;
let round: TestRound;
let guardian: Database;
let employer: Database;

beforeAll(async () => {
  parties = await startTwoParties();
  guardian = parties.database('guardian');
  employer = parties.database('employer');
  round = await openTestRound(
    parties,
    STORIES.map(() => 100),
  );
  for (const [i, { honest, forEmployer, forGuardian }] of STORIES.entries()) {
    const task = round.tasks[i] as TestTask;
    await answerAll(parties, task, Array(honest).fill([0, 1]));
    for (const cheat of [
      ...Array<Cheat>(forEmployer).fill(HELPER_RUBBISH),
      ...Array<Cheat>(forGuardian).fill(LEADER_RUBBISH),
    ]) {
      expect(await upload(parties, task, cheatingReport(task, cheat).report)).toBe(undefined);
    }
  }
  closeTestRound(parties, round);
  await finished(parties);
});

afterAll(async () => {
  guardian.close();
  employer.close();
  await parties.close();
});

test.each(STORIES)('the employer refuses $name: $ends', ({ name, honest, ends }) => {
  const group = STORIES.findIndex((story) => story.name === name);
  const { taskId } = contextOf(round, group);
  for (const db of [guardian, employer]) {
    const task = db
      .prepare<[Uint8Array], { state: string; reason: string | null }>(
        'SELECT state, withheld_reason AS reason FROM tasks WHERE task_id = ?',
      )
      .get(taskId);
    const published = db
      .prepare<[Uint8Array], Buffer>('SELECT published FROM results WHERE task_id = ?')
      .pluck()
      .get(taskId);
    if (ends === 'confirmed') {
      expect(task).toEqual({ state: 'confirmed', reason: null });
      expect(JSON.parse(String(published))).toMatchObject({ count: honest });
    } else {
      expect(task).toEqual({ state: 'withheld', reason: ends });
      expect(published).toBe(undefined);
    }
  }
  const words = {
    refusals: ['the employer refused more answers than it may'],
    'lot-too-small': ['too few valid answers in a part of the count'],
    confirmed: [],
  };
  const sentences = guardian
    .prepare<[number], string>(
      `SELECT sentence FROM events WHERE kind = 'withheld' AND group_index = ?`,
    )
    .pluck()
    .all(group);
  expect(sentences).toEqual(words[ends].map((reason) => `Group ${group} is withheld: ${reason}.`));
});

describe('two lots are under way at a time', () => {
  /** Two lots of 200 (25·k), and one of another group. */
  const SIZES = [400, 8];

  test.each([
    { number: 2, first: 'is answered', again: false },
    { number: 3, first: 'was counted, but its answer is lost', again: true },
  ])(
    'the second leaves before the first $first',
    async ({ number, again }) => {
      const next = await openTestRound(parties, [500, 100], {}, number);
      for (const [group, people] of SIZES.entries()) {
        await answerAll(parties, next.tasks[group] as TestTask, Array(people).fill([0, 1]));
      }
      const jobs: string[] = [];
      let answers = 0;
      parties.wires.guardian.before = (url, init) => {
        if (url.endsWith('/aggregation_jobs')) jobs.push(toHex(sha256(init?.body as Uint8Array)));
      };
      parties.wires.guardian.after = async (url, response) => {
        if (!url.endsWith('/aggregation_jobs') || answers++ > 0) return response;
        await until(() => jobs.length === 2);
        if (again) throw new Error('cut');
        return response;
      };
      closeTestRound(parties, next);
      await finished(parties, number);
      parties.wires.guardian.before = openWire().before;
      parties.wires.guardian.after = openWire().after;

      expect(jobs.length > 3).toBe(again);
      expect(new Set(jobs).size, 'a lot is the same bytes each time').toBe(3);
      for (const db of [guardian, employer]) {
        const counts = next.tasks.map(({ taskId }) =>
          JSON.parse(
            String(
              db
                .prepare<[Uint8Array], Buffer>('SELECT published FROM results WHERE task_id = ?')
                .pluck()
                .get(taskId),
            ),
          ),
        );
        expect(counts).toMatchObject(SIZES.map((count) => ({ count })));
      }
    },
    60_000,
  );
});
