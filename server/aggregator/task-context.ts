import { parseCanonicalJson } from '../../crypto/canonical.ts';
import { vdafContext } from '../../crypto/dap/task.ts';
import type { Interval } from '../../crypto/dap/types.ts';
import { checkHead, type ManifestHead, surveyOf } from '../../crypto/manifest.ts';
import type { Sheet } from '../../crypto/sheet.ts';
import { prio3Survey } from '../../crypto/vdaf/circuits/survey.ts';
import type { Prio3 } from '../../crypto/vdaf/prio3.ts';
import type { Round, RoundStore } from '../storage/rounds.ts';
import type { Task } from '../storage/tasks.ts';

/** What is the same for every task of a round, decoded once. */
export interface RoundContext {
  readonly round: Round;
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
  readonly task: Task;
  readonly taskId: Uint8Array;
  readonly configuration: Uint8Array;
  /** The VDAF's application context. */
  readonly ctx: Uint8Array;
}

/** Decodes a stored round. */
export function roundContext(round: Round, rounds: RoundStore): RoundContext {
  const head = checkHead(parseCanonicalJson(round.head));
  const stored = rounds.sheet(round.sheetHash);
  if (stored === undefined) throw new Error(`round ${round.number} has no sheet`);
  const sheet = parseCanonicalJson(stored.bytes) as unknown as Sheet;
  return {
    round,
    head,
    sheet,
    vdaf: prio3Survey(surveyOf(sheet)),
    time: head.days.start,
    interval: head.days,
  };
}

export function taskContext(round: RoundContext, task: Task): TaskContext {
  return {
    ...round,
    task,
    taskId: task.taskId,
    configuration: task.configuration,
    ctx: vdafContext(task.taskId),
  };
}
