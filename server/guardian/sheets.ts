import { ZodError } from 'zod';
import { parseCanonicalJson } from '../../crypto/canonical.ts';
import { sha256 } from '../../crypto/sha256.ts';
import type { Sheet } from '../../crypto/sheet.ts';
import { sign } from '../../crypto/signing.ts';
import { today } from '../domain/days.ts';
import { TERMS } from '../domain/noise-presets.ts';
import { parseSheet, storedSheet } from '../domain/sheets.ts';
import { Refusal } from '../http/refusal.ts';
import type { StoredSheet } from '../storage/sheets.ts';
import { transact } from '../storage/stores.ts';
import type { GuardianParts } from './parts.ts';

/**
 * A sheet that the employer submits: kept until this party approves or refuses it.
 * @throws Refusal `invalidMessage` if it is not a valid sheet in canonical form
 */
export function receiveSheet(parts: GuardianParts, bytes: Uint8Array): StoredSheet {
  const sheet = lawful(bytes);
  const hash = sha256(bytes);
  if (parts.sheets.withHash(hash) === undefined) {
    transact(parts.db, () => {
      parts.sheets.insert(hash, bytes, 'submitted', parts.clock.now());
      note(parts, `The employer submitted “${sheet.title}”; it waits for this party’s decision.`);
    });
  }
  return parts.sheets.withHash(hash) as StoredSheet;
}

/** @throws Refusal `invalidMessage` with the path and the reason of each fault */
function lawful(bytes: Uint8Array): Sheet {
  try {
    return parseSheet(parseCanonicalJson(bytes));
  } catch (error) {
    throw new Refusal('invalidMessage', `the sheet is not valid: ${faultsOf(error)}`);
  }
}

function faultsOf(error: unknown): string {
  if (!(error instanceof ZodError)) return (error as Error).message;
  return error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ');
}

/** A Light survey has no cap of its own: the guardian agrees to it by name, others need none. */
export function agreesByName(sheet: Sheet, named: string): boolean {
  return (
    sheet.noise.preset !== 'light' || named.trim().toLowerCase() === TERMS.light.name.toLowerCase()
  );
}

/**
 * submitted → approved: this party's signature of the sheet.
 * @throws Refusal `planMismatch` if it is not submitted; `invalidMessage` if it is no longer valid,
 * which one that an earlier version of this program received can be
 */
export function approveSheet(parts: GuardianParts, hash: Uint8Array): void {
  const stored = parts.sheets.withHash(hash);
  if (stored?.state === 'submitted') lawful(stored.bytes);
  const signature = sign(parts.signingSeed, 'chorus sheet v1', hash);
  transact(parts.db, () => {
    if (!parts.sheets.approve(hash, signature, parts.clock.now())) throw notSubmitted(parts, hash);
    note(parts, `“${titleOf(parts, hash)}” is approved.`);
  });
}

/** submitted → refused, with a reason for the employer. @throws Refusal `planMismatch` */
export function refuseSheet(parts: GuardianParts, hash: Uint8Array, reason: string): void {
  transact(parts.db, () => {
    if (!parts.sheets.refuse(hash, reason, parts.clock.now())) throw notSubmitted(parts, hash);
    note(parts, `“${titleOf(parts, hash)}” is refused: ${reason}`);
  });
}

/** approved → retired, once a sheet's last day is over. */
export async function retireSheets(parts: GuardianParts): Promise<boolean> {
  const now = parts.clock.now();
  let progress = false;
  for (const { hash, bytes } of parts.sheets.inState('approved')) {
    const { end_day } = storedSheet(bytes);
    if (today(now, parts.timeZone) <= end_day) continue;
    if (parts.sheets.move(hash, 'approved', 'retired', now)) progress = true;
  }
  return progress;
}

export function titleOf(parts: GuardianParts, hash: Uint8Array): string {
  const stored = parts.sheets.withHash(hash);
  return stored === undefined ? 'an unknown sheet' : storedSheet(stored.bytes).title;
}

function notSubmitted(parts: GuardianParts, hash: Uint8Array): Refusal {
  const state = parts.sheets.withHash(hash)?.state;
  return new Refusal(
    'planMismatch',
    state === undefined ? 'there is no such sheet' : `the sheet is ${state} already`,
  );
}

function note(parts: GuardianParts, sentence: string): void {
  const atMs = parts.clock.now();
  parts.events.add({ atMs, round: null, groupIndex: null, kind: 'sheet', sentence });
}
