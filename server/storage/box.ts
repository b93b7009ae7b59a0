import type { Database } from './database.ts';
import { paddingLength } from './padding.ts';

/** What a spent token was spent on. */
export interface Spent {
  readonly taskId: Buffer;
  readonly reportId: Buffer;
  readonly reportHash: Buffer;
}

/** The guardian's sealed ballot box, the tokens spent on it, and the lots it is counted in. */
export class BoxStore {
  readonly #insert;
  readonly #report;
  readonly #deleteReport;
  readonly #spend;
  readonly #byNonce;
  readonly #byReport;
  readonly #unspend;
  readonly #boxIds;
  readonly #insertLot;
  readonly #lot;
  readonly #deleteLot;
  readonly #nextLot;
  readonly #emptyBox;
  readonly #emptyLots;
  readonly #forgetSpent;

  constructor(db: Database) {
    this.#insert = db.prepare(
      'INSERT INTO box (task_id, report_id, padding, report) VALUES (?, ?, zeroblob(?), ?)',
    );
    this.#report = db
      .prepare<[Uint8Array, Uint8Array], Buffer>(
        'SELECT report FROM box WHERE task_id = ? AND report_id = ?',
      )
      .pluck();
    this.#deleteReport = db.prepare('DELETE FROM box WHERE task_id = ? AND report_id = ?');
    this.#spend = db.prepare(
      `INSERT INTO spent (token_key_id, nonce, task_id, report_id, report_hash)
       VALUES (?, ?, ?, ?, ?)`,
    );
    const spent =
      'SELECT task_id AS taskId, report_id AS reportId, report_hash AS reportHash FROM spent';
    this.#byNonce = db.prepare<[Uint8Array, Uint8Array], Spent>(
      `${spent} WHERE token_key_id = ? AND nonce = ?`,
    );
    this.#byReport = db.prepare<[Uint8Array], Spent>(`${spent} WHERE report_id = ?`);
    this.#unspend = db.prepare('DELETE FROM spent WHERE task_id = ? AND report_id = ?');
    this.#boxIds = db
      .prepare<[Uint8Array], Buffer>(
        'SELECT report_id FROM box WHERE task_id = ? ORDER BY report_id',
      )
      .pluck();
    this.#insertLot = db.prepare(
      'INSERT INTO lots (task_id, lot, position, report_id) VALUES (?, ?, ?, ?)',
    );
    this.#lot = db.prepare<[Uint8Array, number], { reportId: Buffer; report: Buffer }>(
      `SELECT report_id AS reportId, report FROM lots JOIN box USING (task_id, report_id)
       WHERE task_id = ? AND lot = ? ORDER BY position`,
    );
    this.#deleteLot = db.prepare('DELETE FROM lots WHERE task_id = ? AND lot = ?');
    this.#nextLot = db
      .prepare<[Uint8Array, number], number>(
        'SELECT MIN(lot) FROM lots WHERE task_id = ? AND lot >= ?',
      )
      .pluck();
    this.#emptyBox = db.prepare('DELETE FROM box WHERE task_id = ?');
    this.#emptyLots = db.prepare('DELETE FROM lots WHERE task_id = ?');
    this.#forgetSpent = db.prepare(
      'DELETE FROM spent WHERE task_id IN (SELECT task_id FROM tasks WHERE manifest_hash = ?)',
    );
  }

  /** @param publicLength how much of the report's beginning is not sealed */
  insert(taskId: Uint8Array, reportId: Uint8Array, report: Uint8Array, publicLength = 0): void {
    const open = taskId.length + reportId.length + publicLength;
    const padding = paddingLength(open, report.length - publicLength);
    this.#insert.run(taskId, reportId, padding, report);
  }

  report(taskId: Uint8Array, reportId: Uint8Array): Buffer | undefined {
    return this.#report.get(taskId, reportId);
  }

  deleteReport(taskId: Uint8Array, reportId: Uint8Array): void {
    this.#deleteReport.run(taskId, reportId);
  }

  spend(
    tokenKeyId: Uint8Array,
    nonce: Uint8Array,
    on: { taskId: Uint8Array; reportId: Uint8Array; reportHash: Uint8Array },
  ): void {
    this.#spend.run(tokenKeyId, nonce, on.taskId, on.reportId, on.reportHash);
  }

  spentWithNonce(tokenKeyId: Uint8Array, nonce: Uint8Array): Spent | undefined {
    return this.#byNonce.get(tokenKeyId, nonce);
  }

  /** What was spent on a report id, in whatever group. */
  spentOnReport(reportId: Uint8Array): Spent | undefined {
    return this.#byReport.get(reportId);
  }

  /** Frees the token of a withdrawn report. */
  unspend(taskId: Uint8Array, reportId: Uint8Array): void {
    this.#unspend.run(taskId, reportId);
  }

  /** The ids of a group's boxed reports, sorted: no order of arrival. */
  ids(taskId: Uint8Array): Buffer[] {
    return this.#boxIds.all(taskId);
  }

  insertLot(taskId: Uint8Array, lot: number, reportIds: readonly Uint8Array[]): void {
    reportIds.forEach((reportId, position) => {
      this.#insertLot.run(taskId, lot, position, reportId);
    });
  }

  /** The reports of one lot, in its order. */
  lot(taskId: Uint8Array, lot: number): { reportId: Buffer; report: Buffer }[] {
    return this.#lot.all(taskId, lot);
  }

  /** The first lot not yet counted with a number ≥ `from`. */
  nextLot(taskId: Uint8Array, from = 0): number | undefined {
    return this.#nextLot.get(taskId, from) ?? undefined;
  }

  /** Removes a counted lot and its reports. */
  deleteLot(taskId: Uint8Array, lot: number, reportIds: readonly Uint8Array[]): void {
    for (const reportId of reportIds) this.#deleteReport.run(taskId, reportId);
    this.#deleteLot.run(taskId, lot);
  }

  /** Destroys what is left of a group's box, unopened. */
  empty(taskId: Uint8Array): void {
    this.#emptyBox.run(taskId);
    this.#emptyLots.run(taskId);
  }

  /** Forgets which tokens were spent in a round whose list is signed. */
  forgetSpent(manifestHash: Uint8Array): void {
    this.#forgetSpent.run(manifestHash);
  }
}
