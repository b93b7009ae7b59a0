import { createHash } from 'node:crypto';
import { toHex } from '../../crypto/bytes.ts';
import {
  decodeAggregationJobInitReq,
  encodeAggregationJobResp,
  type VerifyInit,
  type VerifyResp,
} from '../../crypto/dap/aggregation.ts';
import type { ReportError } from '../../crypto/dap/types.ts';
import { fold, type Verified } from '../aggregator/fold.ts';
import { paced } from '../aggregator/paced.ts';
import type { TaskContext } from '../aggregator/task-context.ts';
import { type TaskKeys, verifyAsHelper } from '../aggregator/verify.ts';
import { Refusal } from '../http/refusal.ts';
import { truncateWal } from '../storage/database.ts';
import type { Reply } from '../storage/helper-jobs.ts';
import { transact } from '../storage/stores.ts';
import type { Task } from '../storage/tasks.ts';
import type { EmployerParts } from './parts.ts';
import { withhold } from './withhold.ts';

const JOB_ID_SIZE = 16;

/** A report as this party found it, before it is known whether its id or token was used before. */
type Examined =
  | (Verified & { readonly payload: Uint8Array; readonly nonce: Uint8Array })
  | { readonly reportId: Uint8Array; readonly error: ReportError };

/**
 * One lot (DAP §Helper Initialization): opens and checks each report, then in one transaction folds
 * what is good, lists how each report ended and stores the reply. The same request again gets the
 * same reply, and no id and no token is ever folded twice. Lots are done in the order in which they
 * came: the guardian sends one ahead, and goes on with the reply to the first.
 * @throws Refusal, with nothing folded
 */
export function aggregate(
  parts: EmployerParts,
  taskId: Uint8Array,
  body: Uint8Array,
): Promise<Reply> {
  return parts.counting.run(() => aggregateLot(parts, taskId, body));
}

async function aggregateLot(
  parts: EmployerParts,
  taskId: Uint8Array,
  body: Uint8Array,
): Promise<Reply> {
  const task = parts.tasks.withId(taskId) as Task;
  // Not the portable one: a lot has megabytes.
  const requestHash = createHash('sha256').update(body).digest();
  const answered = parts.helperJobs.aggregation(taskId, requestHash);
  if (answered !== undefined) {
    // Its first truncation may have failed, and the reply leaves only after one.
    truncateWal(parts.db);
    return answered;
  }
  const context = parts.contexts.task(task);
  refuseUnlessCounting(parts, task);
  const verifyInits = decodeRequest(body);
  const keys = parts.roundKeys.ofTask(context.head, task.groupIndex);
  if (keys === undefined) {
    withhold(parts, task, 'keys-lost');
    throw new Refusal('withheld', 'the round’s keys are gone');
  }
  const examined = await paced(verifyInits, (verifyInit) => examine(context, keys, verifyInit));
  const reply = decideOrWithhold(parts, task, () => {
    // The group may have been withheld in the meantime.
    refuseUnlessCounting(parts, parts.tasks.withId(taskId) as Task);
    return decide(parts, context, task.rosterSize, requestHash, examined);
  });
  truncateWal(parts.db);
  return reply;
}

/** A lot of which too little would be left is folded by neither, and ends the group here too. */
function decideOrWithhold(parts: EmployerParts, task: Task, decision: () => Reply): Reply {
  try {
    return transact(parts.db, decision);
  } catch (error) {
    if (error instanceof Refusal && error.code === 'lotTooSmall') {
      withhold(parts, task, 'lot-too-small');
    }
    throw error;
  }
}

function refuseUnlessCounting(parts: EmployerParts, task: Task): void {
  if (task.state === 'withheld') throw new Refusal('withheld');
  if (task.state !== 'boxed' && task.state !== 'counting') throw new Refusal('batchOverlap');
  const round = parts.rounds.schedule(task.manifestHash);
  // By this party's own clock: nothing is opened before the round is closed.
  if (round === undefined || round.closesMs > parts.clock.now()) {
    throw new Refusal('notYet', 'the round is not closed');
  }
}

function decodeRequest(body: Uint8Array): readonly VerifyInit[] {
  const request = decodeAggregationJobInitReq(body);
  if (request.verificationKeyId !== 0) {
    throw new Refusal('invalidMessage', 'there is one verification key, number 0');
  }
  if (request.aggParam.length > 0) throw new Refusal('invalidAggregationParameter');
  if (request.extensions.length > 0) throw new Refusal('unsupportedExtension');
  const ids = new Set(request.verifyInits.map(({ reportShare }) => idOf(reportShare)));
  if (ids.size !== request.verifyInits.length) {
    throw new Refusal('invalidMessage', 'an id is twice in this job');
  }
  return request.verifyInits;
}

function idOf(reportShare: VerifyInit['reportShare']): string {
  return toHex(reportShare.metadata.reportId);
}

function examine(context: TaskContext, keys: TaskKeys, verifyInit: VerifyInit): Examined {
  const { reportShare } = verifyInit;
  const { reportId } = reportShare.metadata;
  const own = verifyAsHelper(
    context,
    keys,
    reportShare,
    reportShare.encryptedInputShare,
    verifyInit.payload,
  );
  return typeof own === 'string'
    ? { reportId, error: own }
    : { reportId, outShare: own.outShare, payload: own.outbound, nonce: own.nonce };
}

function decide(
  parts: EmployerParts,
  context: TaskContext,
  rosterSize: number,
  requestHash: Uint8Array,
  examined: readonly Examined[],
): Reply {
  const { taskId } = context;
  const verified: Verified[] = [];
  const room = rosterSize - (parts.buckets.get(taskId)?.count ?? 0);
  const responses = examined.map((found): VerifyResp => {
    const { reportId } = found;
    if (parts.buckets.outcome(taskId, reportId) !== undefined) {
      return { type: 'reject', reportId, reportError: 'report_replayed' };
    }
    // The guardian takes no more than the roster has people; that too is not taken on trust.
    const report =
      verified.length < room
        ? withTokenSpent(parts, taskId, found)
        : { reportId, error: 'report_dropped' as const };
    if ('error' in report) {
      parts.buckets.insertOutcome(taskId, reportId, 'refused', `employer:${report.error}`);
      return { type: 'reject', reportId, reportError: report.error };
    }
    verified.push(report);
    return { type: 'continue', reportId, payload: report.payload };
  });
  if (verified.length < context.sheet.k) throw new Refusal('lotTooSmall');
  parts.tasks.move(taskId, 'boxed', 'counting');
  fold(context, parts.buckets, verified);
  const reply = {
    jobId: Buffer.from(parts.randomness(JOB_ID_SIZE)),
    response: Buffer.from(encodeAggregationJobResp(responses)),
  };
  parts.helperJobs.insertAggregation(taskId, requestHash, reply.jobId, reply.response);
  return reply;
}

/** The guardian should send one report for each token; that it does is not taken on trust. */
function withTokenSpent(parts: EmployerParts, taskId: Uint8Array, report: Examined): Examined {
  if ('error' in report || parts.countedTokens.spend(taskId, report.nonce)) return report;
  return { reportId: report.reportId, error: 'report_replayed' };
}
