import { openInputShare } from '../../crypto/dap/report.ts';
import type { AggregatorRole, HpkeCiphertext, ReportError } from '../../crypto/dap/types.ts';
import type { ReportPublicPart } from '../../crypto/dap/upload.ts';
import { CryptoError } from '../../crypto/errors.ts';
import type { HpkePrivateKey } from '../../crypto/hpke.ts';
import type { Secret } from '../../crypto/secret.ts';
import type { VerifyState } from '../../crypto/vdaf/prio3.ts';
import { checkPublicPart } from './check.ts';
import type { TaskContext } from './task-context.ts';

/** A party's secrets for one task. */
export interface TaskKeys {
  readonly role: AggregatorRole;
  readonly configId: number;
  readonly privateKey: HpkePrivateKey;
  readonly verifyKey: Secret<Uint8Array>;
}

/** This party's half of a report, opened and ready to be checked against the other's. */
export interface Initialised {
  readonly state: VerifyState;
  readonly verifierShare: Uint8Array;
}

const AGGREGATOR_ID = { leader: 0, helper: 1 } as const;

/**
 * Opens this party's half of a report and starts its verification (VDAF §verify_init).
 * A report whose joint-randomness part differs from the public share is refused, not mended: the
 * signature covers the public share, so the parts bind the token to these two halves.
 * @returns the state and verifier share, or why the report is refused
 */
export function initialise(
  context: TaskContext,
  keys: TaskKeys,
  report: ReportPublicPart,
  ciphertext: HpkeCiphertext,
): Initialised | ReportError {
  const checked = checkPublicPart(context, report);
  if (typeof checked === 'string') return checked;
  if (ciphertext.configId !== keys.configId) return 'hpke_unknown_config_id';
  try {
    const inputShare = openInputShare(
      keys.privateKey,
      keys.role,
      context.taskId,
      context.configuration,
      report.metadataBytes,
      report.publicShare,
      ciphertext,
    );
    const { state, verifierShare, jointRandPartMatches } = context.vdaf.verifyInit(
      keys.verifyKey.reveal(),
      context.ctx,
      AGGREGATOR_ID[keys.role],
      report.metadata.reportId,
      report.publicShare,
      inputShare,
    );
    return jointRandPartMatches ? { state, verifierShare } : 'vdaf_verify_error';
  } catch (error) {
    return reportError(error);
  }
}

/** Why a report is refused for what happened in `crypto/`; anything else is a fault of ours. */
export function reportError(error: unknown): ReportError {
  if (error instanceof CryptoError) {
    switch (error.code) {
      case 'hpke_open':
        return 'hpke_decrypt_error';
      case 'vdaf_verify':
        return 'vdaf_verify_error';
      case 'decode':
        return 'invalid_message';
      default:
        break;
    }
  }
  throw error;
}
