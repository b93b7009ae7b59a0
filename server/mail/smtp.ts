import { createTransport } from 'nodemailer';
import { type Mailer, MailFailure } from './mailer.ts';

/** Connections to the mail server at once. */
const CONNECTIONS = 4;
const TIMEOUT_MS = 30_000;

/** Where mail is handed over, and whose it is. */
export interface SmtpSettings {
  /** `smtp://` or `smtps://`, with user and password if the server wants them. */
  readonly url: string;
  /** An address, or a name and an address: `Chorus <chorus@example.com>`. */
  readonly from: string;
}

/** Hands messages to one mail server over SMTP (RFC 5321), over connections that are kept. */
export function smtpMailer({ url, from }: SmtpSettings): Mailer {
  const transport = createTransport({
    url,
    pool: true,
    maxConnections: CONNECTIONS,
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
  });
  return {
    async send(message) {
      try {
        await transport.sendMail({
          ...message,
          from,
          // Not by a person, so nobody's absence notice answers it (RFC 3834).
          headers: { 'Auto-Submitted': 'auto-generated' },
          xMailer: false,
          disableFileAccess: true,
          disableUrlAccess: true,
        });
      } catch (error) {
        throw failureOf(error);
      }
    },
    close: () => transport.close(),
  };
}

/** The reply's class decides; what is no reply to this message is the mail server being away. */
function failureOf(error: unknown): MailFailure {
  const { code, responseCode } = error as { code?: unknown; responseCode?: unknown };
  const ofMessage = code === 'EENVELOPE' || code === 'EMESSAGE';
  const reply = typeof responseCode === 'number' ? responseCode : undefined;
  if (ofMessage && reply !== undefined && reply >= 500) {
    return new MailFailure('refused', `the mail server refused with ${reply}`);
  }
  if (ofMessage && reply !== undefined) {
    return new MailFailure('deferred', `the mail server answered ${reply}: not now`);
  }
  const why = typeof code === 'string' ? ` (${code})` : '';
  return new MailFailure('away', `the mail server does not take mail${why}`);
}
