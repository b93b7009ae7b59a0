import type { AccountEntry } from '../domain/account.ts';
import type { Database } from './database.ts';

interface Row {
  readonly round: number;
  readonly firstDay: number;
  readonly numerator: bigint;
  readonly denominator: bigint;
  readonly preset: AccountEntry['preset'];
}

/** What rounds cost, round by round. */
export class AccountStore {
  readonly #insert;
  readonly #all;
  readonly #draw;
  readonly #unnoised;
  readonly #giveBack;
  readonly #forget;

  constructor(db: Database) {
    this.#insert = db.prepare(
      `INSERT OR IGNORE INTO account (round, first_day, cost_numerator, cost_denominator, preset)
       VALUES (:round, :firstDay, :numerator, :denominator, :preset)`,
    );
    this.#all = db
      .prepare<[], Row>(
        `SELECT CAST(round AS REAL) AS round, CAST(first_day AS REAL) AS firstDay,
           cost_numerator AS numerator, cost_denominator AS denominator, preset
         FROM account ORDER BY first_day, round`,
      )
      .safeIntegers();
    this.#draw = db.prepare('UPDATE account SET noised = 1 WHERE round = ? AND noised = 0');
    this.#unnoised = db
      .prepare<[], number>('SELECT round FROM account WHERE noised = 0 ORDER BY round')
      .pluck();
    this.#giveBack = db.prepare('DELETE FROM account WHERE round = ? AND noised = 0');
    this.#forget = db.prepare('DELETE FROM account WHERE first_day <= ?');
  }

  /** Takes what a round costs; again it changes nothing. */
  take({ round, firstDay, cost, preset }: AccountEntry): void {
    this.#insert.run({ round, firstDay, ...cost, preset });
  }

  /** Every entry that is kept, oldest first. */
  entries(): AccountEntry[] {
    return this.#all.all().map(({ numerator, denominator, ...entry }) => ({
      ...entry,
      cost: { numerator, denominator },
    }));
  }

  /** Noise was drawn for a round: what it cost is never given back. */
  noised(round: number): void {
    this.#draw.run(round);
  }

  /** Rounds for which no noise was drawn so far. */
  unnoised(): number[] {
    return this.#unnoised.all();
  }

  /** @returns whether there was something to give back */
  giveBack(round: number): boolean {
    return this.#giveBack.run(round).changes === 1;
  }

  /** @returns how many entries of rounds that began on this day or before are gone */
  forgetUntil(day: number): number {
    return this.#forget.run(day).changes;
  }
}
