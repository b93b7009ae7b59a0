import type { Database } from './database.ts';

/** Something that happened, in words for people. */
export interface Event {
  readonly atMs: number;
  readonly round: number | null;
  readonly groupIndex: number | null;
  readonly kind: string;
  readonly sentence: string;
}

export class EventStore {
  readonly #insert;
  readonly #recent;
  readonly #ofRound;

  constructor(db: Database) {
    this.#insert = db.prepare(
      `INSERT INTO events (at_ms, round, group_index, kind, sentence)
       VALUES (:atMs, :round, :groupIndex, :kind, :sentence)`,
    );
    this.#ofRound = db.prepare<[number], Event>(
      `SELECT at_ms AS atMs, round, group_index AS groupIndex, kind, sentence
       FROM events WHERE round = ? ORDER BY id`,
    );
    this.#recent = db.prepare<[number], Event>(
      `SELECT at_ms AS atMs, round, group_index AS groupIndex, kind, sentence
       FROM events ORDER BY id DESC LIMIT ?`,
    );
  }

  add(event: Event): void {
    this.#insert.run(event);
  }

  /** What happened in one round, oldest first. */
  ofRound(round: number): Event[] {
    return this.#ofRound.all(round);
  }

  recent(limit: number): Event[] {
    return this.#recent.all(limit);
  }
}
