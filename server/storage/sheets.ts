import type { Database } from './database.ts';

export type SheetState = 'draft' | 'submitted' | 'approved' | 'refused' | 'retired';

export interface StoredSheet {
  readonly hash: Buffer;
  /** Canonical JSON. */
  readonly bytes: Buffer;
  readonly state: SheetState;
  readonly guardianSignature: Buffer | null;
  /** Why the guardian refused it. */
  readonly reason: string | null;
  readonly changedMs: number;
}

const COLUMNS = `hash, bytes, state, guardian_signature AS guardianSignature, reason,
  changed_ms AS changedMs`;

/** Sheets, from the draft to the end of the survey. */
export class SheetStore {
  readonly #insert;
  readonly #get;
  readonly #all;
  readonly #inState;
  readonly #decide;
  readonly #move;

  constructor(db: Database) {
    this.#insert = db.prepare(
      'INSERT OR IGNORE INTO sheets (hash, bytes, state, changed_ms) VALUES (?, ?, ?, ?)',
    );
    this.#get = db.prepare<[Uint8Array], StoredSheet>(
      `SELECT ${COLUMNS} FROM sheets WHERE hash = ?`,
    );
    this.#all = db.prepare<[], StoredSheet>(`SELECT ${COLUMNS} FROM sheets ORDER BY changed_ms`);
    this.#inState = db.prepare<[SheetState], StoredSheet>(
      `SELECT ${COLUMNS} FROM sheets WHERE state = ? ORDER BY changed_ms`,
    );
    this.#decide = db.prepare(
      `UPDATE sheets SET state = :state, guardian_signature = :signature, reason = :reason,
         changed_ms = :nowMs
       WHERE hash = :hash AND state = 'submitted'`,
    );
    this.#move = db.prepare(
      'UPDATE sheets SET state = ?, changed_ms = ? WHERE hash = ? AND state = ?',
    );
  }

  /** Keeps a sheet; one that is known stays as it is. */
  insert(hash: Uint8Array, bytes: Uint8Array, state: 'draft' | 'submitted', nowMs: number): void {
    this.#insert.run(hash, bytes, state, nowMs);
  }

  withHash(hash: Uint8Array): StoredSheet | undefined {
    return this.#get.get(hash);
  }

  /** Oldest change first. */
  all(): StoredSheet[] {
    return this.#all.all();
  }

  inState(state: SheetState): StoredSheet[] {
    return this.#inState.all(state);
  }

  /** submitted → approved, signed. @returns whether it was submitted */
  approve(hash: Uint8Array, signature: Uint8Array, nowMs: number): boolean {
    return (
      this.#decide.run({ hash, state: 'approved', signature, reason: null, nowMs }).changes === 1
    );
  }

  /** submitted → refused. @returns whether it was submitted */
  refuse(hash: Uint8Array, reason: string, nowMs: number): boolean {
    return (
      this.#decide.run({ hash, state: 'refused', signature: null, reason, nowMs }).changes === 1
    );
  }

  /** @returns whether it was in `from` */
  move(hash: Uint8Array, from: SheetState, to: SheetState, nowMs: number): boolean {
    return this.#move.run(to, nowMs, hash, from).changes === 1;
  }
}
