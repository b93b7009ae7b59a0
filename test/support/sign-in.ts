import type { Role } from '../../server/domain/staff.ts';
import type { MailMessage } from '../../server/mail/mailer.ts';
import { StaffStore } from '../../server/storage/staff.ts';
import { startTwoParties, type TwoParties, until } from './parties.ts';

type PartyName = 'guardian' | 'employer';

/** Two parties with a staff clock and a letter box of the test's own. */
export interface Desks {
  readonly parties: TwoParties;
  /** Milliseconds since 1970; the test moves it. */
  nowMs: number;
  readonly mails: MailMessage[];
  /** What happens when a message is sent; puts it into `mails` unless a test says otherwise. */
  send: (message: MailMessage) => Promise<void>;
  restart(party: PartyName): Promise<void>;
  /** Changes who has a role, behind the server's back, as the command line does. */
  staff<T>(party: PartyName, change: (store: StaffStore) => T): T;
  give(party: PartyName, email: string, role: Role, units?: readonly string[]): void;
  /** A form or a page of a party, as a browser asks for it; redirects are not followed. */
  ask(party: PartyName, path: string, options?: Ask): Promise<Response>;
  /** Asks for a link and takes it from the mail. @returns its path */
  link(party: PartyName, email: string): Promise<string>;
  /** @returns the `Cookie` header of a new session */
  signIn(party: PartyName, email: string, cookie?: string): Promise<string>;
}

export interface Ask {
  readonly form?: Record<string, string>;
  readonly cookie?: string | undefined;
  readonly site?: string;
  readonly method?: string;
}

export async function startDesks(options: { evaluation?: boolean } = {}): Promise<Desks> {
  const desks: Desks = {
    parties: await startTwoParties({
      ...options,
      // Invitations are not this test’s business.
      mailer: {
        send: async (message) => {
          if (message.subject.startsWith('Sign in')) await desks.send(message);
        },
      },
      staffClock: { now: () => desks.nowMs },
    }),
    nowMs: 1_800_000_000_000,
    mails: [],
    send: async (message) => void desks.mails.push(message),
    async restart(party) {
      await desks.parties.restart(party);
      // Connections that were kept open fail once.
      const url = `${desks.parties.urls[party]}/health`;
      await until(() =>
        fetch(url).then(
          ({ ok }) => ok,
          () => false,
        ),
      );
    },
    staff(party, change) {
      const db = desks.parties.database(party);
      try {
        return change(new StaffStore(db));
      } finally {
        db.close();
      }
    },
    give(party, email, role, units = []) {
      desks.staff(party, (store) => store.put({ email, role, units }, desks.nowMs));
    },
    ask(party, path, { form, cookie, site = 'same-origin', method } = {}) {
      return fetch(desks.parties.urls[party] + path, {
        method: method ?? (form === undefined ? 'GET' : 'POST'),
        redirect: 'manual',
        headers: {
          accept: 'text/html',
          'sec-fetch-site': site,
          ...(cookie === undefined ? {} : { cookie }),
        },
        ...(form === undefined ? {} : { body: new URLSearchParams(form) }),
      });
    },
    async link(party, email) {
      const before = desks.mails.length;
      await desks.ask(party, '/sign-in', { form: { email } });
      await until(() => desks.mails.length > before);
      const { text } = desks.mails.at(-1) as MailMessage;
      const found = /^(http\S+)(\/sign-in\/\S+)$/m.exec(text);
      if (found?.[1] !== desks.parties.urls[party]) throw new Error(`no link in ${text}`);
      return found[2] as string;
    },
    async signIn(party, email, cookie) {
      const path = await desks.link(party, email);
      return cookieIn(await desks.ask(party, path, { form: {}, cookie }));
    },
  };
  return desks;
}

/** The `Cookie` header that a browser sends after this answer. @throws if it sets none */
export function cookieIn(response: Response): string {
  const [set] = response.headers.getSetCookie();
  if (set === undefined) throw new Error(`no cookie in an answer of ${response.status}`);
  return set.split(';')[0] as string;
}
