import type { Database } from './database.ts';
import type { MailQueue } from './mail-queue.ts';
import { deleteTraceless } from './rewrite.ts';

/** One person who is invited to a round. */
export interface Invitee {
  /** Their id on the roster when the round was signed. */
  readonly person: number;
  readonly email: string;
  readonly name: string;
  /** Path of their unit. */
  readonly unit: string;
  readonly language: string | null;
  readonly groupIndex: number;
  /** Which of their two codes counts: 2 after the reissue. */
  readonly issue: 1 | 2;
}

/** One code, of which nobody can tell whose it is. */
export interface Code {
  readonly id: number;
  readonly round: number;
  readonly groupIndex: number;
  /** Whether it may be used: false for one not issued yet, or replaced. */
  readonly active: boolean;
  /** SHA-256 of the request that it was used with, or undefined. */
  readonly requestHash: Buffer | undefined;
}

/** How the invitations of a round stand: counts and times, no person. */
export interface Invitations {
  readonly round: number;
  readonly people: number;
  /** null until the round is closed, and again when its retention is over. */
  readonly codesUsed: number | null;
  readonly reissued: number;
  /** Whether people and codes are deleted: the round is closed. */
  readonly ended: boolean;
  readonly mailed: boolean;
  readonly halfway: boolean;
  readonly remindedMs: number | null;
}

interface InvitationsRow extends Omit<Invitations, 'ended' | 'mailed' | 'halfway'> {
  readonly ended: number;
  readonly mailed: number;
  readonly halfway: number;
}

interface CodeRow extends Omit<Code, 'active' | 'requestHash'> {
  readonly active: number;
  readonly requestHash: Buffer;
}

const HASH_SIZE = 32;
const UNUSED = Buffer.alloc(HASH_SIZE);

const INVITEE = `person, email, name, unit, language, group_index AS groupIndex, issue`;
const INVITATIONS = `round, people, codes_used AS codesUsed, ended, reissued, mailed, halfway,
  reminded_ms AS remindedMs`;

/** Who is invited to which round, their codes, and, after the round, how many there were. */
export class InvitationStore {
  readonly #insertInvitee;
  readonly #insertCode;
  readonly #begin;
  readonly #of;
  readonly #live;
  readonly #invitee;
  readonly #withEmail;
  readonly #invitees;
  readonly #code;
  readonly #use;
  readonly #activate;
  readonly #setIssue;
  readonly #countReissue;
  readonly #setMailed;
  readonly #setHalfway;
  readonly #setReminded;
  readonly #used;
  readonly #end;
  readonly #wipe;
  readonly #deleteCodes;
  readonly #deleteInvitees;

  constructor(db: Database) {
    this.#insertInvitee = db.prepare(
      `INSERT INTO invitees (round, person, email, name, unit, language, group_index)
       VALUES (:round, :person, :email, :name, :unit, :language, :groupIndex)`,
    );
    this.#insertCode = db.prepare(
      `INSERT INTO codes (round, code_hash, group_index, active, request_hash)
       VALUES (?, ?, ?, ?, zeroblob(${HASH_SIZE}))`,
    );
    this.#begin = db.prepare('INSERT INTO invitations (round, people) VALUES (?, ?)');
    this.#of = db.prepare<[number], InvitationsRow>(
      `SELECT ${INVITATIONS} FROM invitations WHERE round = ?`,
    );
    this.#live = db.prepare<[], InvitationsRow>(
      `SELECT ${INVITATIONS} FROM invitations WHERE ended = 0 ORDER BY round`,
    );
    this.#invitee = db.prepare<[number, number], Invitee>(
      `SELECT ${INVITEE} FROM invitees WHERE round = ? AND person = ?`,
    );
    this.#withEmail = db.prepare<[number, string], Invitee>(
      `SELECT ${INVITEE} FROM invitees WHERE round = ? AND email = ?`,
    );
    this.#invitees = db.prepare<[number], Invitee>(
      `SELECT ${INVITEE} FROM invitees WHERE round = ? ORDER BY unit, name, person`,
    );
    this.#code = db.prepare<[Uint8Array], CodeRow>(
      `SELECT id, round, group_index AS groupIndex, active, request_hash AS requestHash
       FROM codes WHERE code_hash = ?`,
    );
    this.#use = db.prepare(
      `UPDATE codes SET request_hash = ?
       WHERE id = ? AND request_hash = zeroblob(${HASH_SIZE})`,
    );
    this.#activate = db.prepare('UPDATE codes SET active = ? WHERE code_hash = ?');
    this.#setIssue = db.prepare('UPDATE invitees SET issue = 2 WHERE round = ? AND person = ?');
    this.#countReissue = db.prepare(
      'UPDATE invitations SET reissued = reissued + 1 WHERE round = ?',
    );
    this.#setMailed = db.prepare(
      'UPDATE invitations SET mailed = 1 WHERE round = ? AND mailed = 0',
    );
    this.#setHalfway = db.prepare(
      'UPDATE invitations SET halfway = 1 WHERE round = ? AND halfway = 0',
    );
    this.#setReminded = db.prepare('UPDATE invitations SET reminded_ms = ? WHERE round = ?');
    this.#used = db
      .prepare<[number], number>(
        `SELECT COUNT(*) FROM codes WHERE round = ? AND request_hash <> zeroblob(${HASH_SIZE})`,
      )
      .pluck();
    this.#end = db.prepare('UPDATE invitations SET codes_used = ?, ended = 1 WHERE round = ?');
    this.#wipe = db.prepare(
      `UPDATE codes SET request_hash = zeroblob(${HASH_SIZE}) WHERE round = ?`,
    );
    this.#deleteCodes = db.prepare('DELETE FROM codes WHERE round = ?');
    this.#deleteInvitees = db.prepare('DELETE FROM invitees WHERE round = ?');
  }

  insertInvitee(round: number, invitee: Omit<Invitee, 'issue'>): void {
    this.#insertInvitee.run({ round, ...invitee });
  }

  /** Rows are kept in the order in which they are inserted: it must not be the people's. */
  insertCode(round: number, hash: Uint8Array, groupIndex: number, active: boolean): void {
    this.#insertCode.run(round, hash, groupIndex, Number(active));
  }

  /** Counts the people of a round; from now on its codes are known. */
  begin(round: number, people: number): void {
    this.#begin.run(round, people);
  }

  of(round: number): Invitations | undefined {
    const row = this.#of.get(round);
    return row && flags(row);
  }

  /** Of rounds whose codes are not deleted yet. */
  live(): Invitations[] {
    return this.#live.all().map(flags);
  }

  invitee(round: number, person: number): Invitee | undefined {
    return this.#invitee.get(round, person);
  }

  withEmail(round: number, email: string): Invitee | undefined {
    return this.#withEmail.get(round, email);
  }

  /** By unit and name; none once the round is closed. */
  invitees(round: number): Invitee[] {
    return this.#invitees.all(round);
  }

  code(hash: Uint8Array): Code | undefined {
    const row = this.#code.get(hash);
    if (row === undefined) return undefined;
    const { active, requestHash, ...rest } = row;
    return {
      ...rest,
      active: active === 1,
      requestHash: requestHash.equals(UNUSED) ? undefined : requestHash,
    };
  }

  /** Marks a code, in place; truncate the log afterwards. @returns whether it was unused */
  use(id: number, requestHash: Uint8Array): boolean {
    return this.#use.run(requestHash, id).changes === 1;
  }

  /** A person's first code ends and their second begins. */
  reissue(round: number, person: number, firstHash: Uint8Array, secondHash: Uint8Array): void {
    this.#activate.run(0, firstHash);
    this.#activate.run(1, secondHash);
    this.#setIssue.run(round, person);
    this.#countReissue.run(round);
  }

  /** @returns false if the invitations of a round were put into the queue before */
  setMailed(round: number): boolean {
    return this.#setMailed.run(round).changes === 1;
  }

  /** @returns false if half time was noticed before */
  setHalfway(round: number): boolean {
    return this.#setHalfway.run(round).changes === 1;
  }

  setReminded(round: number, atMs: number): void {
    this.#setReminded.run(atMs, round);
  }

  /**
   * Deletes people and codes of a round and keeps how many codes were used. What was used is
   * overwritten first: deleting moves rows from page to page and leaves copies behind.
   */
  end(round: number): void {
    this.#end.run(this.#used.get(round), round);
    this.#wipe.run(round);
    this.discard(round);
  }

  /** Deletes people and codes of a round that is not signed. */
  discard(round: number): void {
    this.#deleteCodes.run(round);
    this.#deleteInvitees.run(round);
  }
}

/**
 * Deletes the people, codes and mail of a round that is closed, and keeps how many codes were used. No
 * copy of a person stays behind. Truncate the log afterwards.
 */
export function endRound(
  db: Database,
  { invitations, mailQueue }: { invitations: InvitationStore; mailQueue: MailQueue },
  round: number,
): void {
  deleteTraceless(db, (touched) => {
    invitations.end(round);
    mailQueue.deleteOfRound(round);
    touched.add('invitees').add('mail_queue');
  });
}

function flags(row: InvitationsRow): Invitations {
  return {
    ...row,
    ended: row.ended === 1,
    mailed: row.mailed === 1,
    halfway: row.halfway === 1,
  };
}
