import { toBase64url } from '../../crypto/bytes.ts';
import { WITHHELD, type WithheldReason } from '../domain/withheld.ts';
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

/** `withhold` inside a transaction of the caller's, who truncates the log afterwards. */
export function withholdInside(parts: GuardianParts, task: Task, reason: WithheldReason): boolean {
  const { taskId } = task;
  if (!parts.tasks.withhold(taskId, reason)) return false;
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

/** Tells the employer of groups that this party withheld, until it has heard. */
export async function announceWithheld(parts: GuardianParts): Promise<boolean> {
  const unheard = parts.tasks.withheldUnheard();
  for (const task of unheard) {
    await parts.peer.postJson(`/tasks/${toBase64url(task.taskId)}/withheld`, {
      reason: task.withheldReason,
    });
    parts.tasks.heard(task.taskId);
  }
  return unheard.length > 0;
}

/** By this party's own clock: what is not noised at a round's deadline is withheld. */
export async function withholdOverdue(parts: GuardianParts): Promise<boolean> {
  const now = parts.clock.now();
  let progress = false;
  for (const round of parts.rounds.inState('closed')) {
    if (now < round.deadlineMs) continue;
    for (const task of parts.tasks.ofRound(round.manifestHash)) {
      if (withhold(parts, task, 'deadline')) progress = true;
    }
  }
  return progress;
}
