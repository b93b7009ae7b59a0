import { concat } from '../bytes.ts';
import { decodeWith, encodeWith, Reader, type Writer } from '../codec.ts';
import { CryptoError } from '../errors.ts';
import {
  type Extension,
  type HpkeCiphertext,
  REPORT_ERROR,
  REPORT_ID_SIZE,
  type ReportError,
  readEnum,
  readExtensions,
  readHpkeCiphertext,
  writeExtensions,
  writeHpkeCiphertext,
} from './types.ts';

/**
 * The messages of DAP §Uploading Reports. Decoders throw CryptoError `decode` and return views of
 * the input; encoders throw `invalid_argument`.
 */

/** `HpkeConfig` (§HPKE Configuration Request) */
export interface HpkeConfig {
  /** 0 to 255, distinct within a list. */
  readonly id: number;
  readonly kemId: number;
  readonly kdfId: number;
  readonly aeadId: number;
  /** 1 to 65535 bytes. */
  readonly publicKey: Uint8Array;
}

/** The bounds of `HpkeConfigList<10..2^16-1>`, in bytes. */
const CONFIG_LIST_MIN = 10;

/** Takes an HpkeConfig off the reader. */
export function readHpkeConfig(reader: Reader): HpkeConfig {
  return {
    id: reader.u8(),
    kemId: reader.u16(),
    kdfId: reader.u16(),
    aeadId: reader.u16(),
    publicKey: reader.opaque16(1),
  };
}

/** Any identifiers and any public key: whether they are known is for the caller to say. */
export function writeHpkeConfig(writer: Writer, config: HpkeConfig): void {
  writer.u8(config.id).u16(config.kemId).u16(config.kdfId).u16(config.aeadId);
  writer.opaque16(config.publicKey, 1);
}

/**
 * `HpkeConfigList`: one or more configurations, in decreasing order of preference.
 * @throws CryptoError `invalid_argument`, also for an id that stands twice
 */
export function encodeHpkeConfigList(configs: readonly HpkeConfig[]): Uint8Array {
  if (!areDistinct(configs)) throw new CryptoError('invalid_argument', 'an HPKE id twice');
  const list = concat(...configs.map((config) => encodeWith(config, writeHpkeConfig)));
  return encodeWith(list, (writer) => writer.opaque16(list, CONFIG_LIST_MIN));
}

/** @throws CryptoError `decode`, also for an id that stands twice */
export function decodeHpkeConfigList(bytes: Uint8Array): readonly HpkeConfig[] {
  const list = decodeWith(bytes, (reader) => reader.opaque16(CONFIG_LIST_MIN));
  const configs = new Reader(list).all(readHpkeConfig);
  if (!areDistinct(configs)) throw new CryptoError('decode', 'an HPKE id twice');
  return configs;
}

function areDistinct(configs: readonly HpkeConfig[]): boolean {
  return new Set(configs.map((config) => config.id)).size === configs.length;
}

/** `ReportMetadata`: what both aggregators see of a report. */
export interface ReportMetadata {
  /** 16 random bytes. */
  readonly reportId: Uint8Array;
  /** In units of the task's time_precision. */
  readonly time: number;
  /** Not yet checked: see `decodeReportExtensions`. */
  readonly publicExtensions: readonly Extension[];
}

/** @throws CryptoError `invalid_argument`: an id of other than 16 bytes, a time that is none */
export function encodeReportMetadata(metadata: ReportMetadata): Uint8Array {
  return encodeWith(metadata, (writer) => {
    writer.opaque(metadata.reportId, REPORT_ID_SIZE).u64(metadata.time);
    writeExtensions(writer, metadata.publicExtensions);
  });
}

function readReportMetadata(reader: Reader): ReportMetadata {
  return {
    reportId: reader.opaque(REPORT_ID_SIZE),
    time: reader.safeU64(),
    publicExtensions: readExtensions(reader),
  };
}

/**
 * The public part of a report, decoded. Metadata and public share are associated data of both
 * seals, so they travel as the bytes that came and are never encoded again.
 */
export interface ReportPublicPart {
  readonly metadata: ReportMetadata;
  /** The encoding of `metadata`. */
  readonly metadataBytes: Uint8Array;
  /** Without its length prefix; may be empty. */
  readonly publicShare: Uint8Array;
}

/** Takes ReportMetadata and public share off the reader, and keeps the bytes of the first. */
export function readReportPublicPart(reader: Reader): ReportPublicPart {
  const start = reader.position;
  const metadata = readReportMetadata(reader);
  const metadataBytes = reader.since(start);
  return { metadata, metadataBytes, publicShare: reader.opaque32() };
}

/** Only the encoded metadata is written: an encoder has no say in it. */
export function writeReportPublicPart(
  writer: Writer,
  part: Omit<ReportPublicPart, 'metadata'>,
): void {
  writer.opaque(part.metadataBytes).opaque32(part.publicShare);
}

/** `Report` (§Upload Request), decoded. */
export interface Report extends ReportPublicPart {
  readonly leaderEncryptedInputShare: HpkeCiphertext;
  readonly helperEncryptedInputShare: HpkeCiphertext;
  /** The whole report as it came: what is stored, hashed and compared. */
  readonly bytes: Uint8Array;
}

/** @throws CryptoError `invalid_argument` */
export function encodeReport(report: Omit<Report, 'metadata' | 'bytes'>): Uint8Array {
  return encodeWith(report, (writer) => {
    writeReportPublicPart(writer, report);
    writeHpkeCiphertext(writer, report.leaderEncryptedInputShare);
    writeHpkeCiphertext(writer, report.helperEncryptedInputShare);
  });
}

/** @throws CryptoError `decode` */
export function decodeReport(bytes: Uint8Array): Report {
  return decodeWith(bytes, readReport);
}

function readReport(reader: Reader): Report {
  const start = reader.position;
  const fields = {
    ...readReportPublicPart(reader),
    leaderEncryptedInputShare: readHpkeCiphertext(reader),
    helperEncryptedInputShare: readHpkeCiphertext(reader),
  };
  return { ...fields, bytes: reader.since(start) };
}

/** `UploadRequest`: encoded reports one after the other, without a length. */
export function encodeUploadRequest(reports: readonly Uint8Array[]): Uint8Array {
  return concat(...reports);
}

/** No report at all is a request, too. @throws CryptoError `decode` */
export function decodeUploadRequest(bytes: Uint8Array): readonly Report[] {
  return new Reader(bytes).all(readReport);
}

/** `ReportUploadStatus`: a report that was not taken, and why. */
export interface ReportUploadStatus {
  readonly id: Uint8Array;
  readonly error: ReportError;
}

/**
 * `UploadErrors`: only the reports that failed, in the order of the request.
 * @throws CryptoError `invalid_argument`
 */
export function encodeUploadErrors(statuses: readonly ReportUploadStatus[]): Uint8Array {
  return encodeWith(statuses, (writer) => {
    for (const { id, error } of statuses) {
      writer.opaque(id, REPORT_ID_SIZE).u8(REPORT_ERROR[error]);
    }
  });
}

/** @throws CryptoError `decode` */
export function decodeUploadErrors(bytes: Uint8Array): readonly ReportUploadStatus[] {
  return new Reader(bytes).all((reader) => ({
    id: reader.opaque(REPORT_ID_SIZE),
    error: readEnum(reader, REPORT_ERROR),
  }));
}

/** `PlaintextInputShare`: what is sealed to each aggregator. */
export interface PlaintextInputShare {
  readonly privateExtensions: readonly Extension[];
  /** The VDAF's encoded input share, at least one byte. Secret. */
  readonly payload: Uint8Array;
}

/** @throws CryptoError `invalid_argument` */
export function encodePlaintextInputShare(share: PlaintextInputShare): Uint8Array {
  return encodeWith(share, (writer) => {
    writeExtensions(writer, share.privateExtensions);
    writer.opaque32(share.payload, 1);
  });
}

/** `openInputShare` wraps what comes out of it. @throws CryptoError `decode` */
export function decodePlaintextInputShare(bytes: Uint8Array): PlaintextInputShare {
  return decodeWith(bytes, (reader) => ({
    privateExtensions: readExtensions(reader),
    payload: reader.opaque32(1),
  }));
}
