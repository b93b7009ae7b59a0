import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Handlebars from 'handlebars';
import qrcode from 'qrcode';

/** One person's invitation on paper. */
export interface PrintedInvitation {
  readonly name: string;
  readonly unit: string;
  readonly link: string;
}

/** What is the same on every invitation of a sheet. */
export interface SheetWords {
  readonly title: string;
  readonly employer: string;
  readonly guardian: string;
  /** Whom to ask. */
  readonly contact: string;
  /** The last day, in words. */
  readonly closes: string;
}

/**
 * A page to be printed, with a QR code for each person: for people without e-mail. It needs nothing
 * from anywhere else, and names people and unit, no address.
 * @param views the source tree's `views/`
 * @param progress called after each person with how many are done
 */
export async function invitationSheet(
  views: string,
  words: SheetWords,
  invitations: readonly PrintedInvitation[],
  progress: (done: number) => void = () => {},
): Promise<string> {
  const template = Handlebars.create().compile(
    readFileSync(join(views, 'print', 'invitations.html.hbs'), 'utf8'),
    { strict: true },
  );
  const people: (PrintedInvitation & { readonly qr: string })[] = [];
  for (const invitation of invitations) {
    const qr = await qrcode.toString(invitation.link, {
      type: 'svg',
      errorCorrectionLevel: 'M',
      margin: 2,
    });
    people.push({ ...invitation, qr });
    progress(people.length);
  }
  return template({ ...words, people });
}
