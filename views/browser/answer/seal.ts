import { fromBase64url } from '../../../crypto/bytes.ts';
import { buildReport, type ReportRecipient } from '../../../crypto/dap/report.ts';
import { REPORT_ID_SIZE } from '../../../crypto/dap/types.ts';
import { decodeReport } from '../../../crypto/dap/upload.ts';
import type { ManifestKey } from '../../../crypto/manifest.ts';
import type { Receipt } from '../../../crypto/receipt.ts';
import { measurementOf, noticeHash } from '../../../crypto/sheet.ts';
import { TOKEN_KEY_SIZE } from '../../../crypto/token-key.ts';
import { prio3Survey } from '../../../crypto/vdaf/circuits/survey.ts';
import type { Opened } from './checks.ts';
import type { Permit } from './permit.ts';
import { browserRandomness } from './randomness.ts';

/** An answer, cut in two and sealed: everything that Submit sends, and the receipt for it. */
export interface Sealed {
  /** The whole message, byte for byte as it is sent. */
  readonly report: Uint8Array;
  readonly receipt: Receipt;
  /** The two sealed halves inside `report`. */
  readonly guardianHalf: Uint8Array;
  readonly employerHalf: Uint8Array;
}

function recipient(key: ManifestKey): ReportRecipient {
  return { configId: key.config_id, publicKey: fromBase64url(key.public_key) };
}

/**
 * Cuts and seals one answer with a fresh id and fresh randomness; only the token and its key are
 * the same in two calls, and only one of the two messages will be taken.
 *
 * @param places the chosen place for each question; the last place is "prefer not to say"
 */
export function sealAnswer(opened: Opened, permit: Permit, places: readonly number[]): Sealed {
  const { head, task, sheet, entry } = opened;
  const { report, reportId } = buildReport(
    {
      taskId: task.taskId,
      taskConfiguration: task.configuration,
      vdaf: prio3Survey(task.survey),
      leader: recipient(head.guardian.hpke),
      helper: recipient(head.employer.hpke),
      time: head.days.start,
      consent: noticeHash(sheet),
      token: permit.token,
    },
    measurementOf(sheet, places),
    permit.seed,
    browserRandomness,
  );
  const decoded = decodeReport(report);
  return {
    report,
    receipt: {
      manifestHash: fromBase64url(opened.manifestHash),
      groupIndex: entry.index,
      reportId,
      seed: permit.seed,
      authenticator: permit.token.slice(-TOKEN_KEY_SIZE),
    },
    guardianHalf: decoded.leaderEncryptedInputShare.payload,
    employerHalf: decoded.helperEncryptedInputShare.payload,
  };
}

/**
 * What somebody sends who declines: as long as an answer to these questions, its id zero, which is
 * how the guardian knows what to throw away; everything else random. A whole answer is made for its
 * length, so that declining takes this device as long, too.
 */
export function declineMessage(opened: Opened, permit: Permit): Uint8Array {
  const { report } = sealAnswer(
    opened,
    permit,
    opened.sheet.questions.map(() => 0),
  );
  const message = browserRandomness(report.length);
  message.fill(0, 0, REPORT_ID_SIZE);
  return message;
}
