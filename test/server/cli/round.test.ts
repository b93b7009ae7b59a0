import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CommandRefused, UsageError } from '../../../server/cli/io.ts';
import { employerRound, guardianRound } from '../../../server/cli/round.ts';
import { DAY_MS, dayOf } from '../../../server/domain/days.ts';
import { openEmployer } from '../../../server/employer/employer.ts';
import type { EmployerParts } from '../../../server/employer/parts.ts';
import { openGuardian } from '../../../server/guardian/guardian.ts';
import type { GuardianParts } from '../../../server/guardian/parts.ts';
import { Refusal } from '../../../server/http/refusal.ts';
import { refusal, testIo } from '../../support/cli.ts';
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

/** The commands over connections of their own, beside the running services of an evaluation. */
let parties: TwoParties;
let guardian: GuardianParts;
let employer: EmployerParts;
/** The guardian as a service that is no evaluation opens it. */
let real: GuardianParts;

const FIRST = dayOf('2027-03-01') as number;
const sheet = testSheet({
  cadence: 'monthly',
  schedule: { first_day: FIRST, round_days: 7 },
  end_day: dayOf('2027-12-31') as number,
});

beforeAll(async () => {
  parties = await startTwoParties();
  parties.clock.advance((FIRST - 30) * DAY_MS);
  parties.employer.importRoster(testPeople([30, 40]));
  guardian = await openGuardian(parties.config('guardian'));
  employer = await openEmployer(parties.config('employer'));
  real = await openGuardian({ ...parties.config('guardian'), evaluation: false });
});

afterAll(async () => {
  for (const parts of [guardian, employer, real]) parts.db.close();
  await parties.close();
});

async function atGuardian(args: string[], answer?: boolean, parts = guardian): Promise<string[]> {
  const io = testIo(answer);
  await guardianRound(args, async () => parts, io);
  return io.lines;
}

async function atEmployer(...args: string[]): Promise<string[]> {
  const io = testIo();
  await employerRound(args, async () => employer, io);
  return io.lines;
}

const stateOf = (number: number) => standing(parties, number)?.round.state;

test('before any: the list says where rounds come from, a plan what is missing', async () => {
  const words = ['No round yet. Rounds are planned once a survey is approved.'];
  expect(await atGuardian(['list'])).toEqual(words);
  expect(await atEmployer('list')).toEqual(words);
  expect((await refusal(() => atGuardian(['plan']))).message).toBe('no survey is approved');
});

describe('plan', () => {
  beforeAll(async () => {
    await approveTestSheet(parties, sheet);
  });

  test('takes the next days of the schedule', async () => {
    expect(await atGuardian(['plan'])).toEqual([
      'Round 1 is planned, with 2 groups.',
      'It is for 1 March 2027 to 7 March 2027.',
    ]);
    const list = [
      'Round  State    First day     Last day      Groups  Released  Withheld',
      '1      planned  1 March 2027  7 March 2027  2       0         0',
    ];
    expect(await atGuardian(['list'])).toEqual(list);
    expect(await atEmployer('list')).toEqual(list);
  });

  test('takes another first day, if the sheet allows a round on it', async () => {
    expect(await atGuardian(['plan', '--first', '2027-03-20'])).toContain(
      'It is for 20 March 2027 to 26 March 2027.',
    );
    const after = await refusal(() => atGuardian(['plan', '--first', '2027-12-30']));
    expect(after).toBeInstanceOf(Refusal);
    expect(after.message).toBe('the sheet allows no round on these days');
    for (const first of ['2027-02-30', 'monday', '20270320']) {
      const refused = await refusal(() => atGuardian(['plan', '--first', first]));
      expect(refused.message).toBe(`${first} is not a date like 2026-11-21`);
    }
    expect(parties.guardian.rounds()).toHaveLength(2);
  });

  test('while the employer is away is refused in words, and again it is planned', async () => {
    parties.wires.guardian.before = () => {
      throw new Error('cut');
    };
    const refused = await refusal(() => atGuardian(['plan']));
    expect(refused.message).toBe('the other party does not answer: cut');
    parties.wires.guardian.before = () => {};
    expect(await atGuardian(['plan'])).toContain('Round 3 is planned, with 2 groups.');
  });

  test('while token keys are made, says how many there are, and is done when all are', async () => {
    let made = 0;
    parties.wires.guardian.after = async (url, response) => {
      if (!url.endsWith('/token-keys') || made === 2) return response;
      const detail = `token keys are being made: ${made++} of 2`;
      const type = 'urn:chorus:error:notYet';
      return Response.json({ type, title: 'Not yet', detail }, { status: 409 });
    };
    const io = testIo();
    await guardianRound(['plan'], async () => guardian, io);
    parties.wires.guardian.after = async (_url, response) => response;
    expect(io.told).toEqual([
      'Planning round 4 …',
      'Planning round 4 … token keys are being made: 0 of 2',
      'Planning round 4 … token keys are being made: 1 of 2',
    ]);
    expect(io.lines).toContain('Round 4 is planned, with 2 groups.');
  });
});

describe('open', () => {
  test('is refused before the first day', async () => {
    const refused = await refusal(() => atGuardian(['open', '1']));
    expect(refused.message).toBe('round 1: its first day has not begun');
    expect(stateOf(1)).toBe('planned');
  });

  test('opens on the first day, and says how it stands', async () => {
    // Whoever is first, the schedule or the command: it opens once.
    parties.clock.advance(FIRST * DAY_MS);
    const lines = await atGuardian(['open', '1']).catch((error: Error) => [error.message]);
    expect(['Round 1 is open.', 'round 1 is open']).toContain(lines[0]);
    expect(stateOf(1)).toBe('open');
    expect(await atGuardian(['status', '1'])).toEqual([
      'Round 1: open, 1 March 2027 to 7 March 2027',
      'Groups: 2 boxed',
      '2027-01-30 00:00 UTC  Round 1 is planned, with 2 groups.',
      '2027-03-01 00:00 UTC  Round 1 is open.',
    ]);
    const again = await refusal(() => atGuardian(['open', '1']));
    expect(again.message).toBe('round 1 is open');
  });
});

describe('close', () => {
  test('asks first: without a yes, or anybody to say it, the round stays open', async () => {
    for (const answer of [false, undefined]) {
      const refused = await refusal(() => atGuardian(['close', '1'], answer));
      expect(refused).toBeInstanceOf(CommandRefused);
      expect(refused.message).toBe('left open');
    }
    expect(stateOf(1)).toBe('open');
  });

  test('closes at both; it is counted, and the list says how it ended', async () => {
    const round = await readTestRound(
      parties,
      standing(parties, 1)?.round.manifestHash as Buffer,
      sheet,
    );
    await answerAll(parties, round.tasks[0] as never, Array(9).fill([0, 1]));
    // Two people who both saw it open.
    const [first, second] = await Promise.allSettled([
      atGuardian(['close', '1'], true),
      atGuardian(['close', '1'], true),
    ]);
    expect(first).toHaveProperty('value', [
      'Nobody can answer in round 1 afterwards; its groups are then counted.',
      'Round 1 is closed. It is counted once the employer knows.',
    ]);
    expect(second).toHaveProperty('reason', new CommandRefused('round 1 is closed'));
    expect(stateOf(1)).toBe('closed');
    await finished(parties, 1);
    expect((await atGuardian(['list']))[1]).toMatch(/^1 +closed .* 2 +1 +1$/);
    await until(async () => / 2 +1 +1$/.test((await atEmployer('list'))[1] as string));
    const lines = await atEmployer('status', '1');
    expect(lines[1]).toBe('Groups: 1 confirmed, 1 withheld');
    expect(lines.at(-1)).toContain('Round 1 is finished: 1 group released, 1 withheld.');
    expect((await refusal(() => atGuardian(['close', '1'], true))).message).toBe(
      'round 1 is closed',
    );
  });
});

test.each(['0', '9', '1.0', 'x', ' 1', '-1'])('there is no round %j', async (number) => {
  expect((await refusal(() => atGuardian(['status', number]))).message).toContain('no round');
  expect((await refusal(() => atEmployer('status', number))).message).toContain('no round');
});

test('what is no command says how it goes', async () => {
  for (const args of [[], ['list', 'x'], ['status'], ['status', '1', '2'], ['delete', '1']]) {
    expect(await refusal(() => atGuardian(args)), args.join()).toBeInstanceOf(UsageError);
  }
  for (const args of [
    ['plan', '--first'],
    ['plan', 'x'],
    ['plan', '--first', '2027-01-01', 'x'],
  ]) {
    expect(await refusal(() => atGuardian(args)), args.join()).toBeInstanceOf(UsageError);
  }
  for (const args of [[], ['plan'], ['open', '1'], ['close', '1'], ['list', 'x'], ['status']]) {
    expect(await refusal(() => atEmployer(...args)), args.join()).toBeInstanceOf(UsageError);
  }
});
