import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { fromBase64url, toBase64url, toHex } from '../../crypto/bytes.ts';
import { aggregateShareAad, aggregateShareInfo } from '../../crypto/dap/aad.ts';
import {
  decodeAggregationJobResp,
  encodeAggregationJobResp,
  type VerifyResp,
} from '../../crypto/dap/aggregation.ts';
import {
  decodeCollectionJobResp,
  encodeCollectionJobReq,
  encodeCollectionJobResp,
  timeIntervalQuery,
} from '../../crypto/dap/collection.ts';
import { HPKE_ENCAPSULATION_SEED_SIZE, hpkeSeal } from '../../crypto/hpke.ts';
import { decodeIdSlice, encodeIdList, idListRoot } from '../../crypto/id-list.ts';
import { Secret } from '../../crypto/secret.ts';
import { sha256 } from '../../crypto/sha256.ts';
import { sign } from '../../crypto/signing.ts';
import { DAY_MS } from '../../server/domain/days.ts';
import { systemRandomness } from '../../server/party.ts';
import { KeyFiles } from '../../server/storage/key-files.ts';
import {
  answerAll,
  approveTestSheet,
  closeTestRound,
  finished,
  openTestRound,
  openWire,
  sealed,
  standing,
  startTwoParties,
  type TestRound,
  type TwoParties,
  testSheet,
  until,
  upload,
} from '../support/parties.ts';
import {
  type Call,
  callOf,
  otherParty,
  PARTIES,
  type PartyName,
  resultsOf,
  statesOf,
} from '../support/rounds.ts';
import { staffCookie } from '../support/staff.ts';
import type { TestTask } from '../support/test-tokens.ts';

/*
 * The other party is away, or lies. Whoever is away is said to be waited for, and the work goes on by
 * itself when it answers; at the deadline each party alone withholds what is not noised. A lie is
 * never believed: the group waits until it is told the truth, or is withheld; and what is falsified
 * after it was committed to is never confirmed.
 */

let parties: TwoParties;
let number = 0;
/** Whether this test leaves parties that can go no further. */
let stuck = false;

beforeAll(async () => {
  parties = await startTwoParties();
});

afterEach(async () => {
  heal();
  if (!stuck) return;
  await parties.close();
  parties = await startTwoParties();
  number = 0;
  stuck = false;
});

afterAll(() => parties.close());

const ANSWERS = Array.from({ length: 9 }, (_, i) => [i % 4, (i + 1) % 4]);

/** A round in which nine people of each group have answered. */
async function answered(groups = 2): Promise<TestRound> {
  const sizes = Array.from({ length: groups }, () => 30);
  const round = await openTestRound(parties, sizes, {}, ++number);
  for (const task of round.tasks) await answerAll(parties, task, ANSWERS);
  return round;
}

/** The first group's trends, as an auditor sees them. */
async function trendPage(party: PartyName): Promise<string> {
  const cookie = staffCookie(parties, party, 'auditor');
  const url = `${parties.urls[party]}/trends/groups/0`;
  return (await fetch(url, { headers: { cookie } })).text();
}

/** Who is waited for, by a party's page; undefined if it does not answer. */
async function waitingFor(party: PartyName): Promise<PartyName | null | undefined> {
  // The employer's page is for its staff.
  const headers = party === 'employer' ? { cookie: staffCookie(parties, party, 'admin') } : {};
  // After a restart, a connection kept from before breaks once.
  const response = await fetch(`${parties.urls[party]}/status.json`, { headers }).catch(
    () => undefined,
  );
  if (response === undefined) return undefined;
  return ((await response.json()) as { waitingFor: PartyName | null }).waitingFor;
}

function look<T>(party: PartyName, work: (db: ReturnType<TwoParties['database']>) => T): T {
  const db = parties.database(party);
  try {
    return work(db);
  } finally {
    db.close();
  }
}

const states = (party: PartyName, round: TestRound) => look(party, (db) => statesOf(db, round));

/** Every call of this kind by this party is lost before it arrives, until healed. */
function cut(from: PartyName, call: Call): void {
  parties.wires[from].before = (url) => {
    if (callOf(url) === call) throw new Error('cut');
  };
}

function heal(): void {
  for (const party of PARTIES) Object.assign(parties.wires[party], openWire());
}

function passDeadline(round: TestRound): void {
  const { start, duration } = round.head.days;
  parties.clock.advance((start + duration + 7) * DAY_MS);
}

const resultsAt = (party: PartyName, round: TestRound) =>
  look(party, resultsOf).filter((row) =>
    round.tasks.some(({ taskId }) => row.taskId.equals(taskId)),
  );

/** Every group is withheld at both parties, and the round is finished. */
async function expectWithheld(round: TestRound): Promise<void> {
  await finished(parties, round.head.round);
  for (const party of PARTIES) {
    expect(new Set(states(party, round))).toEqual(new Set(['withheld']));
    expect(resultsAt(party, round)).toEqual([]);
  }
}

async function expectConfirmed(round: TestRound): Promise<void> {
  await finished(parties, round.head.round);
  for (const party of PARTIES) {
    expect(states(party, round)).toEqual(['confirmed', 'confirmed']);
  }
  expect(resultsAt('guardian', round)).toEqual(resultsAt('employer', round));
  await until(async () => (await waitingFor('guardian')) === null);
  await until(async () => (await waitingFor('employer')) === null);
}

describe('away', () => {
  test('the guardian at an upload: the same report is taken when it is back', async () => {
    const round = await openTestRound(parties, [30], {}, ++number);
    const task = round.tasks[0] as TestTask;
    const { report } = sealed(task, [0, 1]);
    await parties.stop('guardian');
    await expect(upload(parties, task, report)).rejects.toThrow();
    await parties.start('guardian');
    expect(await upload(parties, task, report)).toBeUndefined();
    expect(await upload(parties, task, report)).toBeUndefined();
    const boxed = look('guardian', (db) => db.prepare('SELECT COUNT(*) FROM box').pluck().get());
    expect(boxed).toBe(1);
    closeTestRound(parties, round);
    await expectWithheld(round);
  });

  test.each([
    ['guardian', 'lot'],
    ['guardian', 'seal'],
    ['guardian', 'share'],
    ['guardian', 'list'],
    ['employer', 'collect'],
    ['employer', 'reveal'],
  ] as const)('the %s waits at the %s, says so, and goes on', async (caller, call) => {
    const round = await answered();
    cut(caller, call);
    closeTestRound(parties, round);
    await until(async () => (await waitingFor(caller)) === otherParty(caller));
    // Restarted meanwhile, it takes up the same work.
    await parties.restart(caller);
    await until(async () => (await waitingFor(caller)) === otherParty(caller));
    expect(standing(parties, number)?.round.listEmployerSignature).toBeNull();
    heal();
    await expectConfirmed(round);
  });

  test.each(PARTIES)('the %s from the close on, and back before the deadline', async (party) => {
    const round = await answered();
    await parties.stop(party);
    closeTestRound(parties, round);
    parties.clock.advance(parties.clock.now() + 6 * DAY_MS);
    await parties.start(party);
    await expectConfirmed(round);
  });

  test.each(PARTIES)(
    'the %s until after the deadline: the other withholds alone',
    async (party) => {
      const round = await answered();
      // Sealed at both, and no further.
      cut('employer', 'collect');
      closeTestRound(parties, round);
      await until(() => states('employer', round).every((state) => state === 'sealed'));
      await until(() => states('guardian', round).every((state) => state === 'sealed'));
      await parties.stop(party);
      passDeadline(round);
      const other = otherParty(party);
      await until(() => states(other, round).every((state) => state === 'withheld'));
      heal();
      await parties.start(party);
      await expectWithheld(round);
    },
  );

  test.each(PARTIES)(
    'the %s has a later clock: it hears that the group is withheld',
    async (party) => {
      const round = await answered();
      cut('employer', 'collect');
      look(party, (db) => db.prepare('UPDATE rounds SET deadline_ms = deadline_ms * 2').run());
      closeTestRound(parties, round);
      await until(() => states(party, round).every((state) => state === 'sealed'));
      passDeadline(round);
      await until(() => states(party, round).every((state) => state === 'withheld'));
      await expectWithheld(round);
    },
  );

  test('noised, but the result never left the guardian: withheld, and the next round opens', async () => {
    const round = await answered(1);
    let asked = 0;
    parties.wires.employer.before = (url) => {
      // The employer asks, and hears nothing more.
      if (callOf(url) === 'collect' && ++asked > 1) throw new Error('cut');
    };
    closeTestRound(parties, round);
    await until(() => states('guardian', round)[0] === 'noised');
    await until(async () => (await waitingFor('guardian')) === 'employer');
    passDeadline(round);
    await expectWithheld(round);
    const next = await answered(1);
    expect(standing(parties, number)?.round.state).toBe('open');
    heal();
    passDeadline(next);
    await finished(parties, number);
  });

  test('noised, and the result left: the guardian waits for the reveal until the deadline, and then says so', async () => {
    const round = await answered(1);
    parties.wires.employer.after = async (url, response) => {
      if (callOf(url) !== 'collect') return response;
      const bytes = await response.arrayBuffer();
      if (bytes.byteLength > 0) throw new Error('cut');
      const { status, headers } = response;
      return new Response(bytes, { status, headers });
    };
    closeTestRound(parties, round);
    await until(() => states('guardian', round)[0] === 'noised');
    await until(() => handedOut() === 1);
    expect(await waitingFor('guardian')).toBe('employer');
    passDeadline(round);
    await until(() => states('employer', round)[0] === 'withheld');
    await until(() => unheard('employer') === 0);
    expect(states('guardian', round)).toEqual(['withheld']);
    const reason = look('guardian', (db) =>
      db
        .prepare('SELECT withheld_reason FROM tasks WHERE task_id = ?')
        .pluck()
        .get(round.tasks[0]?.taskId),
    );
    expect(reason).toBe('not-revealed');
    await finished(parties, round.head.round);
    for (const party of PARTIES) expect(resultsAt(party, round)).toEqual([]);
  });
});

const handedOut = () =>
  look('guardian', (db) =>
    db.prepare('SELECT COUNT(*) FROM collection_jobs WHERE handed_out = 1').pluck().get(),
  );

const unheard = (party: PartyName) =>
  look(party, (db) =>
    db.prepare(`SELECT COUNT(*) FROM tasks WHERE state = 'withheld' AND heard = 0`).pluck().get(),
  );

/** A reveal is outstanding: the page says so, the list is not signed, and no further round opens. */
async function expectStuck(round: TestRound): Promise<void> {
  stuck = true;
  expect(await waitingFor('guardian')).toBe('employer');
  const start = Math.floor(parties.clock.now() / DAY_MS) + 1;
  const sheetHash = await approveTestSheet(parties, testSheet());
  await parties.guardian.plan({ number: number + 1, days: { start, duration: 7 }, sheetHash });
  parties.clock.advance(start * DAY_MS);
  await until(() => standing(parties, number + 1, 'employer')?.round.state === 'open');
  // The guardian has looked too, once it has written down the day.
  await parties.restart('guardian');
  await until(() => latest('guardian') >= start * DAY_MS);
  expect(standing(parties, number + 1)?.round.state).toBe('planned');
  expect(standing(parties, round.head.round)?.round.listRoot).toBeNull();
}

const latest = (party: PartyName) =>
  look(party, (db) => db.prepare('SELECT latest_ms FROM clock').pluck().get() as number);

/** How the next replies to a call are altered on their way to the party that asked. */
function alterReplies(
  asking: PartyName,
  call: Call,
  alter: (bytes: Uint8Array, url: string) => Uint8Array,
): void {
  parties.wires[asking].after = async (url, response) => {
    const bytes = new Uint8Array(await response.arrayBuffer());
    const { status, headers } = response;
    const altered = callOf(url) === call && response.ok && bytes.length > 0;
    const body = altered ? alter(bytes, url) : bytes;
    return new Response(status === 204 ? null : (body as Uint8Array<ArrayBuffer>), {
      status,
      headers,
    });
  };
}

/** How the next requests of a party are altered on their way to the other. */
function alterRequests<T extends object>(
  asking: PartyName,
  call: Call,
  alter: (body: T) => T,
): void {
  parties.wires[asking].before = (url, init) => {
    if (callOf(url) !== call || init?.body == null) return;
    const body = JSON.parse(Buffer.from(init.body as Uint8Array).toString()) as T;
    init.body = JSON.stringify(alter(body));
  };
}

const eachResponse =
  (alter: (response: VerifyResp, i: number) => VerifyResp) => (bytes: Uint8Array) =>
    encodeAggregationJobResp(decodeAggregationJobResp(bytes).map(alter));

function signingSeed(party: PartyName): Secret<Uint8Array> {
  const files = new KeyFiles(`${parties.folder}/${party}/keys`);
  return new Secret(
    fromBase64url((files.read('identity') as { signing_seed: string }).signing_seed),
  );
}

describe('an employer that lies', () => {
  const lies: readonly [string, Call, (bytes: Uint8Array) => Uint8Array][] = [
    [
      'names other reports',
      'lot',
      eachResponse((one) => ({ ...one, reportId: new Uint8Array(16) })),
    ],
    [
      'leaves one out',
      'lot',
      (bytes) => encodeAggregationJobResp(decodeAggregationJobResp(bytes).slice(1)),
    ],
    ['answers garbage to a lot', 'lot', () => Buffer.from('garbage')],
    ['answers garbage to a seal', 'seal', () => Buffer.from('{"commitment":"","signature":""}')],
    [
      'commits to something that it did not sign',
      'seal',
      (bytes) => {
        const reply = JSON.parse(Buffer.from(bytes).toString()) as { signature: string };
        return Buffer.from(
          JSON.stringify({ ...reply, commitment: toBase64url(systemRandomness(32)) }),
        );
      },
    ],
    ['gives garbage for its share', 'share', () => Buffer.from('garbage')],
    [
      'does not sign the list',
      'list',
      () => Buffer.from(JSON.stringify({ signature: toBase64url(systemRandomness(64)) })),
    ],
  ];

  test.each(lies)('%s: not believed; the truth is, later', async (_, call, lie) => {
    const round = await answered();
    let told = 0;
    alterReplies('guardian', call, (bytes) => {
      told++;
      return lie(bytes);
    });
    closeTestRound(parties, round);
    await until(() => told >= 2);
    await until(async () => (await waitingFor('guardian')) === 'employer');
    heal();
    await expectConfirmed(round);
  });

  test('and never stops: the group is withheld at the deadline', async () => {
    const round = await answered();
    let told = 0;
    alterReplies('guardian', 'lot', () => {
      told++;
      return Buffer.from('garbage');
    });
    closeTestRound(parties, round);
    await until(() => told >= 2);
    passDeadline(round);
    await expectWithheld(round);
  });

  test('finishes reports by itself: they do not count, and the seals differ', async () => {
    const round = await answered();
    const finish = eachResponse((one, i) =>
      i === 0 ? { type: 'finish', reportId: one.reportId } : one,
    );
    alterReplies('guardian', 'lot', finish);
    closeTestRound(parties, round);
    await expectWithheld(round);
    expect(reasons('guardian', round)).toEqual(['seal-mismatch', 'seal-mismatch']);
  });

  test('refuses whom it likes: more than a few, and the group is withheld', async () => {
    const round = await openTestRound(parties, [30], {}, ++number);
    await answerAll(parties, round.tasks[0] as TestTask, [...ANSWERS, ...ANSWERS]);
    const refuse = eachResponse((one, i) =>
      i < 4 ? { type: 'reject', reportId: one.reportId, reportError: 'vdaf_verify_error' } : one,
    );
    alterReplies('guardian', 'lot', refuse);
    closeTestRound(parties, round);
    await expectWithheld(round);
    expect(reasons('guardian', round)).toEqual(['refusals']);
  });

  test('falsifies its share after the seal: never confirmed, never shown, and no further round', async () => {
    const round = await answered();
    cut('employer', 'collect');
    closeTestRound(parties, round);
    await until(() => states('employer', round).every((state) => state === 'sealed'));
    await until(() => states('guardian', round).every((state) => state === 'sealed'));
    const [liedAbout] = round.tasks as [TestTask];
    look('employer', (db) => {
      const share = db
        .prepare<[Uint8Array], Buffer>('SELECT share FROM buckets WHERE task_id = ?')
        .pluck()
        .get(liedAbout.taskId) as Buffer;
      // Three more for the first option, or three fewer where that would carry.
      const byte = share[0] as number;
      share[0] = byte > 252 ? byte - 3 : byte + 3;
      db.prepare('UPDATE buckets SET share = ? WHERE task_id = ?').run(share, liedAbout.taskId);
    });
    let refused = 0;
    heal();
    parties.wires.employer.after = (url, response) => {
      if (callOf(url) === 'reveal' && response.status === 409) refused++;
      return response;
    };
    await until(() => refused >= 2);
    // The group beside it is released all the same.
    await until(() => states('guardian', round)[1] === 'confirmed');
    await until(() => states('employer', round)[1] === 'confirmed');
    expect(states('guardian', round)).toEqual(['noised', 'confirmed']);
    expect(states('employer', round)).toEqual(['noised', 'confirmed']);
    for (const party of PARTIES) {
      expect(await waitingFor(party)).toBe('employer');
      const page = await trendPage(party);
      expect(page).toContain(`Round ${number} is closed and this group is being counted`);
      expect(page).not.toContain(`Newest finished round: round ${number},`);
    }
    // Nor at the deadline: what is noised is owed.
    passDeadline(round);
    await expectStuck(round);
    expect(states('guardian', round)).toEqual(['noised', 'confirmed']);
  });
});

const reasons = (party: PartyName, { hash }: TestRound) =>
  look(party, (db) =>
    db
      .prepare('SELECT withheld_reason FROM tasks WHERE manifest_hash = ? ORDER BY group_index')
      .pluck()
      .all(hash),
  );

describe('a guardian that lies', () => {
  test.each([
    ['count', { count: 10 }],
    ['checksum', { checksum: toBase64url(new Uint8Array(32)) }],
    ['set of ids', { ids_root: toBase64url(new Uint8Array(32)) }],
  ])('seals another %s: the group is withheld', async (_, lie) => {
    const round = await answered();
    alterRequests('guardian', 'seal', (body) => ({ ...body, ...lie }));
    closeTestRound(parties, round);
    await expectWithheld(round);
    expect(reasons('employer', round)).toEqual(['seal-mismatch', 'seal-mismatch']);
  });

  test('returns another helper share: not believed; the truth is, later', async () => {
    const round = await answered();
    let told = 0;
    alterReplies('employer', 'collect', (bytes, url) => {
      told++;
      const { collector } = round.head.employer;
      const task = taskOf(round, url);
      const request = encodeCollectionJobReq({
        query: timeIntervalQuery(round.head.days),
        aggParam: new Uint8Array(0),
        extensions: [],
      });
      const { enc, ciphertext } = hpkeSeal(
        fromBase64url(collector.public_key),
        aggregateShareInfo('helper'),
        aggregateShareAad(task.taskId, task.taskConfiguration, request),
        // Eight elements of a share that never was.
        Uint8Array.from({ length: 8 * 16 }, (_, i) => (i % 16 === 0 ? 1 : 0)),
        systemRandomness(HPKE_ENCAPSULATION_SEED_SIZE),
      );
      return encodeCollectionJobResp({
        ...decodeCollectionJobResp(bytes),
        helperEncryptedAggShare: { configId: collector.config_id, enc, payload: ciphertext },
      });
    });
    closeTestRound(parties, round);
    await until(() => told >= 2);
    await until(async () => (await waitingFor('employer')) === 'guardian');
    expect(states('employer', round)).toEqual(['sealed', 'sealed']);
    heal();
    await expectConfirmed(round);
  });

  test.each([
    [
      'another count',
      (bytes: Uint8Array) =>
        encodeCollectionJobResp({ ...decodeCollectionJobResp(bytes), reportCount: 10 }),
    ],
    ['garbage', () => Buffer.from('garbage')],
  ])('returns %s: not believed; the truth is, later', async (_, lie) => {
    const round = await answered();
    let told = 0;
    alterReplies('employer', 'collect', (bytes) => {
      told++;
      return lie(bytes);
    });
    closeTestRound(parties, round);
    await until(() => told >= 2);
    await until(async () => (await waitingFor('employer')) === 'guardian');
    heal();
    await expectConfirmed(round);
  });

  test('signs another result: the employer shows nothing until it signs the true one', async () => {
    const round = await answered();
    const seed = signingSeed('guardian');
    let told = 0;
    alterReplies('employer', 'reveal', () => {
      told++;
      const signature = sign(seed, 'chorus release v1', sha256(systemRandomness(8)));
      return Buffer.from(JSON.stringify({ signature: toBase64url(signature) }));
    });
    closeTestRound(parties, round);
    await until(() => told >= 2);
    expect(states('employer', round)).toEqual(['noised', 'noised']);
    const page = await trendPage('employer');
    expect(page).toContain(`Round ${number} is closed and this group is being counted`);
    expect(page).not.toContain(`Newest finished round: round ${number},`);
    heal();
    await expectConfirmed(round);
    const after = await trendPage('employer');
    expect(after).toContain(`Newest finished round: round ${number},`);
  });

  test('presents a list without a counted id: not signed; the true one is, later', async () => {
    const round = await answered();
    const seed = signingSeed('guardian');
    let told = 0;
    let gone = '';
    alterRequests<{ slices: string[]; signature: string }>('guardian', 'list', (body) => {
      told++;
      const all = body.slices.flatMap((slice, i) => decodeIdSlice(fromBase64url(slice), i));
      const [first, ...rest] = all;
      gone = toHex(first?.reportId as Uint8Array);
      const slices = encodeIdList(rest);
      const signature = sign(seed, 'chorus list v1', round.hash, idListRoot(slices));
      return { slices: slices.map(toBase64url), signature: toBase64url(signature) };
    });
    closeTestRound(parties, round);
    await until(() => told >= 2);
    expect(gone).not.toBe('');
    for (const party of PARTIES) {
      expect(standing(parties, number, party)?.round.listEmployerSignature).toBeNull();
    }
    heal();
    await expectConfirmed(round);
  });
});

function taskOf(round: TestRound, url: string): TestTask {
  return round.tasks.find(({ taskId }) => url.includes(toBase64url(taskId))) as TestTask;
}
