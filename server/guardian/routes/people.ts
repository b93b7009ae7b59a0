import { Router } from 'express';
import { z } from 'zod';
import { REPORT_ID_SIZE } from '../../../crypto/dap/types.ts';
import { bytesBody } from '../../http/app.ts';
import { Refusal } from '../../http/refusal.ts';
import { bytesField, parseJson, pathBytes } from '../../http/schema.ts';
import { consentReceipt } from '../consent-receipt.ts';
import type { GuardianParts } from '../parts.ts';
import { withdraw } from '../withdraw.ts';

const LIMIT_BYTES = 4 * 1024;
const WITHDRAWAL = z.strictObject({ signature: bytesField(64) });
const CONSENT = z.strictObject({
  manifest_hash: bytesField(32),
  report_id: bytesField(REPORT_ID_SIZE),
});

/** What people do besides answering: withdraw, and take a record of their consent with them. */
export function peopleRoutes(parts: GuardianParts): Router {
  const router = Router();
  const body = bytesBody('application/json', LIMIT_BYTES);

  router.post('/tasks/:task/reports/:report/withdrawal', ...body, (request, response) => {
    const task = parts.tasks.withId(pathBytes(request.params.task, 32, 'unrecognizedTask'));
    if (task === undefined) throw new Refusal('unrecognizedTask');
    const reportId = pathBytes(request.params.report, REPORT_ID_SIZE, 'notFound');
    const { signature } = parseJson(WITHDRAWAL, request.body);
    withdraw(parts, task, reportId, signature);
    response.status(204).end();
  });

  router.post('/consent-receipts', ...body, (request, response) => {
    const { manifest_hash, report_id } = parseJson(CONSENT, request.body);
    const round = parts.rounds.withHash(manifest_hash);
    if (round === undefined || round.employerSignature === null) throw new Refusal('notFound');
    response.set('cache-control', 'no-store');
    response.json(consentReceipt(parts, parts.contexts.round(round.manifestHash), report_id));
  });
  return router;
}
