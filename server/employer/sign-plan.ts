import { isDeepStrictEqual } from 'node:util';
import { equalBytes, fromBase64url, toBase64url } from '../../crypto/bytes.ts';
import { parseCanonicalJson } from '../../crypto/canonical.ts';
import { HpkePrivateKey } from '../../crypto/hpke.ts';
import {
  checkHead,
  type ManifestEntry,
  type ManifestHead,
  type ManifestTask,
  manifestHash,
  openEntry,
  requireEntries,
  signManifest,
} from '../../crypto/manifest.ts';
import { Secret } from '../../crypto/secret.ts';
import { sha256 } from '../../crypto/sha256.ts';
import type { Sheet } from '../../crypto/sheet.ts';
import { signingPublicKey, verifySignature } from '../../crypto/signing.ts';
import { entryOf, whyNoRoom } from '../aggregator/account.ts';
import { lastStart } from '../aggregator/last-start.ts';
import { inTurns, paced, pause } from '../aggregator/paced.ts';
import { keepTasks } from '../aggregator/planned-tasks.ts';
import type { RoundKeys } from '../aggregator/round-keys.ts';
import { isTimeZone, roundTimes } from '../domain/days.ts';
import type { Group } from '../domain/planner.ts';
import { roundGroups } from '../domain/round-groups.ts';
import { allowsDays } from '../domain/schedule.ts';
import { storedSheet } from '../domain/sheets.ts';
import { roundPlanned } from '../domain/withheld.ts';
import { Refusal } from '../http/refusal.ts';
import type { RoundUnit } from '../storage/roster.ts';
import { transact } from '../storage/stores.ts';
import { readCollectorKey } from './collector-key.ts';
import { freezeInvitees } from './invitations.ts';
import type { EmployerParts } from './parts.ts';
import { configId } from './plan.ts';

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
  await pause();
  // Signed meanwhile, on another connection of the guardian's: its days are then taken by itself.
  const signedMeanwhile = signedAlready(parts, plan.number, hash);
  if (signedMeanwhile !== undefined) return signedMeanwhile;
  const stored = parts.sheets.withHash(fromBase64url(head.sheet_hash));
  if (stored?.state !== 'approved') throw new Refusal('planMismatch', 'the sheet is not approved');
  const sheet = storedSheet(stored.bytes);
  if (!isTimeZone(head.time_zone)) {
    throw new Refusal('planMismatch', 'the time zone of the head is not known here');
  }
  const requireDays = () => {
    if (allowsDays(sheet, head.days, lastStart(parts, stored.hash), parts.evaluation)) return;
    throw new Refusal('planMismatch', 'the sheet allows no round on these days');
  };
  requireDays();
  requireEntries(head, plan.entries);
  await pause();
  const tasks = await paced(plan.entries, (bytes, i) => openEntry(head, sheet, i, bytes));
  checkVerifyKeys(plan, tasks);
  await checkTokenKeys(parts, plan.number, tasks);
  const units = parts.roster.roundUnits(plan.number);
  const { groups } = await inTurns(roundGroups(units, sheet));
  if (
    groups.length !== tasks.length ||
    tasks.some(({ entry }, i) => !isGroup(entry, groups[i] as Group))
  ) {
    throw new Refusal('planMismatch', 'the groups are not those of the roster');
  }
  const signature = signManifest(parts.signingSeed, plan.head);
  return parts.signing.run(async () => {
    // The same plan may have come twice at once.
    const twin = signedAlready(parts, plan.number, hash);
    if (twin !== undefined) return twin;
    // Meanwhile another round may have been signed on these days.
    requireDays();
    const invited = await freezeInvitees(parts, plan.number, units);
    const sheetHash = stored.hash;
    const checked = { hash, head, sheet, sheetHash, keys, tasks, signature, units, invited };
    keepPlan(parts, plan, checked);
    parts.tokenKeyMaking.forget(plan.number);
    return signature;
  });
}

/** What `signPlan` has found to be in order. */
interface CheckedPlan {
  readonly hash: Uint8Array;
  readonly head: ManifestHead;
  readonly sheet: Sheet;
  readonly sheetHash: Uint8Array;
  readonly keys: RoundKeys;
  readonly tasks: readonly { readonly entry: ManifestEntry; readonly task: ManifestTask }[];
  readonly signature: Uint8Array;
  readonly units: readonly RoundUnit[];
  readonly invited: { readonly people: number; readonly version: number };
}

/** From here on the round exists at this party. @throws Refusal `planMismatch` */
function keepPlan(parts: EmployerParts, plan: SignedPlan, checked: CheckedPlan): void {
  const { hash, head, sheet, sheetHash, keys, tasks, signature, units, invited } = checked;
  transact(parts.db, () => {
    // The guardian may have asked for the units of another roster while these were compared.
    const asFrozen = isDeepStrictEqual(parts.roster.roundUnits(plan.number), units);
    if (parts.roster.version() !== invited.version || !asFrozen) {
      throw new Refusal('planMismatch', 'the roster was changed while the round was planned');
    }
    const entry = entryOf({ head, sheet });
    const shortage = whyNoRoom(parts, entry);
    if (shortage !== undefined) throw new Refusal('accountExceeded', shortage);
    parts.account.take(entry);
    parts.invitations.begin(plan.number, invited.people);
    parts.roundKeys.write(plan.number, {
      ...keys,
      verifyKeys: plan.verifyKeys.map((key) => new Secret(key)),
    });
    parts.rounds.insert({
      manifestHash: hash,
      number: plan.number,
      sheetHash,
      head: plan.head,
      guardianSignature: plan.guardianSignature,
      employerSignature: signature,
      ...roundTimes(head.days, sheet.deadline_days, head.time_zone),
    });
    keepTasks(parts.tasks, hash, tasks, plan.entries);
    parts.events.add({
      atMs: parts.clock.now(),
      round: plan.number,
      groupIndex: null,
      kind: 'planned',
      sentence: roundPlanned(plan.number, tasks.length),
    });
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

/** That the entries name the keys which this party holds, group by group. */
async function checkTokenKeys(
  parts: EmployerParts,
  number: number,
  tasks: readonly { entry: ManifestEntry }[],
): Promise<void> {
  const same = await paced(tasks, ({ entry }, group) => {
    const key = parts.tokenKeys.ofGroup(number, group);
    return key !== undefined && toBase64url(key.spki) === entry.token_key;
  });
  if (same.includes(false)) {
    throw new Refusal('planMismatch', 'the token keys are not those of the entries');
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
function checkOwnFields(parts: EmployerParts, head: ManifestHead, plan: SignedPlan): RoundKeys {
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
