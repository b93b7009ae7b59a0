import { type Database, truncateWal } from './database.ts';
import { transact } from './stores.ts';

/** How many pieces of work are done side by side where they can share their writes. */
export const SIDE_BY_SIDE = 8;

interface Waiting {
  readonly work: () => unknown;
  readonly leavesNothing: boolean;
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Writes that are asked for during one turn of the event loop share a transaction, and where they
 * overwrite or delete a truncation of the log, so that the disk is waited for once for all of them.
 */
export class SharedWrites {
  readonly #db: Database;
  /** Inside a transaction: a savepoint. */
  readonly #alone;
  #waiting: Waiting[] = [];

  constructor(db: Database) {
    this.#db = db;
    this.#alone = db.transaction((work: () => unknown) => work());
  }

  /**
   * Runs `work`, which reads all that it depends on itself: others may have written since it was
   * asked for.
   * @returns what it returns, once that is durable
   * @throws what it throws; then it alone changed nothing
   */
  write<T>(work: () => T): Promise<T> {
    return this.#add(work, false);
  }

  /** `write`, after which what was overwritten or deleted is in no file. */
  overwrite<T>(work: () => T): Promise<T> {
    return this.#add(work, true);
  }

  #add<T>(work: () => T, leavesNothing: boolean): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) setImmediate(() => this.#commit());
      this.#waiting.push({ work, leavesNothing, resolve, reject });
    });
  }

  #commit(): void {
    const batch = this.#waiting;
    this.#waiting = [];
    try {
      const ends = transact(this.#db, () => batch.map((waiting) => this.#run(waiting)));
      if (batch.some(({ leavesNothing }) => leavesNothing)) truncateWal(this.#db);
      for (const end of ends) end();
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  /** @returns what tells its caller, for after the commit */
  #run({ work, resolve, reject }: Waiting): () => void {
    try {
      const value = this.#alone(work) as never;
      return () => resolve(value);
    } catch (error) {
      // What the disk refused may have ended the whole transaction.
      if (!this.#db.inTransaction) throw error;
      return () => reject(error);
    }
  }
}
