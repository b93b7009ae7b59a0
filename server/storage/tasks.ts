import type { Database } from './database.ts';

export type TaskState = 'boxed' | 'counting' | 'sealed' | 'noised' | 'confirmed' | 'withheld';

/** One group of one round: a DAP task. */
export interface Task {
  readonly taskId: Buffer;
  readonly manifestHash: Buffer;
  readonly groupIndex: number;
  readonly groupName: string;
  readonly department: string;
  readonly rosterSize: number;
  readonly entry: Buffer;
  readonly configuration: Buffer;
  readonly state: TaskState;
  readonly withheldReason: string | null;
  readonly accepted: number;
  readonly lots: number;
}

export interface NewTask {
  readonly taskId: Uint8Array;
  readonly manifestHash: Uint8Array;
  readonly groupIndex: number;
  readonly groupName: string;
  readonly department: string;
  readonly rosterSize: number;
  readonly entry: Uint8Array;
  readonly configuration: Uint8Array;
}

const COLUMNS = `task_id AS taskId, manifest_hash AS manifestHash, group_index AS groupIndex,
  group_name AS groupName, department, roster_size AS rosterSize, entry, configuration, state,
  withheld_reason AS withheldReason, accepted, lots`;

export class TaskStore {
  readonly #insert;
  readonly #deleteOfRound;
  readonly #byId;
  readonly #ofRound;
  readonly #ofGroup;
  readonly #inState;
  readonly #move;
  readonly #withhold;
  readonly #setLots;
  readonly #admit;
  readonly #release;
  readonly #states;
  readonly #withheldUnheard;
  readonly #heard;

  constructor(db: Database) {
    this.#insert = db.prepare(
      `INSERT INTO tasks (task_id, manifest_hash, group_index, group_name, department, roster_size,
         entry, configuration)
       VALUES (:taskId, :manifestHash, :groupIndex, :groupName, :department, :rosterSize,
         :entry, :configuration)`,
    );
    this.#deleteOfRound = db.prepare('DELETE FROM tasks WHERE manifest_hash = ?');
    this.#byId = db.prepare<[Uint8Array], Task>(`SELECT ${COLUMNS} FROM tasks WHERE task_id = ?`);
    this.#ofRound = db.prepare<[Uint8Array], Task>(
      `SELECT ${COLUMNS} FROM tasks WHERE manifest_hash = ? ORDER BY group_index`,
    );
    this.#ofGroup = db.prepare<[Uint8Array, number], Task>(
      `SELECT ${COLUMNS} FROM tasks WHERE manifest_hash = ? AND group_index = ?`,
    );
    this.#inState = db.prepare<[TaskState], Task>(
      `SELECT ${COLUMNS} FROM tasks WHERE state = ? ORDER BY manifest_hash, group_index`,
    );
    this.#move = db.prepare('UPDATE tasks SET state = ? WHERE task_id = ? AND state = ?');
    this.#withhold = db.prepare(
      `UPDATE tasks SET state = 'withheld', withheld_reason = ?
       WHERE task_id = ? AND (state IN ('boxed', 'counting', 'sealed') OR (? AND state = 'noised'))`,
    );
    this.#setLots = db.prepare('UPDATE tasks SET lots = ? WHERE task_id = ?');
    this.#admit = db.prepare(
      `UPDATE tasks SET accepted = accepted + 1
       WHERE task_id = ? AND accepted < roster_size AND state = 'boxed'`,
    );
    this.#release = db.prepare('UPDATE tasks SET accepted = accepted - 1 WHERE task_id = ?');
    this.#withheldUnheard = db.prepare<[], Task>(
      `SELECT ${COLUMNS} FROM tasks WHERE state = 'withheld' AND heard = 0`,
    );
    this.#heard = db.prepare('UPDATE tasks SET heard = 1 WHERE task_id = ?');
    this.#states = db.prepare<[Uint8Array], { state: TaskState; tasks: number }>(
      'SELECT state, COUNT(*) AS tasks FROM tasks WHERE manifest_hash = ? GROUP BY state',
    );
  }

  insert(task: NewTask): void {
    this.#insert.run(task);
  }

  /** Removes the tasks of a draft round. */
  deleteOfRound(manifestHash: Uint8Array): void {
    this.#deleteOfRound.run(manifestHash);
  }

  withId(taskId: Uint8Array): Task | undefined {
    return this.#byId.get(taskId);
  }

  ofRound(manifestHash: Uint8Array): Task[] {
    return this.#ofRound.all(manifestHash);
  }

  /** One group of a round. */
  ofGroup(manifestHash: Uint8Array, groupIndex: number): Task | undefined {
    return this.#ofGroup.get(manifestHash, groupIndex);
  }

  inState(state: TaskState): Task[] {
    return this.#inState.all(state);
  }

  /** How many groups of a round are in each state. */
  states(manifestHash: Uint8Array): Record<TaskState, number> {
    const counts = { boxed: 0, counting: 0, sealed: 0, noised: 0, confirmed: 0, withheld: 0 };
    for (const row of this.#states.all(manifestHash)) counts[row.state] = row.tasks;
    return counts;
  }

  /** Moves a task from one state to the next. @returns whether it was in `from` */
  move(taskId: Uint8Array, from: TaskState, to: TaskState): boolean {
    return this.#move.run(to, taskId, from).changes === 1;
  }

  /**
   * Withholds a task that is not noised yet, or, if `noisedToo`, one that is.
   * @returns whether that changed anything
   */
  withhold(taskId: Uint8Array, reason: string, noisedToo = false): boolean {
    return this.#withhold.run(reason, taskId, Number(noisedToo)).changes === 1;
  }

  /** Withheld tasks that the other party has not heard of. */
  withheldUnheard(): Task[] {
    return this.#withheldUnheard.all();
  }

  heard(taskId: Uint8Array): void {
    this.#heard.run(taskId);
  }

  setLots(taskId: Uint8Array, lots: number): void {
    this.#setLots.run(lots, taskId);
  }

  /** Takes a place for one report. @returns false if the group is full or no longer boxed */
  admit(taskId: Uint8Array): boolean {
    return this.#admit.run(taskId).changes === 1;
  }

  /** Gives back the place of a withdrawn report. */
  giveBack(taskId: Uint8Array): void {
    this.#release.run(taskId);
  }
}
