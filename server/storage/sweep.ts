import { DAY_MS } from '../domain/days.ts';
import type { RetentionKind, RetentionScope } from '../domain/retention.ts';
import { storedSheet } from '../domain/sheets.ts';
import { IDLE_MS } from '../domain/staff.ts';
import type { Database } from './database.ts';
import { deleteTraceless, tablesOf, tablesWith } from './rewrite.ts';
import type { Round } from './rounds.ts';
import type { Stores } from './stores.ts';

/** Something that was removed, or would be. */
export interface Removal {
  readonly kind: RetentionKind;
  /** Its round, if it is of one. */
  readonly round: number | null;
  /** What it is, as it stands behind the count: "released totals", "released total". */
  readonly what: string;
  readonly count: number;
}

/** What a sweep needs of a party. */
export type SweepStores = Pick<Stores, 'db' | 'rounds' | 'tasks' | 'sheets' | 'retention'>;

export interface SweepTimes {
  /** By the party's clock, which never goes back. */
  readonly nowMs: number;
  /** By the clock of links and sessions: another one in the evaluation only. */
  readonly staffNowMs: number;
}

/** The days that count for a setting; a trial may put others in their place. */
export type DaysOf = (scope: RetentionScope, trendsDays?: number) => number;

/**
 * Deletes everything whose retention is over, in one transaction that also writes the tables anew
 * from which something was deleted. Truncate the log afterwards.
 * @param trial whether only to say what would be removed
 */
export function sweepTables(
  stores: SweepStores,
  times: SweepTimes,
  trial = false,
  daysOf: DaysOf = (scope, trendsDays) => stores.retention.days(scope, trendsDays),
): Removal[] {
  return deleteTraceless(
    stores.db,
    (touched) => {
      const sweep = new Sweep(stores, times, daysOf, touched);
      for (const round of stores.rounds.all()) sweep.round(round);
      sweep.queue();
      sweep.sessions();
      sweep.logs();
      return sweep.removals;
    },
    trial,
  );
}

/** How many days after its close something of a round is kept. */
export function roundDays(
  { sheets, retention }: Pick<Stores, 'sheets' | 'retention'>,
  { sheetHash }: Round,
  kind: RetentionKind,
  daysOf: DaysOf = (scope, trendsDays) => retention.days(scope, trendsDays),
): number {
  const stored = sheets.withHash(sheetHash);
  const trendsDays = stored && storedSheet(stored.bytes).retention.trends_days;
  return daysOf({ kind, sheet: sheetHash }, trendsDays);
}

/** One run, inside its transaction. */
class Sweep {
  readonly removals: Removal[] = [];
  readonly #touched: Set<string>;
  readonly #stores: SweepStores;
  readonly #db: Database;
  readonly #times: SweepTimes;
  readonly #daysOf: DaysOf;
  readonly #tables: ReadonlySet<string>;

  constructor(stores: SweepStores, times: SweepTimes, daysOf: DaysOf, touched: Set<string>) {
    this.#touched = touched;
    this.#stores = stores;
    this.#db = stores.db;
    this.#times = times;
    this.#daysOf = daysOf;
    this.#tables = new Set(tablesOf(stores.db));
  }

  /** What is left of a closed round, each as long as its setting says. */
  round(round: Round): void {
    if (round.state !== 'closed' && round.state !== 'expired') return;
    const { boxed, counting, sealed, noised } = this.#stores.tasks.states(round.manifestHash);
    if (boxed + counting + sealed + noised > 0) return;
    const { manifestHash: hash, number } = round;
    const due = (kind: RetentionKind) => {
      const days = roundDays(this.#stores, round, kind, this.#daysOf);
      return this.#times.nowMs >= round.closesMs + days * DAY_MS;
    };
    let expired = round.state === 'expired';
    if (due('trends') && !expired) {
      const totals = this.#delete(
        'results',
        'task_id IN (SELECT task_id FROM tasks WHERE manifest_hash = ?)',
        hash,
      );
      this.#stores.rounds.move(hash, 'closed', 'expired');
      this.#note('trends', number, totals, 'released total');
      expired = true;
    }
    if (due('lists') && (round.listEmployerSignature !== null || expired)) {
      const slices = this.#delete('list_slices', 'manifest_hash = ?', hash);
      this.#note(
        'lists',
        number,
        slices,
        'slice of the list for receipts',
        'slices of the list for receipts',
      );
      if (expired) this.#groups(hash, number);
    }
    if (due('counts')) this.#counts(hash, number);
    if (due('invitations') && this.#tables.has('invitations')) {
      const gone = this.#delete('invitations', 'round = ? AND ended = 1', number);
      this.#note(
        'invitations',
        number,
        gone,
        'count of who was invited',
        'counts of who was invited',
      );
    }
  }

  /** Names and sizes of a round's groups prove its totals and its list: they go with the last of them. */
  #groups(hash: Buffer, number: number): void {
    for (const table of tablesWith(this.#db, 'task_id')) {
      if (table === 'tasks') continue;
      this.#delete(table, 'task_id IN (SELECT task_id FROM tasks WHERE manifest_hash = ?)', hash);
    }
    this.#note('lists', number, this.#delete('tasks', 'manifest_hash = ?', hash), 'group');
    if (!this.#tables.has('round_units')) return;
    this.#note('lists', number, this.#delete('round_units', 'round = ?', number), 'unit size');
  }

  #counts(hash: Buffer, number: number): void {
    const groups = this.#update(
      'tasks',
      'accepted = 0, lots = 0',
      'manifest_hash = ? AND (accepted <> 0 OR lots <> 0)',
      hash,
    );
    this.#note(
      'counts',
      number,
      groups,
      'count of a group’s reports',
      'counts of a group’s reports',
    );
    if (!this.#tables.has('invitations')) return;
    const counts = this.#update(
      'invitations',
      'codes_used = NULL',
      'round = ? AND ended = 1 AND codes_used IS NOT NULL',
      number,
    );
    this.#note('counts', number, counts, 'count of who went on', 'counts of who went on');
  }

  queue(): void {
    if (!this.#tables.has('mail_queue')) return;
    const mails = this.#delete('mail_queue', 'queued_ms <= ?', this.#since('mail'));
    this.#note('mail', null, mails, 'mail that was not taken', 'mails that were not taken');
  }

  sessions(): void {
    const { staffNowMs } = this.#times;
    const began = staffNowMs - this.#days('sessions') * DAY_MS;
    this.#note(
      'sessions',
      null,
      this.#delete('sign_in_links', 'ends_ms <= ?', staffNowMs) +
        this.#delete(
          'staff_sessions',
          'began_ms <= ? OR seen_ms <= ?',
          began,
          staffNowMs - IDLE_MS,
        ),
      'link or session',
      'links and sessions',
    );
  }

  logs(): void {
    const since = this.#since('logs');
    this.#note('logs', null, this.#delete('events', 'at_ms <= ?', since), 'event');
    this.#note(
      'logs',
      null,
      this.#delete(
        'sheets',
        `state = 'refused' AND changed_ms <= ?
         AND NOT EXISTS (SELECT 1 FROM rounds WHERE sheet_hash = hash)`,
        since,
      ),
      'refused survey',
    );
    this.#note(
      'logs',
      null,
      this.#delete(
        'retention_changes',
        `changed_ms <= ? AND told = 1 AND (state IN ('refused', 'cancelled') OR EXISTS (
           SELECT 1 FROM retention_changes AS newer
           WHERE newer.kind = retention_changes.kind AND newer.sheet IS retention_changes.sheet
             AND newer.state = 'applied' AND newer.number > retention_changes.number))`,
        since,
      ),
      'setting that is no longer in force',
      'settings that are no longer in force',
    );
  }

  #days(kind: RetentionKind): number {
    return this.#daysOf({ kind, sheet: null });
  }

  /** What is not younger is due. */
  #since(kind: RetentionKind): number {
    return this.#times.nowMs - this.#days(kind) * DAY_MS;
  }

  #delete(table: string, where: string, ...values: (number | Uint8Array)[]): number {
    const { changes } = this.#db.prepare(`DELETE FROM ${table} WHERE ${where}`).run(...values);
    if (changes > 0) this.#touched.add(table);
    return changes;
  }

  #update(table: string, set: string, where: string, value: number | Uint8Array): number {
    const { changes } = this.#db.prepare(`UPDATE ${table} SET ${set} WHERE ${where}`).run(value);
    if (changes > 0) this.#touched.add(table);
    return changes;
  }

  #note(
    kind: RetentionKind,
    round: number | null,
    count: number,
    one: string,
    many = `${one}s`,
  ): void {
    if (count > 0) this.removals.push({ kind, round, what: count === 1 ? one : many, count });
  }
}
