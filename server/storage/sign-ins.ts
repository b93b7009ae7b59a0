import { IDLE_MS, SESSION_MS } from '../domain/staff.ts';
import type { Database } from './database.ts';

/** A session that has not ended. */
export interface Session {
  readonly staffId: number;
  readonly seenMs: number;
}

/** Links and sessions, by the SHA-256 of what their owner holds. */
export class SignInStore {
  readonly #db;
  readonly #addLink;
  readonly #link;
  readonly #takeLink;
  readonly #addSession;
  readonly #session;
  readonly #touch;
  readonly #end;
  readonly #endAll;
  readonly #endLinks;

  constructor(db: Database) {
    this.#db = db;
    this.#addLink = db.prepare(
      'INSERT INTO sign_in_links (hash, staff_id, ends_ms) VALUES (?, ?, ?)',
    );
    this.#link = db
      .prepare<[Uint8Array, number], number>(
        'SELECT staff_id FROM sign_in_links WHERE hash = ? AND ends_ms > ?',
      )
      .pluck();
    this.#takeLink = db
      .prepare<[Uint8Array, number], number>(
        'DELETE FROM sign_in_links WHERE hash = ? AND ends_ms > ? RETURNING staff_id',
      )
      .pluck();
    this.#addSession = db.prepare(
      `INSERT INTO staff_sessions (hash, staff_id, began_ms, seen_ms)
       VALUES (:hash, :staffId, :nowMs, :nowMs)`,
    );
    this.#session = db.prepare<[Uint8Array, number, number], Session>(
      `SELECT staff_id AS staffId, seen_ms AS seenMs FROM staff_sessions
       WHERE hash = ? AND began_ms > ? AND seen_ms > ?`,
    );
    this.#touch = db.prepare('UPDATE staff_sessions SET seen_ms = max(seen_ms, ?) WHERE hash = ?');
    this.#end = db.prepare('DELETE FROM staff_sessions WHERE hash = ?');
    this.#endAll = db.prepare('DELETE FROM staff_sessions WHERE staff_id = ?');
    this.#endLinks = db.prepare('DELETE FROM sign_in_links WHERE staff_id = ?');
  }

  addLink(hash: Uint8Array, staffId: number, endsMs: number): void {
    this.#addLink.run(hash, staffId, endsMs);
  }

  /** Whose link this is, if it may still be used. */
  link(hash: Uint8Array, nowMs: number): number | undefined {
    return this.#link.get(hash, nowMs);
  }

  /**
   * Uses a link up and begins a session in one transaction: of two that use it at the same moment,
   * one finds nothing.
   * @returns whose session it is
   */
  redeem(linkHash: Uint8Array, sessionHash: Uint8Array, nowMs: number): number | undefined {
    const redeem = this.#db.transaction(() => {
      const staffId = this.#takeLink.get(linkHash, nowMs);
      if (staffId !== undefined) this.begin(sessionHash, staffId, nowMs);
      return staffId;
    });
    return redeem.immediate();
  }

  begin(hash: Uint8Array, staffId: number, nowMs: number): void {
    this.#addSession.run({ hash, staffId, nowMs });
  }

  /**
   * A session that has reached neither of its two ends.
   * @param sessionMs how long one lasts at most
   */
  session(hash: Uint8Array, nowMs: number, sessionMs = SESSION_MS): Session | undefined {
    return this.#session.get(hash, nowMs - sessionMs, nowMs - IDLE_MS);
  }

  /** Moves the sliding end on. */
  touch(hash: Uint8Array, nowMs: number): void {
    this.#touch.run(nowMs, hash);
  }

  end(hash: Uint8Array): void {
    this.#end.run(hash);
  }

  /** Ends every session of one person, and every link that is under way to them. */
  endAll(staffId: number): void {
    const endAll = this.#db.transaction(() => {
      this.#endAll.run(staffId);
      this.#endLinks.run(staffId);
    });
    endAll.immediate();
  }
}
