import { toBase64url } from '../../crypto/bytes.ts';
import { canonicalJson } from '../../crypto/canonical.ts';
import { noticeHash } from '../../crypto/sheet.ts';
import { sign } from '../../crypto/signing.ts';
import type { RoundContext } from '../aggregator/task-context.ts';
import { isoDate } from '../domain/days.ts';
import type { GuardianParts } from './parts.ts';

/**
 * A consent record in the fields of ISO/IEC TS 27560, signed by this party and kept by nobody but
 * the person: what they agreed to, with whom, for what, and how to take it back. The day is the
 * round's first, the same for everyone.
 */
export function consentReceipt(
  parts: GuardianParts,
  context: RoundContext,
  reportId: Uint8Array,
): { receipt: object; signature: string } {
  const { head, sheet } = context;
  const receipt = {
    schema: 'ISO/IEC TS 27560:2023',
    record_id: toBase64url(reportId),
    pii_principal: 'the holder of this receipt',
    notice: {
      hash: toBase64url(noticeHash(sheet)),
      points: sheet.notice.points,
    },
    event: { state: 'given', day: isoDate(head.days.start), round: head.round },
    purposes: [{ purpose: sheet.purpose, lawful_basis: 'consent', service: sheet.title }],
    pii_categories: [
      ...sheet.questions.map(({ text }) => text),
      ...sheet.derived.map(({ name }) => name),
    ],
    controllers: [
      { role: 'employer', name: sheet.notice.employer, url: head.employer.url },
      { role: 'guardian', name: sheet.notice.guardian, url: head.guardian.url },
    ],
    contact: sheet.notice.contact,
    recipients: sheet.recipients,
    storage: {
      sealed_answer: 'until it is counted, or the round’s deadline',
      totals_days: sheet.retention.trends_days,
    },
    withdrawal: 'with the answer’s receipt, until the round closes',
  };
  const signature = sign(parts.signingSeed, 'chorus consent v1', canonicalJson(receipt));
  return { receipt, signature: toBase64url(signature) };
}
