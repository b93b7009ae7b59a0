import type { Database } from './database.ts';

export type MailKind = 'invitation' | 'reminder' | 'reissue';

/** A mail that waits for a mail server to take it. */
export interface QueuedMail {
  readonly id: number;
  readonly round: number;
  readonly person: number;
  readonly kind: MailKind;
  /** How often a mail server answered "not now" to this one. */
  readonly attempts: number;
}

/**
 * Mail on its way. A row is deleted once a mail server has taken the mail; after a crash in between
 * it is sent a second time, never not at all.
 */
export class MailQueue {
  readonly #add;
  readonly #addAll;
  readonly #due;
  readonly #taken;
  readonly #defer;
  readonly #refuse;
  readonly #count;
  readonly #refusedPeople;
  readonly #deleteOfRound;

  constructor(db: Database) {
    this.#add = db.prepare(
      `INSERT OR IGNORE INTO mail_queue (round, person, kind, due_ms, queued_ms)
       VALUES (:round, :person, :kind, :dueMs, :dueMs)`,
    );
    this.#addAll = db.prepare(
      `INSERT OR IGNORE INTO mail_queue (round, person, kind, due_ms, queued_ms)
       SELECT round, person, :kind, :dueMs, :dueMs FROM invitees WHERE round = :round`,
    );
    this.#due = db.prepare<[number, number], QueuedMail>(
      `SELECT id, round, person, kind, attempts FROM mail_queue
       WHERE refused = 0 AND due_ms <= ? ORDER BY due_ms, id LIMIT ?`,
    );
    this.#taken = db.prepare('DELETE FROM mail_queue WHERE id = ?');
    this.#defer = db.prepare(
      'UPDATE mail_queue SET attempts = attempts + 1, due_ms = ? WHERE id = ?',
    );
    this.#refuse = db.prepare('UPDATE mail_queue SET refused = 1 WHERE id = ?');
    this.#count = db.prepare<[number], { queued: number; refused: number }>(
      `SELECT COUNT(*) - COALESCE(SUM(refused), 0) AS queued, COALESCE(SUM(refused), 0) AS refused
       FROM mail_queue WHERE round = ?`,
    );
    this.#refusedPeople = db
      .prepare<[number], number>(
        'SELECT DISTINCT person FROM mail_queue WHERE round = ? AND refused = 1',
      )
      .pluck();
    this.#deleteOfRound = db.prepare('DELETE FROM mail_queue WHERE round = ?');
  }

  /** One mail of a kind to one person; nothing if such a one is on its way already. */
  add(round: number, person: number, kind: MailKind, dueMs: number): void {
    this.#add.run({ round, person, kind, dueMs });
  }

  /** One mail of a kind to everyone who is invited to a round. */
  addAll(round: number, kind: MailKind, dueMs: number): void {
    this.#addAll.run({ round, kind, dueMs });
  }

  /** What may be tried now, the oldest first. */
  due(nowMs: number, limit: number): QueuedMail[] {
    return this.#due.all(nowMs, limit);
  }

  /** A mail server has taken it, or there is nothing to send any more. */
  taken(id: number): void {
    this.#taken.run(id);
  }

  defer(id: number, dueMs: number): void {
    this.#defer.run(dueMs, id);
  }

  /** No mail server will take it: it stays, so that it can be counted. */
  refuse(id: number): void {
    this.#refuse.run(id);
  }

  count(round: number): { readonly queued: number; readonly refused: number } {
    return this.#count.get(round) as { queued: number; refused: number };
  }

  /** People whose address was refused. */
  refusedPeople(round: number): number[] {
    return this.#refusedPeople.all(round);
  }

  deleteOfRound(round: number): void {
    this.#deleteOfRound.run(round);
  }
}
