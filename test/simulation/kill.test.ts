import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fromBase64url, toHex } from '../../crypto/bytes.ts';
import { sha256 } from '../../crypto/sha256.ts';
import { verifySignature } from '../../crypto/signing.ts';
import { sodiumReady } from '../../crypto/sodium.ts';
import { DAY_MS } from '../../server/domain/days.ts';
import { decodePublished } from '../../server/domain/published.ts';
import { oneHot } from '../support/cheating-reports.ts';
import {
  readTestRound,
  sealed,
  TEST_NOISE,
  type TestRound,
  type TwoParties,
  testPeople,
  testSheet,
  until,
  upload,
} from '../support/parties.ts';
import { type Death, type Processes, type Request, startProcesses } from '../support/processes.ts';
import { PARTIES, resultsOf, roundKeysIn, signedList, statesOf } from '../support/rounds.ts';
import { staffCookie } from '../support/staff.ts';
import { learnTokenKeys, type TestTask } from '../support/test-tokens.ts';

/*
 * Two processes, and kill -9 of either at every kind of request: before it arrives, while it is
 * worked on, and after it is answered but before the answer is heard. Every death is followed by a
 * start. At the end every acknowledged report is listed as counted, counts are exact, totals are the
 * answers and noise that is no larger than noise can be, both parties hold the same bytes with both
 * signatures, and the round's keys are gone.
 */

const K = 8;
/** Ten standard deviations of two draws. */
const NOISE_BOUND = 32;
/** Ten seconds a round are usual; on a busy machine every start of a process takes its time. */
const LIMIT_MS = 180_000;

const caller = (when: Death['when']): Death => ({ who: 'caller', when });
const callee = (when: Death['when']): Death => ({ who: 'callee', when });

/** Milliseconds in which a request is somewhere between its arrival and its answer. */
const soon = () => Math.floor(Math.random() * 12);

const DEATHS: Readonly<Record<'first' | 'second', Readonly<Partial<Record<Request, Death[]>>>>> = {
  first: {
    keys: [callee('reply')],
    'token keys': [caller('reply')],
    manifest: [caller('reply')],
    upload: [callee(1), callee('reply'), callee(soon())],
    lot: [callee(soon()), caller('reply')],
    seal: [callee('reply')],
    share: [caller(1)],
    collect: [callee(soon())],
    reveal: [callee('reply'), caller(soon())],
    list: [callee(1)],
  },
  second: {
    'token keys': [callee(soon())],
    manifest: [callee(1)],
    close: [caller('reply'), callee('reply')],
    withheld: [caller('reply')],
    lot: [caller(soon()), callee('reply')],
    seal: [caller(1), callee(1)],
    share: [callee('reply')],
    collect: [caller('reply'), callee('reply')],
    reveal: [callee(1), caller('reply')],
    list: [caller('reply'), callee('reply')],
  },
};

let processes: Processes;

beforeAll(async () => {
  await sodiumReady();
  processes = await startProcesses();
});

afterAll(() => processes.close());

/** Every answer is sent until it is acknowledged. @returns the answers by report id */
async function answerAll(task: TestTask, people: number): Promise<Map<string, number[]>> {
  const parties = { urls: processes.urls } as TwoParties;
  const answers = new Map<string, number[]>();
  for (let i = 0; i < people; i++) {
    const answer = [i % 4, (i * 3 + 1) % 4];
    const { report, reportId } = sealed(task, answer);
    await until(async () => {
      const error = await upload(parties, task, report).catch(() => 'not answered');
      if (error === 'not answered') await processes.alive();
      else expect(error).toBeUndefined();
      return error === undefined;
    }, LIMIT_MS);
    answers.set(toHex(reportId), answer);
  }
  return answers;
}

function look<T>(party: (typeof PARTIES)[number], work: (db: Sqlite.Database) => T): T {
  const db = new Sqlite(join(processes.folder, party, `${party}.sqlite`));
  try {
    return work(db);
  } finally {
    db.close();
  }
}

async function isFinished(number: number): Promise<boolean> {
  const finished = await Promise.all(
    PARTIES.map(async (party) => {
      const rounds = await processes.ask(party, { kind: 'rounds' });
      return (rounds as { number: number; finished: boolean }[]).some(
        (round) => round.number === number && round.finished,
      );
    }),
  );
  return finished.every(Boolean);
}

test.each([
  { number: 1, by: 'guardian', deaths: DEATHS.first, people: [40, 12], early: false },
  { number: 2, by: 'both', deaths: DEATHS.second, people: [12, 10, 5], early: true },
] as const)(
  'round $number, noise by $by',
  async ({ number, by, deaths, people, early }) => {
    const planned = Object.values(deaths).flat().length;
    const before = processes.died();
    for (const [request, list] of Object.entries(deaths)) {
      processes.deaths.set(request as Request, [...list]);
    }
    // No two of them within the twelve months of the account.
    const start = 20_000 + 400 * number;
    await processes.advance((start - 1) * DAY_MS);
    const sheet = testSheet({ noise: TEST_NOISE[by] });
    const roster = testPeople(people.map(() => 60));
    await processes.ask('employer', { kind: 'roster', people: roster });
    const sheetHash = (await processes.ask('employer', { kind: 'submit', sheet })) as string;
    await until(
      async () => (await processes.ask('guardian', { kind: 'approve', sheetHash })) === true,
    );
    const days = { start, duration: 7 };
    const hash = (await processes.ask('guardian', {
      kind: 'plan',
      number,
      sheetHash,
      days,
    })) as string;
    await processes.alive();
    const round = await readTestRound(
      { urls: processes.urls } as TwoParties,
      fromBase64url(hash),
      sheet,
    );
    learnTokenKeys(join(processes.folder, 'employer'));
    await processes.advance(start * DAY_MS);
    await until(async () => (await stateAtGuardian(number)) === 'open', LIMIT_MS);
    const sent = [];
    for (const [group, count] of people.entries()) {
      sent.push(await answerAll(round.tasks[group] as TestTask, count));
    }
    if (early) await closeEarly(number);
    else await processes.advance((start + 7) * DAY_MS);
    await until(() => isFinished(number), LIMIT_MS);
    await processes.alive();
    await until(() => PARTIES.every((party) => roundKeysIn(processes.folder, party).length === 0));
    // All but those that found nobody alive to kill.
    expect(processes.died() - before).toBeGreaterThanOrEqual(planned - 3);
    processes.deaths.clear();
    await checkRound(round, sent);
  },
  LIMIT_MS,
);

async function stateAtGuardian(number: number): Promise<string | undefined> {
  const rounds = await processes.ask('guardian', { kind: 'rounds' });
  return (rounds as { number: number; state: string }[]).find((round) => round.number === number)
    ?.state;
}

/** Somebody presses the button until the round is closed. */
async function closeEarly(number: number): Promise<void> {
  const { guardian } = processes.urls;
  const database = (party: string) => new Sqlite(join(processes.folder, party, `${party}.sqlite`));
  const cookie = staffCookie({ database } as TwoParties, 'guardian', 'guardian');
  const headers = { origin: guardian, 'sec-fetch-site': 'same-origin', cookie };
  await until(async () => {
    await fetch(`${guardian}/evaluation/close-round`, {
      method: 'POST',
      redirect: 'manual',
      headers,
    }).catch(() => {});
    return (await stateAtGuardian(number)) === 'closed';
  }, LIMIT_MS);
}

async function checkRound(
  round: TestRound,
  sent: readonly ReadonlyMap<string, number[]>[],
): Promise<void> {
  const list = await signedList(processes.urls.guardian, round);
  const states = sent.map(({ size }) => (size < K ? 'withheld' : 'confirmed'));
  for (const party of PARTIES) expect(look(party, (db) => statesOf(db, round))).toEqual(states);
  const counted = sent.filter(({ size }) => size >= K);
  expect(list.size).toBe(counted.reduce((sum, { size }) => sum + size, 0));
  for (const answers of counted) {
    for (const id of answers.keys()) expect(list.get(id)).toMatchObject({ outcome: 'counted' });
  }
  const results = PARTIES.map((party) => look(party, resultsOf));
  expect(results[0]).toEqual(results[1]);
  sent.forEach((answers, group) => {
    const taskId = round.tasks[group]?.taskId as Uint8Array;
    const row = results[0]?.find((result) => result.taskId.equals(taskId));
    if (answers.size < K) {
      expect(row).toBeUndefined();
      return;
    }
    if (row === undefined) throw new Error(`group ${group} has no result`);
    for (const party of PARTIES) {
      const key = fromBase64url(round.head[party].signing_key);
      const signature = party === 'guardian' ? row.guardianSignature : row.employerSignature;
      verifySignature(key, signature as Buffer, 'chorus release v1', sha256(row.published));
    }
    const { count, totals } = decodePublished(row.published);
    expect(count).toBe(answers.size);
    totals.forEach((total, i) => {
      const truth = [...answers.values()].filter((answer) => oneHot(answer)[i] === 1n).length;
      expect(Math.abs(total - truth)).toBeLessThan(NOISE_BOUND);
    });
  });
}
