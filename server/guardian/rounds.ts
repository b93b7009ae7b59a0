import { DAY_MS } from '../domain/days.ts';
import { planLots } from '../domain/lots.ts';
import { truncateWal } from '../storage/database.ts';
import type { Round } from '../storage/rounds.ts';
import { transact } from '../storage/stores.ts';
import type { GuardianParts } from './parts.ts';
import { withholdInside } from './withhold.ts';

/** planned → open: at its time, signed by both, and no released group still unconfirmed. */
export async function openDueRounds(parts: GuardianParts): Promise<boolean> {
  const { rounds, tasks, clock, events, db } = parts;
  let progress = false;
  for (const round of rounds.inState('planned')) {
    const now = clock.now();
    if (now < round.opensMs || round.employerSignature === null) continue;
    if (tasks.inState('noised').length > 0) continue;
    transact(db, () => {
      if (!rounds.move(round.manifestHash, 'planned', 'open')) return;
      events.add({
        atMs: now,
        round: round.number,
        groupIndex: null,
        kind: 'opened',
        sentence: `Round ${round.number} is open.`,
      });
    });
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
 * open → closed ahead of time: the employer first, since it refuses to count before it knows.
 * @throws PeerAway, PeerRefusal: the round then stays open
 */
export async function closeRoundEarly(parts: GuardianParts, round: Round): Promise<void> {
  await parts.peer.postJson(`/peer/rounds/${round.number}/close`, {});
  const now = parts.clock.now();
  const { sheet } = parts.contexts.round(round.manifestHash);
  transact(parts.db, () => {
    parts.rounds.closeAt(round.manifestHash, now, now + sheet.deadline_days * DAY_MS);
  });
  closeRound(parts, round);
}

/**
 * One transaction: the box of each group is shuffled into lots, or destroyed unopened if it holds
 * fewer than k reports. Nothing is sent before this is stored, and nothing is shuffled again.
 */
function closeRound(parts: GuardianParts, round: Round): void {
  const { rounds, tasks, box, randomness, events, clock } = parts;
  const { sheet } = parts.contexts.round(round.manifestHash);
  transact(parts.db, () => {
    if (!rounds.move(round.manifestHash, 'open', 'closed')) return;
    events.add({
      atMs: clock.now(),
      round: round.number,
      groupIndex: null,
      kind: 'closed',
      sentence: `Round ${round.number} is closed; the count begins.`,
    });
    for (const task of tasks.ofRound(round.manifestHash)) {
      const ids = box.ids(task.taskId);
      if (ids.length < sheet.k) {
        withholdInside(parts, task, 'too-few');
        continue;
      }
      const lots = planLots(ids, sheet.k, randomness);
      lots.forEach((lot, number) => {
        box.insertLot(task.taskId, number, lot);
      });
      tasks.setLots(task.taskId, lots.length);
      tasks.move(task.taskId, 'boxed', 'counting');
    }
  });
  truncateWal(parts.db);
}
