import {
  hashOfChange,
  type RetentionChange,
  type RetentionKind,
  type RetentionScope,
  retentionOf,
} from '../domain/retention.ts';
import type { Database } from './database.ts';

export type ChangeState = 'waiting' | 'applied' | 'refused' | 'cancelled';

/** A change of a setting, and what became of it. */
export interface StoredChange extends RetentionChange {
  readonly hash: Buffer;
  readonly sheet: Buffer | null;
  readonly state: ChangeState;
  readonly guardianSignature: Buffer | null;
  /** Why the guardian refused it. */
  readonly reason: string | null;
  readonly changedMs: number;
}

const COLUMNS = `hash, number, kind, sheet, days, state, guardian_signature AS guardianSignature,
  reason, changed_ms AS changedMs`;

/** Retention settings: those in force, and those that wait for the guardian. */
export class RetentionStore {
  readonly #insert;
  readonly #withHash;
  readonly #withNumber;
  readonly #all;
  readonly #inState;
  readonly #untold;
  readonly #setting;
  readonly #lastNumber;
  readonly #settle;
  readonly #told;
  readonly #applied;

  constructor(db: Database) {
    this.#insert = db.prepare(
      `INSERT OR IGNORE INTO retention_changes
         (hash, number, kind, sheet, days, state, guardian_signature, changed_ms)
       VALUES (:hash, :number, :kind, :sheet, :days, :state, :signature, :nowMs)`,
    );
    this.#withHash = db.prepare<[Uint8Array], StoredChange>(
      `SELECT ${COLUMNS} FROM retention_changes WHERE hash = ?`,
    );
    this.#withNumber = db.prepare<[number], StoredChange>(
      `SELECT ${COLUMNS} FROM retention_changes
       WHERE number = ? ORDER BY changed_ms DESC LIMIT 1`,
    );
    this.#all = db.prepare<[], StoredChange>(
      `SELECT ${COLUMNS} FROM retention_changes ORDER BY number DESC`,
    );
    this.#inState = db.prepare<[ChangeState], StoredChange>(
      `SELECT ${COLUMNS} FROM retention_changes WHERE state = ? ORDER BY number`,
    );
    this.#untold = db.prepare<[], StoredChange>(
      `SELECT ${COLUMNS} FROM retention_changes WHERE told = 0 ORDER BY number`,
    );
    this.#setting = db
      .prepare<[RetentionKind, Uint8Array | null], number>(
        `SELECT days FROM retention_changes
         WHERE kind = ? AND sheet IS ? AND state = 'applied'
         ORDER BY number DESC, changed_ms DESC LIMIT 1`,
      )
      .pluck();
    this.#lastNumber = db
      .prepare<[], number | null>('SELECT MAX(number) FROM retention_changes')
      .pluck();
    this.#settle = db.prepare(
      `UPDATE retention_changes
       SET state = :state, guardian_signature = :signature, reason = :reason, changed_ms = :nowMs
       WHERE hash = :hash AND state = :from`,
    );
    this.#applied = db
      .prepare<[], string>(
        `SELECT COUNT(*) || ' ' || COALESCE(SUM(number), 0) FROM retention_changes
         WHERE state = 'applied'`,
      )
      .pluck();
    this.#told = db.prepare('UPDATE retention_changes SET told = ? WHERE hash = ?');
  }

  /** Keeps a change; one that is known stays as it is. */
  insert(
    change: RetentionChange,
    state: ChangeState,
    signature: Uint8Array | null,
    nowMs: number,
  ): void {
    this.#insert.run({ ...change, hash: hashOfChange(change), state, signature, nowMs });
  }

  withHash(hash: Uint8Array): StoredChange | undefined {
    return this.#withHash.get(hash);
  }

  withNumber(number: number): StoredChange | undefined {
    return this.#withNumber.get(number);
  }

  /** Newest first. */
  all(): StoredChange[] {
    return this.#all.all();
  }

  /** What waits for the guardian, oldest first. */
  waiting(): StoredChange[] {
    return this.#inState.all('waiting');
  }

  /** What the guardian has not been told, in the order in which it was decided. */
  untold(): StoredChange[] {
    return this.#untold.all();
  }

  /** The number of the newest change, 0 if there is none. */
  lastNumber(): number {
    return this.#lastNumber.get() ?? 0;
  }

  /** @returns whether it was in `from` */
  settle(
    hash: Uint8Array,
    from: ChangeState,
    to: ChangeState,
    how: { signature?: Uint8Array | null; reason?: string | null; nowMs: number },
  ): boolean {
    const { signature = null, reason = null, nowMs } = how;
    return this.#settle.run({ hash, from, state: to, signature, reason, nowMs }).changes === 1;
  }

  setTold(hash: Uint8Array, told: boolean): void {
    this.#told.run(Number(told), hash);
  }

  /** Another text whenever a setting has come into force, or out of it. */
  version(): string {
    return this.#applied.get() as string;
  }

  /** What is set for this scope alone, whatever else bounds it; endless for a survey without. */
  own({ kind, sheet }: RetentionScope): number {
    const unset = sheet === null ? retentionOf(kind).days : Number.POSITIVE_INFINITY;
    return this.#setting.get(kind, sheet) ?? unset;
  }

  /**
   * The days in force: of what is set for the installation, what is set for the survey, and for
   * trends what the sheet says, the fewest.
   * @param trendsDays of the survey's sheet
   */
  days({ kind, sheet }: RetentionScope, trendsDays = Number.POSITIVE_INFINITY): number {
    const installation = this.own({ kind, sheet: null });
    const survey = sheet === null ? installation : this.own({ kind, sheet });
    const signed = kind === 'trends' && sheet !== null ? trendsDays : Number.POSITIVE_INFINITY;
    return Math.min(installation, survey, signed);
  }

  /** The most days that a survey's own setting may say; undefined for the installation. */
  most({ kind, sheet }: RetentionScope, trendsDays?: number): number | undefined {
    if (sheet === null) return undefined;
    const installation = this.days({ kind, sheet: null });
    return kind === 'trends' ? Math.min(installation, trendsDays ?? installation) : installation;
  }
}
