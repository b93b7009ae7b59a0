import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { concat, fromBase64url, toBase64url } from '../../../../crypto/bytes.ts';
import { aggregateShareAad, aggregateShareInfo } from '../../../../crypto/dap/aad.ts';
import {
  type CollectionJobReq,
  decodeAggregateShare,
  encodeAggregateShareReq,
  encodeCollectionJobReq,
  type Query,
  timeIntervalQuery,
} from '../../../../crypto/dap/collection.ts';
import { MEDIA_TYPE } from '../../../../crypto/dap/media-types.ts';
import { HpkePrivateKey } from '../../../../crypto/hpke.ts';
import { Secret } from '../../../../crypto/secret.ts';
import type { Sheet } from '../../../../crypto/sheet.ts';
import { verifySignature } from '../../../../crypto/signing.ts';
import { commitment, sealParts } from '../../../../server/aggregator/share.ts';
import { DAY_MS } from '../../../../server/domain/days.ts';
import { WITHHELD_REASONS } from '../../../../server/domain/withheld.ts';
import type { Database } from '../../../../server/storage/database.ts';
import {
  approveTestSheet,
  readTestRound,
  sealed,
  standing,
  startTwoParties,
  TEST_NOISE,
  type TestRound,
  type TwoParties,
  testPeople,
  testSheet,
  until,
} from '../../../support/parties.ts';
import {
  callAs,
  contextOf,
  jobBody,
  keyFile,
  refusedWith,
  sealClaim,
  sendJob,
  taskPath,
  verifyInitOf,
} from '../../../support/played-party.ts';
import type { TestTask } from '../../../support/test-tokens.ts';

/** The employer as DAP Helper after the count: seal, aggregate share, withheld. */

const GROUPS = 24;

let parties: TwoParties;
/** Rounds whose noise is the guardian’s alone, and both parties’. */
let round: TestRound;
let both: TestRound;
let looking: Database;
let used = 0;

/** A group that no other test has touched. */
function freshGroup(): number {
  if (used === GROUPS) throw new Error('plan more groups');
  return used++;
}

async function planned(number: number, changes: Partial<Sheet>, groups: number) {
  const sheet = testSheet(changes);
  parties.employer.importRoster(testPeople(Array(groups).fill(50)));
  const sheetHash = await approveTestSheet(parties, sheet);
  const hash = await parties.guardian.plan({
    number,
    days: { start: 20_100, duration: 7 },
    sheetHash,
  });
  return readTestRound(parties, hash, sheet);
}

beforeAll(async () => {
  parties = await startTwoParties();
  parties.clock.advance(20_000 * DAY_MS);
  round = await planned(1, {}, GROUPS);
  both = await planned(2, { noise: TEST_NOISE.both }, 1);
  looking = parties.database('employer');
  // The test plays the guardian.
  await parties.stop('guardian');
  parties.clock.advance(20_107 * DAY_MS);
  parties.employer.nudge();
  await until(() => standing(parties, 2, 'employer')?.round.state === 'closed');
});

afterAll(async () => {
  looking.close();
  await parties.close();
});

interface Bucket {
  readonly share: Buffer;
  readonly count: number;
  readonly checksum: Buffer;
}

function bucketOf(group: number, of = round): Bucket | undefined {
  return looking
    .prepare<[Uint8Array], Bucket>('SELECT share, count, checksum FROM buckets WHERE task_id = ?')
    .get(contextOf(of, group).taskId);
}

function stateOf(group: number, of = round) {
  return looking
    .prepare<[Uint8Array], { state: string; reason: string | null }>(
      'SELECT state, withheld_reason AS reason FROM tasks WHERE task_id = ?',
    )
    .get(contextOf(of, group).taskId);
}

/** Everything that seal and share may change of one group. */
function everything(group: number) {
  const { taskId } = contextOf(round, group);
  const all = (table: string) =>
    looking.prepare<[Uint8Array], object>(`SELECT * FROM ${table} WHERE task_id = ?`).all(taskId);
  return ['tasks', 'buckets', 'seals', 'outcomes', 'aggregation_jobs', 'aggregate_share_jobs'].map(
    all,
  );
}

/** Counts a lot of `size` reports. @returns their ids */
async function count(group: number, size = 8, of = round): Promise<Uint8Array[]> {
  const reports = Array.from({ length: size }, () => sealed(of.tasks[group] as TestTask, [1, 2]));
  const inits = reports.map(({ report }) => verifyInitOf(parties, of, group, report));
  expect((await sendJob(parties, of, group, jobBody(inits))).status).toBe(201);
  return reports.map(({ reportId }) => reportId);
}

const sealPath = (group: number, of = round) => `${taskPath(of, group)}/seal`;
const sealWith = (group: number, body: object, of = round) =>
  callAs(parties, 'guardian', sealPath(group, of), { body });

async function sealReply(response: Response): Promise<{ commitment: string; signature: string }> {
  expect(response.status).toBe(200);
  return (await response.json()) as { commitment: string; signature: string };
}

/** Who may not, whose it is not, and what is no message: alike for every route of the helper. */
function testGate(path: (group: number) => string, type: string, body: () => Uint8Array | object) {
  test.each([
    ['without a token', () => null],
    ['with the employer’s own token', () => parties.token('employer')],
    ['with any other token', () => toBase64url(new Uint8Array(32))],
  ])('%s: 401', async (_name, token) => {
    const reply = callAs(parties, 'guardian', path(0), { type, body: body(), token: token() });
    expect(await refusedWith(reply)).toBe('401 unauthorized');
  });

  test('an unknown task: 404', async () => {
    const unknown = path(0).replace(taskPath(round, 0), `/tasks/${'A'.repeat(43)}`);
    const reply = callAs(parties, 'guardian', unknown, { type, body: body() });
    expect(await refusedWith(reply)).toBe('404 unrecognizedTask');
  });

  test('another media type: 415', async () => {
    const reply = callAs(parties, 'guardian', path(0), { type: 'text/plain', body: body() });
    expect(await refusedWith(reply)).toBe('415 wrongMediaType');
  });

  test('more than 64 KiB: 413', async () => {
    const reply = callAs(parties, 'guardian', path(0), { type, body: new Uint8Array(65_537) });
    expect(await refusedWith(reply)).toBe('413 tooLarge');
  });
}

describe('seal', () => {
  testGate(sealPath, 'application/json', () => sealClaim([new Uint8Array(16)]));

  test('the same bucket is sealed with a signed commitment to the employer’s share', async () => {
    const group = freshGroup();
    const ids = await count(group);
    const before = bucketOf(group) as Bucket;
    const claim = sealClaim(ids);
    const reply = await sealReply(await sealWith(group, claim));
    const { random, share } = looking
      .prepare<[Uint8Array], { random: Buffer; share: Buffer }>(
        'SELECT random, share FROM seals JOIN buckets USING (task_id) WHERE task_id = ?',
      )
      .get(contextOf(round, group).taskId) as { random: Buffer; share: Buffer };
    expect(reply.commitment).toBe(toBase64url(commitment(share, random)));
    verifySignature(
      fromBase64url(round.head.employer.signing_key),
      fromBase64url(reply.signature),
      'chorus seal v1',
      ...sealParts(
        contextOf(round, group).taskId,
        {
          count: claim.count,
          checksum: fromBase64url(claim.checksum),
          idsRoot: fromBase64url(claim.ids_root),
        },
        fromBase64url(reply.commitment),
      ),
    );
    expect(bucketOf(group)).toEqual(before);
    expect(stateOf(group)?.state).toBe('sealed');
  });

  test('where the sheet wants noise by both, the employer adds its own to its half', async () => {
    const ids = await count(0, 8, both);
    const { vdaf, taskId } = contextOf(both, 0);
    const before = bucketOf(0, both) as Bucket;
    await sealReply(await sealWith(0, sealClaim(ids), both));
    const after = bucketOf(0, both) as Bucket;
    const read = ({ share }: Bucket) =>
      vdaf.decodeAggregateShare(new Secret<Uint8Array>(share)).reveal();
    const noise = read(after).map((element, i) =>
      vdaf.field.centered(vdaf.field.subVec([element], [read(before)[i] as bigint])[0] as bigint),
    );
    // Eight draws with σ² = 5: all zero once in 10^6 runs, one beyond 11σ never.
    expect(noise.some((draw) => draw !== 0n)).toBe(true);
    for (const draw of noise) expect(Math.abs(Number(draw))).toBeLessThan(25);
    expect(after.count).toBe(before.count);
    // What is committed to is the noised half: the exact one is in no row any more.
    const { random, committed } = looking
      .prepare<[Uint8Array], { random: Buffer; committed: Buffer }>(
        'SELECT random, commitment AS committed FROM seals WHERE task_id = ?',
      )
      .get(taskId) as { random: Buffer; committed: Buffer };
    expect(Buffer.from(commitment(after.share, random)).equals(committed)).toBe(true);
  });

  test('the same claim again gets the same commitment and signature', async () => {
    const group = freshGroup();
    const claim = sealClaim(await count(group));
    const first = await sealReply(await sealWith(group, claim));
    const before = everything(group);
    expect(await sealReply(await sealWith(group, claim))).toEqual(first);
    expect(everything(group)).toEqual(before);
  });

  test('another claim for a sealed group: batchOverlap, and the seal stays', async () => {
    const group = freshGroup();
    const claim = sealClaim(await count(group));
    const first = await sealReply(await sealWith(group, claim));
    const before = everything(group);
    const other = sealWith(group, { ...claim, count: claim.count + 1 });
    expect(await refusedWith(other)).toBe('400 batchOverlap');
    expect(everything(group)).toEqual(before);
    expect(await sealReply(await sealWith(group, claim))).toEqual(first);
  });

  const wrong = (text: string) => `${text.startsWith('A') ? 'B' : 'A'}${text.slice(1)}`;
  type Claim = ReturnType<typeof sealClaim>;
  test.each<[string, (claim: Claim) => Claim]>([
    ['one more', (claim) => ({ ...claim, count: claim.count + 1 })],
    ['one fewer', (claim) => ({ ...claim, count: claim.count - 1 })],
    ['another checksum', (claim) => ({ ...claim, checksum: wrong(claim.checksum) })],
    ['another root', (claim) => ({ ...claim, ids_root: wrong(claim.ids_root) })],
  ])('%s: sealMismatch, and the group is withheld', async (_name, change) => {
    const group = freshGroup();
    const claim = sealClaim(await count(group));
    expect(await refusedWith(sealWith(group, change(claim)))).toBe('409 sealMismatch');
    expect(stateOf(group)).toEqual({ state: 'withheld', reason: 'seal-mismatch' });
    expect(bucketOf(group)).toBe(undefined);
    expect(await refusedWith(sealWith(group, claim))).toBe('409 withheld');
  });

  test('before a lot was counted: notYet, and nothing is withheld', async () => {
    const group = freshGroup();
    const before = everything(group);
    expect(await refusedWith(sealWith(group, sealClaim([new Uint8Array(16)])))).toBe('409 notYet');
    expect(everything(group)).toEqual(before);
  });

  test('messages that are none: 400, and nothing is withheld', async () => {
    const group = freshGroup();
    const claim = sealClaim(await count(group));
    const before = everything(group);
    const bodies: object[] = [
      {},
      [],
      new TextEncoder().encode('null'),
      new TextEncoder().encode('{'),
      Uint8Array.of(0xff),
      new Uint8Array(0),
      { ...claim, count: undefined },
      { ...claim, count: '8' },
      { ...claim, count: 0 },
      { ...claim, count: -8 },
      { ...claim, count: 8.5 },
      { ...claim, count: 2 ** 60 },
      { ...claim, checksum: claim.checksum.slice(1) },
      { ...claim, checksum: `${claim.checksum}=` },
      { ...claim, ids_root: toBase64url(new Uint8Array(33)) },
      { ...claim, more: 1 },
    ];
    for (const body of bodies) {
      expect(await refusedWith(sealWith(group, body)), JSON.stringify(body)).toBe(
        '400 invalidMessage',
      );
    }
    expect(everything(group)).toEqual(before);
  });
});

describe('aggregate share', () => {
  const path = (group: number) => `${taskPath(round, group)}/aggregate_shares`;
  const type = MEDIA_TYPE.aggregateShareReq;
  const whole = () => timeIntervalQuery(round.head.days);

  interface Ask {
    readonly request?: Partial<CollectionJobReq>;
    readonly selector?: Query;
    readonly count?: number;
    readonly checksum?: Uint8Array;
  }

  function askBytes(bucket: Pick<Bucket, 'count' | 'checksum'>, ask: Ask = {}): Uint8Array {
    return encodeAggregateShareReq({
      collectionJobReqBytes: encodeCollectionJobReq({
        query: whole(),
        aggParam: new Uint8Array(0),
        extensions: [],
        ...ask.request,
      }),
      batchSelector: ask.selector ?? whole(),
      reportCount: ask.count ?? bucket.count,
      checksum: ask.checksum ?? bucket.checksum,
    });
  }

  const askFor = (group: number, ask: Ask = {}, bucket = bucketOf(group) as Bucket) =>
    callAs(parties, 'guardian', path(group), { type, body: askBytes(bucket, ask) });

  async function sealedGroup(): Promise<number> {
    const group = freshGroup();
    await sealReply(await sealWith(group, sealClaim(await count(group))));
    return group;
  }

  testGate(path, type, () => askBytes({ count: 8, checksum: Buffer.alloc(32) }));

  test('is the sealed bucket’s, and only the collector key opens it', async () => {
    const group = await sealedGroup();
    const response = await askFor(group);
    expect(response.status).toBe(201);
    expect(response.headers.get('content-type')).toBe(MEDIA_TYPE.aggregateShare);
    expect(response.headers.get('location')).toMatch(
      new RegExp(`^${path(group)}/[A-Za-z0-9_-]{22}$`),
    );
    const share = decodeAggregateShare(new Uint8Array(await response.arrayBuffer()));
    const key = HpkePrivateKey.fromSeed(
      new Secret(fromBase64url(keyFile(parties, 'employer', 'collector-1').seed as string)),
    );
    const { taskId, configuration } = contextOf(round, group);
    const request = encodeCollectionJobReq({
      query: whole(),
      aggParam: new Uint8Array(0),
      extensions: [],
    });
    const plain = key.open(
      share.enc,
      aggregateShareInfo('helper'),
      aggregateShareAad(taskId, configuration, request),
      share.payload,
    );
    expect(Buffer.from(plain).equals((bucketOf(group) as Bucket).share)).toBe(true);
    expect(share.configId).toBe(round.head.employer.collector.config_id);
  });

  test('the same request again gets the same Location and bytes', async () => {
    const group = await sealedGroup();
    const first = await askFor(group);
    const bytes = new Uint8Array(await first.arrayBuffer());
    const second = await askFor(group);
    expect(second.headers.get('location')).toBe(first.headers.get('location'));
    expect(new Uint8Array(await second.arrayBuffer())).toEqual(bytes);
  });

  test('another request for the same group: batchOverlap', async () => {
    const group = await sealedGroup();
    expect((await askFor(group)).status).toBe(201);
    const before = everything(group);
    expect(await refusedWith(askFor(group, { count: 9 }))).toBe('400 batchOverlap');
    expect(
      await refusedWith(askFor(group, { selector: { ...whole(), config: new Uint8Array(16) } })),
    ).toBe('400 batchOverlap');
    expect(everything(group)).toEqual(before);
  });

  test('before the seal: notYet, whether anything was counted or not', async () => {
    const group = freshGroup();
    const nothing = { count: 8, checksum: Buffer.alloc(32), share: Buffer.alloc(0) };
    expect(await refusedWith(askFor(group, {}, nothing))).toBe('409 notYet');
    await count(group);
    const before = everything(group);
    expect(await refusedWith(askFor(group))).toBe('409 notYet');
    expect(everything(group)).toEqual(before);
  });

  test('refusals consume nothing: after all of them the right request is answered', async () => {
    const group = await sealedGroup();
    const { start, duration } = round.head.days;
    const interval = (from: number, length: number): Query =>
      timeIntervalQuery({ start: from, duration: length });
    const leaderSelected: Query = { batchMode: 'leader_selected', config: new Uint8Array(0) };
    const refused: [string, Ask][] = [
      ['batchMismatch', { count: 9 }],
      ['batchMismatch', { count: 7 }],
      ['batchMismatch', { checksum: new Uint8Array(32) }],
      ...[
        interval(start, duration - 1),
        interval(start + 1, duration - 1),
        interval(start, duration + 1),
        interval(start - 1, duration + 1),
        interval(start + duration, duration),
        interval(start, 0),
        { ...whole(), config: new Uint8Array(0) },
        { ...whole(), config: concat(whole().config, Uint8Array.of(0)) },
      ].flatMap((query): [string, Ask][] => [
        ['batchInvalid', { request: { query } }],
        ['batchInvalid', { selector: query }],
        ['batchInvalid', { request: { query }, selector: query }],
      ]),
      ['invalidMessage', { request: { query: leaderSelected } }],
      ['invalidMessage', { selector: leaderSelected }],
      ['invalidMessage', { request: { aggParam: Uint8Array.of(1) } }],
      [
        'unsupportedExtension',
        { request: { extensions: [{ extensionType: 1, extensionData: new Uint8Array(0) }] } },
      ],
    ];
    const before = everything(group);
    for (const [error, ask] of refused) {
      expect(await refusedWith(askFor(group, ask)), JSON.stringify(ask)).toBe(`400 ${error}`);
    }
    const good = askBytes(bucketOf(group) as Bucket);
    for (const body of [
      new Uint8Array(0),
      good.subarray(0, -1),
      concat(good, Uint8Array.of(0)),
      concat(Uint8Array.of(3), good.subarray(1)),
    ]) {
      const reply = callAs(parties, 'guardian', path(group), { type, body });
      expect(await refusedWith(reply)).toBe('400 invalidMessage');
    }
    expect(everything(group)).toEqual(before);
    expect((await askFor(group)).status).toBe(201);
  });

  test('a bucket with fewer than k: invalidBatchSize, whatever the guardian says', async () => {
    const group = await sealedGroup();
    looking
      .prepare('UPDATE buckets SET count = 7 WHERE task_id = ?')
      .run(contextOf(round, group).taskId);
    for (const claimed of [7, 8]) {
      expect(await refusedWith(askFor(group, { count: claimed }))).toBe('400 invalidBatchSize');
    }
  });

  test('a withheld group has no share', async () => {
    const group = await sealedGroup();
    const bucket = bucketOf(group) as Bucket;
    await callAs(parties, 'guardian', `${taskPath(round, group)}/withheld`, {
      body: { reason: 'deadline' },
    });
    expect(await refusedWith(askFor(group, {}, bucket))).toBe('409 withheld');
  });

  test('a group that was collected and forgotten cannot be collected again', async () => {
    const group = await sealedGroup();
    looking
      .prepare(`UPDATE tasks SET state = 'confirmed' WHERE task_id = ?`)
      .run(contextOf(round, group).taskId);
    expect(await refusedWith(askFor(group))).toBe('400 batchOverlap');
  });
});

describe('withheld', () => {
  const path = (group: number) => `${taskPath(round, group)}/withheld`;
  const tell = (group: number, body: object) => callAs(parties, 'guardian', path(group), { body });

  testGate(path, 'application/json', () => ({ reason: 'too-few' }));

  test('destroys what the employer had of the group, and says so in the log', async () => {
    const group = freshGroup();
    await count(group);
    expect((await tell(group, { reason: 'refusals' })).status).toBe(204);
    expect(stateOf(group)).toEqual({ state: 'withheld', reason: 'refusals' });
    expect(everything(group).slice(1)).toEqual([[], [], [], [], []]);
    const sentence = looking
      .prepare<[number], string>(
        `SELECT sentence FROM events WHERE kind = 'withheld' AND round = 1 AND group_index = ?`,
      )
      .pluck()
      .all(group);
    expect(sentence).toEqual([
      `Group ${String(group).padStart(2, '0')} is withheld: the employer refused more answers than it may.`,
    ]);
  });

  test('again, or for another reason: 204, and the first reason stays', async () => {
    const group = freshGroup();
    for (const reason of WITHHELD_REASONS) {
      expect((await tell(group, { reason })).status).toBe(204);
      expect(stateOf(group)).toEqual({ state: 'withheld', reason: WITHHELD_REASONS[0] });
    }
  });

  test('a group whose result has arrived is not withheld any more', async () => {
    const group = freshGroup();
    looking
      .prepare(`UPDATE tasks SET state = 'noised' WHERE task_id = ?`)
      .run(contextOf(round, group).taskId);
    expect((await tell(group, { reason: 'deadline' })).status).toBe(204);
    expect(stateOf(group)).toEqual({ state: 'noised', reason: null });
  });

  test('another reason than there are, or none: 400', async () => {
    const group = freshGroup();
    for (const body of [{}, { reason: 'because' }, { reason: 'deadline', more: 1 }, []]) {
      expect(await refusedWith(tell(group, body))).toBe('400 invalidMessage');
    }
    expect(stateOf(group)).toEqual({ state: 'boxed', reason: null });
  });
});
