import { CryptoError } from '../errors.ts';
import { HPKE_ENCAPSULATION_SEED_SIZE, type HpkePrivateKey, hpkeSeal } from '../hpke.ts';
import type { Randomness } from '../random.ts';
import { Secret } from '../secret.ts';
import {
  SIGNATURE_SIZE,
  SIGNING_KEY_SIZE,
  SIGNING_SEED_SIZE,
  signedMessage,
  verifySignature,
} from '../signing.ts';
import { sodium } from '../sodium.ts';
import type { Prio3 } from '../vdaf/prio3.ts';
import { inputShareAad, inputShareInfo } from './aad.ts';
import { encodeReportExtensions, REPORT_EXTENSION } from './extensions.ts';
import { requireTaskId, vdafContext } from './task.ts';
import { type AggregatorRole, type HpkeCiphertext, REPORT_ID_SIZE } from './types.ts';
import {
  decodePlaintextInputShare,
  encodePlaintextInputShare,
  encodeReport,
  encodeReportMetadata,
  type ReportPublicPart,
} from './upload.ts';

/** Domain separation of a report's signature. */
const LABEL = 'chorus report v1';

/** What a client needs of a VDAF whose measurement is one option index per question. */
export type ReportVdaf = Pick<Prio3<readonly number[], unknown>, 'randSize' | 'shard'>;

/** An aggregator's input key, as the manifest names it. */
export interface ReportRecipient {
  readonly configId: number;
  readonly publicKey: Uint8Array;
}

/** The task that a report is for. */
export interface ReportTask {
  readonly taskId: Uint8Array;
  /** The encoded TaskConfiguration, exactly as the manifest has it. */
  readonly taskConfiguration: Uint8Array;
  readonly vdaf: ReportVdaf;
  readonly leader: ReportRecipient;
  readonly helper: ReportRecipient;
  /** In units of time_precision: the first day of the round, the same for everyone. */
  readonly time: number;
  /** The extension `consent`, 32 bytes. */
  readonly consent?: Uint8Array;
  /** The extension `token`, 354 bytes. */
  readonly token?: Uint8Array;
}

/** A report ready to be uploaded. */
export interface BuiltReport {
  /** The encoded Report. */
  readonly report: Uint8Array;
  readonly reportId: Uint8Array;
  /** The Ed25519 public key of the signing seed: whoever holds the seed can withdraw the report. */
  readonly publicKey: Uint8Array;
}

/**
 * All that a client does (DAP §Client Behavior): shards the measurement, signs what is public of
 * the report, and seals one input share to each aggregator.
 *
 * @param measurement one option index per question
 * @param signingSeed 32 bytes, fresh for each report
 * @param randomness asked for the report ID, the VDAF's randomness and one encapsulation seed each
 * @throws CryptoError `invalid_argument` for a wrong length or measurement, `hpke_key` for a
 * recipient's key that is none
 */
export function buildReport(
  task: ReportTask,
  measurement: readonly number[],
  signingSeed: Secret<Uint8Array>,
  randomness: Randomness,
): BuiltReport {
  if (signingSeed.reveal().length !== SIGNING_SEED_SIZE) {
    throw new CryptoError('invalid_argument', 'a signing seed has 32 bytes');
  }
  const reportId = randomness(REPORT_ID_SIZE);
  const { publicShare, inputShares } = task.vdaf.shard(
    vdafContext(task.taskId),
    measurement,
    reportId,
    randomness(task.vdaf.randSize),
  );
  if (inputShares.length !== 2) {
    throw new CryptoError('invalid_argument', 'DAP has two aggregators');
  }
  const [leaderShare, helperShare] = inputShares as [Secret<Uint8Array>, Secret<Uint8Array>];

  const { publicKey, privateKey } = sodium.crypto_sign_seed_keypair(signingSeed.reveal());
  const unsigned = encodeMetadata(task, reportId, publicKey);
  const message = signedMessage(LABEL, task.taskId, unsigned, publicShare);
  const metadataBytes = withSignature(unsigned, sodium.crypto_sign_detached(message, privateKey));

  // The seals come last: their associated data is the metadata with its signature.
  const aad = inputShareAad(task.taskId, task.taskConfiguration, metadataBytes, publicShare);
  const seal = (role: AggregatorRole, share: Secret<Uint8Array>) =>
    sealInputShare(task[role], role, aad, share, randomness(HPKE_ENCAPSULATION_SEED_SIZE));
  const report = encodeReport({
    metadataBytes,
    publicShare,
    leaderEncryptedInputShare: seal('leader', leaderShare),
    helperEncryptedInputShare: seal('helper', helperShare),
  });
  return { report, reportId, publicKey };
}

/** The encoded metadata with 64 zero bytes where the signature will stand. */
function encodeMetadata(task: ReportTask, reportId: Uint8Array, publicKey: Uint8Array): Uint8Array {
  const signature = new Uint8Array(REPORT_EXTENSION.signature.size);
  signature.set(publicKey);
  const { consent, token } = task;
  return encodeReportMetadata({
    reportId,
    time: task.time,
    publicExtensions: encodeReportExtensions({
      ...(consent && { consent }),
      ...(token && { token }),
      signature,
    }),
  });
}

function sealInputShare(
  recipient: ReportRecipient,
  role: AggregatorRole,
  aad: Uint8Array,
  share: Secret<Uint8Array>,
  encapsulationSeed: Uint8Array,
): HpkeCiphertext {
  const plaintext = encodePlaintextInputShare({ privateExtensions: [], payload: share.reveal() });
  const { enc, ciphertext } = hpkeSeal(
    recipient.publicKey,
    inputShareInfo(role),
    aad,
    plaintext,
    encapsulationSeed,
  );
  return { configId: recipient.configId, enc, payload: ciphertext };
}

/**
 * One aggregator's input share of a report (DAP §Input Share Decryption).
 *
 * @param metadataBytes @param publicShare as they came (`Report`, `ReportShare`)
 * @throws CryptoError `hpke_open` if it was sealed to another key, task, configuration or report
 * (`hpke_decrypt_error`); `decode` if `enc` has a wrong length, if the plaintext is none, or if it
 * has private extensions, of which we know none (`invalid_message`)
 */
export function openInputShare(
  privateKey: HpkePrivateKey,
  role: AggregatorRole,
  taskId: Uint8Array,
  taskConfiguration: Uint8Array,
  metadataBytes: Uint8Array,
  publicShare: Uint8Array,
  ciphertext: HpkeCiphertext,
): Secret<Uint8Array> {
  const plaintext = privateKey.open(
    ciphertext.enc,
    inputShareInfo(role),
    inputShareAad(taskId, taskConfiguration, metadataBytes, publicShare),
    ciphertext.payload,
  );
  const { privateExtensions, payload } = decodePlaintextInputShare(plaintext);
  if (privateExtensions.length > 0) {
    throw new CryptoError('decode', 'private extensions are not allowed');
  }
  return new Secret(payload);
}

/** The Ed25519 public key (32 bytes) and the signature (64) that a report carries. */
export interface ReportSignature {
  readonly publicKey: Uint8Array;
  readonly signature: Uint8Array;
}

/**
 * The signature of a report, which must be its last extension.
 * @throws CryptoError `signature` if there is none, or one of another size
 */
export function reportSignature(report: ReportPublicPart): ReportSignature {
  const last = report.metadata.publicExtensions.at(-1);
  const { type, size } = REPORT_EXTENSION.signature;
  if (last?.extensionType !== type || last.extensionData.length !== size) {
    throw new CryptoError('signature', 'the report is not signed');
  }
  return {
    publicKey: last.extensionData.subarray(0, SIGNING_KEY_SIZE),
    signature: last.extensionData.subarray(SIGNING_KEY_SIZE),
  };
}

/**
 * What a report's signature signs:
 * `"chorus report v1" ‖ 00 ‖ task_id ‖ ReportMetadata, its signature zero ‖ public_share`.
 *
 * @throws CryptoError `signature` if the report is not signed, `invalid_argument` for the task ID
 */
export function reportSignatureMessage(taskId: Uint8Array, report: ReportPublicPart): Uint8Array {
  return signedMessage(LABEL, ...signedParts(taskId, report));
}

/**
 * Checks a report's signature as libsodium does: canonical encodings only, no points of low order.
 * (Other verifiers take more; both aggregators must use the same one, or they count differently.)
 *
 * @throws CryptoError `signature`, `invalid_argument` for the task ID
 */
export function verifyReportSignature(taskId: Uint8Array, report: ReportPublicPart): void {
  const { publicKey, signature } = reportSignature(report);
  verifySignature(publicKey, signature, LABEL, ...signedParts(taskId, report));
}

function signedParts(taskId: Uint8Array, report: ReportPublicPart): readonly Uint8Array[] {
  requireTaskId(taskId);
  reportSignature(report); // it is there, so it is the last 64 bytes that are made zero
  const unsigned = withSignature(report.metadataBytes, new Uint8Array(SIGNATURE_SIZE));
  return [taskId, unsigned, report.publicShare];
}

/** The metadata with another signature; its list of extensions, and so itself, ends with it. */
function withSignature(metadataBytes: Uint8Array, signature: Uint8Array): Uint8Array {
  const out = metadataBytes.slice();
  out.set(signature, out.length - SIGNATURE_SIZE);
  return out;
}
