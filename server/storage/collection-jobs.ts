import type { Database } from './database.ts';

/** The guardian's side of the one collection of a group. */
export interface CollectionJob {
  readonly taskId: Buffer;
  readonly jobId: Buffer;
  readonly request: Buffer;
  /** CollectionJobResp, null until the noise is stored. */
  readonly response: Buffer | null;
  /** 1 once the response may have left this party. */
  readonly handedOut: number;
}

export class CollectionJobStore {
  readonly #insert;
  readonly #byTask;
  readonly #waiting;
  readonly #respond;
  readonly #handOut;
  readonly #delete;

  constructor(db: Database) {
    this.#insert = db.prepare(
      'INSERT INTO collection_jobs (task_id, job_id, request) VALUES (?, ?, ?)',
    );
    const columns =
      'task_id AS taskId, job_id AS jobId, request, response, handed_out AS handedOut';
    this.#byTask = db.prepare<[Uint8Array], CollectionJob>(
      `SELECT ${columns} FROM collection_jobs WHERE task_id = ?`,
    );
    this.#waiting = db.prepare<[], CollectionJob>(
      `SELECT ${columns} FROM collection_jobs JOIN tasks USING (task_id)
       WHERE response IS NULL AND state = 'sealed'`,
    );
    this.#respond = db.prepare('UPDATE collection_jobs SET response = ? WHERE task_id = ?');
    this.#handOut = db.prepare('UPDATE collection_jobs SET handed_out = 1 WHERE task_id = ?');
    this.#delete = db.prepare('DELETE FROM collection_jobs WHERE task_id = ?');
  }

  insert(taskId: Uint8Array, jobId: Uint8Array, request: Uint8Array): void {
    this.#insert.run(taskId, jobId, request);
  }

  ofTask(taskId: Uint8Array): CollectionJob | undefined {
    return this.#byTask.get(taskId);
  }

  /** Jobs of sealed groups that have no response yet. */
  waiting(): CollectionJob[] {
    return this.#waiting.all();
  }

  respond(taskId: Uint8Array, response: Uint8Array): void {
    this.#respond.run(response, taskId);
  }

  /** Records that the response leaves, before it does. @returns false if there is no such job */
  handOut(taskId: Uint8Array): boolean {
    return this.#handOut.run(taskId).changes === 1;
  }

  delete(taskId: Uint8Array): void {
    this.#delete.run(taskId);
  }
}
