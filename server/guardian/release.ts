import { z } from 'zod';
import { equalBytes, fromBase64url, toBase64url } from '../../crypto/bytes.ts';
import {
  decodeAggregateShare,
  encodeAggregateShareReq,
  encodeCollectionJobResp,
  timeIntervalQuery,
} from '../../crypto/dap/collection.ts';
import { MEDIA_TYPE } from '../../crypto/dap/media-types.ts';
import type { HpkeCiphertext } from '../../crypto/dap/types.ts';
import { CryptoError } from '../../crypto/errors.ts';
import { merkleRoot } from '../../crypto/merkle.ts';
import { Secret } from '../../crypto/secret.ts';
import { sha256 } from '../../crypto/sha256.ts';
import { sign, verifySignature } from '../../crypto/signing.ts';
import { addNoise, commitment, sealAggregateShare, sealParts } from '../aggregator/share.ts';
import { refusalCap } from '../domain/lots.ts';
import { encodePublished, ImplausibleResult, plausibleTotals } from '../domain/published.ts';
import { Refusal } from '../http/refusal.ts';
import { bytesField } from '../http/schema.ts';
import { each } from '../jobs/each.ts';
import { PeerAway, PeerRefusal } from '../peer/client.ts';
import type { CollectionJob } from '../storage/collection-jobs.ts';
import { SIDE_BY_SIDE } from '../storage/shared-writes.ts';
import type { Task } from '../storage/tasks.ts';
import type { GuardianParts } from './parts.ts';
import { withhold } from './withhold.ts';

const SEAL_REPLY = z.strictObject({ commitment: bytesField(32), signature: bytesField(64) });

/** counting → sealed, for every group whose lots are all counted. @throws PeerAway */
export async function sealGroups(parts: GuardianParts): Promise<boolean> {
  const counted = parts.tasks
    .inState('counting')
    .filter((task) => parts.box.nextLot(task.taskId) === undefined);
  return each(counted, parts.peer, (task) => sealGroup(parts, task), SIDE_BY_SIDE);
}

/** @returns false if the group was withheld before its turn came */
async function sealGroup(parts: GuardianParts, task: Task): Promise<boolean> {
  const { taskId } = task;
  if (parts.tasks.withId(taskId)?.state !== 'counting') return false;
  const bucket = parts.buckets.get(taskId);
  if (bucket === undefined) throw new Error('a counted group has no bucket');
  const refusedByEmployer = parts.buckets.refusalsBy(taskId, 'employer');
  if (refusedByEmployer > refusalCap(bucket.count + refusedByEmployer)) {
    return withhold(parts, task, 'refusals');
  }
  const idsRoot = merkleRoot(parts.buckets.ids(taskId, 'counted'));
  const sealed = { count: bucket.count, checksum: bucket.checksum, idsRoot };
  let reply: z.infer<typeof SEAL_REPLY>;
  try {
    const answer = await parts.peer.postJson(`/tasks/${toBase64url(taskId)}/seal`, {
      count: sealed.count,
      checksum: toBase64url(sealed.checksum),
      ids_root: toBase64url(idsRoot),
    });
    reply = SEAL_REPLY.parse(answer);
    verifySignature(
      parts.pairing.signingKey,
      reply.signature,
      'chorus seal v1',
      ...sealParts(taskId, sealed, reply.commitment),
    );
  } catch (error) {
    if (error instanceof PeerRefusal && error.code === 'sealMismatch') {
      return withhold(parts, task, 'seal-mismatch');
    }
    if (error instanceof PeerRefusal && error.code === 'withheld') {
      return withhold(parts, task, 'other-party');
    }
    if (error instanceof z.ZodError || error instanceof CryptoError) {
      throw new PeerAway('the employer’s seal is not signed as it should be');
    }
    throw error;
  }
  await parts.writes.write(() => {
    if (!parts.tasks.move(taskId, 'counting', 'sealed')) return;
    parts.results.insertSeal(taskId, {
      ...sealed,
      commitment: reply.commitment,
      employerSignature: reply.signature,
      random: null,
    });
  });
  return true;
}

/** sealed → noised, for every group that the employer has asked for. @throws PeerAway */
export async function releaseGroups(parts: GuardianParts): Promise<boolean> {
  const waiting = parts.collectionJobs.waiting();
  return each(waiting, parts.peer, (job) => releaseGroup(parts, job), SIDE_BY_SIDE);
}

/**
 * Fetches the employer's sealed aggregate share, then draws the noise: in one transaction the bucket
 * is overwritten by bucket + noise and the exact reply is stored; the draw is kept nowhere. The log
 * is truncated before the reply can leave, so that the exact share is in no file by then.
 * @returns false if the group was withheld before its turn came
 */
async function releaseGroup(
  parts: GuardianParts,
  { taskId, request }: CollectionJob,
): Promise<boolean> {
  const task = parts.tasks.withId(taskId) as Task;
  if (task.state !== 'sealed') return false;
  const context = parts.contexts.task(task);
  const seal = parts.results.seal(taskId);
  if (seal === undefined) throw new Error('a sealed group has no seal');
  let helperEncryptedAggShare: HpkeCiphertext;
  try {
    const reply = await parts.peer.post(
      `/tasks/${toBase64url(taskId)}/aggregate_shares`,
      MEDIA_TYPE.aggregateShareReq,
      encodeAggregateShareReq({
        collectionJobReqBytes: request,
        batchSelector: timeIntervalQuery(context.interval),
        reportCount: seal.count,
        checksum: seal.checksum,
      }),
    );
    helperEncryptedAggShare = decodeAggregateShare(reply.body);
  } catch (error) {
    if (error instanceof PeerRefusal && error.code === 'withheld') {
      return withhold(parts, task, 'other-party');
    }
    if (error instanceof CryptoError) throw new PeerAway('the employer’s share is malformed');
    throw error;
  }
  await parts.writes.overwrite(() => {
    const bucket = parts.buckets.get(taskId);
    if (bucket === undefined || !parts.tasks.move(taskId, 'sealed', 'noised')) return;
    parts.account.noised(context.head.round);
    const noised = addNoise(context, bucket.share, parts.randomness).reveal();
    parts.buckets.put(taskId, { ...bucket, share: noised });
    const leaderEncryptedAggShare = sealAggregateShare(
      context,
      'leader',
      noised,
      request,
      parts.randomness,
    );
    parts.collectionJobs.respond(
      taskId,
      encodeCollectionJobResp({
        reportCount: bucket.count,
        interval: { start: context.time, duration: 1 },
        leaderEncryptedAggShare,
        helperEncryptedAggShare,
      }),
    );
  });
  return true;
}

/** What the employer shows of its half once it has the totals. */
export interface Reveal {
  readonly share: Uint8Array;
  readonly random: Uint8Array;
  /** The employer's signature of the published bytes. */
  readonly employerSignature: Uint8Array;
}

/**
 * noised → confirmed: checks the employer's share against its commitment, computes the totals anew,
 * stores and signs them, and deletes bucket and job. Repeated, it answers alike.
 * @returns the guardian's signature of the published bytes
 * @throws Refusal `withheld`, `notYet`, `commitmentMismatch`, `resultMismatch`
 */
export function confirmRelease(
  parts: GuardianParts,
  taskId: Uint8Array,
  reveal: Reveal,
): Promise<Uint8Array> {
  return parts.writes.overwrite(() => confirm(parts, taskId, reveal));
}

function confirm(parts: GuardianParts, taskId: Uint8Array, reveal: Reveal): Uint8Array {
  const task = parts.tasks.withId(taskId) as Task;
  const seal = parts.results.seal(taskId);
  if (task.state === 'withheld') throw new Refusal('withheld');
  if ((task.state !== 'noised' && task.state !== 'confirmed') || seal === undefined) {
    throw new Refusal('notYet', 'the group is not noised yet');
  }
  if (!equalBytes(commitment(reveal.share, reveal.random), seal.commitment)) {
    throw new Refusal('commitmentMismatch');
  }
  const done = parts.results.get(taskId)?.guardianSignature;
  if (done) return done;
  const context = parts.contexts.task(task);
  const { vdaf, head, sheet } = context;
  const bucket = parts.buckets.get(taskId);
  if (bucket === undefined) throw new Error('a noised group has no bucket');
  const sum = vdaf
    .sumAggregateShares([
      vdaf.decodeAggregateShare(new Secret<Uint8Array>(bucket.share)),
      vdaf.decodeAggregateShare(new Secret(reveal.share)),
    ])
    .map((element) => vdaf.field.centered(element));
  let published: Uint8Array;
  try {
    const totals = plausibleTotals(sum, bucket.count, sheet.noise);
    published = encodePublished(taskId, { count: bucket.count, totals });
    verifySignature(
      fromBase64url(head.employer.signing_key),
      reveal.employerSignature,
      'chorus release v1',
      sha256(published),
    );
  } catch (error) {
    if (error instanceof CryptoError || error instanceof ImplausibleResult) {
      throw new Refusal('resultMismatch', error.message);
    }
    throw error;
  }
  const signature = sign(parts.signingSeed, 'chorus release v1', sha256(published));
  parts.tasks.move(taskId, 'noised', 'confirmed');
  parts.results.insert(taskId, published, reveal.employerSignature, signature);
  parts.buckets.delete(taskId);
  parts.collectionJobs.delete(taskId);
  return signature;
}
