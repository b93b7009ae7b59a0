import { HPKE_SEED_SIZE, HpkePrivateKey } from '../../crypto/hpke.ts';
import { Secret } from '../../crypto/secret.ts';
import type { Sheet } from '../../crypto/sheet.ts';
import { inTurns, paced, pause } from '../aggregator/paced.ts';
import type { UnitSize } from '../domain/org.ts';
import { groupOfUnit } from '../domain/planner.ts';
import { roundGroups } from '../domain/round-groups.ts';
import { storedSheet } from '../domain/sheets.ts';
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
 * @throws Refusal `planMismatch` if the sheet is not known or not approved, or the round is planned;
 * PlanError `too-small` if there are too few people for one group
 */
export async function contribute(
  parts: EmployerParts,
  number: number,
  sheetHash: Uint8Array,
  sheetSignature: Uint8Array,
): Promise<Contribution> {
  const sheet = storedSheet(hearApproval(parts, sheetHash, sheetSignature));
  requireUnsigned(parts, number);
  // First, since it may be refused: then no key is made.
  const units = await freezeUnits(parts, number, sheet);
  const kept = parts.roundKeys.read(number);
  const inputSeed = kept?.inputSeed ?? new Secret(parts.randomness(HPKE_SEED_SIZE));
  if (kept === undefined) parts.roundKeys.write(number, { inputSeed, verifyKeys: [] });
  const collector =
    readCollectorKey(parts.keyFiles, number) ??
    drawCollectorKey(parts.keyFiles, number, parts.randomness);
  return {
    units,
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

/**
 * The token keys of a round that is being planned: one for each of its groups, the same whenever
 * they are asked for.
 * @throws Refusal `notYet` while they are being made, `planMismatch` if the round has other groups or
 * a manifest already
 */
export async function giveTokenKeys(
  parts: EmployerParts,
  number: number,
  groups: number,
): Promise<readonly Uint8Array[]> {
  if (parts.rounds.withNumber(number) !== undefined) {
    throw new Refusal('roundTaken');
  }
  const units = parts.roster.roundUnits(number);
  const planned = units.reduce((most, { groupIndex }) => Math.max(most, groupIndex + 1), 0);
  if (groups !== planned) {
    throw new Refusal('planMismatch', 'the round has another number of groups');
  }
  const keys = await parts.tokenKeyMaking.ask(number, groups);
  if (typeof keys === 'number') {
    throw new Refusal('notYet', `token keys are being made: ${keys} of ${groups}`);
  }
  return keys;
}
