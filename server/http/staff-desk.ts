import type { CookieOptions } from 'express';
import type { Logger } from 'pino';
import { fromBase64url, toBase64url } from '../../crypto/bytes.ts';
import type { Randomness } from '../../crypto/random.ts';
import { sha256 } from '../../crypto/sha256.ts';
import { DAY_MS } from '../domain/days.ts';
import { LINK_MS, SEEN_EVERY_MS, type Staff } from '../domain/staff.ts';
import type { Mailer } from '../mail/mailer.ts';
import type { Clock } from '../storage/clock.ts';
import { isStorageFailure } from '../storage/database.ts';
import type { RetentionStore } from '../storage/retention.ts';
import type { SignInStore } from '../storage/sign-ins.ts';
import type { StaffStore } from '../storage/staff.ts';
import { cookieValue, sessionCookie } from './cookies.ts';
import { RateLimit } from './rate-limit.ts';

/** Random bytes of a link, and of a session's cookie. */
const SECRET_SIZE = 32;
/** Links that are mailed to one address in the time for which a link lasts. */
const LINKS_AN_ADDRESS = 5;

/** What signing in needs of a party; `openParty` has all of it. */
export interface DeskParts {
  readonly staff: StaffStore;
  readonly signIns: SignInStore;
  readonly retention: RetentionStore;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly log: Logger;
  /** Where the party answers, as people reach it. */
  readonly url: string;
}

/** Somebody who is signed in, with the hash of their session. */
export interface SignedIn {
  readonly staff: Staff;
  readonly session: Uint8Array;
}

/** Makes a one-time link for somebody with a role. @returns its address */
export function newLink(
  parts: Pick<DeskParts, 'signIns' | 'randomness' | 'url'>,
  staff: Staff,
  nowMs: number,
): string {
  const secret = parts.randomness(SECRET_SIZE);
  parts.signIns.addLink(sha256(secret), staff.id, nowMs + LINK_MS);
  return `${parts.url}/sign-in/${toBase64url(secret)}`;
}

/** Who comes in, and who is in. Every secret is 32 random bytes, and only its SHA-256 is kept. */
export class StaffDesk {
  readonly cookie: { readonly name: string; readonly options: CookieOptions };
  readonly #parts: DeskParts;
  readonly #clock: Clock;
  readonly #partyName: string;
  readonly #mailer: Mailer | undefined;
  readonly #links: RateLimit;
  /** The evaluation's links: SHA-256 of the secret → address. Gone with the process. */
  readonly #evaluationLinks = new Map<string, string>();

  constructor(
    parts: DeskParts,
    party: 'guardian' | 'employer',
    config: {
      readonly names: { readonly guardian: string; readonly employer: string };
      readonly mailer?: Mailer;
      readonly staffClock?: Clock;
    },
  ) {
    this.#parts = parts;
    this.#clock = config.staffClock ?? parts.clock;
    this.#partyName = config.names[party];
    this.#mailer = config.mailer;
    this.#links = new RateLimit(LINKS_AN_ADDRESS, LINK_MS, this.#clock, parts.randomness);
    this.cookie = sessionCookie(party, parts.url);
  }

  get canMail(): boolean {
    return this.#mailer !== undefined;
  }

  get url(): string {
    return this.#parts.url;
  }

  /** So many of a kind in so much time, by this desk's clock. */
  limit(count: number, windowMs: number): RateLimit {
    return new RateLimit(count, windowMs, this.#clock, this.#parts.randomness);
  }

  /**
   * Mails a link to an address that has a role here. Called after the answer has left, so that
   * neither its words nor its time say whether the address has one. Never throws.
   */
  async sendLink(email: string): Promise<void> {
    const { staff, log } = this.#parts;
    try {
      const allowed = this.#links.allows(email);
      const person = staff.withEmail(email);
      if (!allowed || person === undefined || this.#mailer === undefined) return;
      const link = newLink(this.#parts, person, this.#clock.now());
      await this.#mailer.send({
        to: person.email,
        subject: `Sign in to Chorus: ${this.#partyName}`,
        text: linkMail(this.#partyName, link),
      });
    } catch {
      // The error of a mail server often names the address, which belongs in no log.
      log.warn('a sign-in link could not be mailed');
    }
  }

  /** Whose link this is, if it may still be used. Uses nothing up. */
  ownerOf(link: unknown): Staff | undefined {
    const hash = hashOf(link);
    const id = hash && this.#parts.signIns.link(hash, this.#clock.now());
    return id === undefined ? undefined : this.#parts.staff.withId(id);
  }

  /** Uses a link up. @returns the secret of a new session, never one that a browser brought */
  redeem(link: unknown): string | undefined {
    const hash = hashOf(link);
    if (hash === undefined) return undefined;
    const secret = this.#parts.randomness(SECRET_SIZE);
    const staffId = this.#parts.signIns.redeem(hash, sha256(secret), this.#clock.now());
    return staffId === undefined ? undefined : toBase64url(secret);
  }

  /**
   * Who a request's cookies say is signed in. The role is read anew each time.
   * @param used whether a person caused the request: then the sliding end moves on
   */
  signedIn(cookies: string | undefined, used: boolean): SignedIn | undefined {
    const session = hashOf(cookieValue(cookies, this.cookie.name));
    if (session === undefined) return undefined;
    const { staff, signIns } = this.#parts;
    const now = this.#clock.now();
    const found = signIns.session(session, now, this.#sessionMs());
    const person = found && staff.withId(found.staffId);
    if (found === undefined || person === undefined) return undefined;
    if (used && now - found.seenMs >= SEEN_EVERY_MS) {
      try {
        signIns.touch(session, now);
      } catch (error) {
        // On a full disk people can still read; the session then ends a little early.
        if (!isStorageFailure(error)) throw error;
      }
    }
    return { staff: person, session };
  }

  /** How long a session lasts at most. */
  #sessionMs(): number {
    return this.#parts.retention.days({ kind: 'sessions', sheet: null }) * DAY_MS;
  }

  signOut(session: Uint8Array): void {
    this.#parts.signIns.end(session);
  }

  /** Ends all sessions of a person, and the links that are under way to them. */
  signOutEverywhere(staff: Staff): void {
    this.#parts.signIns.endAll(staff.id);
  }

  /**
   * The evaluation's ready link: gives the role, and may be used again and again for as long as this
   * process runs. Its route is there in an evaluation only.
   */
  evaluationLink(person: Omit<Staff, 'id'>): string {
    this.#parts.staff.put(person, this.#clock.now());
    const secret = this.#parts.randomness(SECRET_SIZE);
    this.#evaluationLinks.set(toBase64url(sha256(secret)), person.email);
    return `${this.#parts.url}/evaluation/sign-in/${toBase64url(secret)}`;
  }

  /** @returns the secret of a new session, and whose it is */
  redeemEvaluationLink(link: unknown): { secret: string; staff: Staff } | undefined {
    const hash = hashOf(link);
    const email = hash && this.#evaluationLinks.get(toBase64url(hash));
    const staff = email === undefined ? undefined : this.#parts.staff.withEmail(email);
    if (staff === undefined) return undefined;
    const secret = this.#parts.randomness(SECRET_SIZE);
    this.#parts.signIns.begin(sha256(secret), staff.id, this.#clock.now());
    return { secret: toBase64url(secret), staff };
  }
}

/** SHA-256 of a secret as a link or a cookie carries it, or undefined if it can be none. */
function hashOf(secret: unknown): Uint8Array | undefined {
  if (typeof secret !== 'string') return undefined;
  try {
    const bytes = fromBase64url(secret);
    return bytes.length === SECRET_SIZE ? sha256(bytes) : undefined;
  } catch {
    return undefined;
  }
}

function linkMail(partyName: string, link: string): string {
  return [
    `Somebody, most likely you, asked to sign in to Chorus at ${partyName}.`,
    `Open this link and press “Sign in”:`,
    link,
    `It works once, within ${LINK_MS / 60_000} minutes, in any browser.`,
    `If it was not you, do nothing: without the link nobody comes in.`,
  ].join('\n\n');
}
