import { existsSync, mkdtempSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { toBase64url } from '../../../crypto/bytes.ts';
import { invite } from '../../../server/cli/invite.ts';
import { type CommandIo, CommandRefused, UsageError } from '../../../server/cli/io.ts';
import { DAY_MS } from '../../../server/domain/days.ts';
import { openEmployer } from '../../../server/employer/employer.ts';
import type { EmployerParts } from '../../../server/employer/parts.ts';
import { MailFailure, type MailMessage } from '../../../server/mail/mailer.ts';
import {
  codesOfGroup,
  postToken,
  signatureOf,
  tokenAsk,
  tokenOfCode,
} from '../../support/invitations.ts';
import {
  closeTestRound,
  openTestRound,
  startTwoParties,
  type TestRound,
  type TwoParties,
  until,
} from '../../support/parties.ts';
import { refusedWith } from '../../support/played-party.ts';
import type { TestTask } from '../../support/test-tokens.ts';

const VIEWS = join(fileURLToPath(new URL('../../../', import.meta.url)), 'views');
const PEOPLE = 30;
const ADDRESS = 'person-0-4@example.com';

let parties: TwoParties;
let round: TestRound;
let mails: MailMessage[];
let refuses: string | undefined;

describe('beside a running party', () => {
  beforeEach(async () => {
    mails = [];
    refuses = undefined;
    parties = await startTwoParties({
      mailer: {
        async send(mail) {
          if (mail.to === refuses) throw new MailFailure('refused', 'answered 550');
          mails.push(mail);
        },
      },
    });
  });

  afterEach(() => parties.close());

  async function opened(sizes: readonly number[] = [PEOPLE]): Promise<void> {
    round = await openTestRound(parties, sizes);
    const people = sizes.reduce((sum, size) => sum + size, 0);
    await until(() => mails.length >= people - (refuses === undefined ? 0 : 1));
  }

  /** Runs `chorus invite …` beside the running party, as it would be typed. */
  async function run(...line: readonly string[]): Promise<string> {
    const out: string[] = [];
    let parts: EmployerParts | undefined;
    try {
      await invite(
        line,
        async () => {
          parts ??= await openEmployer(parties.config('employer'));
          return parts;
        },
        VIEWS,
        {
          out: (text) => void out.push(text),
          err: () => {},
          interactive: false,
          confirm: async () => false,
          progress: () => {},
        },
      );
    } finally {
      parts?.db.close();
    }
    return out.join('\n');
  }

  const linkIn = ({ text }: MailMessage) => /http\S+\/answer#\S+/.exec(text)?.[0] as string;
  const task = (group = 0) => round.tasks[group] as TestTask;

  describe('status', () => {
    test('counts, names nobody, and tells who went on only after the close', async () => {
      await opened();
      for (const { code } of codesOfGroup(parties, round, 0).slice(0, 8)) {
        await tokenOfCode(parties, task(), code);
      }
      const said = await run('status', '1');
      expect(said).toMatch(/^ +30 people are invited$/m);
      expect(said).toMatch(/^ +0 mails are queued$/m);
      expect(said).toContain('is told after the close');
      expect(said).not.toMatch(/\b8\b|@|gone on/);
      closeTestRound(parties, round);
      await until(async () =>
        (await run('status', '1')).includes('8 invitations were gone on from'),
      );
    });

    test('of addresses that were refused: how many', async () => {
      refuses = ADDRESS;
      await opened();
      await until(async () => /^ +1 people’s address was refused/m.test(await run('status', '1')));
      expect(await run('status', '1')).not.toContain('@');
    });
  });

  describe('remind', () => {
    test('everyone, whatever they did; not twice in a day; not after the close', async () => {
      await opened();
      for (const { code } of codesOfGroup(parties, round, 0).slice(0, 8)) {
        await tokenOfCode(parties, task(), code);
      }
      mails.length = 0;
      expect(await run('remind', '1')).toContain('30 people');
      await until(() => mails.length === PEOPLE);
      expect(mails.every(({ subject }) => subject.startsWith('Reminder to everyone'))).toBe(true);
      await expect(run('remind', '1')).rejects.toMatchObject({ code: 'notYet' });
      expect(await run('status', '1')).toMatch(/reminded last on \d{4}-\d\d-\d\d/);
      parties.clock.advance(parties.clock.now() + DAY_MS);
      await run('remind', '1');
      await until(() => mails.length === 2 * PEOPLE);
      closeTestRound(parties, round);
      await until(() => parties.employer.codes(1).length === 0);
      await expect(run('remind', '1')).rejects.toMatchObject({ code: 'notYet' });
    });
  });

  describe('reissue', () => {
    test('mails a second link; the first, not used, ends; noted without the person', async () => {
      await opened();
      const first = codesOfGroup(parties, round, 0).find(({ email }) => email === ADDRESS);
      mails.length = 0;
      expect(await run('reissue', '1', 'Person-0-4@Example.com')).toContain('second answer');
      parties.employer.nudge();
      await until(() => mails.length === 1);
      expect(mails[0]).toMatchObject({ to: ADDRESS });
      expect(mails[0]?.text).toContain('permits a second answer');
      const second = codesOfGroup(parties, round, 0).find(({ email }) => email === ADDRESS);
      expect(linkIn(mails[0] as MailMessage)).toContain(
        `#${toBase64url(second?.code as Uint8Array)}.`,
      );
      const old = tokenAsk(task(), first?.code as Uint8Array).body;
      const reply = await (await postToken(parties, old)).json();
      expect(reply).toMatchObject({ status: 410, detail: expect.stringContaining('replaced') });
      await tokenOfCode(parties, task(), second?.code as Uint8Array);
      const db = parties.database('employer');
      const events = db.prepare("SELECT * FROM events WHERE kind = 'reissued'").all();
      db.close();
      expect(events).toHaveLength(1);
      expect(JSON.stringify(events)).not.toMatch(/person|@/i);
      expect(await run('status', '1')).toMatch(/^ +1 invitations were issued a second time$/m);
    });

    test('after the first was used permits a second token; what was asked for stays answered', async () => {
      await opened();
      const first = codesOfGroup(parties, round, 0).find(({ email }) => email === ADDRESS);
      const { body } = tokenAsk(task(), first?.code as Uint8Array);
      const signature = await signatureOf(postToken(parties, body));
      await run('reissue', '1', ADDRESS);
      const second = codesOfGroup(parties, round, 0).find(({ email }) => email === ADDRESS);
      await tokenOfCode(parties, task(), second?.code as Uint8Array);
      expect(await signatureOf(postToken(parties, body))).toEqual(signature);
      const other = tokenAsk(task(), first?.code as Uint8Array).body;
      expect(await refusedWith(postToken(parties, other))).toBe('409 codeUsed');
    });

    test('once a person, nobody who is not invited, no round that is closed', async () => {
      await opened();
      await run('reissue', '1', ADDRESS);
      await expect(run('reissue', '1', ADDRESS)).rejects.toMatchObject({ code: 'notYet' });
      await expect(run('reissue', '1', 'x@example.com')).rejects.toMatchObject({
        code: 'notFound',
      });
      closeTestRound(parties, round);
      await until(() => parties.employer.codes(1).length === 0);
      await expect(run('reissue', '1', 'person-0-5@example.com')).rejects.toMatchObject({
        code: 'notYet',
      });
    });
  });

  describe('print', () => {
    const file = () => join(mkdtempSync(join(tmpdir(), 'chorus-print-')), 'sheet.html');

    test('a QR code for each person of a unit, by name, with the link of their mail', async () => {
      await opened([PEOPLE, 40]);
      const path = file();
      const said = await run('print', '1', '--unit', 'All / Group 1', path);
      expect(said).toContain('40 invitations');
      const html = readFileSync(path, 'utf8');
      expect(statSync(path).mode & 0o777).toBe(0o600);
      expect(html.match(/<svg /g)).toHaveLength(40);
      // Whom to ask, and nobody's address.
      expect(html.replaceAll(round.sheet.notice.contact, '')).not.toMatch(/\S@/);
      expect(html).not.toMatch(/src=|<link|<script/);
      const links = [...html.matchAll(/class="link">([^<]+)</g)].map(([, link]) =>
        link?.replaceAll('&#x3D;', '='),
      );
      const mailed = mails.filter(({ to }) => to.startsWith('person-1-')).map(linkIn);
      expect(links.sort()).toEqual(mailed.sort());
    });

    test('all, a unit with what is below it, or only those whose address was refused', async () => {
      refuses = ADDRESS;
      await opened([PEOPLE, 40]);
      for (const [args, count] of [
        [[], 70],
        [['--unit', 'All'], 70],
        [['--refused'], 1],
        [['--refused', '--unit', 'All / Group 0'], 1],
      ] as const) {
        const path = file();
        await until(async () => /refused by/.test(await run('status', '1')));
        await run('print', '1', ...args, path);
        expect(readFileSync(path, 'utf8').match(/<svg /g)).toHaveLength(count);
      }
    });

    test('never over a file that is there, nothing for nobody, nothing after the close', async () => {
      await opened();
      const path = file();
      await run('print', '1', path);
      await expect(run('print', '1', path)).rejects.toBeInstanceOf(CommandRefused);
      const none = file();
      await expect(run('print', '1', '--unit', 'Elsewhere', none)).rejects.toThrow('nobody');
      closeTestRound(parties, round);
      await until(() => parties.employer.codes(1).length === 0);
      await expect(run('print', '1', none)).rejects.toThrow('deleted');
      expect(existsSync(none)).toBe(false);
    });
  });

  test('a round that is not there', async () => {
    await expect(run('status', '7')).rejects.toThrow('there is no round 7');
    await expect(run('status', 'x')).rejects.toThrow('there is no round x');
  });
});

const silent: CommandIo = {
  out: () => {},
  err: () => {},
  interactive: false,
  confirm: async () => false,
  progress: () => {},
};
const notOpened = () => Promise.reject(new Error('the data was opened'));

test.each([
  [],
  ['status'],
  ['status', '1', 'more'],
  ['reissue', '1'],
  ['print', '1'],
  ['status', '1', '--refused'],
  ['remind', '1', '--unit', 'X'],
  ['unknown', '1'],
  ['print', '1', '--what', 'x.html'],
])('called as %j it says how it goes', async (...line) => {
  await expect(invite(line as string[], notOpened, VIEWS, silent)).rejects.toBeInstanceOf(
    UsageError,
  );
});
