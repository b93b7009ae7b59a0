import { createHash } from 'node:crypto';
import { equalBytes } from '../../crypto/bytes.ts';
import type { ReportError } from '../../crypto/dap/types.ts';
import type { ReportCredentials } from '../aggregator/check.ts';
import type { TaskContext } from '../aggregator/task-context.ts';
import type { GuardianParts } from './parts.ts';

/** A report whose public part is good, on its way into the box. */
export interface Ballot {
  readonly context: TaskContext;
  readonly manifestHash: Buffer;
  readonly reportId: Uint8Array;
  readonly report: Uint8Array;
  /** How much of its beginning is not sealed. */
  readonly publicLength: number;
  readonly credentials: ReportCredentials;
}

/**
 * Puts a report into the sealed box. All that arrive during one turn share a write to the disk;
 * nothing is acknowledged before it is durable.
 * @returns undefined once the report lies in the box, or why it is refused
 */
export function castBallot(parts: GuardianParts, ballot: Ballot): Promise<ReportError | undefined> {
  return parts.writes.write(() => cast(parts, ballot));
}

function cast(parts: GuardianParts, ballot: Ballot): ReportError | undefined {
  const { box, buckets, tasks, rounds, clock } = parts;
  const { context, reportId, report, credentials } = ballot;
  const { taskId } = context;
  // OpenSSL's: several times as fast on a whole report as the portable one of `crypto/`.
  const reportHash = createHash('sha256').update(report).digest();
  const earlier = box.spentOnReport(reportId);
  if (earlier !== undefined) {
    // The reply to the first upload was lost, or somebody took the id, be it for another group.
    return earlier.taskId.equals(taskId) && equalBytes(earlier.reportHash, reportHash)
      ? undefined
      : 'report_replayed';
  }
  const round = rounds.schedule(ballot.manifestHash);
  const now = clock.now();
  if (round === undefined || round.state === 'planned' || now < round.opensMs) {
    return 'task_not_started';
  }
  if (round.state !== 'open' || now >= round.closesMs) return 'task_expired';
  if (
    // Withdrawn, be it from another group: a round has one list of ids.
    buckets.isWithdrawn(reportId) ||
    box.spentWithNonce(credentials.tokenKeyId, credentials.nonce) !== undefined
  ) {
    return 'report_replayed';
  }
  if (!tasks.admit(taskId)) return 'report_dropped';
  box.insert(taskId, reportId, report, ballot.publicLength);
  box.spend(credentials.tokenKeyId, credentials.nonce, { taskId, reportId, reportHash });
  return undefined;
}
