import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { concat, fromBase64url, toBase64url } from '../../../../crypto/bytes.ts';
import { aggregateShareAad, aggregateShareInfo } from '../../../../crypto/dap/aad.ts';
import {
  type CollectionJobReq,
  decodeCollectionJobResp,
  encodeCollectionJobReq,
  timeIntervalQuery,
} from '../../../../crypto/dap/collection.ts';
import { MEDIA_TYPE } from '../../../../crypto/dap/media-types.ts';
import { HpkePrivateKey } from '../../../../crypto/hpke.ts';
import { Secret } from '../../../../crypto/secret.ts';
import { sha256 } from '../../../../crypto/sha256.ts';
import { sign, verifySignature } from '../../../../crypto/signing.ts';
import { DAY_MS } from '../../../../server/domain/days.ts';
import { decodePublished } from '../../../../server/domain/published.ts';
import type { Database } from '../../../../server/storage/database.ts';
import { flipped } from '../../../support/cheating-reports.ts';
import {
  answerAll,
  closeTestRound,
  finished,
  openTestRound,
  readTestRound,
  sealed,
  standing,
  startTwoParties,
  TEST_NOISE,
  type TestRound,
  type TwoParties,
  until,
  upload,
} from '../../../support/parties.ts';
import {
  callAs,
  contextOf,
  keyFile,
  refusedWith,
  signingSeed,
  taskPath,
} from '../../../support/played-party.ts';
import type { TestTask } from '../../../support/test-tokens.ts';

/** One round, followed from too early to confirmed. Each test begins where the one before ended. */

/** Groups that are released, and one that has too few answers. */
const MAIN = 0;
const OTHER = 1;
const FEW = 2;

let parties: TwoParties;
let round: TestRound;
let guardian: Database;
let employer: Database;
/** Calls that the employer cannot make for now. */
const cut = new Set(['/collection_jobs', '/reveal']);
/** What the employer tried to reveal, by path. */
const reveals = new Map<string, { share: string; random: string; signature: string }>();

beforeAll(async () => {
  parties = await startTwoParties();
  guardian = parties.database('guardian');
  employer = parties.database('employer');
  parties.wires.employer.before = (url, init) => {
    const { pathname } = new URL(url);
    if (pathname.endsWith('/reveal')) {
      reveals.set(pathname, JSON.parse(new TextDecoder().decode(init?.body as Uint8Array)));
    }
    for (const end of cut) if (pathname.includes(end)) throw new Error('cut');
  };
  round = await openTestRound(parties, [50, 50, 50], {
    noise: TEST_NOISE.both,
  });
  await answerAll(parties, round.tasks[MAIN] as TestTask, Array(10).fill([0, 3]));
  await answerAll(parties, round.tasks[OTHER] as TestTask, Array(8).fill([1, 2]));
  await answerAll(parties, round.tasks[FEW] as TestTask, Array(7).fill([1, 2]));
});

afterAll(async () => {
  guardian.close();
  employer.close();
  await parties.close();
});

const path = (group: number) => `${taskPath(round, group)}/collection_jobs`;
const revealPath = (group: number) => `${taskPath(round, group)}/reveal`;

function requestBytes(changes: Partial<CollectionJobReq> = {}): Uint8Array {
  return encodeCollectionJobReq({
    query: timeIntervalQuery(round.head.days),
    aggParam: new Uint8Array(0),
    extensions: [],
    ...changes,
  });
}

const ask = (group: number, body = requestBytes()) =>
  callAs(parties, 'employer', path(group), { type: MEDIA_TYPE.collectionJobReq, body });

/** Everything of one group that these routes may change, at the guardian. */
function everything(group: number) {
  const { taskId } = contextOf(round, group);
  return ['tasks', 'buckets', 'seals', 'results', 'collection_jobs'].map((table) =>
    guardian.prepare<[Uint8Array], object>(`SELECT * FROM ${table} WHERE task_id = ?`).all(taskId),
  );
}

const stateOf = (group: number, db = guardian) =>
  db
    .prepare<[Uint8Array], string>('SELECT state FROM tasks WHERE task_id = ?')
    .pluck()
    .get(contextOf(round, group).taskId);

function askedEarly(): string[] {
  return guardian
    .prepare<[], string>(`SELECT sentence FROM events WHERE kind = 'asked-early'`)
    .pluck()
    .all();
}

describe.each([
  ['collection_jobs', path, MEDIA_TYPE.collectionJobReq],
  ['reveal', revealPath, 'application/json'],
])('%s', (_name, of, type) => {
  test.each([
    ['without a token', () => null],
    ['with the guardian’s own token', () => parties.token('guardian')],
    ['with any other token', () => toBase64url(new Uint8Array(32))],
  ])('%s: 401', async (_name, token) => {
    const reply = callAs(parties, 'employer', of(MAIN), { type, body: {}, token: token() });
    expect(await refusedWith(reply)).toBe('401 unauthorized');
  });

  test('an unknown task, another media type, too much', async () => {
    const unknown = of(MAIN).replace(taskPath(round, MAIN), `/tasks/${'A'.repeat(43)}`);
    expect(await refusedWith(callAs(parties, 'employer', unknown, { type, body: {} }))).toBe(
      '404 unrecognizedTask',
    );
    expect(
      await refusedWith(callAs(parties, 'employer', of(MAIN), { type: 'text/plain', body: {} })),
    ).toBe('415 wrongMediaType');
    const large = new Uint8Array(65_537);
    expect(await refusedWith(callAs(parties, 'employer', of(MAIN), { type, body: large }))).toBe(
      '413 tooLarge',
    );
  });
});

describe('while the round is open', () => {
  test('asking is refused, stored nowhere, and logged', async () => {
    const before = everything(MAIN);
    expect(await refusedWith(ask(MAIN))).toBe('409 notYet');
    expect(everything(MAIN)).toEqual(before);
    expect(askedEarly()).toEqual([
      'The employer asked for Group 0 before the round was closed; refused.',
    ]);
  });

  test('so is a reveal', async () => {
    const body = {
      share: toBase64url(new Uint8Array(128)),
      random: toBase64url(new Uint8Array(32)),
      signature: toBase64url(new Uint8Array(64)),
    };
    const reply = callAs(parties, 'employer', revealPath(MAIN), { body });
    expect(await refusedWith(reply)).toBe('409 notYet');
  });
});

describe('after the close, before the seal', () => {
  let location: string;

  beforeAll(async () => {
    parties.wires.guardian.before = () => {
      throw new Error('cut');
    };
    closeTestRound(parties, round);
    await until(() => stateOf(MAIN) === 'counting');
  });

  test('anything but the whole interval is refused, and nothing is stored', async () => {
    const { start, duration } = round.head.days;
    const interval = (from: number, length: number) =>
      requestBytes({ query: timeIntervalQuery({ start: from, duration: length }) });
    const whole = timeIntervalQuery(round.head.days);
    const good = requestBytes();
    const refused: [string, Uint8Array][] = [
      ['batchInvalid', interval(start, duration - 1)],
      ['batchInvalid', interval(start + 1, duration - 1)],
      ['batchInvalid', interval(start, duration + 1)],
      ['batchInvalid', interval(start - 1, duration + 2)],
      ['batchInvalid', interval(start + duration, duration)],
      ['batchInvalid', interval(start, 0)],
      ['batchInvalid', requestBytes({ query: { ...whole, config: new Uint8Array(0) } })],
      ['invalidMessage', requestBytes({ query: { ...whole, batchMode: 'leader_selected' } })],
      ['invalidAggregationParameter', requestBytes({ aggParam: Uint8Array.of(0) })],
      [
        'unsupportedExtension',
        requestBytes({ extensions: [{ extensionType: 1, extensionData: new Uint8Array(0) }] }),
      ],
      ['invalidMessage', new Uint8Array(0)],
      ['invalidMessage', good.subarray(0, -1)],
      ['invalidMessage', concat(good, Uint8Array.of(0))],
      ['invalidMessage', concat(Uint8Array.of(9), good.subarray(1))],
    ];
    const before = everything(MAIN);
    for (const [error, body] of refused) {
      expect(await refusedWith(ask(MAIN, body))).toBe(`400 ${error}`);
    }
    expect(everything(MAIN)).toEqual(before);
  });

  test('the right request gets a Location and, until there is a result, an empty body', async () => {
    const response = await ask(MAIN);
    expect(response.status).toBe(201);
    expect(await response.text()).toBe('');
    expect(response.headers.get('retry-after')).toBe('1');
    location = response.headers.get('location') as string;
    expect(location).toMatch(new RegExp(`^${path(MAIN)}/[A-Za-z0-9_-]{22}$`));
    const before = everything(MAIN);
    expect((await ask(MAIN)).headers.get('location')).toBe(location);
    const polled = await callAs(parties, 'employer', location);
    expect([polled.status, await polled.text(), polled.headers.get('retry-after')]).toEqual([
      200,
      '',
      '1',
    ]);
    expect(everything(MAIN)).toEqual(before);
    expect(askedEarly()).toHaveLength(1);
  });

  test('a job needs the token, its own group and an id that exists', async () => {
    expect(await refusedWith(callAs(parties, 'employer', location, { token: null }))).toBe(
      '401 unauthorized',
    );
    const id = location.split('/').at(-1);
    for (const other of [
      `${path(OTHER)}/${id}`,
      `${path(MAIN)}/${toBase64url(new Uint8Array(16))}`,
      `${path(MAIN)}/AAAA`,
    ]) {
      expect(await refusedWith(callAs(parties, 'employer', other))).toBe('404 notFound');
    }
  });

  test('a group with fewer than k answers cannot be collected: invalidBatchSize', async () => {
    expect(stateOf(FEW)).toBe('withheld');
    expect(await refusedWith(ask(FEW))).toBe('400 invalidBatchSize');
    const job = `${path(FEW)}/${toBase64url(new Uint8Array(16))}`;
    expect(await refusedWith(callAs(parties, 'employer', job))).toBe('400 invalidBatchSize');
    const box = guardian.prepare<[Uint8Array], number>(
      'SELECT COUNT(*) FROM box WHERE task_id = ?',
    );
    expect(box.pluck().get(contextOf(round, FEW).taskId)).toBe(0);
  });

  test('a reveal before the noise: notYet', async () => {
    const body = {
      share: toBase64url(new Uint8Array(128)),
      random: toBase64url(new Uint8Array(32)),
      signature: toBase64url(new Uint8Array(64)),
    };
    const reveal = callAs(parties, 'employer', revealPath(MAIN), { body });
    expect(await refusedWith(reveal)).toBe('409 notYet');
  });

  test('with the seal the asked group is noised, once; the other one waits', async () => {
    parties.wires.guardian.before = () => {};
    parties.guardian.nudge();
    await until(() => stateOf(MAIN) === 'noised' && stateOf(OTHER) === 'sealed');
    const first = await callAs(parties, 'employer', location);
    expect(first.headers.get('content-type')).toBe(MEDIA_TYPE.collectionJobResp);
    const bytes = new Uint8Array(await first.arrayBuffer());
    // At once, one after the other, and by a guardian that has been started anew.
    for (const repeat of ['at once', 'again', 'after a restart']) {
      if (repeat === 'after a restart') {
        await parties.restart('guardian');
        // Connections that were kept open fail once.
        const health = `${parties.urls.guardian}/health`;
        await until(() =>
          fetch(health).then(
            ({ ok }) => ok,
            () => false,
          ),
        );
      }
      const calls = Array.from({ length: 4 }, () => [
        callAs(parties, 'employer', location),
        ask(MAIN),
      ]);
      for (const response of await Promise.all(calls.flat())) {
        expect(new Uint8Array(await response.arrayBuffer()), repeat).toEqual(bytes);
      }
    }
    expect((await ask(MAIN)).headers.get('location')).toBe(location);
    const resp = decodeCollectionJobResp(bytes);
    expect(resp.reportCount).toBe(10);
    expect(resp.interval).toEqual({ start: round.head.days.start, duration: 1 });
    const key = HpkePrivateKey.fromSeed(
      new Secret(fromBase64url(keyFile(parties, 'employer', 'collector-1').seed as string)),
    );
    const { taskId, configuration, vdaf } = contextOf(round, MAIN);
    const aad = aggregateShareAad(taskId, configuration, requestBytes());
    const shares = (['leader', 'helper'] as const).map((role) => {
      const { enc, payload } = resp[`${role}EncryptedAggShare`];
      return vdaf.decodeAggregateShare(
        new Secret(key.open(enc, aggregateShareInfo(role), aad, payload)),
      );
    });
    const truth = [10, 0, 0, 0, 0, 0, 0, 10];
    vdaf.sumAggregateShares(shares).forEach((total, i) => {
      // Two draws with σ² = 5 each: beyond 11σ never.
      expect(Math.abs(Number(vdaf.field.centered(total)) - (truth[i] as number))).toBeLessThan(35);
    });
  });
});

describe('reveal', () => {
  let good: { share: string; random: string; signature: string };
  const reveal = (body: object, group = MAIN) =>
    callAs(parties, 'employer', revealPath(group), { body });

  beforeAll(async () => {
    cut.delete('/collection_jobs');
    parties.employer.nudge();
    await until(() => reveals.has(revealPath(MAIN)) && stateOf(OTHER) === 'noised');
    good = reveals.get(revealPath(MAIN)) as typeof good;
  });

  test('another share or random than was sealed: commitmentMismatch', async () => {
    const before = everything(MAIN);
    const flip = (text: string) => toBase64url(flipped(fromBase64url(text)));
    for (const body of [
      { ...good, share: flip(good.share) },
      { ...good, random: flip(good.random) },
      { ...good, share: toBase64url(fromBase64url(good.share).subarray(16)) },
      // Moved from one to the other: both have a fixed length.
      { ...good, share: '', random: toBase64url(sha256(fromBase64url(good.share))) },
    ]) {
      expect(await refusedWith(reveal(body))).toBe('409 commitmentMismatch');
    }
    expect(everything(MAIN)).toEqual(before);
  });

  test('the reveal of another group: commitmentMismatch', async () => {
    expect(await refusedWith(reveal(good, OTHER))).toBe('409 commitmentMismatch');
    expect(stateOf(OTHER)).toBe('noised');
  });

  test('a signature of anything but the totals: resultMismatch', async () => {
    const before = everything(MAIN);
    const seed = signingSeed(parties, 'employer');
    for (const signature of [
      flipped(fromBase64url(good.signature)),
      new Uint8Array(64),
      sign(seed, 'chorus release v1', new Uint8Array(32)),
    ]) {
      const body = { ...good, signature: toBase64url(signature) };
      expect(await refusedWith(reveal(body))).toBe('409 resultMismatch');
    }
    expect(everything(MAIN)).toEqual(before);
  });

  test('messages that are none: 400', async () => {
    const before = everything(MAIN);
    for (const body of [
      {},
      [],
      new Uint8Array(0),
      { ...good, more: 1 },
      { ...good, random: good.random.slice(1) },
      { ...good, signature: '' },
      { share: good.share, random: good.random },
    ]) {
      expect(await refusedWith(reveal(body))).toBe('400 invalidMessage');
    }
    expect(everything(MAIN)).toEqual(before);
  });

  test('a withheld group: withheld', async () => {
    expect(await refusedWith(reveal(good, FEW))).toBe('409 withheld');
  });

  test('while a reveal is outstanding no further round opens', async () => {
    const hash = await parties.guardian.plan({
      number: 2,
      days: { start: 20_200, duration: 7 },
      sheetHash: fromBase64url(round.head.sheet_hash),
    });
    const later = await readTestRound(parties, hash, round.sheet);
    const task = later.tasks[0] as TestTask;
    parties.clock.advance(20_200 * DAY_MS);
    parties.guardian.nudge();
    const { report } = sealed(task, [0, 0]);
    // The clock has passed this round’s deadline too: what is noised stays.
    await until(() => standing(parties, 2, 'employer')?.round.state === 'open');
    expect(await upload(parties, task, report)).toBe('task_not_started');
    expect([stateOf(MAIN), stateOf(OTHER)]).toEqual(['noised', 'noised']);
    expect([stateOf(MAIN, employer), stateOf(OTHER, employer)]).toEqual(['noised', 'noised']);
  });

  test('the right one gets the guardian’s signature; replayed, the same', async () => {
    const response = await reveal(good);
    expect(response.status).toBe(200);
    const { signature } = (await response.json()) as { signature: string };
    const published = guardian
      .prepare<[Uint8Array], Buffer>('SELECT published FROM results WHERE task_id = ?')
      .pluck()
      .get(contextOf(round, MAIN).taskId) as Buffer;
    verifySignature(
      fromBase64url(round.head.guardian.signing_key),
      fromBase64url(signature),
      'chorus release v1',
      sha256(published),
    );
    expect(decodePublished(published).count).toBe(10);
    const before = everything(MAIN);
    for (let i = 0; i < 2; i++) expect(await (await reveal(good)).json()).toEqual({ signature });
    const other = { ...good, random: toBase64url(new Uint8Array(32)) };
    expect(await refusedWith(reveal(other))).toBe('409 commitmentMismatch');
    expect(everything(MAIN)).toEqual(before);
    expect(stateOf(MAIN)).toBe('confirmed');
  });

  test('a confirmed group is collected no second time: batchOverlap', async () => {
    const before = everything(MAIN);
    expect(await refusedWith(ask(MAIN))).toBe('400 batchOverlap');
    expect(everything(MAIN)).toEqual(before);
    // Neither bucket nor job is left.
    expect([before[1], before[4]]).toEqual([[], []]);
  });

  test('the employer’s own reveals end the round, with the same bytes at both', async () => {
    cut.clear();
    parties.employer.nudge();
    await finished(parties);
    const published = [guardian, employer].map((db) =>
      db
        .prepare<[], Buffer>(
          `SELECT published FROM results WHERE guardian_signature IS NOT NULL ORDER BY task_id`,
        )
        .pluck()
        .all(),
    );
    expect(published[0]).toHaveLength(2);
    expect(published[0]).toEqual(published[1]);
    await until(() => standing(parties, 2)?.round.state === 'open');
    const left = (db: Database, sql: string) => db.prepare<[], number>(sql).pluck().get();
    expect(left(employer, 'SELECT COUNT(*) FROM buckets')).toBe(0);
    expect(left(employer, 'SELECT COUNT(*) FROM collections')).toBe(0);
    expect(left(employer, 'SELECT COUNT(*) FROM aggregate_share_jobs')).toBe(0);
    expect(left(guardian, 'SELECT COUNT(*) FROM buckets')).toBe(0);
  });
});
