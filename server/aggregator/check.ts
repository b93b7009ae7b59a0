import { equalBytes } from '../../crypto/bytes.ts';
import { decodeReportExtensions, type ReportExtensionName } from '../../crypto/dap/extensions.ts';
import { verifyReportSignature } from '../../crypto/dap/report.ts';
import type { ReportError } from '../../crypto/dap/types.ts';
import type { ReportPublicPart } from '../../crypto/dap/upload.ts';
import { CryptoError } from '../../crypto/errors.ts';
import { sha256 } from '../../crypto/sha256.ts';
import { SIGNING_KEY_SIZE } from '../../crypto/signing.ts';
import type { TaskContext } from './task-context.ts';

/** A report carries all three, and nothing else. */
const EXTENSIONS: ReadonlySet<ReportExtensionName> = new Set(['consent', 'token', 'signature']);

/** What the public part of a good report says of itself. */
export interface ReportCredentials {
  readonly tokenKeyId: Uint8Array;
  /** SHA-256 of the report's public key: what the token is spent on. */
  readonly nonce: Uint8Array;
}

/**
 * What both parties can check of a report without opening anything: time, extensions, the consent to
 * this round's notice, the signature, and the token that entitles the signing key.
 * @returns the credentials, or why the report is refused
 */
export function checkPublicPart(
  context: TaskContext,
  report: ReportPublicPart,
): ReportCredentials | ReportError {
  if (report.metadata.time !== context.time) return 'report_dropped';
  try {
    const { consent, token, signature } = decodeReportExtensions(
      report.metadata.publicExtensions,
      EXTENSIONS,
    );
    if (consent === undefined || token === undefined || signature === undefined) {
      return 'invalid_message';
    }
    // Both are public: everybody who was invited has the notice.
    if (!equalBytes(consent, context.noticeHash)) return 'invalid_message';
    const nonce = sha256(signature.subarray(0, SIGNING_KEY_SIZE));
    const { tokenKeyId } = context.tokens.verify(token, { ...context.tokenBinding, nonce });
    verifyReportSignature(context.taskId, report);
    return { tokenKeyId, nonce };
  } catch (error) {
    if (error instanceof CryptoError) return 'invalid_message';
    throw error;
  }
}
