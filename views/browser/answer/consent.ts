import { fromBase64url, toBase64url } from '../../../crypto/bytes.ts';
import { canonicalJson } from '../../../crypto/canonical.ts';
import type { Receipt } from '../../../crypto/receipt.ts';
import { noticeHash } from '../../../crypto/sheet.ts';
import { verifySignature } from '../../../crypto/signing.ts';
import { PLAIN } from '../shared/served.ts';
import type { Opened } from './checks.ts';

const PATIENCE_MS = 30_000;

/**
 * A record of the consent (ISO/IEC TS 27560) that the guardian signs and forgets, as a file. Checked
 * for its signature, and for being about this answer and these sentences.
 * @returns undefined if there is none, or none that is good
 */
export async function consentReceipt(
  opened: Opened,
  receipt: Receipt,
): Promise<string | undefined> {
  try {
    const reply = await fetch('/consent-receipts', {
      ...PLAIN,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        manifest_hash: opened.manifestHash,
        report_id: toBase64url(receipt.reportId),
      }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (!reply.ok) return undefined;
    const record = await reply.json();
    verifySignature(
      fromBase64url(opened.head.guardian.signing_key),
      fromBase64url(record.signature),
      'chorus consent v1',
      canonicalJson(record.receipt),
    );
    const { record_id, notice } = record.receipt;
    const isOurs =
      record_id === toBase64url(receipt.reportId) &&
      notice.hash === toBase64url(noticeHash(opened.sheet));
    return isOurs ? `${JSON.stringify(record, null, 2)}\n` : undefined;
  } catch {
    return undefined;
  }
}
