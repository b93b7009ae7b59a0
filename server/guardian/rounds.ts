import { entryOf, whyNoRoom } from '../aggregator/account.ts';
import { paced } from '../aggregator/paced.ts';
import { earlyTimes } from '../domain/days.ts';
import { planLots } from '../domain/lots.ts';
import { Refusal } from '../http/refusal.ts';
import { each } from '../jobs/each.ts';
import { truncateWal } from '../storage/database.ts';
import type { Round } from '../storage/rounds.ts';
import { transact } from '../storage/stores.ts';
import type { Task } from '../storage/tasks.ts';
import type { GuardianParts } from './parts.ts';
import { withholdInside } from './withhold.ts';

/** Why a planned round does not open yet, in words; undefined if nothing is in its way. */
export function whyNotOpen(parts: GuardianParts, round: Round): string | undefined {
  if (round.employerSignature === null) return 'the employer has not signed its manifest';
  if (parts.clock.now() < round.opensMs) return 'its first day has not begun';
  const script = (of: Round) => parts.contexts.round(of.manifestHash).head.script_hash;
  if (parts.rounds.inState('open').some((open) => script(open) !== script(round))) {
    return 'another round is open that was signed with another answering page';
  }
  if (parts.tasks.inState('noised').length > 0) {
    return 'the employer still owes its half of an earlier result';
  }
  // A round that nobody can answer any more costs nothing: it ends without noise.
  if (parts.clock.now() >= round.closesMs) return undefined;
  return whyNoRoom(parts, entryOf(parts.contexts.round(round.manifestHash)));
}

/** planned → open. @throws Refusal `notYet` with what is in the way */
export function openRound(parts: GuardianParts, round: Round): void {
  transact(parts.db, () => {
    const reason = whyNotOpen(parts, round);
    if (reason !== undefined) throw new Refusal('notYet', `round ${round.number}: ${reason}`);
    if (!parts.rounds.move(round.manifestHash, 'planned', 'open')) return;
    if (parts.clock.now() < round.closesMs) {
      parts.account.take(entryOf(parts.contexts.round(round.manifestHash)));
    }
    parts.events.add({
      atMs: parts.clock.now(),
      round: round.number,
      groupIndex: null,
      kind: 'opened',
      sentence: `Round ${round.number} is open.`,
    });
  });
}

/** planned → open, for every round that nothing is in the way of. */
export async function openDueRounds(parts: GuardianParts): Promise<boolean> {
  let progress = false;
  for (const round of parts.rounds.inState('planned')) {
    // One after the other: what opens may take the room of the next.
    if (whyNotOpen(parts, round) !== undefined) continue;
    openRound(parts, round);
    progress = true;
  }
  return progress;
}

/** open → closed, for every round whose time is up. */
export async function closeDueRounds(parts: GuardianParts): Promise<boolean> {
  let progress = false;
  for (const round of parts.rounds.inState('open')) {
    if (parts.clock.now() < round.closesMs) continue;
    closeRound(parts, round);
    progress = true;
  }
  return progress;
}

/**
 * open → closed ahead of time, for good in one transaction: from here on nobody can answer or
 * withdraw. The employer is told by `tellEarlyCloses`. A round whose time is up closes as planned.
 * @returns whether it was open
 */
export function closeRoundEarly(parts: GuardianParts, round: Round): boolean {
  const { rounds, clock, db } = parts;
  const { manifestHash, number } = round;
  const { sheet } = parts.contexts.round(manifestHash);
  const now = clock.now();
  if (now >= round.closesMs) return closeRound(parts, round);
  return transact(db, () => {
    if (!rounds.move(manifestHash, 'open', 'closed')) return false;
    rounds.closeAt(manifestHash, earlyTimes(now, sheet.deadline_days));
    rounds.setCloseHeard(manifestHash, false);
    note(
      parts,
      number,
      `Round ${number} is closed before its last day; it is counted once the employer knows.`,
    );
    return true;
  });
}

function closeRound(parts: GuardianParts, { manifestHash, number }: Round): boolean {
  return transact(parts.db, () => {
    if (!parts.rounds.move(manifestHash, 'open', 'closed')) return false;
    note(parts, number, `Round ${number} is closed; the count begins.`);
    return true;
  });
}

/** Tells the employer of rounds that were closed ahead of time, until it has heard. */
export function tellEarlyCloses(parts: GuardianParts): Promise<boolean> {
  const { rounds, peer, db } = parts;
  return each(rounds.closesUnheard(), peer, async ({ manifestHash, number, closesMs }) => {
    await peer.postJson(`/peer/rounds/${number}/close`, { closes_ms: closesMs });
    transact(db, () => {
      rounds.setCloseHeard(manifestHash, true);
      note(parts, number, `The employer knows now that round ${number} is closed.`);
    });
    return true;
  });
}

function note(parts: GuardianParts, round: number, sentence: string): void {
  const atMs = parts.clock.now();
  parts.events.add({ atMs, round, groupIndex: null, kind: 'closed', sentence });
}

/**
 * boxed → counting or withheld, for every group of a round that both parties know to be closed, each
 * in a transaction of its own: the box is shuffled into lots, or destroyed unopened if it holds fewer
 * than k reports. Nothing is sent before the lots are stored, and nothing is shuffled again.
 */
export async function drawLots(parts: GuardianParts): Promise<boolean> {
  const boxed = parts.rounds
    .inState('closed')
    .filter(({ closeHeard }) => closeHeard === 1)
    .flatMap((round) => parts.tasks.ofRound(round.manifestHash))
    .filter((task) => task.state === 'boxed');
  await paced(boxed, (task) => transact(parts.db, () => drawLotsOf(parts, task)));
  if (boxed.length > 0) truncateWal(parts.db);
  return boxed.length > 0;
}

function drawLotsOf(parts: GuardianParts, task: Task): void {
  const { tasks, box, randomness } = parts;
  const { sheet } = parts.contexts.round(task.manifestHash);
  const ids = box.ids(task.taskId);
  if (ids.length < sheet.k) {
    withholdInside(parts, task, 'too-few');
    return;
  }
  if (!tasks.move(task.taskId, 'boxed', 'counting')) return;
  const lots = planLots(ids, sheet.k, randomness);
  lots.forEach((lot, number) => {
    box.insertLot(task.taskId, number, lot);
  });
  tasks.setLots(task.taskId, lots.length);
}
