import type { Database } from './database.ts';

/** The tokens of the reports that the employer counted, until their group is sealed or withheld. */
export class CountedTokenStore {
  readonly #spend;
  readonly #forget;

  constructor(db: Database) {
    this.#spend = db.prepare('INSERT OR IGNORE INTO counted_tokens (task_id, nonce) VALUES (?, ?)');
    this.#forget = db.prepare('DELETE FROM counted_tokens WHERE task_id = ?');
  }

  /** Spends a token on a report that is counted. @returns false if one was counted with it before */
  spend(taskId: Uint8Array, nonce: Uint8Array): boolean {
    return this.#spend.run(taskId, nonce).changes === 1;
  }

  /** Nothing more of this group is counted. */
  forget(taskId: Uint8Array): void {
    this.#forget.run(taskId);
  }
}
