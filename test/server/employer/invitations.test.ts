import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { toBase64url } from '../../../crypto/bytes.ts';
import { DAY_MS } from '../../../server/domain/days.ts';
import type { MailMessage } from '../../../server/mail/mailer.ts';
import { InvitationStore } from '../../../server/storage/invitations.ts';
import { MailQueue } from '../../../server/storage/mail-queue.ts';
import { codesOfGroup, restartEmployer, tokenOfCode } from '../../support/invitations.ts';
import {
  approveTestSheet,
  closeTestRound,
  openTestRound,
  startTwoParties,
  type TwoParties,
  testPeople,
  testSheet,
  until,
} from '../../support/parties.ts';
import type { TestTask } from '../../support/test-tokens.ts';

let parties: TwoParties;
let mails: MailMessage[];

beforeEach(async () => {
  mails = [];
  parties = await startTwoParties({ mailer: { send: async (mail) => void mails.push(mail) } });
});

afterEach(() => parties.close());

/** A look into the employer's data. */
function look<T>(read: (store: InvitationStore, queue: MailQueue) => T): T {
  const db = parties.database('employer');
  try {
    return read(new InvitationStore(db), new MailQueue(db));
  } finally {
    db.close();
  }
}

const keyFiles = () => readdirSync(join(parties.folder, 'employer', 'keys'));
const linkIn = ({ text }: MailMessage) => /http\S+\/answer#\S+/.exec(text)?.[0] as string;

describe('who is invited', () => {
  test('is everyone of the roster, each in the group of their unit, with codes of their own', async () => {
    const round = await openTestRound(parties, [30, 40]);
    const people = look((store) => store.invitees(1));
    expect(people.map(({ email }) => email).sort()).toEqual(
      testPeople([30, 40])
        .map(({ email }) => email)
        .sort(),
    );
    const name = (index: number) => `All / Group ${index}`;
    const groups = new Map(people.map(({ unit, groupIndex }) => [unit, groupIndex]));
    expect([...groups.keys()].sort()).toEqual([name(0), name(1)]);
    expect(new Set(groups.values()).size).toBe(2);
    const codes = parties.employer.codes(1).map(({ code }) => toBase64url(code));
    expect(new Set(codes).size).toBe(70);
    expect(codes.every((code) => code.length === 22)).toBe(true);
    expect(round.tasks).toHaveLength(2);
  });

  test('does not change with a roster that changes later', async () => {
    await openTestRound(parties, [30]);
    const before = parties.employer.codes(1);
    parties.employer.importRoster(testPeople([5]));
    expect(parties.employer.codes(1)).toEqual(before);
  });

  test('a roster changed between sizes and signature: not signed; planned anew it has the new people', async () => {
    const sheet = testSheet();
    parties.clock.advance(20_000 * DAY_MS);
    parties.employer.importRoster(testPeople([30]));
    const sheetHash = await approveTestSheet(parties, sheet);
    let changed = false;
    parties.wires.guardian.before = (url) => {
      if (!url.endsWith('/manifest') || changed) return;
      changed = true;
      const [, ...others] = testPeople([30]);
      parties.employer.importRoster([...others, ...testPeople([32]).slice(30)]);
    };
    const plan = { number: 1, sheetHash, days: { start: 20_001, duration: 7 } };
    await expect(parties.guardian.plan(plan)).rejects.toMatchObject({ code: 'planMismatch' });
    expect(parties.employer.rounds()).toEqual([]);
    expect(look((store) => store.of(1))).toBeUndefined();
    await parties.guardian.plan(plan);
    expect(look((store) => store.of(1)?.people)).toBe(31);
    expect(parties.employer.codes(1)).toHaveLength(31);
  });

  test('the codes of a person are the same after a restart, and in no file of the party', async () => {
    await openTestRound(parties, [30]);
    await until(() => mails.length === 30);
    const codes = parties.employer.codes(1);
    await restartEmployer(parties);
    expect(parties.employer.codes(1)).toEqual(codes);
    const folder = join(parties.folder, 'employer');
    const files = ['employer.sqlite', 'employer.sqlite-wal', 'employer.log']
      .map((name) => join(folder, name))
      .filter((path) => existsSync(path));
    for (const bytes of files.map((path) => readFileSync(path))) {
      for (const { code } of codes) {
        expect(bytes.includes(Buffer.from(code))).toBe(false);
        expect(bytes.includes(toBase64url(code))).toBe(false);
      }
    }
  });
});

describe('mail', () => {
  test('goes to everyone when the round opens, once, with a link that leads to a token', async () => {
    const round = await openTestRound(parties, [30]);
    await until(() => mails.length >= 30);
    await restartEmployer(parties);
    parties.employer.nudge();
    await until(() => look((_, queue) => queue.count(1).queued === 0));
    expect(mails.map(({ to }) => to).sort()).toEqual(
      testPeople([30])
        .map(({ email }) => email)
        .sort(),
    );
    const mail = mails[0] as MailMessage;
    const { code } = codesOfGroup(parties, round, 0).find(({ email }) => email === mail.to) as {
      code: Uint8Array;
    };
    expect(linkIn(mail)).toBe(
      `${parties.urls.guardian}/answer#${toBase64url(code)}.0.${toBase64url(round.hash)}`,
    );
    expect(await tokenOfCode(parties, round.tasks[0] as TestTask, code)).toHaveLength(354);
  });

  test('reminds everyone at half time, whether or not they went on, with the same links', async () => {
    const round = await openTestRound(parties, [30]);
    await until(() => mails.length === 30);
    const codes = codesOfGroup(parties, round, 0);
    for (const { code } of codes.slice(0, 9)) {
      await tokenOfCode(parties, round.tasks[0] as TestTask, code);
    }
    const links = new Map(mails.map((mail) => [mail.to, linkIn(mail)]));
    mails.length = 0;
    const { start } = round.head.days;
    parties.clock.advance((start + 3.4) * DAY_MS);
    parties.employer.nudge();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(mails).toEqual([]);
    parties.clock.advance((start + 3.5) * DAY_MS);
    parties.employer.nudge();
    await until(() => mails.length === 30);
    expect(new Map(mails.map((mail) => [mail.to, linkIn(mail)]))).toEqual(links);
    expect(new Set(mails.map(({ text }) => text.replaceAll(/#\S+/g, ''))).size).toBe(1);
    expect(mails[0]?.subject).toMatch(/^Reminder to everyone/);
    parties.clock.advance((start + 6) * DAY_MS);
    parties.employer.nudge();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(mails).toHaveLength(30);
  });

  test('that has not left when the round closes never does', async () => {
    await parties.close();
    parties = await startTwoParties({
      mailer: { ready: () => false, send: async (mail) => void mails.push(mail) },
    });
    const round = await openTestRound(parties, [30]);
    await until(() => look((_, queue) => queue.count(1).queued === 30));
    closeTestRound(parties, round);
    await until(() => look((_, queue) => queue.count(1).queued === 0));
    expect(mails).toEqual([]);
  });
});

describe('the close', () => {
  test('deletes people, codes, their secret and the token keys; the count stays', async () => {
    const round = await openTestRound(parties, [30, 30]);
    for (const { code } of codesOfGroup(parties, round, 1).slice(0, 12)) {
      await tokenOfCode(parties, round.tasks[1] as TestTask, code);
    }
    expect(keyFiles()).toEqual(expect.arrayContaining(['invitations-1.json', 'tokens-1-0.json']));
    expect(look((store) => store.of(1)?.codesUsed)).toBeNull();
    closeTestRound(parties, round);
    await until(() => look((store) => store.of(1)?.codesUsed === 12));
    expect(keyFiles().filter((name) => /^(invitations|tokens)-/.test(name))).toEqual([]);
    expect(look((store) => store.invitees(1))).toEqual([]);
    const db = parties.database('employer');
    expect(db.prepare('SELECT COUNT(*) FROM codes').pluck().get()).toBe(0);
    db.close();
    expect(parties.employer.codes(1)).toEqual([]);
  });

  test('goes on after a crash between the files and the database', async () => {
    const round = await openTestRound(parties, [30]);
    await parties.stop('employer');
    const db = parties.database('employer');
    db.prepare("UPDATE rounds SET state = 'closed', closes_ms = opens_ms").run();
    db.close();
    await parties.start('employer');
    await until(() => look((store) => store.of(1)?.codesUsed === 0));
    expect(keyFiles()).not.toContain('invitations-1.json');
    expect(round.tasks).toHaveLength(1);
  });
});
