/** One message to one person, in plain text. */
export interface MailMessage {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

/** What messages leave by; put together where a party is started. */
export interface Mailer {
  /** Resolves once the mail server has taken the message. @throws if it has not */
  send(message: MailMessage): Promise<void>;
}
