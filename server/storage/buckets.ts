import type { Database } from './database.ts';
import { paddingLength } from './padding.ts';

/** The running sum of one group at one party. */
export interface Bucket {
  /** Encoded aggregate share. */
  readonly share: Buffer;
  readonly count: number;
  /** XOR of SHA-256 of the report ids. */
  readonly checksum: Buffer;
}

export type Outcome = 'counted' | 'refused' | 'withdrawn';

/** Buckets, and how each report ended. */
export class BucketStore {
  readonly #get;
  readonly #put;
  readonly #delete;
  readonly #insertOutcome;
  readonly #outcome;
  readonly #withdrawn;
  readonly #ids;
  readonly #outcomesOfRound;
  readonly #refusals;
  readonly #forget;

  constructor(db: Database) {
    this.#get = db.prepare<[Uint8Array], Bucket>(
      'SELECT share, count, checksum FROM buckets WHERE task_id = ?',
    );
    this.#put = db.prepare(
      `INSERT INTO buckets (task_id, count, checksum, padding, share)
       VALUES (?, ?, ?, zeroblob(?), ?)
       ON CONFLICT (task_id) DO UPDATE SET
         share = excluded.share, count = excluded.count, checksum = excluded.checksum`,
    );
    this.#delete = db.prepare('DELETE FROM buckets WHERE task_id = ?');
    this.#insertOutcome = db.prepare(
      'INSERT INTO outcomes (task_id, report_id, outcome, reason) VALUES (?, ?, ?, ?)',
    );
    this.#outcome = db.prepare<
      [Uint8Array, Uint8Array],
      { outcome: Outcome; reason: string | null }
    >('SELECT outcome, reason FROM outcomes WHERE task_id = ? AND report_id = ?');
    this.#withdrawn = db
      .prepare<[Uint8Array], number>(
        "SELECT EXISTS (SELECT 1 FROM outcomes WHERE report_id = ? AND outcome = 'withdrawn')",
      )
      .pluck();
    this.#ids = db
      .prepare<[Uint8Array, Outcome], Buffer>(
        'SELECT report_id FROM outcomes WHERE task_id = ? AND outcome = ? ORDER BY report_id',
      )
      .pluck();
    this.#outcomesOfRound = db.prepare<
      [Uint8Array],
      { reportId: Buffer; outcome: Outcome; reason: string | null }
    >(
      `SELECT report_id AS reportId, outcome, reason FROM outcomes JOIN tasks USING (task_id)
       WHERE manifest_hash = ? AND state <> 'withheld' ORDER BY report_id`,
    );
    this.#refusals = db
      .prepare<[Uint8Array, string], number>(
        `SELECT COUNT(*) FROM outcomes
         WHERE task_id = ? AND outcome = 'refused' AND reason LIKE ? || ':%'`,
      )
      .pluck();
    this.#forget = db.prepare('DELETE FROM outcomes WHERE task_id = ?');
  }

  get(taskId: Uint8Array): Bucket | undefined {
    return this.#get.get(taskId);
  }

  put(
    taskId: Uint8Array,
    bucket: { share: Uint8Array; count: number; checksum: Uint8Array },
  ): void {
    const { share, count, checksum } = bucket;
    const padding = paddingLength(taskId.length + checksum.length, share.length);
    this.#put.run(taskId, count, checksum, padding, share);
  }

  delete(taskId: Uint8Array): void {
    this.#delete.run(taskId);
  }

  /** Records how a report ended; a report ends once. */
  insertOutcome(
    taskId: Uint8Array,
    reportId: Uint8Array,
    outcome: Outcome,
    reason: string | null = null,
  ): void {
    this.#insertOutcome.run(taskId, reportId, outcome, reason);
  }

  outcome(
    taskId: Uint8Array,
    reportId: Uint8Array,
  ): { outcome: Outcome; reason: string | null } | undefined {
    return this.#outcome.get(taskId, reportId);
  }

  /** Whether a report with this id was withdrawn, in whatever group. */
  isWithdrawn(reportId: Uint8Array): boolean {
    return this.#withdrawn.get(reportId) === 1;
  }

  /** The ids of a task with one outcome, sorted. */
  ids(taskId: Uint8Array, outcome: Outcome): Buffer[] {
    return this.#ids.all(taskId, outcome);
  }

  /** Every outcome of a round's groups that were not withheld, sorted by report id. */
  outcomesOfRound(
    manifestHash: Uint8Array,
  ): { reportId: Buffer; outcome: Outcome; reason: string | null }[] {
    return this.#outcomesOfRound.all(manifestHash);
  }

  /** How many reports of a task one party refused; reasons are stored as `party:error`. */
  refusalsBy(taskId: Uint8Array, party: 'guardian' | 'employer'): number {
    return this.#refusals.get(taskId, party) ?? 0;
  }

  /** Forgets how a withheld group's reports ended: none of them counts. */
  forgetOutcomes(taskId: Uint8Array): void {
    this.#forget.run(taskId);
  }
}
