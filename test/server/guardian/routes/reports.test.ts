import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { concat, fromBase64url, toBase64url } from '../../../../crypto/bytes.ts';
import { REPORT_EXTENSION } from '../../../../crypto/dap/extensions.ts';
import { MEDIA_TYPE } from '../../../../crypto/dap/media-types.ts';
import { buildReport } from '../../../../crypto/dap/report.ts';
import type { Extension, HpkeCiphertext, ReportError } from '../../../../crypto/dap/types.ts';
import { decodeReport, decodeUploadErrors } from '../../../../crypto/dap/upload.ts';
import { Secret } from '../../../../crypto/secret.ts';
import { sha256 } from '../../../../crypto/sha256.ts';
import { noticeHash } from '../../../../crypto/sheet.ts';
import { signingPublicKey } from '../../../../crypto/signing.ts';
import { systemRandomness } from '../../../../server/party.ts';
import type { Database } from '../../../../server/storage/database.ts';
import { type Cheat, cheatingReport, flipped } from '../../../support/cheating-reports.ts';
import {
  closeTestRound,
  finished,
  openTestRound,
  readTestRound,
  sealed,
  startTwoParties,
  type TestRound,
  type TwoParties,
  until,
  upload,
} from '../../../support/parties.ts';
import { signToken, type TestTask, tokenFor, tokenKeyOf } from '../../../support/test-tokens.ts';

/** The parties' own connections, so that a disk can be made full under the guardian. */
const opened = vi.hoisted(() => new Map<string, Database>());

vi.mock('../../../../server/storage/database.ts', async (original) => {
  const real = await original<typeof import('../../../../server/storage/database.ts')>();
  return {
    ...real,
    openDatabase(path: string, folders: readonly string[]) {
      const db = real.openDatabase(path, folders);
      const name = path.split(/[/\\]/).at(-1) as string;
      if (!opened.has(name)) opened.set(name, db);
      return db;
    },
  };
});

/** One group for each story, so that none sees the reports of another. */
const GROUPS = { general: 60, small: 23, crowd: 50, disk: 40, full: 40, counted: 30 };
const SIZES = Object.values(GROUPS);

let parties: TwoParties;
let round: TestRound;
let looking: Database;

function group(name: keyof typeof GROUPS): TestTask {
  return round.tasks[Object.keys(GROUPS).indexOf(name)] as TestTask;
}

/** Everything that an upload may change. */
function stored() {
  const count = (sql: string) => looking.prepare<[], number>(sql).pluck().get();
  return {
    box: count('SELECT COUNT(*) FROM box'),
    spent: count('SELECT COUNT(*) FROM spent'),
    accepted: count('SELECT SUM(accepted) FROM tasks'),
    bytes: count('SELECT COALESCE(SUM(LENGTH(report)), 0) FROM box'),
  };
}

function post(
  body: Uint8Array | string,
  {
    task = toBase64url(group('general').taskId),
    type = MEDIA_TYPE.uploadRequest as string | null,
    headers = {},
  }: { task?: string; type?: string | null; headers?: Record<string, string> } = {},
): Promise<Response> {
  return fetch(`${parties.urls.guardian}/tasks/${task}/reports`, {
    method: 'POST',
    headers: { ...headers, ...(type === null ? {} : { 'content-type': type }) },
    body: body as Uint8Array<ArrayBuffer>,
  });
}

async function problem(reply: Promise<Response>): Promise<{ status: number; type: string }> {
  const response = await reply;
  expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  const { type, status } = (await response.json()) as { type: string; status: number };
  expect(status).toBe(response.status);
  return { status, type };
}

const dap = (error: string) => `urn:ietf:params:ppm:dap:error:${error}`;
const chorus = (error: string) => `urn:chorus:error:${error}`;

beforeAll(async () => {
  parties = await startTwoParties();
  round = await openTestRound(parties, SIZES);
  looking = parties.database('guardian');
});

afterAll(async () => {
  looking.close();
  await parties.close();
});

describe('a good report', () => {
  test('is answered with an empty 200 once it lies in the box, byte for byte', async () => {
    const before = stored();
    const { report, reportId } = sealed(group('general'), [0, 1]);
    const response = await post(report);
    expect(response.status).toBe(200);
    expect(await response.text()).toBe('');
    expect(stored()).toEqual({
      box: (before.box as number) + 1,
      spent: (before.spent as number) + 1,
      accepted: (before.accepted as number) + 1,
      bytes: (before.bytes as number) + report.length,
    });
    const kept = looking
      .prepare<[Uint8Array], Buffer>('SELECT report FROM box WHERE report_id = ?')
      .pluck()
      .get(reportId);
    expect(kept?.equals(report)).toBe(true);
  });

  test('the test’s own builder makes the same kind of report', async () => {
    expect(await upload(parties, group('general'), cheatingReport(group('general')).report)).toBe(
      undefined,
    );
  });

  test('the same bytes again are 200 and stored once', async () => {
    const { report } = sealed(group('general'), [1, 1]);
    expect((await post(report)).status).toBe(200);
    const before = stored();
    const again = await post(report);
    expect([again.status, await again.text()]).toEqual([200, '']);
    expect(stored()).toEqual(before);
  });

  test('the same report twice in one request is stored once', async () => {
    const { report } = sealed(group('general'), [1, 2]);
    const before = stored();
    const response = await post(concat(report, report));
    expect([response.status, await response.text()]).toEqual([200, '']);
    expect(stored().box).toBe((before.box as number) + 1);
    expect(stored().accepted).toBe((before.accepted as number) + 1);
  });

  test('ten copies at the same time are all 200 and stored once', async () => {
    const { report } = sealed(group('general'), [2, 2]);
    const before = stored();
    const replies = await Promise.all(Array.from({ length: 10 }, () => post(report)));
    for (const reply of replies) expect([reply.status, await reply.text()]).toEqual([200, '']);
    expect(stored().box).toBe((before.box as number) + 1);
    expect(stored().accepted).toBe((before.accepted as number) + 1);
  });
});

/** Extensions that say nothing: of the size that their type has, if it has one. */
const extension = (extensionType: number, size: number): Extension => ({
  extensionType,
  extensionData: new Uint8Array(size),
});

/** The same extension with other data. */
const saying = (of: Extension, extensionData: Uint8Array): Extension => ({ ...of, extensionData });

/** Another token, made for the nonce of the key that signs the report. */
const withToken = (make: (nonce: Uint8Array) => Uint8Array): Cheat => ({
  extensions: (signature, consent, token) => {
    const nonce = sha256(signature.extensionData.subarray(0, 32));
    return [consent, saying(token, make(nonce)), signature];
  },
});

/** A token with one bit flipped, in the field that begins at this byte. */
const flippedToken = (at: number): Cheat =>
  withToken((nonce) => {
    const task = group('general');
    return flipped(signToken(task, nonce, tokenKeyOf(task)), 8 * at);
  });

/** Zeros of a report's size, with a one at this place. */
const zerosButFor = (at: number) => (bytes: Uint8Array) =>
  new Uint8Array(bytes.length).map((_, i) => Number(i === at));

const payload =
  (change: (payload: Uint8Array) => Uint8Array) =>
  (sealed: HpkeCiphertext): HpkeCiphertext => ({ ...sealed, payload: change(sealed.payload) });
const enc =
  (change: (enc: Uint8Array) => Uint8Array) =>
  (sealed: HpkeCiphertext): HpkeCiphertext => ({ ...sealed, enc: change(sealed.enc) });
const longer = (bytes: Uint8Array) => concat(bytes, Uint8Array.of(0));
const shorter = (bytes: Uint8Array) => bytes.subarray(1);
const otherKey = (sealed: HpkeCiphertext): HpkeCiphertext => ({
  ...sealed,
  configId: (sealed.configId + 1) % 256,
});

const REFUSED: readonly [string, ReportError, Cheat][] = [
  ['a signature with one bit flipped', 'invalid_message', { signature: (s) => flipped(s, 100) }],
  ['a signature of zeros', 'invalid_message', { signature: (s) => new Uint8Array(s.length) }],
  ['no extensions at all', 'invalid_message', { extensions: () => [] }],
  [
    'no consent',
    'invalid_message',
    { extensions: (signature, _consent, token) => [token, signature] },
  ],
  ['no token', 'invalid_message', { extensions: (signature, consent) => [consent, signature] }],
  [
    'no signature',
    'invalid_message',
    { extensions: (_signature, consent, token) => [consent, token] },
  ],
  ['a signature alone', 'invalid_message', { extensions: (signature) => [signature] }],
  [
    'an extension that nobody knows, before the others',
    'invalid_message',
    {
      extensions: (signature, consent, token) => [extension(1, 0), consent, token, signature],
    },
  ],
  [
    'an extension that nobody knows, after the others',
    'invalid_message',
    {
      extensions: (signature, consent, token) => [consent, token, signature, extension(0xff04, 64)],
    },
  ],
  ...(['consent', 'token', 'signature'] as const).flatMap(
    (name, at): [string, ReportError, Cheat][] => [
      [
        `the ${name} extension twice`,
        'invalid_message',
        {
          extensions: (signature, consent, token) =>
            [consent, token, signature].flatMap((one, i) => (i === at ? [one, one] : [one])),
        },
      ],
      ...[1, -1].map((more): [string, ReportError, Cheat] => [
        `a ${name} extension that is too ${more > 0 ? 'long' : 'short'}`,
        'invalid_message',
        {
          extensions: (signature, consent, token) =>
            [consent, token, signature].map((one, i) => {
              if (i !== at) return one;
              const { extensionData } = one;
              return saying(
                one,
                more > 0
                  ? concat(extensionData, Uint8Array.of(0))
                  : extensionData.subarray(0, REPORT_EXTENSION[name].size - 1),
              );
            }),
        },
      ]),
    ],
  ),
  [
    'extensions in another order than increasing',
    'invalid_message',
    { extensions: (signature, consent, token) => [token, consent, signature] },
  ],
  [
    'the signature before the token',
    'invalid_message',
    { extensions: (signature, consent, token) => [consent, signature, token] },
  ],
  [
    'consent of zeros',
    'invalid_message',
    { extensions: (signature, _, token) => [extension(0xff01, 32), token, signature] },
  ],
  [
    'consent to a notice with one bit flipped',
    'invalid_message',
    {
      extensions: (signature, consent, token) => [
        saying(consent, flipped(consent.extensionData, 77)),
        token,
        signature,
      ],
    },
  ],
  [
    'consent to the notice of another sheet',
    'invalid_message',
    {
      extensions: (signature, consent, token) => {
        const { sheet } = round;
        const notice = { ...sheet.notice, points: [...sheet.notice.points, 'And more.'] };
        return [saying(consent, noticeHash({ ...sheet, notice })), token, signature];
      },
    },
  ],
  ['a token of zeros', 'invalid_message', withToken(() => new Uint8Array(354))],
  ['a token of another type', 'invalid_message', flippedToken(0)],
  ['a token with a bit of its nonce flipped', 'invalid_message', flippedToken(2)],
  ['a token with a bit of its challenge flipped', 'invalid_message', flippedToken(34)],
  ['a token with a bit of its key id flipped', 'invalid_message', flippedToken(66)],
  ['a token with a bit of its signature flipped', 'invalid_message', flippedToken(98)],
  ['a token with its last bit flipped', 'invalid_message', flippedToken(353)],
  [
    'the token of another key than the one that signs',
    'invalid_message',
    withToken(() => tokenFor(group('general'), new Secret(systemRandomness(32)))),
  ],
  [
    'the token of another group, for the same key',
    'invalid_message',
    withToken((nonce) => signToken(group('disk'), nonce, tokenKeyOf(group('disk')))),
  ],
  [
    'a token of this group’s key that is bound to another group',
    'invalid_message',
    withToken((nonce) => {
      const { challengeHash } = group('disk');
      const task = group('general');
      return signToken({ ...task, challengeHash }, nonce, tokenKeyOf(task));
    }),
  ],
  [
    'a token bound to this group that names another group’s key',
    'invalid_message',
    withToken((nonce) => {
      const { spki } = group('disk');
      return signToken({ ...group('general'), spki }, nonce, tokenKeyOf({ spki }));
    }),
  ],
  [
    'a token that another group’s key signed under this one’s name',
    'invalid_message',
    withToken((nonce) => signToken(group('general'), nonce, tokenKeyOf(group('disk')))),
  ],
  ['a public share that is too long', 'invalid_message', { publicShare: longer }],
  ['a public share that is too short', 'invalid_message', { publicShare: shorter }],
  ['no public share', 'invalid_message', { publicShare: () => new Uint8Array(0) }],
  ...(['leader', 'helper'] as const).flatMap((role): [string, ReportError, Cheat][] => [
    [
      `a half for the ${role} that is too long`,
      'invalid_message',
      { sealed: { [role]: payload(longer) } },
    ],
    [
      `a half for the ${role} that is too short`,
      'invalid_message',
      { sealed: { [role]: payload(shorter) } },
    ],
    [
      `an encapsulated key for the ${role} that is too short`,
      'invalid_message',
      { sealed: { [role]: enc(shorter) } },
    ],
    [
      `an encapsulated key for the ${role} that is too long`,
      'invalid_message',
      { sealed: { [role]: enc(longer) } },
    ],
    [
      `a half sealed to a key of the ${role} that is not the round’s`,
      'outdated_config',
      { sealed: { [role]: otherKey } },
    ],
    [
      `a private extension for the ${role}, which makes the half longer`,
      'invalid_message',
      {
        plaintext: {
          [role]: (plaintext: Uint8Array) =>
            concat(Uint8Array.of(0, 4, 9, 9, 0, 0), plaintext.subarray(2)),
        },
      },
    ],
  ]),
];

describe('refused by a ReportError, with nothing stored', () => {
  test.each(REFUSED)('%s: %s', async (_name, error, cheat) => {
    const before = stored();
    const { report, reportId } = cheatingReport(group('general'), cheat);
    const response = await post(report);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe(MEDIA_TYPE.uploadErrors);
    const errors = decodeUploadErrors(new Uint8Array(await response.arrayBuffer()));
    expect(errors).toEqual([{ id: reportId, error }]);
    expect(stored()).toEqual(before);
  });

  test.each([
    ['a day earlier', -1],
    ['a day later, still within the round', 1],
    ['after the round', 7],
  ])('a time %s than the round’s first day: report_dropped', async (_name, offset) => {
    const before = stored();
    const task = group('general');
    const { report } = cheatingReport(task, { time: task.time + offset });
    expect(await upload(parties, task, report)).toBe('report_dropped');
    expect(stored()).toEqual(before);
  });

  test('a report for another group of the same round: its signature does not fit', async () => {
    const before = stored();
    const { report } = sealed(group('small'), [0, 0]);
    expect(await upload(parties, group('general'), report)).toBe('invalid_message');
    expect(stored()).toEqual(before);
  });

  test('the id of a report in the box with other bytes: report_replayed', async () => {
    const task = group('general');
    const reportId = systemRandomness(16);
    expect(await upload(parties, task, cheatingReport(task, { reportId }).report)).toBe(undefined);
    const before = stored();
    expect(await upload(parties, task, cheatingReport(task, { reportId }).report)).toBe(
      'report_replayed',
    );
    expect(stored()).toEqual(before);
  });

  test('the id of a report in the box, for another group: report_replayed', async () => {
    const reportId = systemRandomness(16);
    const first = cheatingReport(group('general'), { reportId });
    expect(await upload(parties, group('general'), first.report)).toBe(undefined);
    const before = stored();
    const second = cheatingReport(group('disk'), { reportId });
    expect(await upload(parties, group('disk'), second.report)).toBe('report_replayed');
    expect(stored()).toEqual(before);
  });

  test('the key of a report in the box with another id: report_replayed', async () => {
    const task = group('general');
    const seed = new Secret(systemRandomness(32));
    const first = sealed(task, [0, 0], seed);
    expect(await upload(parties, task, first.report)).toBe(undefined);
    const before = stored();
    const second = sealed(task, [0, 0], seed);
    expect(await upload(parties, task, second.report)).toBe('report_replayed');
    // Nor does signing the same once more make another token of it.
    const third = sealed(task, [1, 1], seed);
    expect(tokenFor(task, seed)).not.toEqual(tokenFor(task, seed));
    expect(await upload(parties, task, third.report)).toBe('report_replayed');
    // In another group it entitles to nothing.
    const token = tokenFor(task, seed);
    const elsewhere = buildReport({ ...group('disk'), token }, [0, 0], seed, systemRandomness);
    expect(await upload(parties, group('disk'), elsewhere.report)).toBe('invalid_message');
    expect(stored()).toEqual(before);
  });

  test('a token that was spent, with the signature of another key: still the first’s', async () => {
    const task = group('general');
    const seed = new Secret(systemRandomness(32));
    const token = tokenFor(task, seed);
    const first = buildReport({ ...task, token }, [0, 0], seed, systemRandomness);
    expect(await upload(parties, task, first.report)).toBe(undefined);
    const before = stored();
    const other = new Secret(systemRandomness(32));
    const stolen = buildReport({ ...task, token }, [2, 2], other, systemRandomness);
    expect(await upload(parties, task, stolen.report)).toBe('invalid_message');
    // Whoever has seen the report knows its public key too, and cannot sign with it.
    const { report } = cheatingReport(task, {
      extensions: (signature, consent) => [
        consent,
        { extensionType: REPORT_EXTENSION.token.type, extensionData: token },
        saying(signature, concat(signingPublicKey(seed), new Uint8Array(64))),
      ],
    });
    expect(await upload(parties, task, report)).toBe('invalid_message');
    expect(stored()).toEqual(before);
  });

  test('eight answers with one token at the same moment: one is stored, the others are refused', async () => {
    const task = group('general');
    const seed = new Secret(systemRandomness(32));
    const before = stored();
    const reports = Array.from({ length: 8 }, (_, i) => sealed(task, [i % 3, 0], seed).report);
    const errors = await Promise.all(reports.map((report) => upload(parties, task, report)));
    expect(errors.filter((error) => error === undefined)).toHaveLength(1);
    expect(errors.filter((error) => error === 'report_replayed')).toHaveLength(7);
    expect(stored()).toMatchObject({
      box: (before.box as number) + 1,
      spent: (before.spent as number) + 1,
      accepted: (before.accepted as number) + 1,
    });
  });

  test('one more than the roster has: report_dropped, for every further one', async () => {
    const task = group('small');
    const reports = Array.from({ length: GROUPS.small }, () => sealed(task, [0, 0]).report);
    for (const report of reports) expect(await upload(parties, task, report)).toBe(undefined);
    const before = stored();
    for (let i = 0; i < 2; i++) {
      expect(await upload(parties, task, sealed(task, [0, 0]).report)).toBe('report_dropped');
    }
    // The roster being full does not forget who is in it.
    expect(await upload(parties, task, reports[1] as Uint8Array)).toBe(undefined);
    expect(stored()).toEqual(before);
  });

  test('several reports in one request: the good ones stored, the errors in their order', async () => {
    const task = group('general');
    const before = stored();
    const good = [sealed(task, [0, 3]), sealed(task, [3, 0])];
    const unsigned = cheatingReport(task, { signature: (s) => flipped(s) });
    const late = cheatingReport(task, { time: task.time + 1 });
    const again = cheatingReport(task, {
      reportId: (good[0] as { reportId: Uint8Array }).reportId,
    });
    const response = await post(
      concat(
        late.report,
        (good[0] as { report: Uint8Array }).report,
        unsigned.report,
        again.report,
        (good[1] as { report: Uint8Array }).report,
      ),
    );
    expect(decodeUploadErrors(new Uint8Array(await response.arrayBuffer()))).toEqual([
      { id: late.reportId, error: 'report_dropped' },
      { id: unsigned.reportId, error: 'invalid_message' },
      { id: again.reportId, error: 'report_replayed' },
    ]);
    expect(stored().box).toBe((before.box as number) + 2);
  });

  test('before the round opens: task_not_started', async () => {
    const hash = await parties.guardian.plan({
      number: 2,
      days: { start: 20_200, duration: 7 },
      sheetHash: fromBase64url(round.head.sheet_hash),
    });
    const later = await readTestRound(parties, hash, round.sheet);
    const task = later.tasks[0] as TestTask;
    const before = stored();
    expect(await upload(parties, task, sealed(task, [0, 0]).report)).toBe('task_not_started');
    // Nor are the tokens of one round good for the other.
    for (const [from, to] of [
      [task, group('general')],
      [group('general'), task],
    ] as const) {
      const seed = new Secret(systemRandomness(32));
      const borrowed = { ...to, token: tokenFor(from, seed) };
      const { report } = buildReport(borrowed, [0, 0], seed, systemRandomness);
      expect(await upload(parties, to, report)).toBe('invalid_message');
    }
    expect(stored()).toEqual(before);
  });
});

describe('refused by a problem document, with nothing stored', () => {
  let report: Uint8Array;
  let before: ReturnType<typeof stored>;

  beforeEach(() => {
    ({ report } = sealed(group('general'), [0, 0]));
    before = stored();
  });
  afterEach(() => {
    expect(stored()).toEqual(before);
  });

  test('an unknown task', async () => {
    const reply = post(report, { task: toBase64url(systemRandomness(32)) });
    expect(await problem(reply)).toEqual({ status: 404, type: dap('unrecognizedTask') });
  });

  test.each([
    ['too short', 'AAAA'],
    ['padded', `${'A'.repeat(43)}=`],
    ['not canonical', `${'A'.repeat(42)}B`],
    ['another path', '%2e%2e'],
    ['broken escapes', '%zz'],
    ['very long', 'A'.repeat(5000)],
  ])('a task that is none: %s', async (_name, task) => {
    const { status } = await problem(post(report, { task }));
    expect(status).toBe(404);
  });

  test.each([
    ['none', null],
    ['octets', 'application/octet-stream'],
    ['another message of DAP', MEDIA_TYPE.collectionJobReq],
    ['a parameter more', `${MEDIA_TYPE.uploadRequest};version=1`],
    ['a form', 'application/x-www-form-urlencoded'],
  ])('another media type: %s', async (_name, type) => {
    const reply = post(report, { type });
    expect(await problem(reply)).toEqual({ status: 415, type: chorus('wrongMediaType') });
  });

  test('an empty body', async () => {
    expect(await problem(post(new Uint8Array(0)))).toEqual({
      status: 400,
      type: dap('invalidMessage'),
    });
  });

  test('more than 128 KiB, whatever is in it', async () => {
    const reply = post(new Uint8Array(128 * 1024 + 1));
    expect(await problem(reply)).toEqual({ status: 413, type: chorus('tooLarge') });
  });

  test('a compressed body', async () => {
    const { status } = await problem(post(report, { headers: { 'content-encoding': 'gzip' } }));
    expect(status).toBe(400);
  });

  test.each([
    ['one byte more', (bytes: Uint8Array) => concat(bytes, Uint8Array.of(0))],
    ['the last byte missing', (bytes: Uint8Array) => bytes.subarray(0, -1)],
    ['a good report and half of one', (bytes: Uint8Array) => concat(bytes, bytes.subarray(0, 900))],
    ['one byte', () => Uint8Array.of(1)],
    ['no more than an id of zeros', () => new Uint8Array(16)],
    ['zeros, but for the end of the id', zerosButFor(15)],
    ['only ones', (bytes: Uint8Array) => new Uint8Array(bytes.length).fill(255)],
  ])('bytes that are no reports: %s', async (_name, change) => {
    const reply = post(change(report));
    expect(await problem(reply)).toEqual({ status: 400, type: dap('invalidMessage') });
  });

  test('cut anywhere', async () => {
    for (let length = 1; length < report.length; length += 173) {
      expect((await problem(post(report.subarray(0, length)))).status).toBe(400);
    }
  });
});

describe('a message that declines', () => {
  const nobody = (length: number) => concat(new Uint8Array(16), systemRandomness(length - 16));

  test('is of a report’s size, answered as a good report is, and nothing of it is kept', async () => {
    const task = group('general');
    const { report } = sealed(task, [0, 0]);
    const accepted = await post(report);
    const before = stored();
    const declined = await post(nobody(report.length));
    expect([declined.status, await declined.text()]).toEqual([
      accepted.status,
      await accepted.text(),
    ]);
    const heads = [accepted, declined].map(({ headers }) =>
      [...headers].filter(([name]) => name !== 'date'),
    );
    expect(heads[1]).toEqual(heads[0]);
    expect(stored()).toEqual(before);
  });

  test('is so whatever else is in it, and however often it comes', async () => {
    const before = stored();
    const { report } = sealed(group('general'), [0, 0]);
    const bodies = [
      new Uint8Array(report.length),
      nobody(17),
      concat(new Uint8Array(16), report.subarray(16)),
    ];
    for (const body of [...bodies, ...bodies]) {
      const response = await post(body);
      expect([response.status, await response.text()]).toEqual([200, '']);
    }
    expect(stored()).toEqual(before);
  });

  test('a report whose own id is zeros is none', async () => {
    const before = stored();
    const { report } = cheatingReport(group('general'), { reportId: new Uint8Array(16) });
    expect(await upload(parties, group('general'), report)).toBe(undefined);
    expect(stored()).toEqual(before);
  });

  test('of an unknown task, another type, or too large is refused as a report is', async () => {
    const body = nobody(4000);
    expect(await problem(post(body, { task: toBase64url(systemRandomness(32)) }))).toEqual({
      status: 404,
      type: dap('unrecognizedTask'),
    });
    expect((await problem(post(body, { type: 'application/octet-stream' }))).status).toBe(415);
    expect((await problem(post(nobody(128 * 1024 + 1)))).status).toBe(413);
  });
});

test('200 uploads at once into a group with room for 50: exactly 50 are accepted', async () => {
  const task = group('crowd');
  const reports = Array.from({ length: 200 }, () => sealed(task, [0, 0]).report);
  const before = stored();
  const errors = await Promise.all(reports.map((report) => upload(parties, task, report)));
  expect(errors.filter((error) => error === undefined)).toHaveLength(50);
  expect(errors.filter((error) => error === 'report_dropped')).toHaveLength(150);
  expect(stored().box).toBe((before.box as number) + 50);
  expect(stored().spent).toBe((before.spent as number) + 50);
  // Who was told yes is in the box, and who was told no is not.
  const ids = new Set(
    looking
      .prepare<[Uint8Array], Buffer>('SELECT report_id FROM box WHERE task_id = ?')
      .pluck()
      .all(task.taskId)
      .map((id) => id.toString('hex')),
  );
  reports.forEach((report, i) => {
    const id = Buffer.from(decodeReport(report).metadata.reportId).toString('hex');
    expect(ids.has(id)).toBe(errors[i] === undefined);
  });
});

describe('storage that fails', () => {
  test('a full disk: 503 and nothing stored; with room again the same report is accepted', async () => {
    const task = group('full');
    const db = opened.get('guardian.sqlite') as Database;
    const pages = db.pragma('page_count', { simple: true }) as number;
    db.pragma(`max_page_count = ${pages}`);
    const refused: Uint8Array[] = [];
    let before = stored();
    try {
      // What is left of the last pages may still take one or two.
      for (let i = 0; i < 8 && refused.length < 2; i++) {
        before = stored();
        const { report } = sealed(task, [0, 0]);
        const response = await post(report, { task: toBase64url(task.taskId) });
        if (response.status === 200) continue;
        expect(await problem(Promise.resolve(response))).toEqual({
          status: 503,
          type: chorus('unavailable'),
        });
        expect(stored()).toEqual(before);
        refused.push(report);
      }
      expect(refused).toHaveLength(2);
    } finally {
      db.pragma('max_page_count = 4294967294');
    }
    for (const report of refused) expect(await upload(parties, task, report)).toBe(undefined);
    expect(stored().box).toBe((before.box as number) + 2);
  });

  test('a database that somebody holds: 503 and nothing stored; then accepted', async () => {
    const task = group('disk');
    const db = opened.get('guardian.sqlite') as Database;
    const patience = db.pragma('busy_timeout', { simple: true }) as number;
    const { report } = sealed(task, [0, 0]);
    const before = stored();
    db.pragma('busy_timeout = 0');
    looking.exec('BEGIN IMMEDIATE');
    try {
      const reply = post(report, { task: toBase64url(task.taskId) });
      expect(await problem(reply)).toEqual({ status: 503, type: chorus('unavailable') });
    } finally {
      looking.exec('ROLLBACK');
      db.pragma(`busy_timeout = ${patience}`);
    }
    expect(stored()).toEqual(before);
    expect(await upload(parties, task, report)).toBe(undefined);
  });
});

describe('after the round has closed', () => {
  let acknowledged: Uint8Array;
  let late: Uint8Array;

  test('while it is counted, an acknowledged report is still 200 and a new one task_expired', async () => {
    const task = group('counted');
    for (let i = 0; i < 10; i++) {
      acknowledged = sealed(task, [0, 0]).report;
      expect(await upload(parties, task, acknowledged)).toBe(undefined);
    }
    late = sealed(task, [0, 0]).report;
    parties.wires.guardian.before = () => {
      throw new Error('cut');
    };
    closeTestRound(parties, round);
    const state = () =>
      looking
        .prepare<[Uint8Array], string>('SELECT state FROM tasks WHERE task_id = ?')
        .pluck()
        .get(task.taskId);
    await until(() => state() === 'counting');
    const before = stored();
    expect(await upload(parties, task, acknowledged)).toBe(undefined);
    expect(await upload(parties, task, late)).toBe('task_expired');
    expect(stored()).toEqual(before);
  });

  test('once its list is signed nothing is known of it any more: task_expired', async () => {
    parties.wires.guardian.before = () => {};
    parties.guardian.nudge();
    await finished(parties);
    const task = group('counted');
    const before = stored();
    expect(before).toMatchObject({ box: 0, spent: 0 });
    expect(await upload(parties, task, acknowledged)).toBe('task_expired');
    expect(await upload(parties, task, late)).toBe('task_expired');
    expect(stored()).toEqual(before);
  });
});
