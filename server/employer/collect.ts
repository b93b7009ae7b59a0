import { z } from 'zod';
import { equalBytes, toBase64url } from '../../crypto/bytes.ts';
import { aggregateShareAad, aggregateShareInfo } from '../../crypto/dap/aad.ts';
import {
  decodeCollectionJobResp,
  encodeCollectionJobReq,
  timeIntervalQuery,
} from '../../crypto/dap/collection.ts';
import { MEDIA_TYPE } from '../../crypto/dap/media-types.ts';
import type { AggregatorRole, HpkeCiphertext } from '../../crypto/dap/types.ts';
import { CryptoError } from '../../crypto/errors.ts';
import type { HpkePrivateKey } from '../../crypto/hpke.ts';
import { Secret } from '../../crypto/secret.ts';
import { sha256 } from '../../crypto/sha256.ts';
import { sign, verifySignature } from '../../crypto/signing.ts';
import type { TaskContext } from '../aggregator/task-context.ts';
import { encodePublished, ImplausibleResult, plausibleTotals } from '../domain/published.ts';
import { bytesField } from '../http/schema.ts';
import { each } from '../jobs/each.ts';
import { PeerAway, PeerRefusal } from '../peer/client.ts';
import type { Result } from '../storage/results.ts';
import { SIDE_BY_SIDE } from '../storage/shared-writes.ts';
import type { Task } from '../storage/tasks.ts';
import { readCollectorKey } from './collector-key.ts';
import type { EmployerParts } from './parts.ts';
import { withhold } from './withhold.ts';

const CONFIRMED = z.strictObject({ signature: bytesField(64) });

/** sealed → noised, for every group whose result has arrived. @throws PeerAway */
export async function collectGroups(parts: EmployerParts): Promise<boolean> {
  const sealed = parts.tasks.inState('sealed');
  return each(sealed, parts.peer, (task) => collectGroup(parts, task), SIDE_BY_SIDE);
}

/** The only request there is for a group: its whole interval, no parameter, no extension. */
function requestOf(context: TaskContext): Uint8Array {
  return encodeCollectionJobReq({
    query: timeIntervalQuery(context.interval),
    aggParam: new Uint8Array(0),
    extensions: [],
  });
}

async function collectGroup(parts: EmployerParts, task: Task): Promise<boolean> {
  const { taskId } = task;
  const context = parts.contexts.task(task);
  const request = requestOf(context);
  const key = readCollectorKey(parts.keyFiles, context.head.round);
  // Before asking: what is handed out must be revealed.
  if (key === undefined) return withhold(parts, task, 'keys-lost');
  let response: Uint8Array;
  try {
    const location = parts.helperJobs.collection(taskId)?.location;
    const path = `/tasks/${toBase64url(taskId)}/collection_jobs`;
    const reply =
      location === undefined
        ? await parts.peer.post(path, MEDIA_TYPE.collectionJobReq, request)
        : await parts.peer.get(location);
    if (location === undefined) {
      const named = reply.location;
      if (named === undefined) throw new PeerAway('the collection job has no location');
      await parts.writes.write(() => parts.helperJobs.insertCollection(taskId, named));
    }
    response = reply.body;
  } catch (error) {
    if (error instanceof PeerRefusal && error.code === 'notFound') {
      // The guardian lost the job, with a restored database say: it is asked for anew.
      parts.helperJobs.forgetCollection(taskId);
    }
    if (
      error instanceof PeerRefusal &&
      (error.code === 'withheld' || error.code === 'invalidBatchSize')
    ) {
      return withhold(parts, task, error.code === 'invalidBatchSize' ? 'too-few' : 'other-party');
    }
    throw error;
  }
  if (response.length === 0) return false;
  const published = unseal(parts, context, key, request, response);
  const signature = sign(parts.signingSeed, 'chorus release v1', sha256(published));
  await parts.writes.write(() => {
    if (!parts.tasks.move(taskId, 'sealed', 'noised')) return;
    parts.account.noised(context.head.round);
    parts.helperJobs.collected(taskId, response);
    parts.results.insert(taskId, published, signature, null);
  });
  return true;
}

/** The totals in the guardian's reply. @throws PeerAway if the reply cannot be true */
function unseal(
  parts: EmployerParts,
  context: TaskContext,
  key: HpkePrivateKey,
  request: Uint8Array,
  response: Uint8Array,
): Uint8Array {
  const { vdaf, taskId } = context;
  const bucket = parts.buckets.get(taskId);
  if (bucket === undefined) throw new Error('a sealed group has no bucket');
  try {
    const resp = decodeCollectionJobResp(response);
    if (resp.reportCount !== bucket.count) throw new PeerAway('the result has another count');
    const open = (sender: AggregatorRole, sealed: HpkeCiphertext): Secret<Uint8Array> =>
      new Secret(
        key.open(
          sealed.enc,
          aggregateShareInfo(sender),
          aggregateShareAad(taskId, context.configuration, request),
          sealed.payload,
        ),
      );
    const leader = open('leader', resp.leaderEncryptedAggShare);
    const helper = open('helper', resp.helperEncryptedAggShare);
    // It came back from the guardian: the share that this party is committed to, and no other.
    if (!equalBytes(helper.reveal(), bucket.share)) {
      throw new PeerAway('the result holds another share than was sealed');
    }
    const sum = vdaf
      .sumAggregateShares([vdaf.decodeAggregateShare(leader), vdaf.decodeAggregateShare(helper)])
      .map((element) => vdaf.field.centered(element));
    const totals = plausibleTotals(sum, bucket.count, context.sheet.noise);
    return encodePublished(taskId, { count: bucket.count, totals });
  } catch (error) {
    if (error instanceof CryptoError || error instanceof ImplausibleResult) {
      throw new PeerAway(`the result cannot be true: ${error.message}`);
    }
    throw error;
  }
}

/** noised → confirmed: shows this party's half until the guardian has signed. @throws PeerAway */
export async function revealGroups(parts: EmployerParts): Promise<boolean> {
  const unconfirmed = parts.results.unconfirmed();
  return each(unconfirmed, parts.peer, (result) => revealGroup(parts, result), SIDE_BY_SIDE);
}

async function revealGroup(
  parts: EmployerParts,
  { taskId, published, employerSignature }: Result,
): Promise<boolean> {
  const bucket = parts.buckets.get(taskId);
  const random = parts.results.seal(taskId)?.random;
  if (bucket === undefined || !random) throw new Error('a noised group has no share');
  const answer = CONFIRMED.safeParse(
    await parts.peer.postJson(`/tasks/${toBase64url(taskId)}/reveal`, {
      share: toBase64url(bucket.share),
      random: toBase64url(random),
      signature: toBase64url(employerSignature),
    }),
  );
  if (!answer.success) throw new PeerAway('the guardian did not sign the result');
  try {
    verifySignature(
      parts.pairing.signingKey,
      answer.data.signature,
      'chorus release v1',
      sha256(published),
    );
  } catch {
    throw new PeerAway('the guardian signed another result');
  }
  await parts.writes.overwrite(() => {
    parts.results.confirm(taskId, answer.data.signature);
    parts.tasks.move(taskId, 'noised', 'confirmed');
    parts.buckets.delete(taskId);
    parts.results.forgetRandom(taskId);
    parts.helperJobs.forget(taskId);
  });
  return true;
}
