import { Router } from 'express';
import { z } from 'zod';
import { toBase64url } from '../../../crypto/bytes.ts';
import { bytesBody } from '../../http/app.ts';
import { Refusal } from '../../http/refusal.ts';
import { bytesField, parseJson, pathBytes } from '../../http/schema.ts';
import { requirePeer } from '../../peer/pairing.ts';
import type { StoredChange } from '../../storage/retention.ts';
import type { GuardianParts } from '../parts.ts';
import { receiveChange } from '../retention.ts';

const LIMIT_BYTES = 4096;
const CHANGE = z.strictObject({ change: bytesField(), cancelled: z.boolean() });

/** What the employer asks about retention: to take a change, what became of it, and of all. */
export function peerRetentionRoutes(parts: GuardianParts, nudge: () => void): Router {
  const router = Router();
  const peer = requirePeer(parts.pairing);

  router.post(
    '/peer/retention',
    peer,
    ...bytesBody('application/json', LIMIT_BYTES),
    (request, response) => {
      const { change, cancelled } = parseJson(CHANGE, request.body);
      response.json(decision(receiveChange(parts, change, cancelled)));
      nudge();
    },
  );

  router.get('/peer/retention', peer, (_request, response) => {
    const known = parts.retention.all();
    response.json({ known: known.map(({ hash, state }) => ({ hash: toBase64url(hash), state })) });
  });

  router.get('/peer/retention/:hash', peer, (request, response) => {
    const change = parts.retention.withHash(pathBytes(request.params.hash, 32, 'notFound'));
    if (change === undefined) throw new Refusal('notFound');
    response.json(decision(change));
  });
  return router;
}

function decision({ state, guardianSignature, reason }: StoredChange) {
  return {
    state,
    signature: guardianSignature === null ? null : toBase64url(guardianSignature),
    reason,
  };
}
