import { openInputShare } from '../../crypto/dap/report.ts';
import type { AggregatorRole, HpkeCiphertext, ReportError } from '../../crypto/dap/types.ts';
import type { ReportPublicPart } from '../../crypto/dap/upload.ts';
import { CryptoError } from '../../crypto/errors.ts';
import type { HpkePrivateKey } from '../../crypto/hpke.ts';
import type { Secret } from '../../crypto/secret.ts';
import {
  helperInitialized,
  leaderContinued,
  leaderInitialized,
  type ReportInput,
} from '../../crypto/vdaf/ping-pong.ts';
import type { SecretVec, VerifyState } from '../../crypto/vdaf/prio3.ts';
import { checkPublicPart } from './check.ts';
import type { TaskContext } from './task-context.ts';

/** A party's secrets for one task. */
export interface TaskKeys {
  readonly role: AggregatorRole;
  readonly configId: number;
  readonly privateKey: HpkePrivateKey;
  readonly verifyKey: Secret<Uint8Array>;
}

/**
 * The guardian's first step on a report: its state to keep and its message to the employer. What is
 * public of the report was checked when it was uploaded, and is checked again by the employer.
 */
export function startVerification(
  context: TaskContext,
  keys: TaskKeys,
  report: ReportPublicPart,
  ciphertext: HpkeCiphertext,
): { readonly state: VerifyState; readonly outbound: Uint8Array } | ReportError {
  return withOpened(context, keys, report, ciphertext, (input) =>
    leaderInitialized(context.vdaf, keys.verifyKey.reveal(), context.ctx, input),
  );
}

/**
 * The employer's only step, with all checks: its out share, its message to the guardian, and the nonce
 * of the token that the report is entitled by.
 */
export function verifyAsHelper(
  context: TaskContext,
  keys: TaskKeys,
  report: ReportPublicPart,
  ciphertext: HpkeCiphertext,
  inbound: Uint8Array,
):
  | {
      readonly outShare: SecretVec;
      readonly outbound: Uint8Array;
      readonly nonce: Uint8Array;
    }
  | ReportError {
  const checked = checkPublicPart(context, report);
  if (typeof checked === 'string') return checked;
  const verified = withOpened(context, keys, report, ciphertext, (input) =>
    helperInitialized(context.vdaf, keys.verifyKey.reveal(), context.ctx, input, inbound),
  );
  return typeof verified === 'string' ? verified : { ...verified, nonce: checked.nonce };
}

/** The guardian's last step, on the employer's message: its out share. */
export function finishVerification(
  context: TaskContext,
  state: VerifyState,
  inbound: Uint8Array,
): SecretVec | ReportError {
  return verifying(() => leaderContinued(context.vdaf, context.ctx, state, inbound));
}

/**
 * Opens this party's half of a report, and goes on with it. A report whose
 * joint-randomness part differs from the public share is refused, not mended: the signature covers
 * the public share, so the parts bind the token to these two halves.
 */
function withOpened<T extends { readonly jointRandPartMatches: boolean }>(
  context: TaskContext,
  keys: TaskKeys,
  report: ReportPublicPart,
  ciphertext: HpkeCiphertext,
  verify: (input: ReportInput) => T,
): T | ReportError {
  if (ciphertext.configId !== keys.configId) return 'hpke_decrypt_error';
  const inputShare = openHalf(context, keys, report, ciphertext);
  if (typeof inputShare === 'string') return inputShare;
  return verifying(() => {
    const { reportId } = report.metadata;
    const verified = verify({ nonce: reportId, publicShare: report.publicShare, inputShare });
    return verified.jointRandPartMatches ? verified : 'vdaf_verify_error';
  });
}

/** Decryption and decoding (DAP §Input Share Decryption, §Input Share Validation). */
function openHalf(
  context: TaskContext,
  keys: TaskKeys,
  report: ReportPublicPart,
  ciphertext: HpkeCiphertext,
): Secret<Uint8Array> | ReportError {
  try {
    return openInputShare(
      keys.privateKey,
      keys.role,
      context.taskId,
      context.configuration,
      report.metadataBytes,
      report.publicShare,
      ciphertext,
    );
  } catch (error) {
    if (error instanceof CryptoError && error.code === 'hpke_open') return 'hpke_decrypt_error';
    if (error instanceof CryptoError && error.code === 'decode') return 'invalid_message';
    throw error;
  }
}

/** What `work` gives. Whatever the VDAF refuses, an encoding or a proof, is one error in DAP. */
function verifying<T>(work: () => T): T | ReportError {
  try {
    return work();
  } catch (error) {
    if (error instanceof CryptoError && (error.code === 'vdaf_verify' || error.code === 'decode')) {
      return 'vdaf_verify_error';
    }
    throw error;
  }
}
