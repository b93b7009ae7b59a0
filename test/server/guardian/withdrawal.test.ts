import { statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fromBase64url, toBase64url, toHex } from '../../../crypto/bytes.ts';
import { canonicalJson } from '../../../crypto/canonical.ts';
import { buildReport } from '../../../crypto/dap/report.ts';
import { Secret } from '../../../crypto/secret.ts';
import { noticeHash } from '../../../crypto/sheet.ts';
import { sign, verifySignature } from '../../../crypto/signing.ts';
import { systemRandomness } from '../../../server/party.ts';
import type { Database } from '../../../server/storage/database.ts';
import { cheatingReport } from '../../support/cheating-reports.ts';
import {
  answerAll,
  closeTestRound,
  finished,
  openTestRound,
  sealed,
  startTwoParties,
  type TestRound,
  type TwoParties,
  until,
  upload,
} from '../../support/parties.ts';
import { refusedWith } from '../../support/played-party.ts';
import { signedList } from '../../support/rounds.ts';
import type { TestTask } from '../../support/test-tokens.ts';

/** Taking an answer back, and taking a record of the consent along. */

/** One group for each story, so that none sees the reports of another. */
const GROUPS = { general: 60, other: 40, full: 23 };

let parties: TwoParties;
let round: TestRound;
let looking: Database;

function group(name: keyof typeof GROUPS): TestTask {
  return round.tasks[Object.keys(GROUPS).indexOf(name)] as TestTask;
}

/** Everything that an upload or a withdrawal may change. */
function stored() {
  const all = (sql: string) => looking.prepare<[], object>(sql).all();
  return {
    box: all('SELECT task_id, report_id FROM box ORDER BY task_id, report_id'),
    spent: all('SELECT task_id, report_id, report_hash FROM spent ORDER BY report_id'),
    accepted: all('SELECT task_id, accepted FROM tasks ORDER BY task_id'),
    outcomes: all('SELECT task_id, report_id, outcome FROM outcomes ORDER BY report_id'),
    events: all('SELECT * FROM events'),
  };
}

interface Answer {
  readonly task: TestTask;
  readonly seed: Secret<Uint8Array>;
  readonly report: Uint8Array;
  readonly reportId: Uint8Array;
}

/** A report in the box, with the seed that its receipt has. */
async function answered(task = group('general'), seed = new Secret(systemRandomness(32))) {
  const { report, reportId } = sealed(task, [0, 1], seed);
  expect(await upload(parties, task, report)).toBe(undefined);
  return { task, seed, report, reportId };
}

const signatureOf = ({ task, seed, reportId }: Omit<Answer, 'report'>) =>
  sign(seed, 'chorus withdraw v1', task.taskId, reportId);

interface Changes {
  readonly task?: string;
  readonly report?: string;
  readonly body?: object;
  readonly type?: string;
}

/** Asks as the receipt page does, but for what is changed. */
function withdraw(answer: Omit<Answer, 'report'>, changes: Changes = {}): Promise<Response> {
  const task = changes.task ?? toBase64url(answer.task.taskId);
  const report = changes.report ?? toBase64url(answer.reportId);
  return fetch(`${parties.urls.guardian}/tasks/${task}/reports/${report}/withdrawal`, {
    method: 'POST',
    headers: {
      accept: 'application/problem+json',
      'content-type': changes.type ?? 'application/json',
    },
    body: JSON.stringify(changes.body ?? { signature: toBase64url(signatureOf(answer)) }),
  });
}

const withdrawn: string[] = [];

async function withdrawGood(answer: Answer): Promise<void> {
  const reply = await withdraw(answer);
  expect([reply.status, await reply.text()]).toEqual([204, '']);
  withdrawn.push(toHex(answer.reportId));
}

const acceptedIn = ({ taskId }: TestTask) =>
  looking
    .prepare<[Uint8Array], number>('SELECT accepted FROM tasks WHERE task_id = ?')
    .pluck()
    .get(taskId) as number;

beforeAll(async () => {
  parties = await startTwoParties();
  round = await openTestRound(parties, Object.values(GROUPS));
  looking = parties.database('guardian');
});

afterAll(async () => {
  looking.close();
  await parties.close();
});

describe('a report is withdrawn by its key', () => {
  test('and is gone, with its token and its place; what is left is its id', async () => {
    const before = stored();
    const answer = await answered();
    await withdrawGood(answer);
    const { taskId } = answer.task;
    expect(stored()).toEqual({
      ...before,
      outcomes: [
        {
          task_id: Buffer.from(taskId),
          report_id: Buffer.from(answer.reportId),
          outcome: 'withdrawn',
        },
      ],
    });
  });

  test('twice it is answered alike and changes nothing', async () => {
    const answer = await answered();
    await withdrawGood(answer);
    const before = stored();
    const again = await withdraw(answer);
    expect([again.status, await again.text()]).toEqual([204, '']);
    expect(stored()).toEqual(before);
  });

  test('is answered only once the log is truncated, also when it is said again', async () => {
    const answer = await answered();
    const reading = parties.database('guardian');
    try {
      // Somebody who reads keeps the log from being truncated.
      reading.exec('BEGIN; SELECT * FROM clock');
      reading.prepare('SELECT COUNT(*) FROM box').pluck().get();
      expect((await withdraw(answer)).status).toBe(500);
    } finally {
      reading.close();
    }
    await withdrawGood(answer);
    expect(statSync(`${looking.name}-wal`).size).toBe(0);
  });

  test('ten times at once it gives back one place', async () => {
    const before = acceptedIn(group('general'));
    const answer = await answered();
    const replies = await Promise.all(Array.from({ length: 10 }, () => withdraw(answer)));
    for (const reply of replies) expect(reply.status).toBe(204);
    withdrawn.push(toHex(answer.reportId));
    expect(acceptedIn(group('general'))).toBe(before);
  });

  test('the others stay as they are', async () => {
    const [first, second] = [await answered(), await answered()];
    await withdrawGood(first);
    expect(stored().box).toContainEqual({
      task_id: Buffer.from(second.task.taskId),
      report_id: Buffer.from(second.reportId),
    });
    // Known for what it is, also after the other one has gone.
    expect(await upload(parties, second.task, second.report)).toBe(undefined);
  });
});

describe('what was withdrawn does not come back', () => {
  test('as the same bytes, into this group or any other', async () => {
    const answer = await answered();
    await withdrawGood(answer);
    const before = stored();
    for (let i = 0; i < 2; i++) {
      expect(await upload(parties, answer.task, answer.report)).toBe('report_replayed');
      expect(await upload(parties, group('other'), answer.report)).toBe('invalid_message');
    }
    expect(stored()).toEqual(before);
  });

  test('nor does its id, under another key, in this group or any other', async () => {
    const { reportId, ...answer } = await answered();
    await withdrawGood({ reportId, ...answer });
    const before = stored();
    for (const task of [group('general'), group('other')]) {
      const { report } = cheatingReport(task, { reportId });
      expect(await upload(parties, task, report)).toBe('report_replayed');
    }
    expect(stored()).toEqual(before);
  });

  test('also after a restart', async () => {
    const { reportId, ...answer } = await answered();
    await withdrawGood({ reportId, ...answer });
    const before = stored();
    await parties.restart('guardian');
    // A connection kept from before breaks once.
    const health = () => fetch(`${parties.urls.guardian}/health`).then(({ ok }) => ok);
    await until(() => health().catch(() => false));
    expect(await upload(parties, answer.task, answer.report)).toBe('report_replayed');
    const { report } = cheatingReport(group('other'), { reportId });
    expect(await upload(parties, group('other'), report)).toBe('report_replayed');
    expect(stored()).toEqual(before);
  });

  test('but its token carries another answer, once', async () => {
    const answer = await answered();
    await withdrawGood(answer);
    const other = await answered(answer.task, answer.seed);
    expect(other.reportId).not.toEqual(answer.reportId);
    const third = sealed(answer.task, [2, 2], answer.seed);
    expect(await upload(parties, answer.task, third.report)).toBe('report_replayed');
  });

  test('and its place is somebody’s again', async () => {
    const task = group('full');
    const first = await answered(task);
    await answerAll(parties, task, Array(GROUPS.full - 1).fill([1, 1]));
    const next = sealed(task, [2, 2]);
    expect(await upload(parties, task, next.report)).toBe('report_dropped');
    await withdrawGood(first);
    expect(await upload(parties, task, next.report)).toBe(undefined);
    const more = sealed(task, [2, 2]);
    expect(await upload(parties, task, more.report)).toBe('report_dropped');
    expect(acceptedIn(task)).toBe(GROUPS.full);
  });
});

describe('refused, with nothing changed', () => {
  let answer: Answer;
  let before: ReturnType<typeof stored>;

  beforeAll(async () => {
    answer = await answered();
    before = stored();
  });

  const signedBy = (...message: Parameters<typeof sign>) => ({
    body: { signature: toBase64url(sign(...message)) },
  });

  test.each<[string, () => Changes]>([
    [
      'another key',
      () => signedBy(new Secret(systemRandomness(32)), 'chorus withdraw v1', ...signed()),
    ],
    [
      'this key, for another report',
      () => signedBy(answer.seed, 'chorus withdraw v1', answer.task.taskId, systemRandomness(16)),
    ],
    [
      'this key, for another group',
      () => signedBy(answer.seed, 'chorus withdraw v1', group('other').taskId, answer.reportId),
    ],
    ['this key, for something else', () => signedBy(answer.seed, 'chorus list v1', ...signed())],
    ['nobody', () => ({ body: { signature: toBase64url(new Uint8Array(64)) } })],
  ])('the signature of %s: 401', async (_name, changes) => {
    expect(await refusedWith(withdraw(answer, changes()))).toBe('401 unauthorized');
    expect(stored()).toEqual(before);
  });

  const signed = () => [answer.task.taskId, answer.reportId] as const;

  test('the id of another’s report, with one’s own key: 401, and both stay', async () => {
    const other = await answered();
    const both = stored();
    const { task, seed } = other;
    const reply = withdraw({ task, seed, reportId: answer.reportId });
    expect(await refusedWith(reply)).toBe('401 unauthorized');
    expect(stored()).toEqual(both);
    await withdrawGood(other);
    before = stored();
  });

  test('a report that is not here, or in another group: 404', async () => {
    const { task, seed } = answer;
    const reportId = systemRandomness(16);
    expect(await refusedWith(withdraw({ task, seed, reportId }))).toBe('404 notFound');
    const elsewhere = { ...answer, task: group('other') };
    expect(await refusedWith(withdraw(elsewhere))).toBe('404 notFound');
    expect(stored()).toEqual(before);
  });

  test('a task that is none: 404', async () => {
    for (const task of [toBase64url(systemRandomness(32)), 'AAAA', '%zz']) {
      const response = await withdraw(answer, { task });
      expect(response.status, task).toBe(404);
    }
    expect(stored()).toEqual(before);
  });

  test.each(['AAAA', `${'A'.repeat(21)}B`, 'A'.repeat(43), '%2e%2e', '%zz'])(
    'an id that is none, %s: 404',
    async (report) => {
      expect((await withdraw(answer, { report })).status).toBe(404);
      expect(stored()).toEqual(before);
    },
  );

  test('a body of another form or type', async () => {
    const signature = toBase64url(signatureOf(answer));
    for (const body of [{}, [], { signature, more: 1 }, { signature: signature.slice(2) }]) {
      expect(await refusedWith(withdraw(answer, { body }))).toBe('400 invalidMessage');
    }
    for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
      expect(await refusedWith(withdraw(answer, { type }))).toBe('415 wrongMediaType');
    }
    const long = { signature, more: 'A'.repeat(5000) };
    expect(await refusedWith(withdraw(answer, { body: long }))).toBe('413 tooLarge');
    expect(stored()).toEqual(before);
  });
});

describe('a consent receipt', () => {
  const ask = (body: object) =>
    fetch(`${parties.urls.guardian}/consent-receipts`, {
      method: 'POST',
      headers: { accept: 'application/problem+json', 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
  const good = (reportId = systemRandomness(16)) => ({
    manifest_hash: toBase64url(round.hash),
    report_id: toBase64url(reportId),
  });

  test('says what was agreed to, with whom, and how to take it back, signed', async () => {
    const reportId = systemRandomness(16);
    const before = stored();
    const response = await ask(good(reportId));
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const { receipt, signature } = (await response.json()) as {
      receipt: Record<string, never>;
      signature: string;
    };
    verifySignature(
      fromBase64url(round.head.guardian.signing_key),
      fromBase64url(signature),
      'chorus consent v1',
      canonicalJson(receipt),
    );
    const { sheet, head } = round;
    expect(receipt).toMatchObject({
      schema: 'ISO/IEC TS 27560:2023',
      record_id: toBase64url(reportId),
      notice: { hash: toBase64url(noticeHash(sheet)), points: sheet.notice.points },
      event: { state: 'given', day: '2025-01-12', round: 1 },
      purposes: [{ purpose: sheet.purpose, lawful_basis: 'consent', service: sheet.title }],
      pii_categories: sheet.questions.map(({ text }) => text),
      controllers: [
        { role: 'employer', name: sheet.notice.employer, url: head.employer.url },
        { role: 'guardian', name: sheet.notice.guardian, url: head.guardian.url },
      ],
      contact: sheet.notice.contact,
      recipients: sheet.recipients,
      storage: { totals_days: sheet.retention.trends_days },
    });
    // It names nobody: the same for everyone, but for the id.
    const other = (await (await ask(good())).json()) as { receipt: Record<string, never> };
    expect({ ...other.receipt, record_id: '' }).toEqual({ ...receipt, record_id: '' });
    expect(stored()).toEqual(before);
  });

  test('is the same for an id in the box and one that nobody has', async () => {
    const { reportId } = await answered();
    const before = stored();
    const [known, unknown] = await Promise.all(
      [reportId, systemRandomness(16)].map(async (id) => {
        const { receipt } = (await (await ask(good(id))).json()) as { receipt: object };
        return { ...receipt, record_id: '' };
      }),
    );
    expect(known).toEqual(unknown);
    expect(stored()).toEqual(before);
  });

  test('of a round that does not exist: 404; of anything else than a round and an id: 400', async () => {
    const unknown = { ...good(), manifest_hash: toBase64url(systemRandomness(32)) };
    expect(await refusedWith(ask(unknown))).toBe('404 notFound');
    for (const body of [
      {},
      { ...good(), more: 1 },
      { ...good(), report_id: 'AAAA' },
      { ...good(), manifest_hash: 'AAAA' },
    ]) {
      expect(await refusedWith(ask(body))).toBe('400 invalidMessage');
    }
  });
});

describe('after the round has closed', () => {
  let late: Answer;

  test('nothing can be withdrawn any more, nor told from what was never there', async () => {
    late = await answered();
    await answerAll(parties, group('general'), Array(8).fill([0, 0]));
    parties.wires.guardian.before = () => {
      throw new Error('cut');
    };
    closeTestRound(parties, round);
    const before = stored().outcomes;
    expect(await refusedWith(withdraw(late))).toBe('409 tooLate');
    const unknown = { ...late, reportId: systemRandomness(16) };
    expect(await refusedWith(withdraw(unknown))).toBe('409 tooLate');
    expect(stored().outcomes).toEqual(before);
  });

  test('the list has what was withdrawn as such, each id once, and the rest as counted', async () => {
    parties.wires.guardian.before = () => {};
    parties.guardian.nudge();
    await finished(parties);
    const list = await signedList(parties.urls.guardian, round);
    const listed = [...list].filter(([, { outcome }]) => outcome === 'withdrawn');
    const released = listed.map(([id]) => id).sort();
    expect(released).toEqual([...withdrawn].sort());
    expect(list.get(toHex(late.reportId))).toMatchObject({ outcome: 'counted' });
    expect(stored()).toMatchObject({ box: [], spent: [], outcomes: [] });
    expect(await refusedWith(withdraw(late))).toBe('409 tooLate');
  });

  test('a new report on its token is too late, too', async () => {
    const { task, seed } = late;
    const { report } = buildReport(task, [0, 0], seed, systemRandomness);
    expect(await upload(parties, task, report)).toBe('invalid_message');
    expect(await upload(parties, task, sealed(task, [0, 0], seed).report)).toBe('task_expired');
  });
});
