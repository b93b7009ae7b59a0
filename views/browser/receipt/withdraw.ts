import { toBase64url } from '../../../crypto/bytes.ts';
import { sign } from '../../../crypto/signing.ts';
import { PLAIN } from '../shared/served.ts';
import type { OpenedReceipt } from './open.ts';

/**
 * What became of a withdrawal: `absent` if the guardian has no such answer, `late` if the round is
 * closed, `refused` if the key is another one. After `lost` and `busy` it may be sent again.
 */
export type Withdrawal = 'withdrawn' | 'absent' | 'late' | 'refused' | 'lost' | 'busy';

const PATIENCE_MS = 30_000;
const PROBLEMS: Readonly<Record<string, Withdrawal>> = {
  'urn:chorus:error:notFound': 'absent',
  'urn:chorus:error:tooLate': 'late',
};

/** Signs the withdrawal with the receipt's key and sends it. Never throws. */
export async function withdraw({ receipt, task }: OpenedReceipt): Promise<Withdrawal> {
  const { seed, reportId } = receipt;
  const signature = sign(seed, 'chorus withdraw v1', task.taskId, reportId);
  const path = `/tasks/${toBase64url(task.taskId)}/reports/${toBase64url(reportId)}/withdrawal`;
  try {
    const reply = await fetch(path, {
      ...PLAIN,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ signature: toBase64url(signature) }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (reply.ok) return 'withdrawn';
    if (reply.status === 429 || reply.status === 503) return 'busy';
    if (reply.status >= 500) return 'lost';
    const { type } = Object(await reply.json().catch(() => undefined));
    return PROBLEMS[String(type)] ?? 'refused';
  } catch {
    return 'lost';
  }
}
