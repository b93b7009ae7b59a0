import { equalBytes } from '../../crypto/bytes.ts';
import {
  decodeAggregateShareReq,
  encodeAggregateShare,
  timeIntervalQuery,
} from '../../crypto/dap/collection.ts';
import { merkleRoot } from '../../crypto/merkle.ts';
import { sha256 } from '../../crypto/sha256.ts';
import { sign } from '../../crypto/signing.ts';
import {
  addNoise,
  commitment,
  type SealedBucket,
  sealAggregateShare,
  sealParts,
} from '../aggregator/share.ts';
import { Refusal } from '../http/refusal.ts';
import type { Reply } from '../storage/helper-jobs.ts';
import type { Task } from '../storage/tasks.ts';
import type { EmployerParts } from './parts.ts';
import { withhold } from './withhold.ts';

const RANDOM_SIZE = 32;
const JOB_ID_SIZE = 16;

/** What the employer binds itself to at the seal. */
export interface SealReply {
  readonly commitment: Uint8Array;
  readonly signature: Uint8Array;
}

/**
 * counting → sealed: compares the guardian's bucket with this party's; in one transaction adds this
 * party's noise where the sheet wants it, commits to the share, and forgets the replies to lots and
 * the tokens counted.
 * @throws Refusal `sealMismatch` (the group is then withheld), `withheld`, `notYet`, `batchOverlap`
 */
export async function seal(
  parts: EmployerParts,
  task: Task,
  claimed: SealedBucket,
): Promise<SealReply> {
  try {
    return await parts.writes.overwrite(() => sealBucket(parts, task.taskId, claimed));
  } catch (error) {
    if (error instanceof Refusal && error.code === 'sealMismatch') {
      withhold(parts, task, 'seal-mismatch');
    }
    throw error;
  }
}

/** Runs inside the transaction. A repeated seal, too, is answered after a truncation: one may fail. */
function sealBucket(parts: EmployerParts, taskId: Uint8Array, claimed: SealedBucket): SealReply {
  const task = parts.tasks.withId(taskId) as Task;
  if (task.state === 'withheld') throw new Refusal('withheld');
  const earlier = parts.results.seal(taskId);
  if (earlier !== undefined) {
    if (!sameBucket(earlier, claimed)) throw new Refusal('batchOverlap', 'sealed otherwise');
    return { commitment: earlier.commitment, signature: earlier.employerSignature };
  }
  const bucket = parts.buckets.get(taskId);
  if (task.state !== 'counting' || bucket === undefined) throw new Refusal('notYet');
  const own = { ...bucket, idsRoot: merkleRoot(parts.buckets.ids(taskId, 'counted')) };
  if (!sameBucket(own, claimed)) throw new Refusal('sealMismatch');
  const context = parts.contexts.task(task);
  const share =
    context.sheet.noise.by === 'both'
      ? addNoise(context, bucket.share, parts.randomness).reveal()
      : bucket.share;
  const random = parts.randomness(RANDOM_SIZE);
  const committed = commitment(share, random);
  const signature = sign(
    parts.signingSeed,
    'chorus seal v1',
    ...sealParts(taskId, claimed, committed),
  );
  parts.tasks.move(taskId, 'counting', 'sealed');
  if (context.sheet.noise.by === 'both') parts.account.noised(context.head.round);
  parts.buckets.put(taskId, { ...bucket, share });
  parts.results.insertSeal(taskId, {
    count: claimed.count,
    checksum: claimed.checksum,
    idsRoot: claimed.idsRoot,
    commitment: committed,
    employerSignature: signature,
    random,
  });
  parts.helperJobs.forgetAggregations(taskId);
  parts.countedTokens.forget(taskId);
  return { commitment: committed, signature };
}

function sameBucket(a: SealedBucket, b: SealedBucket): boolean {
  return (
    a.count === b.count && equalBytes(a.checksum, b.checksum) && equalBytes(a.idsRoot, b.idsRoot)
  );
}

/**
 * This party's aggregate share, sealed to the collector (DAP §Obtaining Aggregate Shares). Every
 * check comes before anything is stored; the same request gets the same bytes.
 * @throws Refusal
 */
export function provideAggregateShare(
  parts: EmployerParts,
  taskId: Uint8Array,
  body: Uint8Array,
): Promise<Reply> {
  return parts.writes.write(() => aggregateShare(parts, taskId, body));
}

function aggregateShare(parts: EmployerParts, taskId: Uint8Array, body: Uint8Array): Reply {
  const requestHash = sha256(body);
  const earlier = parts.helperJobs.share(taskId);
  if (earlier !== undefined) {
    if (!equalBytes(earlier.requestHash, requestHash)) throw new Refusal('batchOverlap');
    return earlier;
  }
  const request = decodeAggregateShareReq(body);
  const task = parts.tasks.withId(taskId) as Task;
  const context = parts.contexts.task(task);
  const whole = timeIntervalQuery(context.interval);
  for (const query of [request.collectionJobReq.query, request.batchSelector]) {
    if (query.batchMode !== whole.batchMode) {
      throw new Refusal('invalidMessage', 'the task has another batch mode');
    }
    if (!equalBytes(query.config, whole.config)) throw new Refusal('batchInvalid');
  }
  if (request.collectionJobReq.aggParam.length > 0) {
    throw new Refusal('invalidMessage', 'the reports were aggregated without a parameter');
  }
  if (request.collectionJobReq.extensions.length > 0) throw new Refusal('unsupportedExtension');
  if (task.state === 'withheld') throw new Refusal('withheld');
  if (task.state === 'boxed' || task.state === 'counting') throw new Refusal('notYet');
  if (task.state !== 'sealed') throw new Refusal('batchOverlap');
  const bucket = parts.buckets.get(taskId);
  if (bucket === undefined) throw new Error('a sealed group has no bucket');
  if (bucket.count < context.sheet.k) throw new Refusal('invalidBatchSize');
  if (request.reportCount !== bucket.count || !equalBytes(request.checksum, bucket.checksum)) {
    throw new Refusal('batchMismatch');
  }
  const reply = {
    jobId: Buffer.from(parts.randomness(JOB_ID_SIZE)),
    response: Buffer.from(
      encodeAggregateShare(
        sealAggregateShare(
          context,
          'helper',
          bucket.share,
          request.collectionJobReqBytes,
          parts.randomness,
        ),
      ),
    ),
  };
  parts.helperJobs.insertShare(taskId, requestHash, reply.jobId, reply.response);
  return reply;
}
