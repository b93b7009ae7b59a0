import { equalBytes, fromBase64url, toBase64url } from '../../crypto/bytes.ts';
import { parseCanonicalJson } from '../../crypto/canonical.ts';
import { HPKE_SEED_SIZE, HpkePrivateKey } from '../../crypto/hpke.ts';
import {
  checkHead,
  type ManifestEntry,
  type ManifestHead,
  manifestHash,
  openEntry,
  requireEntries,
  signManifest,
} from '../../crypto/manifest.ts';
import { Secret } from '../../crypto/secret.ts';
import { sha256 } from '../../crypto/sha256.ts';
import type { Sheet } from '../../crypto/sheet.ts';
import { signingPublicKey, verifySignature } from '../../crypto/signing.ts';
import { paced } from '../aggregator/paced.ts';
import type { RoundKeys } from '../aggregator/round-keys.ts';
import { roundTimes } from '../domain/days.ts';
import type { UnitSize } from '../domain/org.ts';
import type { Group } from '../domain/planner.ts';
import { roundGroups } from '../domain/round-groups.ts';
import { parseSheet } from '../domain/sheets.ts';
import { roundPlanned } from '../domain/withheld.ts';
import { Refusal } from '../http/refusal.ts';
import { transact } from '../storage/stores.ts';
import { drawCollectorKey, readCollectorKey } from './collector-key.ts';
import type { EmployerParts } from './parts.ts';
import { hearApproval } from './sheets.ts';

/** The HPKE configuration id of this party's keys of a round. */
export function configId(number: number): number {
  return number % 256;
}

/** What this party gives to a proposed round: unit sizes, never a person, and its public keys. */
export interface Contribution {
  readonly units: readonly UnitSize[];
  readonly input: Uint8Array;
  readonly collector: Uint8Array;
}

/**
 * This party's part of a proposed round. The roster is frozen for it; keys are made once, so that
 * asked again before the manifest is signed, it gives the same keys.
 * @throws Refusal `planMismatch` if the sheet is not known or not approved, or the round is planned
 */
export function contribute(
  parts: EmployerParts,
  number: number,
  sheetHash: Uint8Array,
  sheetSignature: Uint8Array,
): Contribution {
  hearApproval(parts, sheetHash, sheetSignature);
  if (parts.rounds.withNumber(number) !== undefined) {
    throw new Refusal('planMismatch', 'this round has a manifest already');
  }
  const kept = parts.roundKeys.read(number);
  const inputSeed = kept?.inputSeed ?? new Secret(parts.randomness(HPKE_SEED_SIZE));
  if (kept === undefined) parts.roundKeys.write(number, { inputSeed, verifyKeys: [] });
  const collector =
    readCollectorKey(parts.keyFiles, number) ??
    drawCollectorKey(parts.keyFiles, number, parts.randomness);
  return {
    units: transact(parts.db, () => parts.roster.freeze(number)),
    input: HpkePrivateKey.fromSeed(inputSeed).publicKey,
    collector: collector.publicKey,
  };
}

function requireUnsigned(parts: EmployerParts, number: number): void {
  if (parts.rounds.withNumber(number) === undefined) return;
  throw new Refusal('roundTaken');
}

/** The roster's unit sizes, kept for this round together with the group of each. */
async function freezeUnits(
  parts: EmployerParts,
  number: number,
  sheet: Sheet,
): Promise<readonly UnitSize[]> {
  for (;;) {
    const version = parts.roster.version();
    const units = parts.roster.unitSizes();
    const plan = await inTurns(roundGroups(units, sheet));
    const frozen = await paced(units, (unit) => ({
      ...unit,
      groupIndex: groupOfUnit(plan.tree, plan, unit.path) as number,
    }));
    await pause();
    const current = transact(parts.db, () => {
      // The roster may have been replaced while the groups were worked out.
      if (parts.roster.version() !== version) return false;
      // And the round may have been signed: then what it was signed with stays.
      requireUnsigned(parts, number);
      parts.roster.freeze(number, frozen);
      return true;
    });
    if (current) return units;
  }
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
 * Compares a manifest with what this party knows, stores it and signs it: the parties and keys as
 * they are, an approved sheet, and exactly the groups that the planner makes of the frozen roster.
 * @returns the employer's signature of the head; the same for the same manifest
 * @throws Refusal `planMismatch`; CryptoError `manifest`, `signature`, `decode`
 */
export async function signPlan(parts: EmployerParts, plan: SignedPlan): Promise<Uint8Array> {
  const hash = manifestHash(plan.head);
  const known = signedAlready(parts, plan.number, hash);
  if (known !== undefined) return known;
  verifySignature(parts.pairing.signingKey, plan.guardianSignature, 'chorus manifest v1', hash);
  const head = checkHead(parseCanonicalJson(plan.head));
  const keys = checkOwnFields(parts, head, plan);
  const stored = parts.sheets.withHash(fromBase64url(head.sheet_hash));
  if (stored?.state !== 'approved') throw new Refusal('planMismatch', 'the sheet is not approved');
  const sheet = parseSheet(parseCanonicalJson(stored.bytes));
  requireEntries(head, plan.entries);
  const tasks = await paced(plan.entries, (bytes, i) => openEntry(head, sheet, i, bytes));
  checkVerifyKeys(plan, tasks);
  const units = parts.roster.frozenUnits(plan.number);
  const { groups } = roundGroups(units, sheet);
  if (
    groups.length !== tasks.length ||
    tasks.some(({ entry }, i) => !isGroup(entry, groups[i] as Group))
  ) {
    throw new Refusal('planMismatch', 'the groups are not those of the roster');
  }
  const signature = signManifest(parts.signingSeed, plan.head);
  return transact(parts.db, () => {
    const twin = signedAlready(parts, plan.number, hash);
    if (twin !== undefined) return twin;
    parts.roundKeys.write(plan.number, {
      ...keys,
      verifyKeys: plan.verifyKeys.map((key) => new Secret(key)),
    });
    parts.rounds.insert({
      manifestHash: hash,
      number: plan.number,
      sheetHash: stored.hash,
      head: plan.head,
      guardianSignature: plan.guardianSignature,
      employerSignature: signature,
      ...roundTimes(head.days, sheet.deadline_days, head.time_zone),
    });
    for (const [index, { entry, task }] of tasks.entries()) {
      parts.tasks.insert({
        taskId: task.taskId,
        manifestHash: hash,
        groupIndex: index,
        groupName: entry.name,
        department: entry.department,
        rosterSize: entry.roster_size,
        entry: plan.entries[index] as Uint8Array,
        configuration: task.configuration,
      });
    }
    parts.roster.assignGroups(plan.number, groups);
    return signature;
  });
}

function signedAlready(
  parts: EmployerParts,
  number: number,
  hash: Uint8Array,
): Uint8Array | undefined {
  const known = parts.rounds.withNumber(number);
  if (known === undefined) return undefined;
  if (!known.manifestHash.equals(hash)) {
    throw new Refusal('planMismatch', 'another manifest of this round is signed');
  }
  return known.employerSignature as Buffer;
}

function checkVerifyKeys(plan: SignedPlan, tasks: readonly { entry: ManifestEntry }[]): void {
  if (
    plan.verifyKeys.length !== tasks.length ||
    tasks.some(
      ({ entry }, i) =>
        !equalBytes(sha256(plan.verifyKeys[i] as Uint8Array), fromBase64url(entry.verify_key_hash)),
    )
  ) {
    throw new Refusal('planMismatch', 'the verify keys are not those of the entries');
  }
}

function isGroup(entry: ManifestEntry, group: Group): boolean {
  return (
    entry.name === group.name &&
    entry.department === group.department &&
    entry.roster_size === group.rosterSize
  );
}

/** @returns this party's keys of the round */
function checkOwnFields(
  parts: EmployerParts,
  head: ManifestHead,
  plan: SignedPlan,
): RoundKeys {
  const keys = parts.roundKeys.read(plan.number);
  const collector = readCollectorKey(parts.keyFiles, plan.number);
  if (
    keys === undefined ||
    collector === undefined ||
    head.round !== plan.number ||
    head.guardian.url !== parts.pairing.url ||
    head.guardian.signing_key !== toBase64url(parts.pairing.signingKey) ||
    head.employer.url !== parts.url ||
    // The same program at both parties: else one of them could choose the page alone.
    head.script_hash !== toBase64url(parts.scriptHash()) ||
    head.employer.signing_key !== toBase64url(signingPublicKey(parts.signingSeed)) ||
    head.employer.hpke.config_id !== configId(plan.number) ||
    head.employer.collector.config_id !== configId(plan.number) ||
    head.employer.hpke.public_key !==
      toBase64url(HpkePrivateKey.fromSeed(keys.inputSeed).publicKey) ||
    head.employer.collector.public_key !== toBase64url(collector.publicKey)
  ) {
    throw new Refusal('planMismatch', 'the head does not name the parties and keys as they are');
  }
  return keys;
}
