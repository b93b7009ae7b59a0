import { SMTPServer } from 'smtp-server';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { MailFailure, type MailMessage } from '../../../server/mail/mailer.ts';
import { smtpMailer } from '../../../server/mail/smtp.ts';
import { MailQueue } from '../../../server/storage/mail-queue.ts';
import { restartEmployer } from '../../support/invitations.ts';
import {
  freePort,
  openTestRound,
  startTwoParties,
  type TwoParties,
  testPeople,
  until,
} from '../../support/parties.ts';
import { staffCookie } from '../../support/staff.ts';

const HOUR_MS = 3_600_000;
const PEOPLE = 30;

let parties: TwoParties;
let taken: MailMessage[];
let tries: number;
/** What the mail server does with a message; null takes it. */
let answer: (mail: MailMessage) => MailFailure | null;

beforeEach(async () => {
  taken = [];
  tries = 0;
  answer = () => null;
  parties = await startTwoParties({
    mailer: {
      async send(mail) {
        tries++;
        const failure = answer(mail);
        if (failure !== null) throw failure;
        taken.push(mail);
      },
    },
  });
});

afterEach(() => parties.close());

function count() {
  const db = parties.database('employer');
  try {
    return new MailQueue(db).count(1);
  } finally {
    db.close();
  }
}

/** Lets the party's time pass, a minute at a time. */
async function pass(ms: number): Promise<void> {
  for (let gone = 0; gone < ms; gone += 60_000) {
    parties.clock.advance(parties.clock.now() + 60_000);
    parties.employer.nudge();
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}

const away = () => new MailFailure('away', 'the mail server does not take mail (ECONNREFUSED)');
/** The page of rounds, as somebody with a role sees it. */
const page = async () => {
  const cookie = staffCookie(parties, 'employer', 'admin');
  const html = await (await fetch(parties.urls.employer, { headers: { cookie } })).text();
  return html.replaceAll('&#x27;', "'");
};
const status = async () =>
  (await (await fetch(`${parties.urls.employer}/health`)).json()) as { ok: boolean };

describe('a mail server that is away', () => {
  test('for an hour: everyone gets one mail afterwards, and it was not asked all the time', async () => {
    answer = away;
    await openTestRound(parties, [PEOPLE]);
    await until(() => tries > 0);
    await pass(HOUR_MS);
    expect(taken).toEqual([]);
    expect(count()).toEqual({ queued: PEOPLE, refused: 0 });
    // Pauses of 5 s doubled up to 10 minutes, and up to four tries at once after each.
    expect(tries).toBeLessThan(4 * 16);
    expect((await status()).ok).toBe(true);
    answer = () => null;
    await pass(11 * 60_000);
    await until(() => count().queued === 0);
    expect(new Set(taken.map(({ to }) => to)).size).toBe(PEOPLE);
    expect(taken).toHaveLength(PEOPLE);
  });

  test('is told on the page, until it is back or nothing waits any more', async () => {
    answer = away;
    await openTestRound(parties, [PEOPLE]);
    await until(() => tries > 0);
    const told = 'Could not send mail: the mail server does not take mail (ECONNREFUSED).';
    await until(async () => (await page()).includes(told));
    expect(await page()).toContain(`Mails of round 1 to be sent: ${PEOPLE}.`);
    // Closed ahead of time, in the middle of a pause: no mail is tried any more.
    await fetch(`${parties.urls.guardian}/evaluation/close-round`, {
      method: 'POST',
      headers: {
        cookie: staffCookie(parties, 'guardian', 'guardian'),
        'sec-fetch-site': 'same-origin',
      },
    });
    await until(() => count().queued === 0);
    expect(await page()).not.toMatch(/Could not send mail|Mails of round/);
    expect(taken).toEqual([]);
  });

  test('and then answers on the same port: everyone gets one mail over SMTP', async () => {
    const port = await freePort();
    await parties.close();
    const url = `smtp://127.0.0.1:${port}`;
    parties = await startTwoParties({ mailer: smtpMailer({ url, from: 'chorus@example.com' }) });
    await openTestRound(parties, [PEOPLE]);
    await until(async () => (await page()).includes('Could not send mail'));
    await pass(HOUR_MS);
    expect(count()).toEqual({ queued: PEOPLE, refused: 0 });
    const received: string[] = [];
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['AUTH', 'STARTTLS'],
      // The mailer keeps its connections.
      closeTimeout: 1,
      onData(stream, session, done) {
        received.push(...session.envelope.rcptTo.map(({ address }) => address));
        stream.resume().on('end', () => done());
      },
    });
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    try {
      await pass(11 * 60_000);
      await until(() => count().queued === 0);
      expect(received.sort()).toEqual(
        testPeople([PEOPLE])
          .map(({ email }) => email)
          .sort(),
      );
      expect(await page()).not.toMatch(/Could not send mail|Mails of round/);
    } finally {
      await new Promise<void>((resolve) => server.close(() => resolve()));
    }
  });

  test('in the middle, over a restart: nobody is left out, nobody gets two', async () => {
    answer = () => (taken.length >= 12 ? away() : null);
    await openTestRound(parties, [PEOPLE]);
    await until(() => count().queued <= PEOPLE - 12);
    // The party's clock stands, so that it pauses until it is started again.
    answer = () => null;
    await restartEmployer(parties);
    await until(() => count().queued === 0);
    expect(taken.map(({ to }) => to).sort()).toEqual(
      [...new Set(taken.map(({ to }) => to))].sort(),
    );
    expect(taken).toHaveLength(PEOPLE);
  });
});

describe('a message', () => {
  test('whose address is refused is not tried again, and is counted', async () => {
    answer = ({ to }) =>
      to === 'person-0-3@example.com' ? new MailFailure('refused', 'answered 550') : null;
    await openTestRound(parties, [PEOPLE]);
    await until(() => count().queued === 0);
    await pass(HOUR_MS);
    expect(count()).toEqual({ queued: 0, refused: 1 });
    expect(tries).toBe(PEOPLE);
  });

  test('that is not taken now is tried later, by itself', async () => {
    let first = true;
    answer = ({ to }) => {
      if (to !== 'person-0-3@example.com' || !first) return null;
      first = false;
      return new MailFailure('deferred', 'answered 450');
    };
    await openTestRound(parties, [PEOPLE]);
    await until(() => count().queued === 1);
    expect(taken).toHaveLength(PEOPLE - 1);
    await pass(60_000);
    await until(() => count().queued === 0);
    expect(taken).toHaveLength(PEOPLE);
  });
});
