import { parseCanonicalJson } from '../../crypto/canonical.ts';
import { vdafContext } from '../../crypto/dap/task.ts';
import type { Interval } from '../../crypto/dap/types.ts';
import { checkHead, type ManifestHead, surveyOf } from '../../crypto/manifest.ts';
import type { Sheet } from '../../crypto/sheet.ts';
import { prio3Survey } from '../../crypto/vdaf/circuits/survey.ts';
import type { Prio3 } from '../../crypto/vdaf/prio3.ts';
import type { RoundStore } from '../storage/rounds.ts';
import type { SheetStore } from '../storage/sheets.ts';
import type { Task } from '../storage/tasks.ts';

/** What a round's signed manifest and sheet say, decoded once. */
export interface RoundContext {
  readonly head: ManifestHead;
  readonly sheet: Sheet;
  readonly vdaf: Prio3<readonly number[], number[]>;
  /** The only time a report may have: the round's first day. */
  readonly time: number;
  /** The only interval a query may have: the round's days. */
  readonly interval: Interval;
}

/** A task with all that opening, verifying and releasing its reports needs. */
export interface TaskContext extends RoundContext {
  readonly taskId: Uint8Array;
  readonly configuration: Uint8Array;
  /** The VDAF's application context. */
  readonly ctx: Uint8Array;
  readonly groupIndex: number;
}

/** The contexts of the rounds in the database; what they hold never changes, so they are kept. */
export class Contexts {
  readonly #rounds: RoundStore;
  readonly #sheets: SheetStore;
  readonly #kept = new Map<string, RoundContext>();

  constructor(rounds: RoundStore, sheets: SheetStore) {
    this.#rounds = rounds;
    this.#sheets = sheets;
  }

  /** @throws Error if the round is not in the database */
  round(manifestHash: Buffer): RoundContext {
    const key = manifestHash.toString('hex');
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    const round = this.#rounds.withHash(manifestHash);
    const stored = round && this.#sheets.withHash(round.sheetHash);
    if (round === undefined || stored === undefined) throw new Error('no such round or sheet');
    const head = checkHead(parseCanonicalJson(round.head));
    const sheet = parseCanonicalJson(stored.bytes) as unknown as Sheet;
    const context = {
      head,
      sheet,
      vdaf: prio3Survey(surveyOf(sheet)),
      time: head.days.start,
      interval: head.days,
    };
    this.#kept.set(key, context);
    return context;
  }

  task(task: Task): TaskContext {
    return {
      ...this.round(task.manifestHash),
      taskId: task.taskId,
      configuration: task.configuration,
      ctx: vdafContext(task.taskId),
      groupIndex: task.groupIndex,
    };
  }
}
