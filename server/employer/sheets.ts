import { z } from 'zod';
import { toBase64url } from '../../crypto/bytes.ts';
import { CryptoError } from '../../crypto/errors.ts';
import { sha256 } from '../../crypto/sha256.ts';
import type { Sheet } from '../../crypto/sheet.ts';
import { verifySignature } from '../../crypto/signing.ts';
import { lastStart } from '../aggregator/last-start.ts';
import { inTurns } from '../aggregator/paced.ts';
import { changeWords } from '../aggregator/retention-scope.ts';
import { DAY_MS } from '../domain/days.ts';
import { type Preview, previewing } from '../domain/preview.ts';
import { encodeSheet, parseSheet, storedSheet } from '../domain/sheets.ts';
import { Refusal } from '../http/refusal.ts';
import { bytesField } from '../http/schema.ts';
import { each } from '../jobs/each.ts';
import { PeerAway, PeerRefusal } from '../peer/client.ts';
import type { StoredSheet } from '../storage/sheets.ts';
import { transact } from '../storage/stores.ts';
import type { EmployerParts } from './parts.ts';

const DECISION = z.strictObject({
  state: z.enum(['draft', 'submitted', 'approved', 'refused', 'retired']),
  signature: bytesField(64).nullable(),
  reason: z.string().nullable(),
});

/**
 * Keeps a sheet to be submitted; it goes to the guardian as soon as that answers.
 * @returns its hash
 * @throws ZodError with the path and the reason of each fault
 */
export function draftSheet(parts: EmployerParts, sheet: Sheet): Uint8Array {
  const bytes = encodeSheet(parseSheet(sheet));
  const hash = sha256(bytes);
  parts.sheets.insert(hash, bytes, 'draft', parts.clock.now());
  return hash;
}

/**
 * draft → submitted, for every sheet that waits for it; → refused where it is not valid to the
 * guardian, whose program may be another version. @throws PeerAway
 */
export function submitSheets(parts: EmployerParts): Promise<boolean> {
  return each(parts.sheets.inState('draft'), parts.peer, async ({ hash, bytes }) => {
    const fault = await faultAtGuardian(parts, bytes);
    const now = parts.clock.now();
    return transact(parts.db, () => {
      const moved = parts.sheets.move(hash, 'draft', 'submitted', now);
      if (moved && fault !== undefined) parts.sheets.refuse(hash, fault, now);
      return moved;
    });
  });
}

/** @returns why the guardian does not take the sheet, or undefined if it does */
async function faultAtGuardian(
  parts: EmployerParts,
  bytes: Uint8Array,
): Promise<string | undefined> {
  try {
    await parts.peer.postJson('/peer/sheets', { sheet: toBase64url(bytes) });
    return undefined;
  } catch (error) {
    if (error instanceof PeerRefusal && error.code === 'invalidMessage') return error.message;
    throw error;
  }
}

/** submitted → approved or refused, once the guardian has decided. @throws PeerAway */
export function hearDecisions(parts: EmployerParts): Promise<boolean> {
  return each(parts.sheets.inState('submitted'), parts.peer, (stored) =>
    hearDecision(parts, stored),
  );
}

async function hearDecision(parts: EmployerParts, stored: StoredSheet): Promise<boolean> {
  const { hash } = stored;
  let answer: unknown;
  try {
    answer = await parts.peer.getJson(`/peer/sheets/${toBase64url(hash)}`);
  } catch (error) {
    // The guardian lost it: submit it again.
    if (error instanceof PeerRefusal && error.code === 'notFound') {
      return parts.sheets.move(hash, 'submitted', 'draft', parts.clock.now());
    }
    throw error;
  }
  const parsed = DECISION.safeParse(answer);
  if (!parsed.success) throw new PeerAway('the guardian’s decision is malformed');
  const { state, signature, reason } = parsed.data;
  if (state === 'refused') return parts.sheets.refuse(hash, reason ?? '', parts.clock.now());
  if (state !== 'approved' || signature === null) return false;
  try {
    hearApproval(parts, hash, signature);
  } catch (error) {
    if (error instanceof CryptoError) throw new PeerAway('the approval is not signed');
    throw error;
  }
  return true;
}

/**
 * The guardian's signature of a sheet: with it the sheet is approved.
 * @returns the sheet's bytes
 * @throws Refusal `planMismatch` if this party did not submit the sheet; CryptoError `signature`
 */
export function hearApproval(
  parts: EmployerParts,
  hash: Uint8Array,
  signature: Uint8Array,
): Uint8Array {
  verifySignature(parts.pairing.signingKey, signature, 'chorus sheet v1', hash);
  const now = parts.clock.now();
  // The reply to the submission may have been lost.
  parts.sheets.move(hash, 'draft', 'submitted', now);
  parts.sheets.approve(hash, signature, now);
  const stored = parts.sheets.withHash(hash);
  if (stored?.state !== 'approved') {
    throw new Refusal('planMismatch', 'this party did not submit the sheet');
  }
  return stored.bytes;
}

/** What a sheet would show with the roster and the account as they are now. */
export function previewOf(parts: EmployerParts, sheet: Sheet): Promise<Preview> {
  const today = Math.floor(parts.clock.now() / DAY_MS);
  const newest = lastStart(parts, sha256(encodeSheet(sheet)));
  const { account, roster } = parts;
  return inTurns(previewing(sheet, roster.unitSizes(), account.entries(), today, newest));
}

/** What this party does or waits for next, in sentences for people. */
export function whatIsNext(parts: EmployerParts): string[] {
  const title = (stored: StoredSheet) => storedSheet(stored.bytes).title;
  return [
    ...parts.sheets
      .inState('draft')
      .map((stored) => `“${title(stored)}” goes to the guardian when that answers.`),
    ...parts.sheets
      .inState('submitted')
      .map((stored) => `“${title(stored)}” waits for the guardian’s decision.`),
    ...parts.sheets
      .inState('refused')
      .map((stored) => `The guardian refused “${title(stored)}”: ${stored.reason}`),
    ...parts.retention
      .waiting()
      .map((change) => `${changeWords(parts, change)} waits for the guardian’s consent.`),
    ...parts.tokenKeyMaking.sentences(),
    ...parts.rounds
      .inState('planned')
      .map((round) => `Round ${round.number} is planned and opens at the guardian.`),
  ];
}
