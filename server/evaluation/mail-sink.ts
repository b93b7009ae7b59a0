import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { z } from 'zod';
import type { EvaluationMail } from '../party.ts';
import { readMail } from './mail-message.ts';

const LINE = z.strictObject({
  to: z.string(),
  subject: z.string(),
  text: z.string(),
  atMs: z.number(),
});

/**
 * A mail server that takes every mail and delivers none: it writes them to a file, which the
 * employer's process shows on a page. It listens on this machine only, at any free port.
 */
export class MailSink {
  readonly #server: SMTPServer;
  readonly port: number;

  private constructor(server: SMTPServer, port: number) {
    this.#server = server;
    this.port = port;
  }

  /** @param file where mail is written, one JSON object a line; what is there stays */
  static start(file: string, host: string): Promise<MailSink> {
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['AUTH', 'STARTTLS'],
      disableReverseLookup: true,
      logger: false,
      onData(stream, session, done) {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => {
          const { subject, text } = readMail(Buffer.concat(chunks).toString('latin1'));
          for (const { address: to } of session.envelope.rcptTo) {
            const mail: EvaluationMail = { to, subject, text, atMs: Date.now() };
            appendFileSync(file, `${JSON.stringify(mail)}\n`, { mode: 0o600 });
          }
          done();
        });
      },
    });
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, host, () => {
        server.off('error', reject);
        // A connection that breaks is its sender's matter.
        server.on('error', () => {});
        resolve(new MailSink(server, (server.server.address() as AddressInfo).port));
      });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

/** All that a sink has written, oldest first; a line that a crash cut off is left out. */
export function readReceived(file: string): EvaluationMail[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return [LINE.parse(JSON.parse(line))];
      } catch {
        return [];
      }
    });
}
