import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { concat, fromBase64url, toBase64url } from '../../../../crypto/bytes.ts';
import { MEDIA_TYPE } from '../../../../crypto/dap/media-types.ts';
import { buildReport } from '../../../../crypto/dap/report.ts';
import type { Extension, HpkeCiphertext, ReportError } from '../../../../crypto/dap/types.ts';
import { decodeReport, decodeUploadErrors } from '../../../../crypto/dap/upload.ts';
import { Secret } from '../../../../crypto/secret.ts';
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
import type { TestTask } from '../../../support/test-tokens.ts';

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

/** Extensions that are no signature: of the size that their type has, if it has one. */
const extension = (extensionType: number, size: number): Extension => ({
  extensionType,
  extensionData: new Uint8Array(size),
});

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
    'a consent hash, which is not known yet (0xff01)',
    'invalid_message',
    { extensions: (signature) => [extension(0xff01, 32), signature] },
  ],
  [
    'a token, which is not known yet (0xff02)',
    'invalid_message',
    { extensions: (signature) => [extension(0xff02, 354), signature] },
  ],
  [
    'an extension that nobody knows, before the signature',
    'invalid_message',
    { extensions: (signature) => [extension(1, 0), signature] },
  ],
  [
    'an extension that nobody knows, after the signature',
    'invalid_message',
    { extensions: (signature) => [signature, extension(0xff04, 64)] },
  ],
  [
    'the signature extension twice',
    'invalid_message',
    { extensions: (signature) => [signature, signature] },
  ],
  [
    'extensions in another order than increasing',
    'invalid_message',
    { extensions: (signature) => [extension(0xff02, 354), extension(0xff01, 32), signature] },
  ],
  [
    'a signature extension that is too long',
    'invalid_message',
    { extensions: (signature) => [{ ...signature, extensionData: new Uint8Array(97) }] },
  ],
  [
    'a signature extension that is too short',
    'invalid_message',
    { extensions: (signature) => [{ ...signature, extensionData: new Uint8Array(95) }] },
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
    const signingSeed = systemRandomness(32);
    const seed = new Secret(signingSeed);
    const first = buildReport(task, [0, 0], seed, systemRandomness);
    expect(await upload(parties, task, first.report)).toBe(undefined);
    const before = stored();
    const second = buildReport(task, [0, 0], seed, systemRandomness);
    expect(await upload(parties, task, second.report)).toBe('report_replayed');
    // In another group too: one key, one answer.
    const elsewhere = buildReport(group('disk'), [0, 0], seed, systemRandomness);
    expect(await upload(parties, group('disk'), elsewhere.report)).toBe('report_replayed');
    expect(stored()).toEqual(before);
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
    ['only zeros', (bytes: Uint8Array) => new Uint8Array(bytes.length)],
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
