import { Router } from 'express';
import { z } from 'zod';
import { toBase64url } from '../../../crypto/bytes.ts';
import { bytesBody } from '../../http/app.ts';
import { Refusal } from '../../http/refusal.ts';
import { bytesField, parseJson } from '../../http/schema.ts';
import { requirePeer } from '../../peer/pairing.ts';
import type { Round } from '../../storage/rounds.ts';
import type { EmployerParts } from '../parts.ts';
import { configId, contribute, giveTokenKeys } from '../plan.ts';
import { closeEarly, signList } from '../rounds.ts';
import { signPlan } from '../sign-plan.ts';

/** A manifest of some thousand groups, or a list of a million ids. */
const LIMIT_BYTES = 32 * 1024 * 1024;

const PROPOSAL = z.strictObject({
  sheet_hash: bytesField(32),
  sheet_signature: bytesField(64),
});
const TOKEN_KEYS = z.strictObject({ groups: z.int().min(1) });
const PLAN = z.strictObject({
  head: bytesField(),
  guardian_signature: bytesField(64),
  entries: z.array(bytesField()).min(1),
  verify_keys: z.array(bytesField(32)).min(1),
});
const CLOSE = z.strictObject({ closes_ms: z.int().min(0) });
const LIST = z.strictObject({ slices: z.array(bytesField()), signature: bytesField(64) });

/** What the guardian asks of the employer about a whole round. */
export function roundRoutes(parts: EmployerParts, nudge: () => void): Router {
  const router = Router();
  const body = [requirePeer(parts.pairing), ...bytesBody('application/json', LIMIT_BYTES)];

  router.post('/peer/rounds/:number/keys', ...body, async (request, response) => {
    const number = numberOf(request.params.number);
    const { sheet_hash, sheet_signature } = parseJson(PROPOSAL, request.body);
    const given = await contribute(parts, number, sheet_hash, sheet_signature);
    const named = (publicKey: Uint8Array) => ({
      config_id: configId(number),
      public_key: toBase64url(publicKey),
    });
    response.json({
      units: given.units,
      hpke: named(given.input),
      collector: named(given.collector),
    });
  });

  router.post('/peer/rounds/:number/token-keys', ...body, async (request, response) => {
    const { groups } = parseJson(TOKEN_KEYS, request.body);
    const keys = await giveTokenKeys(parts, numberOf(request.params.number), groups);
    response.json({ token_keys: keys.map((key) => toBase64url(key)) });
  });

  router.post('/peer/rounds/:number/manifest', ...body, async (request, response) => {
    const plan = parseJson(PLAN, request.body);
    const signature = await signPlan(parts, {
      number: numberOf(request.params.number),
      head: plan.head,
      guardianSignature: plan.guardian_signature,
      entries: plan.entries,
      verifyKeys: plan.verify_keys,
    });
    response.json({ signature: toBase64url(signature) });
    nudge();
  });

  router.post('/peer/rounds/:number/close', ...body, (request, response) => {
    const { closes_ms } = parseJson(CLOSE, request.body);
    closeEarly(parts, roundOf(parts, request.params.number), closes_ms);
    response.status(204).end();
    nudge();
  });

  router.post('/peer/rounds/:number/list', ...body, (request, response) => {
    const { slices, signature } = parseJson(LIST, request.body);
    const signed = signList(parts, roundOf(parts, request.params.number), slices, signature);
    response.json({ signature: toBase64url(signed) });
    nudge();
  });
  return router;
}

function numberOf(parameter: unknown): number {
  if (typeof parameter !== 'string' || !/^[1-9]\d{0,8}$/.test(parameter)) {
    throw new Refusal('notFound');
  }
  return Number(parameter);
}

function roundOf(parts: EmployerParts, parameter: unknown): Round {
  const number = numberOf(parameter);
  const round = parts.rounds.withNumber(number);
  if (round === undefined) throw new Refusal('notFound', `there is no round ${number} here`);
  return round;
}
