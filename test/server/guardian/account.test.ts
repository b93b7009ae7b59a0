import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canonicalJson, parseCanonicalJson } from '../../../crypto/canonical.ts';
import { manifestHash } from '../../../crypto/manifest.ts';
import type { Sheet } from '../../../crypto/sheet.ts';
import { settleAccount } from '../../../server/aggregator/account.ts';
import { DAY_MS } from '../../../server/domain/days.ts';
import { dayWords } from '../../../server/domain/shown.ts';
import { openGuardian } from '../../../server/guardian/guardian.ts';
import type { GuardianParts } from '../../../server/guardian/parts.ts';
import { openRound } from '../../../server/guardian/rounds.ts';
import { whatIsNext } from '../../../server/guardian/schedule.ts';
import { Refusal } from '../../../server/http/refusal.ts';
import { PeerRefusal } from '../../../server/peer/client.ts';
import { AccountStore } from '../../../server/storage/account.ts';
import type { Round } from '../../../server/storage/rounds.ts';
import {
  answerAll,
  approveTestSheet,
  closeTestRound,
  finished,
  openTestRound,
  standing,
  startTwoParties,
  TEST_NOISE,
  type TwoParties,
  testPeople,
  testSheet,
  until,
} from '../../support/parties.ts';
import type { TestTask } from '../../support/test-tokens.ts';

/** A round of it costs 1/4 of a cap of 1. */
const STRONG: Sheet = testSheet({ title: 'Strong', noise: TEST_NOISE.both });
const START = 20_000;

let parties: TwoParties;
let sheetHash: Uint8Array;
/** A second connection, as a second process has one. */
let guardian: GuardianParts;

beforeAll(async () => {
  parties = await startTwoParties();
  parties.clock.advance((START - 1) * DAY_MS);
  parties.employer.importRoster(testPeople([50]));
  sheetHash = await approveTestSheet(parties, STRONG);
  guardian = await openGuardian(parties.config('guardian'));
});

afterAll(async () => {
  guardian.db.close();
  await parties.close();
});

const taken = (party: 'guardian' | 'employer') => {
  const db = parties.database(party);
  try {
    return new AccountStore(db).entries().map(({ round }) => round);
  } finally {
    db.close();
  }
};

const plan = (number: number, start: number) =>
  parties.guardian.plan({ number, sheetHash, days: { start, duration: 7 } });

test('a round takes its cost when it is signed at the employer, opened at the guardian', async () => {
  await plan(1, START);
  expect([taken('employer'), taken('guardian')]).toEqual([[1], []]);
  parties.clock.advance(START * DAY_MS);
  await until(() => standing(parties, 1)?.round.state === 'open');
  expect(taken('guardian')).toEqual([1]);
});

describe('of a hundred openings at once, with room for one', () => {
  let clones: Round[];

  beforeAll(async () => {
    for (const number of [2, 3]) await plan(number, START + number - 1);
    parties.clock.advance((START + 2) * DAY_MS);
    await until(() => standing(parties, 3)?.round.state === 'open');
    await parties.stop('guardian');
    // Rounds as they would be planned if nothing had looked at the account: all but their number
    // and hash are those of the third.
    const signed = guardian.rounds.withNumber(3) as Round;
    clones = Array.from({ length: 100 }, (_, i) => {
      const number = 1000 + i;
      const head = canonicalJson({ ...(parseCanonicalJson(signed.head) as object), round: number });
      const hash = manifestHash(head);
      guardian.rounds.insert({
        ...signed,
        guardianSignature: signed.guardianSignature as Buffer,
        ...{ manifestHash: hash, number, head },
      });
      return guardian.rounds.withHash(hash) as Round;
    });
  });

  test('exactly one passes', async () => {
    const connections = [guardian];
    for (let i = 0; i < 3; i++) connections.push(await openGuardian(parties.config('guardian')));
    const ends = await Promise.allSettled(
      clones.map(async (round, i) => {
        await new Promise((resolve) => setTimeout(resolve, (i * 7919) % 50));
        openRound(connections[i % 4] as GuardianParts, round);
      }),
    );
    for (const { db } of connections.slice(1)) db.close();
    const refused = ends.filter((end) => end.status === 'rejected').map((end) => end.reason);
    expect(refused).toHaveLength(99);
    for (const reason of refused) {
      expect(reason).toBeInstanceOf(Refusal);
      expect(reason.message).toContain(
        `twelve months would be 1.25 of 1; there is room from ${dayWords(START + 364)} on`,
      );
    }
    expect(guardian.rounds.inState('open')).toHaveLength(4);
    expect(taken('guardian')).toHaveLength(4);
  });

  afterAll(async () => {
    guardian.db.exec(`DELETE FROM account WHERE round >= 1000`);
    guardian.db.exec(`DELETE FROM rounds WHERE number >= 1000`);
    await parties.start('guardian');
  });
});

test('no round is planned that would not open, and the page says until when', async () => {
  await plan(4, START + 3);
  const refused = await plan(5, START + 60).catch((error) => error);
  expect(refused).toBeInstanceOf(Refusal);
  expect(refused.code).toBe('accountExceeded');
  expect(standing(parties, 5)).toBe(undefined);
  const schedule = { first_day: START + 90, round_days: 7 };
  await approveTestSheet(
    parties,
    testSheet({ title: 'Another', schedule, noise: TEST_NOISE.both }),
  );
  parties.clock.advance((START + 89) * DAY_MS);
  expect(whatIsNext(guardian)).toContainEqual(
    expect.stringMatching(
      /^The next round of “Another”, from .* on, is not planned: with it the acc/,
    ),
  );
});

test('an employer signs nothing that has no room, even if the guardian forgot its account', async () => {
  guardian.db.exec('DELETE FROM account');
  const refused = await plan(5, START + 100).catch((error) => error);
  expect(refused).toBeInstanceOf(PeerRefusal);
  expect(refused.code).toBe('accountExceeded');
  expect([standing(parties, 5), standing(parties, 5, 'employer')]).toEqual([undefined, undefined]);
});

test('what ends without noise is given back by both; what was noised is not', async () => {
  const other = await startTwoParties();
  try {
    const round = await openTestRound(other, [50, 50], { noise: TEST_NOISE.both });
    await answerAll(other, round.tasks[0] as TestTask, Array(8).fill([0, 1]));
    closeTestRound(other, round);
    await finished(other, 1);
    const silent = await openTestRound(other, [50], { noise: TEST_NOISE.both, title: 'B' }, 2);
    closeTestRound(other, silent);
    await finished(other, 2);
    for (const party of ['guardian', 'employer'] as const) {
      const db = other.database(party);
      const rounds = () => new AccountStore(db).entries().map(({ round: number }) => number);
      await until(() => !rounds().includes(2));
      expect(rounds()).toEqual([1]);
      db.close();
    }
    // Two windows later it is forgotten.
    const parts = await openGuardian(other.config('guardian'));
    other.clock.advance(other.clock.now() + 729 * DAY_MS);
    await settleAccount(parts);
    expect(parts.account.entries()).toEqual([]);
    parts.db.close();
  } finally {
    await other.close();
  }
});
