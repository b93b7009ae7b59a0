import { invitationLink } from '../domain/invitations.ts';
import { dayWords } from '../domain/shown.ts';
import type { InvitationWriter } from '../mail/invitation-mail.ts';
import { type Mailer, MailFailure, type MailMessage } from '../mail/mailer.ts';
import type { QueuedMail } from '../storage/mail-queue.ts';
import { invitationCode, readInvitationSecret } from './invitation-codes.ts';
import type { EmployerParts } from './parts.ts';

/** Messages under way at once, and in one turn. */
const AT_ONCE = 4;
const A_TURN = 40;
/** Pauses after a failure: doubled each time, from the first to the longest. */
const FIRST_PAUSE_MS = 5_000;
const LONGEST_PAUSE_MS = 10 * 60_000;

/**
 * Takes mail from the queue to the mail server. One mail a person and kind; a second one only if the
 * server's word that it took the first was lost, by a crash in that moment.
 */
export class Postman {
  readonly #parts: EmployerParts;
  readonly #mailer: Mailer | undefined;
  readonly #writer: InvitationWriter;
  /** While the mail server is away nothing is tried, by the party's clock. */
  #pausedUntilMs = 0;
  #timesAway = 0;

  constructor(parts: EmployerParts, mailer: Mailer | undefined, writer: InvitationWriter) {
    this.#parts = parts;
    this.#mailer = mailer;
    this.#writer = writer;
  }

  /** Sends what is due. @returns whether any of it left @throws MailFailure `away` */
  async deliver(): Promise<boolean> {
    const mailer = this.#mailer;
    const now = this.#parts.clock.now();
    if (mailer === undefined || mailer.ready?.() === false || now < this.#pausedUntilMs)
      return false;
    const due = this.#parts.mailQueue.due(now, A_TURN);
    if (due.length === 0) return false;
    let away: MailFailure | undefined;
    const next = due.values();
    const carry = async () => {
      for (const mail of next) {
        if (away !== undefined) return;
        try {
          await this.#carry(mailer, mail);
        } catch (error) {
          if (!(error instanceof MailFailure)) throw error;
          away = error;
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, carry));
    if (away === undefined) {
      this.#timesAway = 0;
      return true;
    }
    this.#pausedUntilMs = this.#parts.clock.now() + pause(this.#timesAway++);
    throw away;
  }

  /** What waits to be sent, in sentences for people: counts, and nobody. */
  sentences(): string[] {
    const { invitations, mailQueue } = this.#parts;
    return invitations.live().flatMap(({ round }) => {
      const { queued } = mailQueue.count(round);
      if (queued === 0) return [];
      const mails = `Mails of round ${round} to be sent: ${queued}`;
      return this.#mailer === undefined
        ? `${mails}, but no mail server is set (smtp_url and mail_from in the settings).`
        : `${mails}.`;
    });
  }

  /** @throws MailFailure `away` */
  async #carry(mailer: Mailer, mail: QueuedMail): Promise<void> {
    const { mailQueue, clock } = this.#parts;
    const message = this.#write(mail);
    if (message !== undefined) {
      try {
        await mailer.send(message);
      } catch (error) {
        if (!(error instanceof MailFailure) || error.code === 'away') throw error;
        if (error.code === 'refused') mailQueue.refuse(mail.id);
        else mailQueue.defer(mail.id, clock.now() + pause(mail.attempts));
        return;
      }
    }
    mailQueue.taken(mail.id);
  }

  /** undefined if there is nothing to say any more: the round is closed. */
  #write({ round: number, person, kind }: QueuedMail): MailMessage | undefined {
    const parts = this.#parts;
    const round = parts.rounds.withNumber(number);
    const invitee = parts.invitations.invitee(number, person);
    const secret = readInvitationSecret(parts.keyFiles, number);
    if (round === undefined || invitee === undefined || secret === undefined) return undefined;
    if (round.state !== 'open' || parts.clock.now() >= round.closesMs) return undefined;
    const { head, sheet } = parts.contexts.round(round.manifestHash);
    const link = invitationLink(head.guardian.url, {
      code: invitationCode(secret, person, invitee.issue),
      groupIndex: invitee.groupIndex,
      manifestHash: round.manifestHash,
    });
    const words = {
      kind,
      title: sheet.title,
      purpose: sheet.purpose,
      closes: dayWords(head.days.start + head.days.duration - 1),
      employer: sheet.notice.employer,
      guardian: sheet.notice.guardian,
      contact: sheet.notice.contact,
      link,
    };
    return { to: invitee.email, ...this.#writer.write(words) };
  }
}

/** How long to wait after so many failures before this one, in milliseconds. */
function pause(before: number): number {
  return Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** before);
}
