import type { Database } from './database.ts';

/** What both parties agreed a sealed bucket to be. */
export interface Seal {
  readonly count: number;
  readonly checksum: Buffer;
  readonly idsRoot: Buffer;
  /** SHA-256(employer's share ‖ random). */
  readonly commitment: Buffer;
  readonly employerSignature: Buffer;
  /** Only at the employer, until the result is confirmed. */
  readonly random: Buffer | null;
}

export interface NewSeal {
  readonly count: number;
  readonly checksum: Uint8Array;
  readonly idsRoot: Uint8Array;
  readonly commitment: Uint8Array;
  readonly employerSignature: Uint8Array;
  readonly random: Uint8Array | null;
}

/** One group's released totals; confirmed once the guardian has signed too. */
export interface Result {
  readonly taskId: Buffer;
  readonly published: Buffer;
  readonly employerSignature: Buffer;
  readonly guardianSignature: Buffer | null;
}

/** Seals and released totals. */
export class ResultStore {
  readonly #insertSeal;
  readonly #seal;
  readonly #forgetRandom;
  readonly #deleteSeal;
  readonly #insert;
  readonly #confirm;
  readonly #get;
  readonly #unconfirmed;
  readonly #confirmed;

  constructor(db: Database) {
    this.#insertSeal = db.prepare(
      `INSERT INTO seals (task_id, count, checksum, ids_root, commitment, employer_signature, random)
       VALUES (:taskId, :count, :checksum, :idsRoot, :commitment, :employerSignature, :random)`,
    );
    this.#seal = db.prepare<[Uint8Array], Seal>(
      `SELECT count, checksum, ids_root AS idsRoot, commitment,
         employer_signature AS employerSignature, random
       FROM seals WHERE task_id = ?`,
    );
    this.#forgetRandom = db.prepare('UPDATE seals SET random = NULL WHERE task_id = ?');
    this.#deleteSeal = db.prepare('DELETE FROM seals WHERE task_id = ?');
    this.#insert = db.prepare(
      `INSERT INTO results (task_id, published, employer_signature, guardian_signature)
       VALUES (?, ?, ?, ?)`,
    );
    this.#confirm = db.prepare('UPDATE results SET guardian_signature = ? WHERE task_id = ?');
    this.#get = db.prepare<[Uint8Array], Result>(
      `SELECT task_id AS taskId, published, employer_signature AS employerSignature,
         guardian_signature AS guardianSignature
       FROM results WHERE task_id = ?`,
    );
    this.#unconfirmed = db.prepare<[], Result>(
      `SELECT task_id AS taskId, published, employer_signature AS employerSignature,
         guardian_signature AS guardianSignature
       FROM results WHERE guardian_signature IS NULL`,
    );
    this.#confirmed = db.prepare<[Uint8Array], { groupIndex: number; published: Buffer }>(
      `SELECT group_index AS groupIndex, published FROM results JOIN tasks USING (task_id)
       WHERE manifest_hash = ? AND guardian_signature IS NOT NULL`,
    );
  }

  insertSeal(taskId: Uint8Array, seal: NewSeal): void {
    this.#insertSeal.run({ taskId, ...seal });
  }

  seal(taskId: Uint8Array): Seal | undefined {
    return this.#seal.get(taskId);
  }

  forgetRandom(taskId: Uint8Array): void {
    this.#forgetRandom.run(taskId);
  }

  deleteSeal(taskId: Uint8Array): void {
    this.#deleteSeal.run(taskId);
  }

  insert(
    taskId: Uint8Array,
    published: Uint8Array,
    employerSignature: Uint8Array,
    guardianSignature: Uint8Array | null,
  ): void {
    this.#insert.run(taskId, published, employerSignature, guardianSignature);
  }

  confirm(taskId: Uint8Array, guardianSignature: Uint8Array): void {
    this.#confirm.run(guardianSignature, taskId);
  }

  get(taskId: Uint8Array): Result | undefined {
    return this.#get.get(taskId);
  }

  unconfirmed(): Result[] {
    return this.#unconfirmed.all();
  }

  /** The confirmed totals of one round. */
  confirmed(manifestHash: Uint8Array): { groupIndex: number; published: Buffer }[] {
    return this.#confirmed.all(manifestHash);
  }
}
