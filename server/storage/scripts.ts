import type { Database } from './database.ts';

/** The answering page's scripts of rounds that are not closed. */
export class ScriptStore {
  readonly #insert;
  readonly #get;
  readonly #delete;

  constructor(db: Database) {
    this.#insert = db.prepare('INSERT OR IGNORE INTO scripts (hash, bytes) VALUES (?, ?)');
    this.#get = db
      .prepare<[Uint8Array], Buffer>('SELECT bytes FROM scripts WHERE hash = ?')
      .pluck();
    this.#delete = db.prepare('DELETE FROM scripts WHERE hash = ?');
  }

  insert(hash: Uint8Array, bytes: Uint8Array): void {
    this.#insert.run(hash, bytes);
  }

  get(hash: Uint8Array): Buffer | undefined {
    return this.#get.get(hash);
  }

  delete(hash: Uint8Array): void {
    this.#delete.run(hash);
  }
}
