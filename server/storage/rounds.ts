import type { Database } from './database.ts';

export type RoundState = 'planned' | 'open' | 'closed' | 'expired';

/** One round; times are milliseconds since 1970 by the party's clock. */
export interface Round {
  readonly manifestHash: Buffer;
  readonly number: number;
  readonly sheetHash: Buffer;
  readonly head: Buffer;
  readonly guardianSignature: Buffer | null;
  readonly employerSignature: Buffer | null;
  readonly opensMs: number;
  readonly closesMs: number;
  readonly deadlineMs: number;
  readonly state: RoundState;
  /** Guardian: 0 if it closed ahead of time and the employer does not know yet, else 1. */
  readonly closeHeard: number;
  readonly listRoot: Buffer | null;
  readonly listGuardianSignature: Buffer | null;
  readonly listEmployerSignature: Buffer | null;
}

export interface NewRound {
  readonly manifestHash: Uint8Array;
  readonly number: number;
  readonly sheetHash: Uint8Array;
  readonly head: Uint8Array;
  readonly guardianSignature: Uint8Array;
  readonly employerSignature: Uint8Array | null;
  readonly opensMs: number;
  readonly closesMs: number;
  readonly deadlineMs: number;
}

const COLUMNS = `manifest_hash AS manifestHash, number, sheet_hash AS sheetHash, head,
  guardian_signature AS guardianSignature, employer_signature AS employerSignature,
  opens_ms AS opensMs, closes_ms AS closesMs, deadline_ms AS deadlineMs, state,
  close_heard AS closeHeard,
  list_root AS listRoot, list_guardian_signature AS listGuardianSignature,
  list_employer_signature AS listEmployerSignature`;

/** Rounds, from the plan to the signed list. */
export class RoundStore {
  readonly #insert;
  readonly #byHash;
  readonly #schedule;
  readonly #byNumber;
  readonly #lastNumber;
  readonly #ofSheet;
  readonly #all;
  readonly #inState;
  readonly #unlisted;
  readonly #countersign;
  readonly #deleteUnsigned;
  readonly #move;
  readonly #closeAt;
  readonly #closesUnheard;
  readonly #setCloseHeard;
  readonly #setList;
  readonly #insertSlice;
  readonly #slice;

  constructor(db: Database) {
    this.#insert = db.prepare(
      `INSERT INTO rounds (manifest_hash, number, sheet_hash, head, guardian_signature,
         employer_signature, opens_ms, closes_ms, deadline_ms)
       VALUES (:manifestHash, :number, :sheetHash, :head, :guardianSignature,
         :employerSignature, :opensMs, :closesMs, :deadlineMs)`,
    );
    this.#byHash = db.prepare<[Uint8Array], Round>(
      `SELECT ${COLUMNS} FROM rounds WHERE manifest_hash = ?`,
    );
    this.#schedule = db.prepare<[Uint8Array], Pick<Round, 'state' | 'opensMs' | 'closesMs'>>(
      `SELECT state, opens_ms AS opensMs, closes_ms AS closesMs FROM rounds
       WHERE manifest_hash = ?`,
    );
    this.#byNumber = db.prepare<[number], Round>(`SELECT ${COLUMNS} FROM rounds WHERE number = ?`);
    this.#lastNumber = db.prepare<[], number | null>('SELECT MAX(number) FROM rounds').pluck();
    this.#ofSheet = db.prepare<[Uint8Array], Round>(
      `SELECT ${COLUMNS} FROM rounds WHERE sheet_hash = ? ORDER BY number`,
    );
    this.#all = db.prepare<[], Round>(`SELECT ${COLUMNS} FROM rounds ORDER BY number`);
    this.#inState = db.prepare<[RoundState], Round>(
      `SELECT ${COLUMNS} FROM rounds WHERE state = ? ORDER BY number`,
    );
    this.#unlisted = db.prepare<[], Round>(
      `SELECT ${COLUMNS} FROM rounds
       WHERE (state = 'closed' OR (state = 'expired' AND EXISTS (
           SELECT 1 FROM tasks WHERE tasks.manifest_hash = rounds.manifest_hash)))
         AND list_employer_signature IS NULL ORDER BY number`,
    );
    this.#countersign = db.prepare(
      `UPDATE rounds SET employer_signature = ?
       WHERE manifest_hash = ? AND employer_signature IS NULL`,
    );
    this.#deleteUnsigned = db.prepare(
      'DELETE FROM rounds WHERE manifest_hash = ? AND employer_signature IS NULL',
    );
    this.#move = db.prepare('UPDATE rounds SET state = ? WHERE manifest_hash = ? AND state = ?');
    this.#closeAt = db.prepare(
      'UPDATE rounds SET closes_ms = ?, deadline_ms = ? WHERE manifest_hash = ?',
    );
    this.#closesUnheard = db.prepare<[], Round>(
      `SELECT ${COLUMNS} FROM rounds WHERE close_heard = 0 ORDER BY number`,
    );
    this.#setCloseHeard = db.prepare('UPDATE rounds SET close_heard = ? WHERE manifest_hash = ?');
    this.#setList = db.prepare(
      `UPDATE rounds SET list_root = ?, list_guardian_signature = ?, list_employer_signature = ?
       WHERE manifest_hash = ?`,
    );
    this.#insertSlice = db.prepare(
      'INSERT OR IGNORE INTO list_slices (manifest_hash, slice, bytes) VALUES (?, ?, ?)',
    );
    this.#slice = db
      .prepare<[Uint8Array, number], Buffer>(
        'SELECT bytes FROM list_slices WHERE manifest_hash = ? AND slice = ?',
      )
      .pluck();
  }

  insert(round: NewRound): void {
    this.#insert.run(round);
  }

  withHash(manifestHash: Uint8Array): Round | undefined {
    return this.#byHash.get(manifestHash);
  }

  /** What an upload needs to know of a round, without its head. */
  schedule(manifestHash: Uint8Array): Pick<Round, 'state' | 'opensMs' | 'closesMs'> | undefined {
    return this.#schedule.get(manifestHash);
  }

  withNumber(number: number): Round | undefined {
    return this.#byNumber.get(number);
  }

  /** The number of the newest round, 0 if there is none. */
  lastNumber(): number {
    return this.#lastNumber.get() ?? 0;
  }

  /** The rounds of one sheet, oldest first. */
  ofSheet(sheetHash: Uint8Array): Round[] {
    return this.#ofSheet.all(sheetHash);
  }

  all(): Round[] {
    return this.#all.all();
  }

  inState(state: RoundState): Round[] {
    return this.#inState.all(state);
  }

  /**
   * Closed rounds whose list of ids is not signed by both yet. Totals may be past their retention
   * before that; a list that would be too has nothing left to be made of.
   */
  unlisted(): Round[] {
    return this.#unlisted.all();
  }

  /** Puts the employer's signature in. @returns whether it was not there before */
  countersign(manifestHash: Uint8Array, employerSignature: Uint8Array): boolean {
    return this.#countersign.run(employerSignature, manifestHash).changes === 1;
  }

  /** Removes a draft that the other party refused to sign. */
  deleteUnsigned(manifestHash: Uint8Array): void {
    this.#deleteUnsigned.run(manifestHash);
  }

  /** Moves a round from one state to the next. @returns whether it was in `from` */
  move(manifestHash: Uint8Array, from: RoundState, to: RoundState): boolean {
    return this.#move.run(to, manifestHash, from).changes === 1;
  }

  /** Records another end than planned, and the deadline that follows. */
  closeAt(
    manifestHash: Uint8Array,
    { closesMs, deadlineMs }: Pick<Round, 'closesMs' | 'deadlineMs'>,
  ): void {
    this.#closeAt.run(closesMs, deadlineMs, manifestHash);
  }

  /** Rounds that closed ahead of time and of which the employer does not know that yet. */
  closesUnheard(): Round[] {
    return this.#closesUnheard.all();
  }

  setCloseHeard(manifestHash: Uint8Array, heard: boolean): void {
    this.#setCloseHeard.run(Number(heard), manifestHash);
  }

  setList(
    manifestHash: Uint8Array,
    root: Uint8Array,
    guardianSignature: Uint8Array,
    employerSignature: Uint8Array | null,
  ): void {
    this.#setList.run(root, guardianSignature, employerSignature, manifestHash);
  }

  insertSlices(manifestHash: Uint8Array, slices: readonly Uint8Array[]): void {
    slices.forEach((bytes, slice) => {
      this.#insertSlice.run(manifestHash, slice, bytes);
    });
  }

  slice(manifestHash: Uint8Array, slice: number): Buffer | undefined {
    return this.#slice.get(manifestHash, slice);
  }
}
