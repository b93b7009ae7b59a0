import { Router } from 'express';
import { z } from 'zod';
import { toBase64url } from '../../../crypto/bytes.ts';
import { MEDIA_TYPE } from '../../../crypto/dap/media-types.ts';
import { WITHHELD_REASONS } from '../../domain/withheld.ts';
import { bytesBody } from '../../http/app.ts';
import { Refusal } from '../../http/refusal.ts';
import { bytesField, parseJson, pathBytes } from '../../http/schema.ts';
import { requirePeer } from '../../peer/pairing.ts';
import type { Task } from '../../storage/tasks.ts';
import { aggregate } from '../aggregate.ts';
import type { EmployerParts } from '../parts.ts';
import { provideAggregateShare, seal } from '../seal.ts';
import { withhold } from '../withhold.ts';

/** The largest lot: 7,999 reports of at most 2,056 bytes each (50 questions of 11 places). */
const JOB_LIMIT_BYTES = 16 * 1024 * 1024;
const REQUEST_LIMIT_BYTES = 64 * 1024;

const SEAL = z.strictObject({
  count: z.int().min(1),
  checksum: bytesField(32),
  ids_root: bytesField(32),
});

const WITHHELD = z.strictObject({ reason: z.enum(WITHHELD_REASONS) });

/** What the guardian asks of the DAP Helper about one group. */
export function helperRoutes(parts: EmployerParts, nudge: () => void): Router {
  const router = Router();
  const peer = requirePeer(parts.pairing);

  router.post(
    '/tasks/:task/aggregation_jobs',
    peer,
    ...bytesBody(MEDIA_TYPE.aggregationJobInitReq, JOB_LIMIT_BYTES),
    async (request, response) => {
      const { taskId } = taskOf(parts, request.params.task);
      const reply = await aggregate(parts, taskId, request.body);
      response
        .status(201)
        .location(`/tasks/${toBase64url(taskId)}/aggregation_jobs/${toBase64url(reply.jobId)}`)
        .type(MEDIA_TYPE.aggregationJobResp)
        .send(reply.response);
    },
  );

  router.get('/tasks/:task/aggregation_jobs/:job', peer, (request, response) => {
    const task = taskOf(parts, request.params.task);
    const jobId = pathBytes(request.params.job, 16, 'unrecognizedAggregationJob');
    const reply = parts.helperJobs.aggregationWithId(task.taskId, jobId);
    if (reply === undefined) throw new Refusal('unrecognizedAggregationJob');
    response.type(MEDIA_TYPE.aggregationJobResp).send(reply.response);
  });

  router.post(
    '/tasks/:task/seal',
    peer,
    ...bytesBody('application/json', REQUEST_LIMIT_BYTES),
    async (request, response) => {
      const task = taskOf(parts, request.params.task);
      const { count, checksum, ids_root } = parseJson(SEAL, request.body);
      const reply = await seal(parts, task, { count, checksum, idsRoot: ids_root });
      response.json({
        commitment: toBase64url(reply.commitment),
        signature: toBase64url(reply.signature),
      });
      nudge();
    },
  );

  router.post(
    '/tasks/:task/aggregate_shares',
    peer,
    ...bytesBody(MEDIA_TYPE.aggregateShareReq, REQUEST_LIMIT_BYTES),
    async (request, response) => {
      const { taskId } = taskOf(parts, request.params.task);
      const reply = await provideAggregateShare(parts, taskId, request.body);
      response
        .status(201)
        .location(`/tasks/${toBase64url(taskId)}/aggregate_shares/${toBase64url(reply.jobId)}`)
        .type(MEDIA_TYPE.aggregateShare)
        .send(reply.response);
    },
  );

  router.post(
    '/tasks/:task/withheld',
    peer,
    ...bytesBody('application/json', REQUEST_LIMIT_BYTES),
    (request, response) => {
      const task = taskOf(parts, request.params.task);
      const { reason } = parseJson(WITHHELD, request.body);
      if (withhold(parts, task, reason)) parts.tasks.heard(task.taskId);
      response.status(204).end();
      nudge();
    },
  );
  return router;
}

function taskOf(parts: EmployerParts, parameter: unknown): Task {
  const task = parts.tasks.withId(pathBytes(parameter, 32, 'unrecognizedTask'));
  if (task === undefined) throw new Refusal('unrecognizedTask');
  return task;
}
