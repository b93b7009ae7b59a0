import type { Database } from './database.ts';

/** A source of time: milliseconds since 1970 (UTC). */
export interface Clock {
  now(): number;
}

/** The latest time a party has acted on, kept with its data. */
export class ClockStore {
  readonly #db;
  readonly #read;
  readonly #raise;

  constructor(db: Database) {
    this.#db = db;
    this.#read = db.prepare<[], number>('SELECT latest_ms FROM clock WHERE id = 1').pluck();
    this.#raise = db.prepare<[number]>(
      `INSERT INTO clock (id, latest_ms) VALUES (1, ?)
       ON CONFLICT (id) DO UPDATE SET latest_ms = max(latest_ms, excluded.latest_ms)`,
    );
  }

  latest(): number {
    return this.#read.get() ?? 0;
  }

  /** @returns false inside a transaction, which may yet be rolled back */
  raise(nowMs: number): boolean {
    this.#raise.run(nowMs);
    return !this.#db.inTransaction;
  }
}

/**
 * The party's clock: follows `source`, but never goes back, neither while running nor over a restart.
 * What it has shown is stored at most once a second, and at once when it jumps by more.
 */
export function forwardClock(source: Clock, store: ClockStore): Clock {
  let latest = store.latest();
  let stored = latest;
  return {
    now() {
      latest = Math.max(latest, source.now());
      if (latest - stored >= 1000 && store.raise(latest)) stored = latest;
      return latest;
    },
  };
}
