import { toBase64url } from '../../crypto/bytes.ts';
import { WITHHELD, type WithheldReason } from '../domain/withheld.ts';
import { each } from '../jobs/each.ts';
import { truncateWal } from '../storage/database.ts';
import { transact } from '../storage/stores.ts';
import type { Task } from '../storage/tasks.ts';
import type { EmployerParts } from './parts.ts';

/**
 * Withholds a group whose result has not arrived: bucket, replies and seal are destroyed.
 * @returns whether that changed anything
 */
export function withhold(parts: EmployerParts, task: Task, reason: WithheldReason): boolean {
  const done = transact(parts.db, () => {
    if (!parts.tasks.withhold(task.taskId, reason)) return false;
    parts.buckets.delete(task.taskId);
    parts.buckets.forgetOutcomes(task.taskId);
    parts.results.deleteSeal(task.taskId);
    parts.helperJobs.forget(task.taskId);
    parts.countedTokens.forget(task.taskId);
    parts.events.add({
      atMs: parts.clock.now(),
      round: parts.contexts.round(task.manifestHash).head.round,
      groupIndex: task.groupIndex,
      kind: 'withheld',
      sentence: `${task.groupName} is withheld: ${WITHHELD[reason]}.`,
    });
    return true;
  });
  if (done) truncateWal(parts.db);
  return done;
}

/** Tells the guardian of groups that this party withheld, until it has heard. */
export function announceWithheld(parts: EmployerParts): Promise<boolean> {
  return each(parts.tasks.withheldUnheard(), parts.peer, async (task) => {
    await parts.peer.postJson(`/tasks/${toBase64url(task.taskId)}/withheld`, {
      reason: task.withheldReason,
    });
    parts.tasks.heard(task.taskId);
    return true;
  });
}

/** By this party's own clock: what has not arrived by a round's deadline is withheld. */
export async function withholdOverdue(parts: EmployerParts): Promise<boolean> {
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
