import { fromBase64url, toBase64url } from '../../../crypto/bytes.ts';
import { buildReport, type ReportRecipient } from '../../../crypto/dap/report.ts';
import { decodeReport } from '../../../crypto/dap/upload.ts';
import type { ManifestKey } from '../../../crypto/manifest.ts';
import { Secret } from '../../../crypto/secret.ts';
import { prio3Survey } from '../../../crypto/vdaf/circuits/survey.ts';
import type { Opened } from './checks.ts';

/** An answer, cut in two and sealed: everything that Submit sends, and what the receipt needs. */
export interface Sealed {
  /** The whole message, byte for byte as it is sent. */
  readonly report: Uint8Array;
  /** 16 random bytes: the number on the receipt. */
  readonly reportId: Uint8Array;
  /** 32 bytes: proves that the report came from here. */
  readonly seed: Secret<Uint8Array>;
  /** The two sealed halves inside `report`. */
  readonly guardianHalf: Uint8Array;
  readonly employerHalf: Uint8Array;
}

const SEED_SIZE = 32;

/** Fresh uniform bytes from the browser. */
export function browserRandomness(length: number): Uint8Array {
  return crypto.getRandomValues(new Uint8Array(length));
}

function recipient(key: ManifestKey): ReportRecipient {
  return { configId: key.config_id, publicKey: fromBase64url(key.public_key) };
}

/**
 * Cuts and seals one answer with fresh randomness; two calls have nothing in common.
 *
 * @param measurement the chosen place for each question; the last place is "prefer not to say"
 */
export function sealAnswer(opened: Opened, measurement: readonly number[]): Sealed {
  const { head, task } = opened;
  const seed = new Secret(browserRandomness(SEED_SIZE));
  const { report, reportId } = buildReport(
    {
      taskId: task.taskId,
      taskConfiguration: task.configuration,
      vdaf: prio3Survey(task.survey),
      leader: recipient(head.guardian.hpke),
      helper: recipient(head.employer.hpke),
      time: head.days.start,
    },
    measurement,
    seed,
    browserRandomness,
  );
  const decoded = decodeReport(report);
  return {
    report,
    reportId,
    seed,
    guardianHalf: decoded.leaderEncryptedInputShare.payload,
    employerHalf: decoded.helperEncryptedInputShare.payload,
  };
}

/** The receipt as a file: names the answer and its key, holds nothing of what was answered. */
export function receiptFile(opened: Opened, sealed: Sealed): string {
  const receipt = {
    type: 'chorus receipt',
    version: 1,
    guardian: opened.head.guardian.url,
    manifest: opened.manifestHash,
    group: opened.entry.index,
    report_id: toBase64url(sealed.reportId),
    key_seed: toBase64url(sealed.seed.reveal()),
  };
  return `${JSON.stringify(receipt, null, 2)}\n`;
}
