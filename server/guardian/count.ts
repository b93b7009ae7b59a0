import { equalBytes, toBase64url } from '../../crypto/bytes.ts';
import {
  decodeAggregationJobResp,
  encodeAggregationJobInitReq,
  type ReportShare,
  type VerifyInit,
  type VerifyResp,
} from '../../crypto/dap/aggregation.ts';
import { MEDIA_TYPE } from '../../crypto/dap/media-types.ts';
import type { ReportError } from '../../crypto/dap/types.ts';
import { decodeReport } from '../../crypto/dap/upload.ts';
import { CryptoError } from '../../crypto/errors.ts';
import type { VerifyState } from '../../crypto/vdaf/prio3.ts';
import { fold, type Verified } from '../aggregator/fold.ts';
import { paced } from '../aggregator/paced.ts';
import type { TaskContext } from '../aggregator/task-context.ts';
import { finishVerification, startVerification, type TaskKeys } from '../aggregator/verify.ts';
import type { WithheldReason } from '../domain/withheld.ts';
import { PeerAway, PeerRefusal } from '../peer/client.ts';
import { truncateWal } from '../storage/database.ts';
import { transact } from '../storage/stores.ts';
import type { Task } from '../storage/tasks.ts';
import type { GuardianParts } from './parts.ts';
import { withhold, withholdInside } from './withhold.ts';

/** One lot of one group, opened and ready to be sent: always the same bytes for the same lot. */
interface PreparedLot {
  readonly task: Task;
  readonly lot: number;
  readonly context: TaskContext;
  readonly reportIds: readonly Uint8Array[];
  readonly sent: readonly { readonly reportId: Uint8Array; readonly state: VerifyState }[];
  readonly refused: readonly Refused[];
  readonly body: Uint8Array;
}

interface Refused {
  readonly reportId: Uint8Array;
  readonly party: 'guardian' | 'employer';
  readonly error: ReportError;
}

/**
 * Counts every lot that waits, group by group: each is one DAP aggregation job. Two are under way at a
 * time: while the employer works on one, the one before is settled and the next one opened and sent
 * here. A group that fails does not hold up the others, unless the other party does not answer at all.
 * @throws what the first failure threw, once all were tried; it is taken up again at the next turn
 */
export async function countLots(parts: GuardianParts): Promise<boolean> {
  const failed = new Set<string>();
  const failures: unknown[] = [];
  let progress = false;
  let away = beginLot(parts, nextLot(parts, failed));
  while (away !== undefined) {
    const { task, answer } = away;
    const following = beginLot(parts, nextLot(parts, failed, away));
    let counted = false;
    try {
      const answered = await answer;
      counted = answered !== undefined && (await settleLot(parts, task, answered));
      progress = true;
    } catch (error) {
      failures.push(error);
      if (!parts.peer.answered) break;
      failed.add(task.taskId.toString('hex'));
    }
    // What follows in a group that is withheld, or was tried in vain, is not waited for.
    const goesOn = counted || !following?.task.taskId.equals(task.taskId);
    away = goesOn && following ? following : beginLot(parts, nextLot(parts, failed));
  }
  if (failures.length > 0) throw failures[0];
  return progress;
}

/** A lot on its way to the employer and back. */
interface LotAway {
  readonly task: Task;
  readonly lot: number;
  /** Undefined where the group was withheld instead. */
  readonly answer: Promise<AnsweredLot | undefined>;
}

interface AnsweredLot {
  readonly prepared: PreparedLot;
  readonly responses: readonly VerifyResp[];
}

function beginLot(parts: GuardianParts, next: NextLot | undefined): LotAway | undefined {
  if (next === undefined) return undefined;
  const answer = openAndSend(parts, next);
  // One that is not waited for must not end the process if it fails.
  answer.catch(() => {});
  return { task: next.task, lot: next.lot, answer };
}

/** @returns undefined if the group is withheld: at once, for the employer may say so as well */
async function openAndSend(
  parts: GuardianParts,
  { task, lot, keys }: NextLot,
): Promise<AnsweredLot | undefined> {
  const answered = keys === undefined ? 'keys-lost' : await askFor(parts, task, lot, keys);
  if (typeof answered !== 'string') return answered;
  withhold(parts, task, answered);
  return undefined;
}

/** @returns the employer's word on each report, or why the group must be withheld */
async function askFor(
  parts: GuardianParts,
  task: Task,
  lot: number,
  keys: TaskKeys,
): Promise<AnsweredLot | WithheldReason> {
  const prepared = await prepareLot(parts, task, lot, keys);
  if (prepared.sent.length < prepared.context.sheet.k) return 'lot-too-small';
  const responses = await sendLot(parts, prepared);
  return typeof responses === 'string' ? responses : { prepared, responses };
}

interface NextLot {
  readonly task: Task;
  readonly lot: number;
  readonly keys: TaskKeys | undefined;
}

/**
 * The next lot to open: of the same group as the one that is away, or the first of another.
 * @param failed groups to leave out, by task id
 */
function nextLot(
  parts: GuardianParts,
  failed: ReadonlySet<string>,
  away?: { readonly task: Task; readonly lot: number },
): NextLot | undefined {
  const own = away && parts.box.nextLot(away.task.taskId, away.lot + 1);
  if (away !== undefined && own !== undefined) {
    return { task: away.task, lot: own, keys: keysOf(parts, away.task) };
  }
  for (const task of parts.tasks.inState('counting')) {
    if (failed.has(task.taskId.toString('hex')) || away?.task.taskId.equals(task.taskId)) continue;
    const first = parts.box.nextLot(task.taskId);
    if (first !== undefined) return { task, lot: first, keys: keysOf(parts, task) };
  }
  return undefined;
}

function keysOf(parts: GuardianParts, task: Task): TaskKeys | undefined {
  return parts.roundKeys.ofTask(parts.contexts.round(task.manifestHash).head, task.groupIndex);
}

async function prepareLot(
  parts: GuardianParts,
  task: Task,
  lot: number,
  keys: TaskKeys,
): Promise<PreparedLot> {
  const context = parts.contexts.task(task);
  const sent: PreparedLot['sent'][number][] = [];
  const refused: Refused[] = [];
  const verifyInits: VerifyInit<Omit<ReportShare, 'metadata'>>[] = [];
  const rows = parts.box.lot(task.taskId, lot);
  await paced(rows, ({ reportId, report: bytes }) => {
    const report = decodeReport(bytes);
    const own = startVerification(context, keys, report, report.leaderEncryptedInputShare);
    if (typeof own === 'string') {
      refused.push({ reportId, party: 'guardian', error: own });
      return;
    }
    sent.push({ reportId, state: own.state });
    verifyInits.push({
      reportShare: {
        metadataBytes: report.metadataBytes,
        publicShare: report.publicShare,
        encryptedInputShare: report.helperEncryptedInputShare,
      },
      payload: own.outbound,
    });
  });
  return {
    task,
    lot,
    context,
    reportIds: rows.map((row) => row.reportId),
    sent,
    refused,
    body: encodeAggregationJobInitReq({
      verificationKeyId: 0,
      aggParam: new Uint8Array(0),
      extensions: [],
      verifyInits,
    }),
  };
}

async function sendLot(
  parts: GuardianParts,
  lot: PreparedLot,
): Promise<readonly VerifyResp[] | WithheldReason> {
  const path = `/tasks/${toBase64url(lot.task.taskId)}/aggregation_jobs`;
  try {
    const reply = await parts.peer.post(path, MEDIA_TYPE.aggregationJobInitReq, lot.body);
    const responses = decodeAggregationJobResp(reply.body);
    if (
      responses.length !== lot.sent.length ||
      lot.sent.some(
        ({ reportId }, i) => !equalBytes(reportId, responses[i]?.reportId as Uint8Array),
      )
    ) {
      throw new PeerAway('the employer answered for other reports than were sent');
    }
    return responses;
  } catch (error) {
    if (error instanceof PeerRefusal && error.code === 'lotTooSmall') return 'lot-too-small';
    if (error instanceof PeerRefusal && error.code === 'withheld') return 'other-party';
    if (error instanceof CryptoError) throw new PeerAway('the employer’s answer is malformed');
    throw error;
  }
}

/**
 * One transaction: finishes and folds what both agree on, lists how each report ended, and deletes
 * the lot and its reports. @returns false if the group was withheld instead
 */
async function settleLot(
  parts: GuardianParts,
  task: Task,
  { prepared: lot, responses }: AnsweredLot,
): Promise<boolean> {
  const verified: Verified[] = [];
  const refused = [...lot.refused];
  await paced(lot.sent, ({ reportId, state }, i) => {
    const outShare = finish(lot.context, state, responses[i] as VerifyResp);
    if (typeof outShare === 'string')
      refused.push({ reportId, party: 'employer', error: outShare });
    else verified.push({ reportId, outShare });
  });
  const { taskId } = task;
  const counted = transact(parts.db, () => {
    // The deadline, or the employer's word, may have come while the lot was away.
    if (parts.tasks.withId(taskId)?.state !== 'counting') return false;
    if (verified.length < lot.context.sheet.k) {
      return !withholdInside(parts, task, 'lot-too-small');
    }
    fold(lot.context, parts.buckets, verified);
    for (const { reportId, party, error } of refused) {
      parts.buckets.insertOutcome(taskId, reportId, 'refused', `${party}:${error}`);
    }
    if (refused.length > 0) {
      parts.events.add({
        atMs: parts.clock.now(),
        round: lot.context.head.round,
        groupIndex: lot.context.groupIndex,
        kind: 'refused',
        sentence: `${task.groupName}: some answers were not well formed and are refused.`,
      });
    }
    parts.box.deleteLot(taskId, lot.lot, lot.reportIds);
    return true;
  });
  truncateWal(parts.db);
  return counted;
}

function finish(
  context: TaskContext,
  state: VerifyState,
  response: VerifyResp,
): Verified['outShare'] | ReportError {
  if (response.type === 'reject') return response.reportError;
  // Prio3 needs the helper's message; a bare finish would leave our half unchecked.
  if (response.type === 'finish') return 'vdaf_verify_error';
  return finishVerification(context, state, response.payload);
}
