import { DAY_MS } from '../domain/days.ts';
import type { RetentionKind } from '../domain/retention.ts';
import { truncateWal } from '../storage/database.ts';
import { sweepLogFile } from '../storage/log-file.ts';
import type { Stores } from '../storage/stores.ts';
import { type DaysOf, type Removal, sweepTables } from '../storage/sweep.ts';

const SWEEP_EVERY_MS = 3_600_000;

/** What happens all the time is said in the log alone. */
const SAID_ON_PAGES: readonly RetentionKind[] = [
  'trends',
  'lists',
  'invitations',
  'counts',
  'mail',
];

export interface SweepParts extends Stores {
  /** Where the party's technical log is. */
  readonly logPath: string;
}

/** "12 released totals of round 3". */
export function removalWords({ count, what, round }: Removal): string {
  return `${count} ${what}${round === null ? '' : ` of round ${round}`}`;
}

/**
 * Deletes everything whose retention is over, so that it is in no file of the party any more.
 * Repeatable: whatever is left of an earlier run is done by the next.
 * @param staffNowMs by the clock of links and sessions
 * @throws Error if another connection kept the log from being truncated; sweep again then
 */
export function sweep(parts: SweepParts, staffNowMs: number): Removal[] {
  const removals = look(parts, staffNowMs, false);
  const said = removals.filter(({ kind }) => SAID_ON_PAGES.includes(kind));
  if (said.length > 0) {
    parts.events.add({
      atMs: parts.clock.now(),
      round: null,
      groupIndex: null,
      kind: 'swept',
      sentence: `Their retention is over and they are deleted: ${said.map(removalWords).join(', ')}.`,
    });
  }
  return removals;
}

/** What `sweep` would delete now, with other days if those are given. Changes nothing. */
export function trySweep(parts: SweepParts, staffNowMs: number, daysOf?: DaysOf): Removal[] {
  return look(parts, staffNowMs, true, daysOf);
}

function look(
  parts: SweepParts,
  staffNowMs: number,
  trial: boolean,
  daysOf: DaysOf = (scope, trendsDays) => parts.retention.days(scope, trendsDays),
): Removal[] {
  const nowMs = parts.clock.now();
  const removals = sweepTables(parts, { nowMs, staffNowMs }, trial, daysOf);
  // Also where nothing was removed: an earlier run may have been kept from it.
  if (!trial) truncateWal(parts.db);
  const since = nowMs - daysOf({ kind: 'logs', sheet: null }) * DAY_MS;
  const lines = sweepLogFile(parts.logPath, since, trial);
  if (lines > 0) {
    const what = lines === 1 ? 'line of the log' : 'lines of the log';
    removals.push({ kind: 'logs', round: null, what, count: lines });
  }
  return removals;
}

/** The party's own sweep: every hour, and as soon as a setting was changed. */
export class Sweeper {
  readonly #parts: SweepParts & { readonly log: { info(fields: object, message: string): void } };
  readonly #staffNow: () => number;
  #nextMs = 0;
  #nextStaffMs = 0;
  #version = '';

  constructor(
    parts: SweepParts & { readonly log: { info(fields: object, message: string): void } },
    staffNow: () => number,
  ) {
    this.#parts = parts;
    this.#staffNow = staffNow;
  }

  /** A step of the party's work. */
  async run(): Promise<boolean> {
    const now = this.#parts.clock.now();
    const staffNow = this.#staffNow();
    const version = this.#parts.retention.version();
    const due = now >= this.#nextMs || staffNow >= this.#nextStaffMs;
    if (!due && version === this.#version) return false;
    const removals = sweep(this.#parts, staffNow);
    this.#version = version;
    this.#nextMs = now + SWEEP_EVERY_MS;
    this.#nextStaffMs = staffNow + SWEEP_EVERY_MS;
    if (removals.length > 0)
      this.#parts.log.info({ removals: removals.map(removalWords) }, 'swept');
    return removals.length > 0;
  }
}
