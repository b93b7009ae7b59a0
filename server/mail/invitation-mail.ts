import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Handlebars from 'handlebars';
import type { MailKind } from '../storage/mail-queue.ts';

/** What an invitation or a reminder says; the same to everyone but for the link. */
export interface InvitationWords {
  readonly kind: MailKind;
  readonly title: string;
  readonly purpose: string;
  /** The last day, in words. */
  readonly closes: string;
  readonly employer: string;
  readonly guardian: string;
  readonly contact: string;
  readonly link: string;
}

const SUBJECTS = {
  invitation: 'Your invitation',
  reminder: 'Reminder to everyone',
  reissue: 'Your second invitation',
} as const satisfies Record<MailKind, string>;

/** Writes mail from the templates in `views/mail`, which are read once. */
export class InvitationWriter {
  readonly #text;
  readonly #html;

  /** @param views the source tree's `views/` */
  constructor(views: string) {
    const engine = Handlebars.create();
    engine.registerHelper('is', (a: unknown, b: unknown) => a === b);
    const template = (name: string, noEscape: boolean) =>
      engine.compile(readFileSync(join(views, 'mail', name), 'utf8'), { strict: true, noEscape });
    this.#text = template('body.txt.hbs', true);
    this.#html = template('body.html.hbs', false);
  }

  /** No picture, no link but the person's own, nothing that tells that it was opened. */
  write(words: InvitationWords): { subject: string; text: string; html: string } {
    const subject = `${SUBJECTS[words.kind]}: ${words.title}`;
    const data = { ...words, subject };
    return { subject, text: this.#text(data), html: this.#html(data) };
  }
}
