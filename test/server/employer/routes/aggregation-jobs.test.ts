import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { concat, fromBase64url, toBase64url, toHex } from '../../../../crypto/bytes.ts';
import {
  decodeAggregationJobResp,
  type ReportShare,
  type VerifyInit,
  type VerifyResp,
} from '../../../../crypto/dap/aggregation.ts';
import { MEDIA_TYPE } from '../../../../crypto/dap/media-types.ts';
import type { HpkeCiphertext, ReportError } from '../../../../crypto/dap/types.ts';
import { decodeIdSlice, idListRoot, SLICES } from '../../../../crypto/id-list.ts';
import { Secret } from '../../../../crypto/secret.ts';
import { verifySignature } from '../../../../crypto/signing.ts';
import { Field128 } from '../../../../crypto/vdaf/field.ts';
import type { Database } from '../../../../server/storage/database.ts';
import {
  type Cheat,
  cheatingReport,
  flipped,
  HELPER_RUBBISH,
  oneHot,
} from '../../../support/cheating-reports.ts';
import {
  closeTestRound,
  finished,
  openTestRound,
  sealed,
  standing,
  startTwoParties,
  type TestRound,
  type TwoParties,
  until,
  upload,
} from '../../../support/parties.ts';
import {
  callAs,
  contextOf,
  jobBody,
  refusedWith,
  sealClaim,
  sendJob,
  taskPath,
  verifyInitOf,
} from '../../../support/played-party.ts';
import type { TestTask } from '../../../support/test-tokens.ts';

type Init = VerifyInit<Omit<ReportShare, 'metadata'>>;
interface Sent {
  readonly reportId: Uint8Array;
  readonly init: Init;
}

describe('one lot, sent by a guardian that the test plays', () => {
  /** One group for each story. */
  const STORIES = [
    'early',
    'works',
    'again',
    'at once',
    'overlap',
    'twice',
    'two jobs',
    'resent',
    'few',
    'none',
    'sealed',
    'withheld',
    'refused',
    'bad',
  ] as const;
  type Story = (typeof STORIES)[number];

  let parties: TwoParties;
  let round: TestRound;
  let looking: Database;

  const index = (story: Story) => STORIES.indexOf(story);
  const taskOf = (story: Story) => round.tasks[index(story)] as TestTask;
  const send = (story: Story, body: Uint8Array) => sendJob(parties, round, index(story), body);

  function honest(story: Story, count: number): Sent[] {
    return Array.from({ length: count }, (_, i) => {
      const { report, reportId } = sealed(taskOf(story), [i % 3, 3]);
      return { reportId, init: verifyInitOf(parties, round, index(story), report) };
    });
  }

  function cheating(story: Story, cheat: Cheat): Sent {
    const { report, reportId } = cheatingReport(taskOf(story), cheat);
    return { reportId, init: verifyInitOf(parties, round, index(story), report) };
  }

  /** So many that checking them takes several turns: requests at the same time do overlap. */
  const MANY = 40;

  const bodyOf = (sent: readonly Sent[]) => jobBody(sent.map(({ init }) => init));

  /** Everything that a job may change of one group. */
  function state(story: Story) {
    const { taskId } = contextOf(round, index(story));
    const one = (sql: string) => looking.prepare<[Uint8Array], object>(sql).get(taskId);
    return {
      task: one('SELECT state FROM tasks WHERE task_id = ?'),
      bucket: one(
        'SELECT hex(share) AS share, count, hex(checksum) FROM buckets WHERE task_id = ?',
      ),
      outcomes: one(
        'SELECT COUNT(*) AS n, group_concat(hex(report_id) || outcome) AS ids FROM outcomes WHERE task_id = ?',
      ),
      jobs: one('SELECT COUNT(*) AS n FROM aggregation_jobs WHERE task_id = ?'),
    };
  }

  const countOf = (story: Story) => (state(story).bucket as { count: number } | undefined)?.count;

  /** Nothing is left of the group, and it says why. */
  function expectWithheld(story: Story): void {
    expect(state(story)).toEqual({
      task: { state: 'withheld' },
      bucket: undefined,
      outcomes: { n: 0, ids: null },
      jobs: { n: 0 },
    });
    const reason = looking.prepare<[Uint8Array], string>(
      'SELECT withheld_reason FROM tasks WHERE task_id = ?',
    );
    expect(reason.pluck().get(contextOf(round, index(story)).taskId)).toBe('lot-too-small');
  }

  async function replies(response: Response): Promise<readonly VerifyResp[]> {
    expect(response.status).toBe(201);
    expect(response.headers.get('content-type')).toBe(MEDIA_TYPE.aggregationJobResp);
    return decodeAggregationJobResp(new Uint8Array(await response.arrayBuffer()));
  }

  beforeAll(async () => {
    parties = await startTwoParties();
    round = await openTestRound(
      parties,
      STORIES.map(() => 90),
    );
    looking = parties.database('employer');
    await parties.stop('guardian');
  });

  afterAll(async () => {
    looking.close();
    await parties.close();
  });

  test('before the round is closed: notYet, nothing opened', async () => {
    const before = state('early');
    expect(await refusedWith(send('early', bodyOf(honest('early', 8))))).toBe('409 notYet');
    expect(state('early')).toEqual(before);
    // From here on the round is closed.
    closeTestRound(parties, round);
    await until(() => standing(parties, 1, 'employer')?.round.state === 'closed');
  });

  test('the reply has one word for each report, in the order of the request', async () => {
    const sent = honest('works', 9);
    const response = await send('works', bodyOf(sent));
    expect(response.headers.get('location')).toMatch(
      new RegExp(`^${taskPath(round, index('works'))}/aggregation_jobs/[A-Za-z0-9_-]{22}$`),
    );
    const resps = await replies(response);
    expect(resps.map(({ reportId }) => toHex(reportId))).toEqual(
      sent.map(({ reportId }) => toHex(reportId)),
    );
    for (const resp of resps) expect(resp.type).toBe('continue');
    expect(countOf('works')).toBe(9);
    expect(state('works').task).toEqual({ state: 'counting' });
  });

  test('a second lot is added to the first', async () => {
    await replies(await send('works', bodyOf(honest('works', 8))));
    expect(countOf('works')).toBe(17);
  });

  test('the same request again gets the same Location and bytes, and so does a GET', async () => {
    const body = bodyOf(honest('again', 8));
    const first = await send('again', body);
    const location = first.headers.get('location') as string;
    const bytes = new Uint8Array(await first.arrayBuffer());
    const before = state('again');
    const second = await send('again', body);
    expect(second.status).toBe(201);
    expect(second.headers.get('location')).toBe(location);
    expect(new Uint8Array(await second.arrayBuffer())).toEqual(bytes);
    const read = await callAs(parties, 'guardian', location);
    expect(read.status).toBe(200);
    expect(read.headers.get('content-type')).toBe(MEDIA_TYPE.aggregationJobResp);
    expect(new Uint8Array(await read.arrayBuffer())).toEqual(bytes);
    expect(state('again')).toEqual(before);
  });

  test('the same request five times at once is counted once', async () => {
    const body = bodyOf(honest('at once', MANY));
    const responses = await Promise.all(Array.from({ length: 5 }, () => send('at once', body)));
    const locations = new Set(responses.map((response) => response.headers.get('location')));
    const bytes = await Promise.all(
      responses.map(async (response) => toHex(new Uint8Array(await response.arrayBuffer()))),
    );
    expect(locations.size).toBe(1);
    expect(new Set(bytes).size).toBe(1);
    expect(countOf('at once')).toBe(MANY);
  });

  test('a repeated request that was changed counts no id a second time', async () => {
    const sent = honest('overlap', 8);
    await replies(await send('overlap', bodyOf(sent)));
    // Old and new ones.
    const fresh = honest('overlap', 8);
    const resps = await replies(await send('overlap', bodyOf([...sent, ...fresh])));
    expect(resps.slice(0, 8).map((resp) => resp.type === 'reject' && resp.reportError)).toEqual(
      Array(8).fill('report_replayed'),
    );
    for (const resp of resps.slice(8)) expect(resp.type).toBe('continue');
    expect(countOf('overlap')).toBe(16);
    // Only old ids: none would be accepted, which no honest guardian asks for.
    expect(await refusedWith(send('overlap', bodyOf([...sent].reverse())))).toBe('409 lotTooSmall');
    expectWithheld('overlap');
  });

  test('an id twice in one job fails the job', async () => {
    const sent = honest('twice', 9);
    const before = state('twice');
    const double = [...sent, sent[3] as Sent];
    expect(await refusedWith(send('twice', bodyOf(double)))).toBe('400 invalidMessage');
    expect(state('twice')).toEqual(before);
  });

  test('an id in two jobs at once is committed once', async () => {
    const [shared, ...others] = honest('two jobs', 2 * MANY + 1) as [Sent, ...Sent[]];
    const jobs = [others.slice(0, MANY), others.slice(MANY)].map((own) => bodyOf([shared, ...own]));
    const [a, b] = await Promise.all(
      jobs.map(async (body) => (await replies(await send('two jobs', body)))[0] as VerifyResp),
    );
    expect([a?.type, b?.type].sort()).toEqual(['continue', 'reject']);
    const rejected = a?.type === 'reject' ? a : b;
    expect(rejected).toMatchObject({ reportError: 'report_replayed' });
    expect(countOf('two jobs')).toBe(2 * MANY + 1);
  });

  test('a refused report is not taken with another message of the guardian', async () => {
    const [good, ...others] = honest('resent', 9) as [Sent, ...Sent[]];
    const altered = {
      ...good,
      init: { ...good.init, payload: flipped(good.init.payload, 8 * good.init.payload.length - 1) },
    };
    const first = await replies(await send('resent', bodyOf([altered, ...others])));
    expect(first[0]).toMatchObject({ type: 'reject', reportError: 'vdaf_verify_error' });
    const second = await replies(await send('resent', bodyOf([good, ...honest('resent', 8)])));
    expect(second[0]).toMatchObject({ type: 'reject', reportError: 'report_replayed' });
    expect(countOf('resent')).toBe(16);
  });

  test('a lot with fewer than k good reports is folded by nobody, and ends the group', async () => {
    const sent = [...honest('few', 7), cheating('few', HELPER_RUBBISH)];
    expect(await refusedWith(send('few', bodyOf(sent)))).toBe('409 lotTooSmall');
    expectWithheld('few');
    expect(await refusedWith(send('few', bodyOf(honest('few', 8))))).toBe('409 withheld');
    expectWithheld('few');
  });

  test('a lot without reports is too small', async () => {
    expect(await refusedWith(send('none', bodyOf([])))).toBe('409 lotTooSmall');
    expectWithheld('none');
  });

  test('after the seal: batchOverlap, and the jobs are forgotten', async () => {
    const sent = honest('sealed', 8);
    const body = bodyOf(sent);
    const response = await send('sealed', body);
    const location = response.headers.get('location') as string;
    const sealReply = await callAs(
      parties,
      'guardian',
      `${taskPath(round, index('sealed'))}/seal`,
      {
        body: sealClaim(sent.map(({ reportId }) => reportId)),
      },
    );
    expect(sealReply.status).toBe(200);
    const before = state('sealed');
    expect(await refusedWith(send('sealed', bodyOf(honest('sealed', 8))))).toBe('400 batchOverlap');
    expect(await refusedWith(send('sealed', body))).toBe('400 batchOverlap');
    expect(await refusedWith(callAs(parties, 'guardian', location))).toBe(
      '404 unrecognizedAggregationJob',
    );
    expect(state('sealed')).toEqual(before);
  });

  test('a withheld group is counted no further, and what it had is destroyed', async () => {
    const body = bodyOf(honest('withheld', 8));
    await replies(await send('withheld', body));
    await callAs(parties, 'guardian', `${taskPath(round, index('withheld'))}/withheld`, {
      body: { reason: 'refusals' },
    });
    expect(await refusedWith(send('withheld', body))).toBe('409 withheld');
    expect(await refusedWith(send('withheld', bodyOf(honest('withheld', 8))))).toBe('409 withheld');
    expect(state('withheld')).toMatchObject({
      task: { state: 'withheld' },
      bucket: undefined,
      outcomes: { n: 0 },
      jobs: { n: 0 },
    });
  });

  describe('refused as a whole, with nothing changed', () => {
    const path = () => `${taskPath(round, index('refused'))}/aggregation_jobs`;
    const type = MEDIA_TYPE.aggregationJobInitReq;
    let body: Uint8Array;
    let inits: Init[];

    beforeAll(() => {
      inits = honest('refused', 8).map(({ init }) => init);
      body = jobBody(inits);
    });

    async function unchanged(reply: () => Promise<Response>): Promise<string> {
      const before = state('refused');
      const refused = await refusedWith(reply());
      expect(state('refused')).toEqual(before);
      return refused;
    }

    test.each([
      ['no token', () => null],
      ['the employer’s own token', () => parties.token('employer')],
      ['any other token', () => toBase64url(new Uint8Array(32).fill(7))],
      ['an empty token', () => ''],
      ['a token and more', () => `${parties.token('guardian')}A`],
    ])('%s: 401', async (_name, token) => {
      expect(
        await unchanged(() => callAs(parties, 'guardian', path(), { type, body, token: token() })),
      ).toBe('401 unauthorized');
    });

    test.each(['application/json', 'application/octet-stream', MEDIA_TYPE.uploadRequest])(
      'media type %s: 415',
      async (other) => {
        expect(
          await unchanged(() => callAs(parties, 'guardian', path(), { type: other, body })),
        ).toBe('415 wrongMediaType');
      },
    );

    test('an unknown task', async () => {
      const unknown = `/tasks/${toBase64url(new Uint8Array(32))}/aggregation_jobs`;
      expect(await unchanged(() => callAs(parties, 'guardian', unknown, { type, body }))).toBe(
        '404 unrecognizedTask',
      );
    });

    test.each([
      ['an aggregation parameter', { aggParam: Uint8Array.of(0) }, 'invalidAggregationParameter'],
      ['another verification key', { verificationKeyId: 1 }, 'invalidMessage'],
      [
        'an extension',
        { extensions: [{ extensionType: 1, extensionData: new Uint8Array(8) }] },
        'unsupportedExtension',
      ],
    ])('%s', async (_name, changes, error) => {
      expect(await unchanged(() => send('refused', jobBody(inits, changes)))).toBe(`400 ${error}`);
    });

    test.each([
      ['an empty body', () => new Uint8Array(0)],
      ['a byte more', () => concat(body, Uint8Array.of(0))],
      ['a byte less', () => body.subarray(0, -1)],
      ['only ones', () => new Uint8Array(500).fill(255)],
    ])('malformed: %s', async (_name, malformed) => {
      expect(await unchanged(() => send('refused', malformed()))).toBe('400 invalidMessage');
    });

    test('more than 16 MiB', async () => {
      expect(await unchanged(() => send('refused', new Uint8Array(16 * 1024 * 1024 + 1)))).toBe(
        '413 tooLarge',
      );
    });

    test('a job that does not exist, and one that cannot', async () => {
      for (const job of [toBase64url(new Uint8Array(16)), 'AAAA', 'x'.repeat(22)]) {
        expect(await unchanged(() => callAs(parties, 'guardian', `${path()}/${job}`))).toBe(
          '404 unrecognizedAggregationJob',
        );
      }
    });

    test('the good job is taken after all of them', async () => {
      await replies(await send('refused', body));
      expect(countOf('refused')).toBe(8);
    });
  });

  test('each fault of a report has its own error, and the good ones count', async () => {
    const [one] = honest('bad', 1) as [Sent];
    const altered = (change: (init: Init) => Init): Sent => {
      const [sent] = honest('bad', 1) as [Sent];
      return { ...sent, init: change(sent.init) };
    };
    const share = (change: (share: Init['reportShare']) => Init['reportShare']) =>
      altered((init) => ({ ...init, reportShare: change(init.reportShare) }));
    const sealedShare = (change: (sealed: HpkeCiphertext) => HpkeCiphertext) =>
      share((part) => ({ ...part, encryptedInputShare: change(part.encryptedInputShare) }));
    const payload = (change: (payload: Uint8Array) => Uint8Array) =>
      altered((init) => ({ ...init, payload: change(init.payload) }));
    const bad: [Sent, ReportError][] = [
      [sealedShare((s) => ({ ...s, configId: s.configId + 1 })), 'hpke_decrypt_error'],
      [sealedShare((s) => ({ ...s, payload: flipped(s.payload) })), 'hpke_decrypt_error'],
      [sealedShare((s) => ({ ...s, enc: flipped(s.enc) })), 'hpke_decrypt_error'],
      [sealedShare((s) => ({ ...s, enc: flipped(s.enc, 8 * 1100) })), 'hpke_decrypt_error'],
      [sealedShare((s) => ({ ...s, enc: s.enc.subarray(1) })), 'invalid_message'],
      [sealedShare(() => one.init.reportShare.encryptedInputShare), 'hpke_decrypt_error'],
      [share((s) => ({ ...s, publicShare: flipped(s.publicShare) })), 'invalid_message'],
      [share((s) => ({ ...s, publicShare: s.publicShare.subarray(1) })), 'invalid_message'],
      // The signature's last bit, and the lowest bit of the time.
      [
        share((s) => ({
          ...s,
          metadataBytes: flipped(s.metadataBytes, 8 * (s.metadataBytes.length - 1)),
        })),
        'invalid_message',
      ],
      [share((s) => ({ ...s, metadataBytes: flipped(s.metadataBytes, 8 * 23) })), 'report_dropped'],
      [payload((p) => flipped(p, 8 * 30)), 'vdaf_verify_error'],
      [payload((p) => flipped(p, 8 * (p.length - 1))), 'vdaf_verify_error'],
      // What the VDAF cannot decode is refused like what it cannot verify.
      [payload((p) => p.subarray(0, -1)), 'vdaf_verify_error'],
      [payload((p) => flipped(p, 1)), 'vdaf_verify_error'],
      [
        payload((p) => concat(p.subarray(0, 5), new Uint8Array(16).fill(255), p.subarray(21))),
        'vdaf_verify_error',
      ],
      [cheating('bad', HELPER_RUBBISH), 'vdaf_verify_error'],
      // A private extension beside a whole half; at the upload its length would give it away.
      [
        cheating('bad', {
          plaintext: { helper: (p) => concat(Uint8Array.of(0, 4, 0, 1, 0, 0), p.subarray(2)) },
        }),
        'invalid_message',
      ],
    ];
    const good = honest('bad', 8);
    const resps = await replies(await send('bad', bodyOf([...bad.map(([sent]) => sent), ...good])));
    expect(
      resps
        .slice(0, bad.length)
        .map((resp) => (resp.type === 'reject' ? resp.reportError : resp.type)),
    ).toEqual(bad.map(([, error]) => error));
    for (const resp of resps.slice(bad.length)) expect(resp.type).toBe('continue');
    expect(countOf('bad')).toBe(8);
  });
});

/** A plaintext input share is an empty extension list (2 bytes), a length (4), and the payload. */
const privateExtension = (plaintext: Uint8Array): Uint8Array => {
  const data = 10;
  const size = plaintext.length - 6 - (4 + data);
  return concat(
    Uint8Array.of(0, 4 + data, 0x12, 0x34, 0, data),
    new Uint8Array(data),
    Uint8Array.of(0, 0, size >> 8, size & 255),
    plaintext.subarray(6, 6 + size),
  );
};

/** One element or seed half fewer, and as many bytes behind the end. */
const miscounted = (plaintext: Uint8Array): Uint8Array => {
  const out = plaintext.slice();
  const size = plaintext.length - 6 - 16;
  out.set([0, 0, size >> 8, size & 255], 2);
  return out;
};

const flipSealed = (sealed: HpkeCiphertext): HpkeCiphertext => ({
  ...sealed,
  payload: flipped(sealed.payload, 300),
});

const MINUS_ONE = Field128.modulus - 1n;
const PARTS_SIZE = 32;

/** What a cheat is, who finds out, and as what. */
const CHEATS: readonly [string, 'guardian' | 'employer', ReportError, Cheat][] = [
  [
    'two options in one question',
    'employer',
    'vdaf_verify_error',
    { vector: [1n, 0n, 1n, 0n, ...oneHot([1])] },
  ],
  [
    'no option in a question',
    'employer',
    'vdaf_verify_error',
    { vector: [0n, 0n, 0n, 0n, ...oneHot([1])] },
  ],
  [
    'weights 2 and −1',
    'employer',
    'vdaf_verify_error',
    { vector: [2n, MINUS_ONE, 0n, 0n, ...oneHot([1])] },
  ],
  [
    'the right total in the wrong question',
    'employer',
    'vdaf_verify_error',
    { vector: [1n, 1n, 0n, 0n, 0n, 0n, 0n, 0n] },
  ],
  [
    'a thousand votes',
    'employer',
    'vdaf_verify_error',
    { vector: [1000n, 0n, 0n, 0n, ...oneHot([1])] },
  ],
  [
    'a flipped bit in the employer’s half',
    'employer',
    'hpke_decrypt_error',
    { sealed: { helper: flipSealed } },
  ],
  [
    'a private extension for the employer',
    'employer',
    'invalid_message',
    { plaintext: { helper: privateExtension } },
  ],
  [
    'a miscounted half for the employer',
    'employer',
    'invalid_message',
    { plaintext: { helper: miscounted } },
  ],
  [
    'a joint-randomness part of the employer that is not its own',
    'employer',
    'vdaf_verify_error',
    { publicShare: (share) => flipped(share, 8 * PARTS_SIZE) },
  ],
  [
    'a flipped bit in the guardian’s half',
    'guardian',
    'hpke_decrypt_error',
    { sealed: { leader: flipSealed } },
  ],
  [
    'a private extension for the guardian',
    'guardian',
    'invalid_message',
    { plaintext: { leader: privateExtension } },
  ],
  [
    'a miscounted half for the guardian',
    'guardian',
    'invalid_message',
    { plaintext: { leader: miscounted } },
  ],
  [
    'an element that is not canonical',
    'guardian',
    'vdaf_verify_error',
    {
      plaintext: {
        leader: (plaintext) =>
          concat(plaintext.subarray(0, 6), new Uint8Array(16).fill(255), plaintext.subarray(22)),
      },
    },
  ],
  [
    'a joint-randomness part of the guardian that is not its own',
    'guardian',
    'vdaf_verify_error',
    { publicShare: (share) => flipped(share, 5) },
  ],
];

describe('cheating employees, the whole real way', () => {
  /** So few cheats to a group that the employer’s refusals stay under its cap of 3. */
  const GROUPS = 3;
  const HONEST = 10;
  const ANSWERS = Array.from({ length: HONEST }, (_, i) => [i % 2, 2 + (i % 2)]);

  let parties: TwoParties;
  let round: TestRound;
  let guardian: Database;
  let employer: Database;
  const honestIds: Uint8Array[] = [];
  const cheats = new Map<string, Uint8Array>();

  beforeAll(async () => {
    parties = await startTwoParties();
    round = await openTestRound(parties, Array(GROUPS).fill(40));
    guardian = parties.database('guardian');
    employer = parties.database('employer');
    for (const task of round.tasks) {
      for (const answer of ANSWERS) {
        const { report, reportId } = sealed(task, answer);
        expect(await upload(parties, task, report)).toBe(undefined);
        honestIds.push(reportId);
      }
    }
    for (const [i, [name, , , cheat]] of CHEATS.entries()) {
      const task = round.tasks[i % GROUPS] as TestTask;
      const { report, reportId } = cheatingReport(task, cheat);
      // The box takes it: nothing is opened before the round is closed.
      expect(await upload(parties, task, report), name).toBe(undefined);
      cheats.set(name, reportId);
    }
    // The count may go on to the seal, but the employer cannot ask for results yet.
    parties.wires.employer.before = (url) => {
      if (url.endsWith('/collection_jobs')) throw new Error('cut');
    };
    closeTestRound(parties, round);
    await until(() => standing(parties, 1, 'employer')?.groups.sealed === GROUPS);
    await until(() => standing(parties, 1)?.groups.sealed === GROUPS);
  });

  afterAll(async () => {
    guardian.close();
    employer.close();
    await parties.close();
  });

  test.each(CHEATS)('%s: refused by the %s with %s', (name, party, error) => {
    const reason = (db: Database) =>
      db
        .prepare<[Uint8Array], { outcome: string; reason: string }>(
          'SELECT outcome, reason FROM outcomes WHERE report_id = ?',
        )
        .get(cheats.get(name) as Uint8Array);
    const refused = { outcome: 'refused', reason: `${party}:${error}` };
    expect(reason(guardian)).toEqual(refused);
    expect(reason(employer)).toEqual(party === 'employer' ? refused : undefined);
  });

  test('the log says that some were refused: not how many, which, by whom or why', () => {
    const sentences = guardian
      .prepare<[], string>(`SELECT sentence FROM events WHERE kind = 'refused' ORDER BY id`)
      .pluck()
      .all();
    expect(sentences).toHaveLength(GROUPS);
    for (const sentence of sentences) {
      expect(sentence).toMatch(/^Group \d: some answers were not well formed and are refused\.$/);
    }
  });

  test('both halves together hold the honest answers, exactly', () => {
    for (const [i] of round.tasks.entries()) {
      const { vdaf, taskId } = contextOf(round, i);
      const shares = [guardian, employer].map((db) =>
        db
          .prepare<[Uint8Array], { share: Buffer; count: number }>(
            'SELECT share, count FROM buckets WHERE task_id = ?',
          )
          .get(taskId),
      );
      expect(shares.map((bucket) => bucket?.count)).toEqual([HONEST, HONEST]);
      const totals = vdaf.unshard(
        shares.map((bucket) =>
          vdaf.decodeAggregateShare(new Secret<Uint8Array>(bucket?.share as Buffer)),
        ),
        HONEST,
      );
      expect(totals).toEqual([5, 5, 0, 0, 0, 0, 5, 5]);
    }
  });

  test('the list that both sign has every id, the refused ones with their error', async () => {
    parties.wires.employer.before = () => {};
    parties.employer.nudge();
    await finished(parties);
    expect(standing(parties, 1)?.groups).toMatchObject({ confirmed: GROUPS });
    const base = `${parties.urls.guardian}/manifests/${toBase64url(round.hash)}/list`;
    const signed = (await (await fetch(base)).json()) as Record<string, string>;
    const slices = await Promise.all(
      Array.from({ length: SLICES }, async (_, slice) => {
        const response = await fetch(`${base}/${slice}`);
        expect(response.status).toBe(200);
        return new Uint8Array(await response.arrayBuffer());
      }),
    );
    const root = idListRoot(slices);
    expect(toBase64url(root)).toBe(signed.root);
    for (const party of ['guardian', 'employer'] as const) {
      verifySignature(
        fromBase64url(round.head[party].signing_key),
        fromBase64url(signed[`${party}_signature`] as string),
        'chorus list v1',
        round.hash,
        root,
      );
    }
    const listed = new Map(
      slices.flatMap(decodeIdSlice).map(({ reportId, ...ending }) => [toHex(reportId), ending]),
    );
    expect(listed.size).toBe(GROUPS * HONEST + CHEATS.length);
    for (const id of honestIds) expect(listed.get(toHex(id))).toEqual({ outcome: 'counted' });
    for (const [name, , error] of CHEATS) {
      expect(listed.get(toHex(cheats.get(name) as Uint8Array)), name).toEqual({
        outcome: 'refused',
        error,
      });
    }
  });
});
