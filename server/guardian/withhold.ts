import { toBase64url } from '../../crypto/bytes.ts';
import { WITHHELD, type WithheldReason } from '../domain/withheld.ts';
import { Refusal } from '../http/refusal.ts';
import { each } from '../jobs/each.ts';
import { truncateWal } from '../storage/database.ts';
import { transact } from '../storage/stores.ts';
import type { Task } from '../storage/tasks.ts';
import type { GuardianParts } from './parts.ts';

/**
 * Withholds a group that is not noised yet: its box, lots, bucket and seal are destroyed.
 * @returns whether that changed anything
 */
export function withhold(parts: GuardianParts, task: Task, reason: WithheldReason): boolean {
  const done = transact(parts.db, () => withholdInside(parts, task, reason));
  if (done) truncateWal(parts.db);
  return done;
}

/**
 * `withhold` inside a transaction of the caller's, who truncates the log afterwards.
 * @param noisedToo also if it is noised
 */
export function withholdInside(
  parts: GuardianParts,
  task: Task,
  reason: WithheldReason,
  noisedToo = false,
): boolean {
  const { taskId } = task;
  if (!parts.tasks.withhold(taskId, reason, noisedToo)) return false;
  parts.box.empty(taskId);
  parts.buckets.delete(taskId);
  parts.buckets.forgetOutcomes(taskId);
  parts.results.deleteSeal(taskId);
  parts.collectionJobs.delete(taskId);
  parts.events.add({
    atMs: parts.clock.now(),
    round: parts.contexts.round(task.manifestHash).head.round,
    groupIndex: task.groupIndex,
    kind: 'withheld',
    sentence: `${task.groupName} is withheld: ${WITHHELD[reason]}.`,
  });
  return true;
}

/**
 * The employer has withheld a group: so does this party. A noised group is withheld at once if its
 * result never left: then nobody has learnt anything, and there is nothing to reveal. If it left, the
 * employer owes its half until the deadline; after that it cannot be had any more, and the group is
 * withheld with that said, since nothing else would ever end the round.
 * @throws Refusal `notYet` while the round is not closed here, or the half is still owed
 */
export function hearWithheld(parts: GuardianParts, task: Task): void {
  if (parts.rounds.schedule(task.manifestHash)?.state !== 'closed') throw new Refusal('notYet');
  const done = transact(parts.db, () => {
    const seen = parts.collectionJobs.ofTask(task.taskId)?.handedOut === 1;
    const over = parts.clock.now() >= (parts.rounds.withHash(task.manifestHash)?.deadlineMs ?? 0);
    const reason = seen && task.state === 'noised' ? 'not-revealed' : 'other-party';
    const changed = withholdInside(parts, task, reason, !seen || over);
    if (changed) parts.tasks.heard(task.taskId);
    return changed;
  });
  if (done) truncateWal(parts.db);
  // The employer's deadline may come before this party's; told that it was heard, it would not say
  // it again, and nothing else would ever end the group.
  else if (parts.tasks.withId(task.taskId)?.state === 'noised') {
    throw new Refusal('notYet', 'the result has left, and the deadline is not over here');
  }
}

/** Tells the employer of groups that this party withheld, until it has heard. */
export function announceWithheld(parts: GuardianParts): Promise<boolean> {
  return each(parts.tasks.withheldUnheard(), parts.peer, async (task) => {
    await parts.peer.postJson(`/tasks/${toBase64url(task.taskId)}/withheld`, {
      reason: task.withheldReason,
    });
    parts.tasks.heard(task.taskId);
    return true;
  });
}

/** By this party's own clock: what is not noised at a round's deadline is withheld. */
export async function withholdOverdue(parts: GuardianParts): Promise<boolean> {
  const now = parts.clock.now();
  let progress = false;
  for (const round of parts.rounds.unlisted()) {
    if (now < round.deadlineMs) continue;
    for (const task of parts.tasks.ofRound(round.manifestHash)) {
      if (withhold(parts, task, 'deadline')) progress = true;
    }
  }
  return progress;
}
