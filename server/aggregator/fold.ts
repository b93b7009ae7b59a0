import { Secret } from '../../crypto/secret.ts';
import { sha256 } from '../../crypto/sha256.ts';
import type { BucketStore } from '../storage/buckets.ts';
import type { TaskContext } from './task-context.ts';

/** A report that both halves agreed on. */
export interface Verified {
  readonly reportId: Uint8Array;
  readonly outShare: Secret<readonly bigint[]>;
}

/**
 * Adds a lot's verified reports to the group's bucket and lists their ids as counted. Runs inside
 * the transaction that decides the lot.
 */
export function fold(
  context: TaskContext,
  buckets: BucketStore,
  verified: readonly Verified[],
): void {
  const { vdaf, taskId } = context;
  const before = buckets.get(taskId);
  const share = vdaf.aggregateUpdate(
    before === undefined
      ? vdaf.aggregateInit()
      : vdaf.decodeAggregateShare(new Secret<Uint8Array>(before.share)),
    verified.map((report) => report.outShare),
  );
  const checksum = Uint8Array.from(before?.checksum ?? new Uint8Array(32));
  for (const { reportId } of verified) {
    sha256(reportId).forEach((byte, i) => {
      checksum[i] = (checksum[i] as number) ^ byte;
    });
    buckets.insertOutcome(taskId, reportId, 'counted');
  }
  buckets.put(taskId, {
    share: vdaf.encodeAggregateShare(share).reveal(),
    count: (before?.count ?? 0) + verified.length,
    checksum,
  });
}
