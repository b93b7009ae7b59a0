import { reportSignature } from '../../crypto/dap/report.ts';
import { decodeReport } from '../../crypto/dap/upload.ts';
import { CryptoError } from '../../crypto/errors.ts';
import { verifySignature } from '../../crypto/signing.ts';
import { Refusal } from '../http/refusal.ts';
import { truncateWal } from '../storage/database.ts';
import { transact } from '../storage/stores.ts';
import type { Task } from '../storage/tasks.ts';
import type { GuardianParts } from './parts.ts';

/**
 * Takes a report out of the box, on the word of whoever holds its key. One transaction deletes it,
 * frees its token and its place, and keeps the id as withdrawn, so that the same bytes cannot come
 * back. Repeated, it changes nothing and is answered alike.
 * @throws Refusal `notFound`, `tooLate` once the round is closed, `unauthorized` for another key
 */
export function withdraw(
  parts: GuardianParts,
  task: Task,
  reportId: Uint8Array,
  signature: Uint8Array,
): void {
  const { taskId } = task;
  if (parts.buckets.outcome(taskId, reportId)?.outcome === 'withdrawn') {
    // The first truncation may have failed, and the reply leaves only after one.
    truncateWal(parts.db);
    return;
  }
  const bytes = parts.box.report(taskId, reportId);
  const round = parts.rounds.schedule(task.manifestHash);
  if (round?.state !== 'open' || parts.clock.now() >= round.closesMs) throw new Refusal('tooLate');
  if (bytes === undefined) throw new Refusal('notFound', 'there is no such report here');
  try {
    const { publicKey } = reportSignature(decodeReport(bytes));
    verifySignature(publicKey, signature, 'chorus withdraw v1', taskId, reportId);
  } catch (error) {
    if (error instanceof CryptoError) throw new Refusal('unauthorized', 'the key is another one');
    throw error;
  }
  transact(parts.db, () => {
    parts.box.deleteReport(taskId, reportId);
    parts.box.unspend(taskId, reportId);
    parts.tasks.giveBack(taskId);
    parts.buckets.insertOutcome(taskId, reportId, 'withdrawn');
  });
  truncateWal(parts.db);
}
