/** One message to one person, in plain text and perhaps as a page too. */
export interface MailMessage {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
}

/** What messages leave by; put together where a party is started. */
export interface Mailer {
  /**
   * Resolves once the mail server has taken the message.
   * @throws MailFailure if it has not
   */
  send(message: MailMessage): Promise<void>;
  /** Whether mail may leave now; without it, always. The evaluation lets none leave its past. */
  ready?(): boolean;
  /** Lets go of connections. */
  close?(): void;
}

/**
 * Why a mail server has not taken a message: this message or address for good, not now, or nothing
 * from us at all at the moment. Its words often name the address, so they are not kept.
 */
export type MailFailureCode = 'refused' | 'deferred' | 'away';

/** A message that was not sent. */
export class MailFailure extends Error {
  override readonly name = 'MailFailure';
  readonly code: MailFailureCode;

  constructor(code: MailFailureCode, detail: string) {
    super(detail);
    this.code = code;
  }
}
