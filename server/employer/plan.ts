import { equalBytes, fromBase64url, toBase64url } from '../../crypto/bytes.ts';
import { parseCanonicalJson } from '../../crypto/canonical.ts';
import { HPKE_SEED_SIZE, HpkePrivateKey } from '../../crypto/hpke.ts';
import {
  checkHead,
  type ManifestHead,
  manifestHash,
  openEntries,
  signManifest,
} from '../../crypto/manifest.ts';
import { Secret } from '../../crypto/secret.ts';
import { sha256 } from '../../crypto/sha256.ts';
import { signingPublicKey, verifySignature } from '../../crypto/signing.ts';
import { roundTimes } from '../domain/days.ts';
import { parseSheet } from '../domain/sheets.ts';
import { Refusal } from '../http/refusal.ts';
import { transact } from '../storage/stores.ts';
import { drawCollectorKey, readCollectorKey } from './collector-key.ts';
import type { EmployerParts } from './parts.ts';

/** What the guardian proposes a round to be. */
export interface Proposal {
  readonly number: number;
  readonly sheet: Uint8Array;
  readonly sheetSignature: Uint8Array;
}

/** The HPKE configuration id of this party's keys of a round. */
export function configId(number: number): number {
  return number % 256;
}

/** Public keys of this party for one round. */
export interface OwnKeys {
  readonly input: Uint8Array;
  readonly collector: Uint8Array;
}

/**
 * This party's keys for a proposed round, made once: asked again before the manifest is signed, it
 * gives the same.
 * @throws Refusal `planMismatch` if the sheet is not approved, or the round is planned already
 */
export function provideKeys(parts: EmployerParts, proposal: Proposal): OwnKeys {
  const { number, sheet, sheetSignature } = proposal;
  verifySignature(parts.pairing.signingKey, sheetSignature, 'chorus sheet v1', sha256(sheet));
  try {
    parseSheet(parseCanonicalJson(sheet));
  } catch (error) {
    throw new Refusal('planMismatch', `the sheet is not valid: ${(error as Error).message}`);
  }
  if (parts.rounds.withNumber(number) !== undefined) {
    throw new Refusal('planMismatch', 'this round has a manifest already');
  }
  transact(parts.db, () => parts.rounds.insertSheet(sha256(sheet), sheet, sheetSignature));
  const kept = parts.roundKeys.read(number);
  const inputSeed = kept?.inputSeed ?? new Secret(parts.randomness(HPKE_SEED_SIZE));
  if (kept === undefined) parts.roundKeys.write(number, { inputSeed, verifyKeys: [] });
  const collector =
    readCollectorKey(parts.keyFiles, number) ??
    drawCollectorKey(parts.keyFiles, number, parts.randomness);
  return {
    input: HpkePrivateKey.fromSeed(inputSeed).publicKey,
    collector: collector.publicKey,
  };
}

/** A round's manifest as the guardian signed it, with what only the two parties know. */
export interface SignedPlan {
  readonly number: number;
  readonly head: Uint8Array;
  readonly guardianSignature: Uint8Array;
  readonly entries: readonly Uint8Array[];
  readonly verifyKeys: readonly Uint8Array[];
}

/**
 * Compares a manifest with what this party knows, stores it and signs it.
 * @returns the employer's signature of the head; the same for the same manifest
 * @throws Refusal `planMismatch`; CryptoError `manifest`, `signature`, `decode`
 */
export function signPlan(parts: EmployerParts, plan: SignedPlan): Uint8Array {
  const hash = manifestHash(plan.head);
  const known = parts.rounds.withNumber(plan.number);
  if (known !== undefined) {
    if (!known.manifestHash.equals(hash)) {
      throw new Refusal('planMismatch', 'another manifest of this round is signed');
    }
    return known.employerSignature as Buffer;
  }
  verifySignature(parts.pairing.signingKey, plan.guardianSignature, 'chorus manifest v1', hash);
  const head = checkHead(parseCanonicalJson(plan.head));
  checkOwnFields(parts, head, plan);
  const stored = parts.rounds.sheet(fromBase64url(head.sheet_hash));
  if (stored === undefined) throw new Refusal('planMismatch', 'the sheet is not known here');
  const sheet = parseSheet(parseCanonicalJson(stored.bytes));
  const tasks = openEntries(head, sheet, plan.entries);
  if (
    plan.verifyKeys.length !== tasks.length ||
    tasks.some(
      ({ entry }, i) =>
        !equalBytes(sha256(plan.verifyKeys[i] as Uint8Array), fromBase64url(entry.verify_key_hash)),
    )
  ) {
    throw new Refusal('planMismatch', 'the verify keys are not those of the entries');
  }
  const keys = parts.roundKeys.read(plan.number);
  if (keys === undefined) throw new Refusal('planMismatch', 'the round’s keys are gone');
  parts.roundKeys.write(plan.number, {
    ...keys,
    verifyKeys: plan.verifyKeys.map((key) => new Secret(key)),
  });
  const signature = signManifest(parts.signingSeed, plan.head);
  transact(parts.db, () => {
    parts.rounds.insert({
      manifestHash: hash,
      number: plan.number,
      sheetHash: fromBase64url(head.sheet_hash),
      head: plan.head,
      guardianSignature: plan.guardianSignature,
      employerSignature: signature,
      ...roundTimes(head.days, sheet.deadline_days),
    });
    for (const { entry, task } of tasks) {
      parts.tasks.insert({
        taskId: task.taskId,
        manifestHash: hash,
        groupIndex: entry.index,
        groupName: entry.name,
        department: entry.department,
        rosterSize: entry.roster_size,
        entry: plan.entries[entry.index] as Uint8Array,
        configuration: task.configuration,
      });
    }
  });
  return signature;
}

function checkOwnFields(parts: EmployerParts, head: ManifestHead, plan: SignedPlan): void {
  const keys = parts.roundKeys.read(plan.number);
  const collector = readCollectorKey(parts.keyFiles, plan.number);
  if (
    keys === undefined ||
    collector === undefined ||
    head.round !== plan.number ||
    head.guardian.url !== parts.pairing.url ||
    head.guardian.signing_key !== toBase64url(parts.pairing.signingKey) ||
    head.employer.url !== parts.url ||
    head.employer.signing_key !== toBase64url(signingPublicKey(parts.signingSeed)) ||
    head.employer.hpke.config_id !== configId(plan.number) ||
    head.employer.collector.config_id !== configId(plan.number) ||
    head.employer.hpke.public_key !==
      toBase64url(HpkePrivateKey.fromSeed(keys.inputSeed).publicKey) ||
    head.employer.collector.public_key !== toBase64url(collector.publicKey)
  ) {
    throw new Refusal('planMismatch', 'the head does not name the parties and keys as they are');
  }
}
