import type { Database } from './database.ts';

/** A stored reply to a DAP request of the guardian. */
export interface Reply {
  readonly jobId: Buffer;
  readonly response: Buffer;
}

/** The employer's replies as DAP Helper, and where its own collections stand. */
export class HelperJobStore {
  readonly #insertAggregation;
  readonly #aggregation;
  readonly #aggregationById;
  readonly #forgetAggregations;
  readonly #insertShare;
  readonly #share;
  readonly #deleteShare;
  readonly #insertCollection;
  readonly #collection;
  readonly #collected;
  readonly #deleteCollection;

  constructor(db: Database) {
    this.#insertAggregation = db.prepare(
      'INSERT INTO aggregation_jobs (task_id, request_hash, job_id, response) VALUES (?, ?, ?, ?)',
    );
    this.#aggregation = db.prepare<[Uint8Array, Uint8Array], Reply>(
      `SELECT job_id AS jobId, response FROM aggregation_jobs
       WHERE task_id = ? AND request_hash = ?`,
    );
    this.#aggregationById = db.prepare<[Uint8Array, Uint8Array], Reply>(
      'SELECT job_id AS jobId, response FROM aggregation_jobs WHERE task_id = ? AND job_id = ?',
    );
    this.#forgetAggregations = db.prepare('DELETE FROM aggregation_jobs WHERE task_id = ?');
    this.#insertShare = db.prepare(
      `INSERT INTO aggregate_share_jobs (task_id, request_hash, job_id, response)
       VALUES (?, ?, ?, ?)`,
    );
    this.#share = db.prepare<[Uint8Array], Reply & { requestHash: Buffer }>(
      `SELECT request_hash AS requestHash, job_id AS jobId, response
       FROM aggregate_share_jobs WHERE task_id = ?`,
    );
    this.#deleteShare = db.prepare('DELETE FROM aggregate_share_jobs WHERE task_id = ?');
    this.#insertCollection = db.prepare(
      'INSERT OR IGNORE INTO collections (task_id, location) VALUES (?, ?)',
    );
    this.#collection = db.prepare<[Uint8Array], { location: string; response: Buffer | null }>(
      'SELECT location, response FROM collections WHERE task_id = ?',
    );
    this.#collected = db.prepare('UPDATE collections SET response = ? WHERE task_id = ?');
    this.#deleteCollection = db.prepare('DELETE FROM collections WHERE task_id = ?');
  }

  insertAggregation(
    taskId: Uint8Array,
    requestHash: Uint8Array,
    jobId: Uint8Array,
    response: Uint8Array,
  ): void {
    this.#insertAggregation.run(taskId, requestHash, jobId, response);
  }

  aggregation(taskId: Uint8Array, requestHash: Uint8Array): Reply | undefined {
    return this.#aggregation.get(taskId, requestHash);
  }

  aggregationWithId(taskId: Uint8Array, jobId: Uint8Array): Reply | undefined {
    return this.#aggregationById.get(taskId, jobId);
  }

  forgetAggregations(taskId: Uint8Array): void {
    this.#forgetAggregations.run(taskId);
  }

  insertShare(
    taskId: Uint8Array,
    requestHash: Uint8Array,
    jobId: Uint8Array,
    response: Uint8Array,
  ): void {
    this.#insertShare.run(taskId, requestHash, jobId, response);
  }

  share(taskId: Uint8Array): (Reply & { requestHash: Buffer }) | undefined {
    return this.#share.get(taskId);
  }

  insertCollection(taskId: Uint8Array, location: string): void {
    this.#insertCollection.run(taskId, location);
  }

  collection(taskId: Uint8Array): { location: string; response: Buffer | null } | undefined {
    return this.#collection.get(taskId);
  }

  /** Keeps the guardian's exact CollectionJobResp: from now on the group counts as noised. */
  collected(taskId: Uint8Array, response: Uint8Array): void {
    this.#collected.run(response, taskId);
  }

  forgetCollection(taskId: Uint8Array): void {
    this.#deleteCollection.run(taskId);
  }

  /** Forgets everything about a group that is confirmed or withheld. */
  forget(taskId: Uint8Array): void {
    this.#forgetAggregations.run(taskId);
    this.#deleteShare.run(taskId);
    this.#deleteCollection.run(taskId);
  }
}
