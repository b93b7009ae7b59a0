import { type Response, Router } from 'express';
import { z } from 'zod';
import { equalBytes, toBase64url } from '../../../crypto/bytes.ts';
import { decodeCollectionJobReq, timeIntervalQuery } from '../../../crypto/dap/collection.ts';
import { MEDIA_TYPE } from '../../../crypto/dap/media-types.ts';
import { WITHHELD_REASONS } from '../../domain/withheld.ts';
import { bytesBody } from '../../http/app.ts';
import { Refusal } from '../../http/refusal.ts';
import { bytesField, parseJson, pathBytes } from '../../http/schema.ts';
import { requirePeer } from '../../peer/pairing.ts';
import type { CollectionJob } from '../../storage/collection-jobs.ts';
import type { Task } from '../../storage/tasks.ts';
import type { GuardianParts } from '../parts.ts';
import { confirmRelease } from '../release.ts';
import { hearWithheld } from '../withhold.ts';

const REQUEST_LIMIT_BYTES = 64 * 1024;
const JOB_ID_SIZE = 16;
/** How soon the employer may ask again, in seconds. */
const RETRY_AFTER_S = '1';

const REVEAL = z.strictObject({
  share: bytesField(),
  random: bytesField(32),
  signature: bytesField(64),
});

const WITHHELD = z.strictObject({ reason: z.enum(WITHHELD_REASONS) });

/**
 * DAP §Collection Job, and after it the reveal: the employer asks for a group, once, as a whole, and
 * gets the noised share; then it shows its own half and gets the guardian's signature. Or it says
 * that it has withheld the group.
 * @param nudge called when there is something to release
 */
export function collectionRoutes(parts: GuardianParts, nudge: () => void): Router {
  const router = Router();
  const peer = requirePeer(parts.pairing);

  router.post(
    '/tasks/:task/collection_jobs',
    peer,
    ...bytesBody(MEDIA_TYPE.collectionJobReq, REQUEST_LIMIT_BYTES),
    async (request, response) => {
      const task = taskOf(parts, request.params.task);
      const body: Buffer = request.body;
      checkRequest(parts, task, body);
      noteIfEarly(parts, task);
      const job = await parts.writes.write(() => jobFor(parts, task.taskId, body));
      nudge();
      const resp = await handOut(parts, job);
      response
        .status(201)
        .location(`/tasks/${toBase64url(task.taskId)}/collection_jobs/${toBase64url(job.jobId)}`);
      answer(response, resp);
    },
  );

  router.get('/tasks/:task/collection_jobs/:job', peer, async (request, response) => {
    const task = taskOf(parts, request.params.task);
    const jobId = pathBytes(request.params.job, JOB_ID_SIZE, 'notFound');
    if (task.state === 'withheld') refuseUnlessCollectable(parts, task);
    const job = parts.collectionJobs.ofTask(task.taskId);
    if (job === undefined || !equalBytes(job.jobId, jobId)) throw new Refusal('notFound');
    answer(response, await handOut(parts, job));
  });

  router.post(
    '/tasks/:task/reveal',
    peer,
    ...bytesBody('application/json', REQUEST_LIMIT_BYTES),
    async (request, response) => {
      const { taskId } = taskOf(parts, request.params.task);
      const { share, random, signature } = parseJson(REVEAL, request.body);
      const confirmed = await confirmRelease(parts, taskId, {
        share,
        random,
        employerSignature: signature,
      });
      response.json({ signature: toBase64url(confirmed) });
      nudge();
    },
  );

  router.post(
    '/tasks/:task/withheld',
    peer,
    ...bytesBody('application/json', REQUEST_LIMIT_BYTES),
    (request, response) => {
      const task = taskOf(parts, request.params.task);
      parseJson(WITHHELD, request.body);
      hearWithheld(parts, task);
      response.status(204).end();
      nudge();
    },
  );
  return router;
}

function taskOf(parts: GuardianParts, parameter: unknown): Task {
  const task = parts.tasks.withId(pathBytes(parameter, 32, 'unrecognizedTask'));
  if (task === undefined) throw new Refusal('unrecognizedTask');
  return task;
}

/** Only the whole interval, without parameter or extension, may be asked for. */
function checkRequest(parts: GuardianParts, task: Task, body: Uint8Array): void {
  const request = decodeCollectionJobReq(body);
  const whole = timeIntervalQuery(parts.contexts.task(task).interval);
  if (request.query.batchMode !== whole.batchMode) {
    throw new Refusal('invalidMessage', 'the task has another batch mode');
  }
  if (!equalBytes(request.query.config, whole.config)) throw new Refusal('batchInvalid');
  if (request.aggParam.length > 0) throw new Refusal('invalidAggregationParameter');
  if (request.extensions.length > 0) throw new Refusal('unsupportedExtension');
}

/** Logged before the transaction that refuses, which leaves nothing behind. */
function noteIfEarly(parts: GuardianParts, task: Task): void {
  if (parts.rounds.schedule(task.manifestHash)?.state === 'closed') return;
  parts.events.add({
    atMs: parts.clock.now(),
    round: parts.contexts.round(task.manifestHash).head.round,
    groupIndex: task.groupIndex,
    kind: 'asked-early',
    sentence: `The employer asked for ${task.groupName} before the round was closed; refused.`,
  });
}

function refuseUnlessCollectable(parts: GuardianParts, task: Task): void {
  const round = parts.rounds.schedule(task.manifestHash);
  if (task.state === 'withheld') {
    throw new Refusal(task.withheldReason === 'too-few' ? 'invalidBatchSize' : 'withheld');
  }
  if (round?.state !== 'closed') throw new Refusal('notYet', 'the round is not closed');
  if (task.state === 'noised' || task.state === 'confirmed') throw new Refusal('batchOverlap');
}

/** The one job of a group: the same request finds it again. @throws Refusal */
function jobFor(parts: GuardianParts, taskId: Uint8Array, request: Uint8Array): CollectionJob {
  const job = parts.collectionJobs.ofTask(taskId);
  if (job !== undefined) {
    if (!equalBytes(job.request, request)) throw new Refusal('batchOverlap');
    return job;
  }
  refuseUnlessCollectable(parts, parts.tasks.withId(taskId) as Task);
  parts.collectionJobs.insert(taskId, parts.randomness(JOB_ID_SIZE), request);
  return parts.collectionJobs.ofTask(taskId) as CollectionJob;
}

/** @returns a job's response, which may leave now, or null. @throws Refusal `withheld` */
async function handOut(parts: GuardianParts, job: CollectionJob): Promise<Buffer | null> {
  if (job.response !== null && !job.handedOut) {
    // The truncation after the noise may have failed, and nothing leaves before one has not.
    await parts.writes.overwrite(() => {});
    const isThere = await parts.writes.write(() => parts.collectionJobs.handOut(job.taskId));
    if (!isThere) throw new Refusal('withheld');
  }
  return job.response;
}

function answer(response: Response, resp: Buffer | null): void {
  if (resp === null) response.set('retry-after', RETRY_AFTER_S).end();
  else response.type(MEDIA_TYPE.collectionJobResp).send(resp);
}
