import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { describe, expect, onTestFinished, test } from 'vitest';
import { MailSink, readReceived } from '../../../server/evaluation/mail-sink.ts';
import type { Mailer } from '../../../server/mail/mailer.ts';
import { smtpMailer } from '../../../server/mail/smtp.ts';
import { testFolder } from '../../support/folder.ts';

const FROM = '"The employer, Ltd" <chorus@example.com>';
const MESSAGE = {
  to: 'person@example.com',
  subject: 'Your invitation: “Wie geht’s?”',
  text: `Zwei Zeilen.\nhttps://guardian.example/answer#${'a'.repeat(22)}.0.${'b'.repeat(43)}\n\nEnde = gut.`,
  html: '<p>As a page.</p>',
};

async function server(options: SMTPServerOptions): Promise<number> {
  const smtp = new SMTPServer({ authOptional: true, disabledCommands: ['STARTTLS'], ...options });
  await new Promise<void>((resolve) => smtp.listen(0, '127.0.0.1', resolve));
  smtp.on('error', () => {});
  onTestFinished(() => new Promise<void>((resolve) => smtp.close(() => resolve())));
  return (smtp.server.address() as AddressInfo).port;
}

function mailerTo(port: number): Mailer {
  const mailer = smtpMailer({ url: `smtp://127.0.0.1:${port}`, from: FROM });
  onTestFinished(() => mailer.close?.());
  return mailer;
}

const replying = (responseCode: number) => (): Error =>
  Object.assign(new Error('person@example.com is not welcome'), { responseCode });

describe('over SMTP', () => {
  test('a message arrives whole, in the evaluation’s mail server', async () => {
    const file = join(testFolder(), 'mail.jsonl');
    const sink = await MailSink.start(file, '127.0.0.1');
    onTestFinished(() => sink.close());
    expect(readReceived(file)).toEqual([]);
    const mailer = mailerTo(sink.port);
    await mailer.send(MESSAGE);
    await mailer.send({ ...MESSAGE, to: 'other@example.com' });
    const { to, subject, text } = MESSAGE;
    expect(readReceived(file)).toEqual([
      { to, subject, text, atMs: expect.any(Number) },
      { to: 'other@example.com', subject, text, atMs: expect.any(Number) },
    ]);
  });

  test('its headers name the sender, say that no person wrote it, and nothing of this program', async () => {
    let source = '';
    const port = await server({
      onData(stream, _session, done) {
        stream.on('data', (chunk) => {
          source += chunk;
        });
        stream.on('end', () => done());
      },
    });
    await mailerTo(port).send(MESSAGE);
    expect(source).toMatch(/^From: "The employer, Ltd" <chorus@example\.com>\r$/m);
    expect(source).toMatch(/^Auto-Submitted: auto-generated\r$/m);
    expect(source).not.toMatch(/nodemailer/i);
    expect(source).not.toMatch(/<img|https?:\/\/(?!guardian\.example)/i);
  });
});

describe('what is not taken', () => {
  test.each([
    ['an address refused for good', 'onRcptTo', 550, 'refused'],
    ['an address not now', 'onRcptTo', 450, 'deferred'],
    ['a message refused for good', 'onData', 554, 'refused'],
    ['a message not now', 'onData', 451, 'deferred'],
  ] as const)('%s: %s answers %i', async (_what, hook, reply, code) => {
    const error = replying(reply);
    const port = await server(
      hook === 'onRcptTo'
        ? { onRcptTo: (_address, _session, done) => done(error()) }
        : {
            onData(stream, _session, done) {
              stream.resume();
              stream.on('end', () => done(error()));
            },
          },
    );
    const failure = await mailerTo(port)
      .send(MESSAGE)
      .catch((thrown) => thrown);
    expect(failure).toMatchObject({ name: 'MailFailure', code });
    expect(String(failure.stack) + JSON.stringify(failure)).not.toContain('person@');
  });

  test('no server there, or one that wants nothing from us: away', async () => {
    const port = await server({ onConnect: (_session, done) => done(replying(421)()) });
    await expect(mailerTo(port).send(MESSAGE)).rejects.toMatchObject({ code: 'away' });
    await expect(mailerTo(1).send(MESSAGE)).rejects.toMatchObject({ code: 'away' });
  });
});
