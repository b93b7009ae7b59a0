import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fromBase64url, toBase64url, toHex, utf8 } from '../../crypto/bytes.ts';
import { decodeUploadRequest, type Report } from '../../crypto/dap/upload.ts';
import { decodeReceipt, encodeReceipt, type Receipt } from '../../crypto/receipt.ts';
import { sha256 } from '../../crypto/sha256.ts';
import { signingPublicKey } from '../../crypto/signing.ts';
import { MailSink, readReceived } from '../../server/evaluation/mail-sink.ts';
import { smtpMailer } from '../../server/mail/smtp.ts';
import { StaffStore } from '../../server/storage/staff.ts';
import { launchBrowser } from '../support/browser.ts';
import { answerWithCode } from '../support/invitations.ts';
import { findInFolder, Needles } from '../support/needles.ts';
import {
  closeTestRound,
  finished,
  openTestRound,
  startTwoParties,
  type TestRound,
  type TwoParties,
  testPeople,
  until,
} from '../support/parties.ts';
import { PARTIES, type PartyName, roundKeysIn } from '../support/rounds.ts';
import type { TestTask } from '../support/test-tokens.ts';

/*
 * One person's whole way, from the mail to the receipt after the close, over a real mail server and
 * in a real browser. After each step all that either party stores is looked at: what has come, that
 * nothing else has changed, and that what must not be there is in no file.
 */

const PEOPLE = 40;
/** Of the first person's group, over HTTP, beside the one in the browser. */
const OTHERS = 11;
const ADA = 'person-0-0@example.com';
const DEE = 'person-0-1@example.com';
const STAFF = 'head@example.com';

let folder: string;
let sink: MailSink;
let parties: TwoParties;
let browser: Browser;
let round: TestRound;
/** Everything of this person that is secret from somebody. */
const needles = new Needles();
const trouble: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'chorus-mail-'));
  sink = await MailSink.start(join(folder, 'mail.jsonl'), '127.0.0.1');
  const from = 'Chorus <chorus@example.com>';
  parties = await startTwoParties({
    mailer: smtpMailer({ url: `smtp://127.0.0.1:${sink.port}`, from }),
  });
  browser = await launchBrowser();
  round = await openTestRound(parties, [PEOPLE, PEOPLE]);
});

afterAll(async () => {
  await browser.close();
  await parties.close();
  await sink.close();
  rmSync(folder, { recursive: true });
});

/** Another device, with nothing on it. */
async function device(): Promise<Page> {
  const context = await browser.newContext({ acceptDownloads: true });
  const page = await context.newPage();
  page.on('pageerror', (error) => trouble.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') trouble.push(message.text());
  });
  return page;
}

const press = (page: Page, name: string) => page.getByRole('button', { name, exact: true }).click();
const heading = (page: Page, name: string) =>
  page.getByRole('heading', { name, exact: true, level: 1 }).waitFor();

/** The newest mail to somebody, and the link in it. */
async function mailed(to: string, wanted: RegExp): Promise<string> {
  let link: string | undefined;
  await until(() => {
    const mails = readReceived(join(folder, 'mail.jsonl'));
    const mail = mails.filter((one) => one.to === to).at(-1);
    link = wanted.exec(mail?.text ?? '')?.[0];
    return link !== undefined;
  });
  return link as string;
}

const invitation = (to: string) => mailed(to, /http\S+\/answer#\S+/);
const codeIn = (link: string) => fromBase64url(/#([\w-]+)\./.exec(link)?.[1] as string);

/** Chooses for each question, from "Yes, take part" to the review. */
async function choose(page: Page, option: 'Low' | 'High'): Promise<void> {
  await press(page, 'Yes, take part');
  for (const question of ['energy', 'stress']) {
    await heading(page, `How is ${question}?`);
    await page.getByRole('radio', { name: option }).check();
    await press(page, 'Continue');
  }
  await heading(page, 'Check your answers');
}

/** Submits. @returns the receipt of this tab and the report, whose sealed halves become needles */
async function submit(page: Page, label: string): Promise<{ receipt: Receipt; report: Report }> {
  const leaving = page.waitForRequest(/\/reports$/);
  await press(page, 'Submit');
  await heading(page, 'Your answer was received');
  const body = (await leaving).postDataBuffer() as Buffer;
  const [report] = decodeUploadRequest(new Uint8Array(body)) as [Report];
  for (const { payload } of [report.leaderEncryptedInputShare, report.helperEncryptedInputShare]) {
    needles.add(label, payload);
  }
  const text = await page.evaluate(
    () => JSON.parse(sessionStorage.getItem('chorus.receipt') ?? '{}').receipt,
  );
  const receipt = decodeReceipt(fromBase64url(text));
  needles.add(`${label}: id`, receipt.reportId);
  needles.add(`${label}: key`, signingPublicKey(receipt.seed));
  needles.add('token', receipt.authenticator);
  needles.add('nonce', sha256(signingPublicKey(receipt.seed)));
  return { receipt, report };
}

/** Every row that a party stores, by table; its clock and its log of events aside. */
function stored(party: PartyName): Record<string, string[]> {
  const db = parties.database(party);
  try {
    const tables = db
      .prepare<[], string>(
        `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'
         AND name NOT IN ('clock', 'events') ORDER BY name`,
      )
      .pluck()
      .all();
    return Object.fromEntries(
      tables.map((table) => [
        table,
        db
          .prepare<[], Record<string, unknown>>(`SELECT * FROM ${table}`)
          .all()
          .map((row) => JSON.stringify(row, (_, value) => hexOf(value))),
      ]),
    );
  } finally {
    db.close();
  }
}

/** Blobs reach `JSON.stringify` as what `Buffer.toJSON` gives. */
function hexOf(value: unknown): unknown {
  const { type, data } = Object(value) as { type?: unknown; data?: number[] };
  return type === 'Buffer' && data !== undefined ? toHex(Uint8Array.from(data)) : value;
}

const both = () => ({ guardian: stored('guardian'), employer: stored('employer') });

/** The tables in which two looks differ, with how many rows came and how many went. */
function changes(
  before: Record<string, string[]>,
  after: Record<string, string[]>,
): Record<string, { came: number; went: number }> {
  const changed = Object.keys(after).map((table) => {
    const [was, is] = [new Set(before[table]), new Set(after[table])];
    const came = [...is].filter((row) => !was.has(row)).length;
    return [table, { came, went: [...was].filter((row) => !is.has(row)).length }] as const;
  });
  return Object.fromEntries(changed.filter(([, { came, went }]) => came + went > 0));
}

/** As `npx chorus staff add` does. */
function giveRole(email: string): void {
  const db = parties.database('employer');
  try {
    new StaffStore(db).put({ email, role: 'admin', units: [] }, Date.now());
  } finally {
    db.close();
  }
}

const found = (party: PartyName) => [...findInFolder(needles, join(parties.folder, party))].sort();

test('invitation, answer, withdrawal, second answer, close, trend, receipt', {
  timeout: 120_000,
}, async () => {
  // The mail: everyone has one. The code in it is in no file, and the guardian knows no person.
  await until(() => stored('employer').mail_queue?.length === 0);
  const mails = readReceived(join(folder, 'mail.jsonl'));
  expect(mails.map(({ to }) => to).sort()).toEqual(
    testPeople([PEOPLE, PEOPLE])
      .map(({ email }) => email)
      .sort(),
  );
  const link = await invitation(ADA);
  const code = codeIn(link);
  for (const form of [code, utf8(toBase64url(code)), utf8(toHex(code))]) needles.add('code', form);
  // By its first bytes, which everyone’s has.
  needles.add('address', utf8(ADA));
  const planned = both();
  expect([...findInFolder(needles, folder)].sort()).toEqual(['address', 'code']);
  expect(planned.employer.invitees).toHaveLength(2 * PEOPLE);
  expect(planned.employer.codes).toHaveLength(2 * 2 * PEOPLE);
  expect(found('employer')).toEqual(['address']);
  expect(found('guardian')).toEqual([]);

  // The link: opened, and opened by a mail scanner. Nothing at either party is another than before.
  const page = await device();
  const sent: string[] = [];
  page.on('request', (request) => {
    if (request.method() !== 'GET') sent.push(`${request.method()} ${request.url()}`);
  });
  await page.goto(link);
  await heading(page, 'A test');
  await fetch(link);
  expect(sent).toEqual([]);
  expect(both()).toEqual(planned);

  // Continue: the employer marks the code, with nothing but a hash; the guardian hears nothing.
  await press(page, 'Continue');
  await heading(page, 'Do you want to take part?');
  expect(sent).toEqual([`POST ${parties.urls.employer}/tokens`]);
  const goneOn = both();
  expect(goneOn.guardian).toEqual(planned.guardian);
  expect(changes(planned.employer, goneOn.employer)).toEqual({ codes: { came: 1, went: 1 } });
  const marked = goneOn.employer.codes?.filter((row) => !planned.employer.codes?.includes(row));
  expect(marked?.[0]).toContain(toHex(sha256(code)));
  expect(found('employer')).toEqual(['address']);

  // The answer: a sealed report and a spent token at the guardian, and nothing new at the employer.
  await choose(page, 'High');
  const first = await submit(page, 'first report');
  const download = page.waitForEvent('download');
  await press(page, 'Download the receipt');
  const file = join(folder, 'receipt.json');
  await (await download).saveAs(file);
  const answered = both();
  expect(changes(goneOn.guardian, answered.guardian)).toEqual({
    box: { came: 1, went: 0 },
    spent: { came: 1, went: 0 },
    tasks: { came: 1, went: 1 },
  });
  expect(answered.guardian.box?.[0]).toContain(toHex(first.report.bytes));
  expect(answered.employer).toEqual(goneOn.employer);
  expect(found('employer')).toEqual(['address']);
  // The token itself is in the report alone, its nonce among the spent ones.
  expect(found('guardian')).toEqual([
    'first report',
    'first report: id',
    'first report: key',
    'nonce',
    'token',
  ]);

  // Withdrawn on another device, with the file. All that stays is that this id was withdrawn.
  const other = await device();
  await other.goto(`${parties.urls.guardian}/receipt`);
  await other.getByLabel('The file that you downloaded').setInputFiles(file);
  await heading(other, 'The round is still open');
  await press(other, 'Withdraw the answer');
  await press(other, 'Yes, withdraw it');
  await heading(other, 'Your answer is withdrawn');
  const withdrawn = both();
  expect(changes(goneOn.guardian, withdrawn.guardian)).toEqual({ outcomes: { came: 1, went: 0 } });
  expect(withdrawn.guardian.outcomes?.[0]).toContain(toHex(first.receipt.reportId));
  expect(withdrawn.employer).toEqual(goneOn.employer);
  expect(found('guardian')).toEqual(['first report: id']);

  // Answered anew with the same token, without the employer.
  await press(other, 'Answer anew');
  await press(other, 'Continue');
  await heading(other, 'Do you want to take part?');
  await choose(other, 'Low');
  const second = await submit(other, 'second report');
  expect(toHex(second.receipt.reportId)).not.toBe(toHex(first.receipt.reportId));
  expect(toHex(second.receipt.authenticator)).toBe(toHex(first.receipt.authenticator));
  const anew = both();
  expect(changes(withdrawn.guardian, anew.guardian)).toEqual({
    box: { came: 1, went: 0 },
    spent: { came: 1, went: 0 },
    tasks: { came: 1, went: 1 },
  });
  expect(anew.employer).toEqual(goneOn.employer);
  expect(found('guardian')).not.toContain('first report');
  expect(found('guardian')).toContain('second report');

  // Declined by somebody else: the same size to the same place, and the guardian keeps none of it.
  const decliner = await device();
  await decliner.goto(await invitation(DEE));
  await press(decliner, 'Continue');
  const declining = decliner.waitForRequest(/\/reports$/);
  await press(decliner, 'No, decline');
  await heading(decliner, 'Thank you');
  expect((await declining).postDataBuffer()).toHaveLength(second.report.bytes.length);
  expect(stored('guardian')).toEqual(anew.guardian);

  // The others answer; the employer sees who went on, and of the answers nothing.
  for (let i = 0; i < OTHERS; i++) {
    const theirs = codeIn(await invitation(`person-0-${i + 2}@example.com`));
    await answerWithCode(parties, round.tasks[0] as TestTask, theirs, [i % 3, 2]);
  }
  const full = both();
  expect(changes(anew.employer, full.employer)).toEqual({
    codes: { came: OTHERS + 1, went: OTHERS + 1 },
  });
  expect(full.guardian.box).toHaveLength(OTHERS + 1);
  expect(full.employer.results).toEqual([]);
  expect(found('employer')).toEqual(['address']);

  // Closed: people, codes, keys, tokens and reports are gone on both sides; the list and sums stay.
  closeTestRound(parties, round);
  await finished(parties);
  await until(() => stored('employer').codes?.length === 0);
  const closed = both();
  expect(closed.employer).toMatchObject({
    invitees: [],
    codes: [],
    mail_queue: [],
    buckets: [],
    outcomes: [],
  });
  expect(closed.employer.invitations?.[0]).toContain(`"codes_used":${OTHERS + 2}`);
  expect(closed.guardian).toMatchObject({
    box: [],
    spent: [],
    lots: [],
    buckets: [],
    outcomes: [],
  });
  for (const party of PARTIES) {
    expect(closed[party].results).toHaveLength(1);
    await until(() => roundKeysIn(parties.folder, party).length === 0);
  }
  // The address is still on the roster; the ids are in the list that both parties signed.
  expect(found('employer')).toEqual(['address']);
  expect(found('guardian')).toEqual(['first report: id', 'second report: id']);

  // The trend, for somebody who signs in by a mailed link.
  const office = await device();
  giveRole(STAFF);
  await office.goto(`${parties.urls.employer}/trends`);
  await office.getByLabel('E-mail address').fill(STAFF);
  await press(office, 'Send the link');
  await heading(office, 'Look into your mail');
  await office.goto(await mailed(STAFF, /http\S+\/sign-in\/\S+/));
  await press(office, 'Sign in');
  await office.goto(`${parties.urls.employer}/trends/groups/0`);
  await office.locator('svg[role=img]').first().waitFor();
  expect(await office.locator('main').innerText()).toContain('round 1');
  await office.goto(`${parties.urls.employer}/trends/groups/1`);
  expect(await office.locator('main').innerText()).toContain('fewer than 8 answers');

  // Both receipts find out by themselves, and can take nothing back.
  await press(other, 'I am done: clear this tab');
  for (const [receipt, words] of [
    [second.receipt, 'Your answer was counted'],
    [first.receipt, 'Your answer was withdrawn'],
  ] as const) {
    const later = await device();
    const asked: string[] = [];
    later.on('request', (request) => asked.push(`${request.method()} ${request.url()}`));
    await later.goto(`${parties.urls.guardian}/receipt#${toBase64url(encodeReceipt(receipt))}`);
    await heading(later, words);
    expect(await later.getByRole('button', { name: /withdraw/i }).count()).toBe(0);
    for (const request of asked.slice(1)) {
      expect(request).toMatch(/^GET /);
      expect(request).not.toContain(toBase64url(receipt.reportId));
      expect(request).not.toContain(toHex(receipt.reportId));
    }
  }
  expect(trouble).toEqual([]);
});
