import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DAY_MS } from '../../../server/domain/days.ts';
import { openGuardian } from '../../../server/guardian/guardian.ts';
import type { GuardianParts } from '../../../server/guardian/parts.ts';
import { closeRoundEarly } from '../../../server/guardian/rounds.ts';
import { withdraw } from '../../../server/guardian/withdraw.ts';
import { Refusal } from '../../../server/http/refusal.ts';
import type { Task } from '../../../server/storage/tasks.ts';
import {
  answerAll,
  finished,
  openTestRound,
  sealed,
  standing,
  startTwoParties,
  type TestRound,
  type TwoParties,
  until,
  upload,
} from '../../support/parties.ts';
import { staffCookie } from '../../support/staff.ts';
import type { TestTask } from '../../support/test-tokens.ts';

/*
 * A round that is closed ahead of time is closed at the guardian in one transaction. The employer
 * hears of it as soon as it can, of the same moment, and nothing is counted before.
 */

let parties: TwoParties;
let round: TestRound;
let task: TestTask;
/** A connection of its own to the guardian's database, as a command has one. */
let command: GuardianParts;

beforeEach(async () => {
  parties = await startTwoParties();
  round = await openTestRound(parties, [30]);
  task = round.tasks[0] as TestTask;
  await answerAll(parties, task, Array(9).fill([0, 1]));
  await until(() => standing(parties, 1, 'employer')?.round.state === 'open');
  parties.clock.advance(parties.clock.now() + DAY_MS);
  command = await openGuardian(parties.config('guardian'));
});

afterEach(async () => {
  command.db.close();
  await parties.close();
});

const at = (party: 'guardian' | 'employer') => standing(parties, 1, party)?.round;
const isToldOf = (url: string) => url.endsWith('/peer/rounds/1/close');
const sentences = () => command.events.ofRound(1).map(({ sentence }) => sentence);
const CLOSED = 'Round 1 is closed before its last day; it is counted once the employer knows.';
const HEARD = 'The employer knows now that round 1 is closed.';
const storedRound = () => command.rounds.withNumber(1) as NonNullable<ReturnType<typeof at>>;

/** The evaluation's button. */
function press(): Promise<Response> {
  const { guardian } = parties.urls;
  return fetch(`${guardian}/evaluation/close-round`, {
    method: 'POST',
    redirect: 'manual',
    headers: {
      origin: guardian,
      'sec-fetch-site': 'same-origin',
      cookie: staffCookie(parties, 'guardian', 'guardian'),
    },
  });
}

/** Cuts the guardian's wire for this call, before it arrives or after it is answered. */
function cut(when: 'before' | 'after'): void {
  const fail = (url: string) => {
    if (isToldOf(url)) throw new Error('cut');
  };
  if (when === 'before') parties.wires.guardian.before = fail;
  else {
    parties.wires.guardian.after = (url, response) => {
      fail(url);
      return response;
    };
  }
}

function heal(): void {
  parties.wires.guardian.before = () => {};
  parties.wires.guardian.after = (_url, response) => response;
}

/** Both agree on when it closed and by when it is released, and every answer is counted. */
async function countsToTheEnd(closedMs: number): Promise<void> {
  await finished(parties);
  const times = { state: 'closed', closesMs: closedMs, deadlineMs: closedMs + 7 * DAY_MS };
  expect(at('guardian')).toMatchObject(times);
  expect(at('employer')).toMatchObject(times);
  expect(standing(parties, 1)?.groups.confirmed).toBe(1);
  const said = sentences();
  for (const sentence of [CLOSED, HEARD]) {
    expect(said.filter((one) => one === sentence)).toHaveLength(1);
  }
}

describe('while the employer is away', () => {
  test('nobody can answer or withdraw any more, and nothing is counted', async () => {
    const kept = sealed(task, [1, 1]);
    expect(await upload(parties, task, kept.report)).toBeUndefined();
    cut('before');
    const now = parties.clock.now();
    expect((await press()).status).toBe(303);
    expect(at('guardian')).toMatchObject({ state: 'closed', closesMs: now });
    expect(at('employer')?.state).toBe('open');
    expect(await upload(parties, task, sealed(task, [0, 0]).report)).toBe('task_expired');
    const stored = command.tasks.withId(task.taskId) as Task;
    expect(() => withdraw(command, stored, kept.reportId, new Uint8Array(64))).toThrow(
      new Refusal('tooLate'),
    );
    const manifest = await fetch(
      `${parties.urls.guardian}/manifests/${Buffer.from(round.hash).toString('base64url')}`,
    );
    expect(await manifest.json()).toMatchObject({ state: 'closed' });
    expect(sentences()).toContain(CLOSED);
    await until(async () => {
      const status = await fetch(`${parties.urls.guardian}/status.json`);
      return ((await status.json()) as { waitingFor: unknown }).waitingFor === 'employer';
    });
    expect(standing(parties, 1)?.groups.boxed).toBe(1);
    heal();
    await countsToTheEnd(now);
  });

  test('until the planned end, it closes by itself and hears of the earlier moment later', async () => {
    cut('before');
    const now = parties.clock.now();
    await press();
    parties.clock.advance(now + 6 * DAY_MS);
    parties.employer.nudge();
    await until(() => at('employer')?.state === 'closed');
    heal();
    await countsToTheEnd(now);
  });

  test('until the deadline, the group is withheld by both, and the round ends', async () => {
    cut('before');
    const now = parties.clock.now();
    await press();
    parties.clock.advance(now + 7 * DAY_MS);
    parties.guardian.nudge();
    await until(() => standing(parties, 1)?.groups.withheld === 1);
    expect(at('guardian')?.listEmployerSignature).toBeNull();
    heal();
    await finished(parties);
    expect(standing(parties, 1, 'employer')?.groups.withheld).toBe(1);
    await until(() => at('employer')?.closesMs === now);
  });
});

test('the employer hears, its answer is lost, and the guardian starts again: told again', async () => {
  cut('after');
  const now = parties.clock.now();
  await press();
  await until(() => at('employer')?.state === 'closed');
  await parties.stop('guardian');
  parties.clock.advance(now + DAY_MS);
  expect(storedRound()).toMatchObject({ state: 'closed', closesMs: now, closeHeard: 0 });
  const before = at('employer');
  heal();
  await parties.start('guardian');
  await countsToTheEnd(now);
  expect({ ...at('employer'), ...listOf(before) }).toEqual(before);
});

/** What the end of the count adds is no matter of the close. */
function listOf(of: ReturnType<typeof at>) {
  const { listRoot, listGuardianSignature, listEmployerSignature } = of as NonNullable<typeof of>;
  return { listRoot, listGuardianSignature, listEmployerSignature };
}

test('the guardian is stopped before it has told anybody: it tells when it starts', async () => {
  await parties.stop('guardian');
  const now = parties.clock.now();
  closeRoundEarly(command, storedRound());
  expect(at('employer')?.state).toBe('open');
  await parties.start('guardian');
  await countsToTheEnd(now);
});

test('twice, by the page and by a command that both saw it open: one moment, said once', async () => {
  const seenOpen = storedRound();
  const now = parties.clock.now();
  const pressed = press();
  closeRoundEarly(command, seenOpen);
  expect([303, 409]).toContain((await pressed).status);
  parties.clock.advance(now + 1000);
  closeRoundEarly(command, seenOpen);
  expect((await press()).status).toBe(409);
  await countsToTheEnd(now);
});

test('after its last day it closes as planned, whoever closes it by hand', async () => {
  await parties.stop('guardian');
  const planned = storedRound();
  parties.clock.advance(planned.closesMs + 1000);
  closeRoundEarly(command, planned);
  const { closesMs, deadlineMs } = planned;
  expect(storedRound()).toMatchObject({ state: 'closed', closesMs, deadlineMs, closeHeard: 1 });
  expect(sentences()).not.toContain(CLOSED);
  await parties.start('guardian');
  await finished(parties);
  expect(at('employer')).toMatchObject({ closesMs, deadlineMs });
});

test('an employer that refuses: the page says so, and nothing is lost until it does not', async () => {
  parties.wires.guardian.after = async (url, response) => {
    if (!isToldOf(url)) return response;
    const problem = { type: 'urn:chorus:error:notFound', detail: 'there is no round 1 here' };
    return Response.json(problem, { status: 404 });
  };
  const now = parties.clock.now();
  await press();
  const said = 'Could not tell the employer that a round is closed: there is no round 1 here.';
  await until(async () => {
    const page = await fetch(parties.urls.guardian, { headers: { accept: 'text/html' } });
    return (await page.text()).includes(said);
  });
  expect(standing(parties, 1)?.groups.boxed).toBe(1);
  heal();
  await countsToTheEnd(now);
});
