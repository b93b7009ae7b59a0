import { equalBytes, toHex } from '../../crypto/bytes.ts';
import { decodeIdSlice, idListRoot, type ListedReport, SLICES } from '../../crypto/id-list.ts';
import { sign, verifySignature } from '../../crypto/signing.ts';
import { earlyTimes, roundTimes } from '../domain/days.ts';
import { roundFinished } from '../domain/withheld.ts';
import { Refusal } from '../http/refusal.ts';
import { truncateWal } from '../storage/database.ts';
import type { Round } from '../storage/rounds.ts';
import { transact } from '../storage/stores.ts';
import { deleteCollectorKey, readCollectorKey } from './collector-key.ts';
import type { EmployerParts } from './parts.ts';

/** planned → open → closed by this party's own clock. */
export async function followSchedule(parts: EmployerParts): Promise<boolean> {
  const now = parts.clock.now();
  let progress = false;
  for (const round of parts.rounds.inState('planned')) {
    if (now >= round.opensMs && parts.rounds.move(round.manifestHash, 'planned', 'open')) {
      progress = true;
    }
  }
  for (const round of parts.rounds.inState('open')) {
    if (now >= round.closesMs && parts.rounds.move(round.manifestHash, 'open', 'closed')) {
      progress = true;
    }
  }
  return progress;
}

/**
 * → closed on the guardian's word, ahead of time and at the moment that it names; said again, it
 * changes nothing. This party may have closed the round as planned before it heard.
 * @throws Refusal `tooLate` for another moment once a group is counted: deadline and retention go by it;
 * `invalidMessage` if the round is not open at that moment, `notYet` if by this party's own clock
 * that is still to come
 */
export function closeEarly(parts: EmployerParts, round: Round, closesMs: number): void {
  const { rounds, contexts } = parts;
  const { manifestHash, number } = round;
  if (round.state !== 'planned' && round.state !== 'open' && round.closesMs === closesMs) return;
  const { counting, sealed, noised, confirmed } = parts.tasks.states(manifestHash);
  if (counting + sealed + noised + confirmed > 0) {
    throw new Refusal('tooLate', `round ${number} is counted already`);
  }
  const { head, sheet } = contexts.round(manifestHash);
  const planned = roundTimes(head.days, sheet.deadline_days, head.time_zone);
  if (closesMs < planned.opensMs || closesMs >= planned.closesMs) {
    throw new Refusal('invalidMessage', `round ${number} is not open at that moment`);
  }
  const now = parts.clock.now();
  if (now < closesMs) throw new Refusal('notYet', 'by this clock the round is not closed yet');
  transact(parts.db, () => {
    rounds.closeAt(manifestHash, earlyTimes(closesMs, sheet.deadline_days));
    // Its own turn may not have come yet.
    rounds.move(manifestHash, 'planned', 'open');
    rounds.move(manifestHash, 'open', 'closed');
    parts.events.add({
      atMs: now,
      round: number,
      groupIndex: null,
      kind: 'closed',
      sentence: `The guardian closed round ${number} before its last day.`,
    });
  });
}

/** Deletes a round's keys as soon as nothing is left that they could open. */
export async function deleteSpentKeys(parts: EmployerParts): Promise<boolean> {
  let progress = false;
  for (const round of [...parts.rounds.inState('closed'), ...parts.rounds.inState('expired')]) {
    const states = parts.tasks.states(round.manifestHash);
    if (states.boxed + states.counting > 0) continue;
    if (parts.roundKeys.read(round.number) !== undefined) {
      parts.roundKeys.delete(round.number);
      progress = true;
    }
    if (states.sealed + states.noised > 0) continue;
    if (readCollectorKey(parts.keyFiles, round.number) !== undefined) {
      deleteCollectorKey(parts.keyFiles, round.number);
      progress = true;
    }
  }
  return progress;
}

/**
 * The round's list of ids, compared with what was counted here, and signed.
 * @returns the employer's signature of the root
 * @throws Refusal `notYet` while a group is undecided here, `listMismatch`; CryptoError
 */
export function signList(
  parts: EmployerParts,
  round: Round,
  slices: readonly Uint8Array[],
  guardianSignature: Uint8Array,
): Uint8Array {
  const { manifestHash } = round;
  const root = idListRoot(slices);
  verifySignature(
    parts.pairing.signingKey,
    guardianSignature,
    'chorus list v1',
    manifestHash,
    root,
  );
  if (round.listEmployerSignature !== null) {
    if (!equalBytes(round.listRoot as Buffer, root)) throw new Refusal('listMismatch');
    return round.listEmployerSignature;
  }
  const states = parts.tasks.states(manifestHash);
  if (states.boxed + states.counting + states.sealed + states.noised > 0) {
    throw new Refusal('notYet', 'a group of this round is not finished here');
  }
  if (slices.length !== SLICES) throw new Refusal('listMismatch', 'not 256 slices');
  const listed = slices.flatMap((bytes, slice) => decodeIdSlice(bytes, slice));
  if (!agrees(parts, manifestHash, listed)) throw new Refusal('listMismatch');
  const signature = sign(parts.signingSeed, 'chorus list v1', manifestHash, root);
  transact(parts.db, () => {
    parts.rounds.setList(manifestHash, root, guardianSignature, signature);
    for (const task of parts.tasks.ofRound(manifestHash)) {
      parts.buckets.forgetOutcomes(task.taskId);
      parts.results.deleteSeal(task.taskId);
    }
    parts.events.add({
      atMs: parts.clock.now(),
      round: round.number,
      groupIndex: null,
      kind: 'finished',
      sentence: roundFinished(round.number, parts.tasks.states(manifestHash)),
    });
  });
  truncateWal(parts.db);
  return signature;
}

/** Counted is exactly what was counted here, and what was refused here is listed as refused so. */
function agrees(
  parts: EmployerParts,
  manifestHash: Buffer,
  listed: readonly ListedReport[],
): boolean {
  const endings = new Map(listed.map((report) => [toHex(report.reportId), endingOf(report)]));
  const own = parts.buckets.outcomesOfRound(manifestHash);
  const counted = listed.filter((report) => report.outcome === 'counted').length;
  return (
    own.filter((row) => row.outcome === 'counted').length === counted &&
    own.every((row) => endings.get(toHex(row.reportId)) === (row.reason ?? row.outcome))
  );
}

/** As this party stores it: a refusal that is its own begins with its name. */
function endingOf(report: ListedReport): string {
  return report.outcome === 'refused' ? `employer:${report.error}` : report.outcome;
}
