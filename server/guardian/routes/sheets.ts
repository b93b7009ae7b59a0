import { Router } from 'express';
import { z } from 'zod';
import { toBase64url } from '../../../crypto/bytes.ts';
import { bytesBody } from '../../http/app.ts';
import { Refusal } from '../../http/refusal.ts';
import { bytesField, parseJson, pathBytes } from '../../http/schema.ts';
import { requirePeer } from '../../peer/pairing.ts';
import type { StoredSheet } from '../../storage/sheets.ts';
import type { GuardianParts } from '../parts.ts';
import { receiveSheet } from '../sheets.ts';

const LIMIT_BYTES = 256 * 1024;
const SUBMISSION = z.strictObject({ sheet: bytesField() });

/** What the employer asks about sheets: to take one, and what became of it. */
export function sheetRoutes(parts: GuardianParts): Router {
  const router = Router();
  const peer = requirePeer(parts.pairing);

  router.post(
    '/peer/sheets',
    peer,
    ...bytesBody('application/json', LIMIT_BYTES),
    (request, response) => {
      const { sheet } = parseJson(SUBMISSION, request.body);
      response.json(decision(receiveSheet(parts, sheet)));
    },
  );

  router.get('/peer/sheets/:hash', peer, (request, response) => {
    const stored = parts.sheets.withHash(pathBytes(request.params.hash, 32, 'notFound'));
    if (stored === undefined) throw new Refusal('notFound');
    response.json(decision(stored));
  });
  return router;
}

function decision({ state, guardianSignature, reason }: StoredSheet) {
  return {
    state,
    signature: guardianSignature === null ? null : toBase64url(guardianSignature),
    reason,
  };
}
