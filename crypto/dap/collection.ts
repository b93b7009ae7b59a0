import { decodeWith, encodeWith, type Reader, type Writer } from '../codec.ts';
import {
  BATCH_MODE,
  type BatchMode,
  type Extension,
  encodeInterval,
  type HpkeCiphertext,
  type Interval,
  readEnum,
  readExtensions,
  readHpkeCiphertext,
  readInterval,
  writeExtensions,
  writeHpkeCiphertext,
  writeInterval,
} from './types.ts';

/**
 * The messages of DAP §Collecting Results. Decoders throw CryptoError `decode` and return views of
 * the input; encoders throw `invalid_argument`.
 */

/** The XOR of the SHA-256 digests of the ids of all reports in a batch. */
export const CHECKSUM_SIZE = 32;

/**
 * `Query` and `BatchSelector` have the same shape. For time_interval `config` is one Interval
 * (`decodeInterval`); for leader_selected it is empty, or a batch ID.
 */
export interface Query {
  readonly batchMode: BatchMode;
  readonly config: Uint8Array;
}
/** Which batch, in a Leader's request to its Helper. */
export type BatchSelector = Query;

/** The query, or the selector, of one time interval (§Time Interval). */
export function timeIntervalQuery(interval: Interval): Query {
  return { batchMode: 'time_interval', config: encodeInterval(interval) };
}

function readQuery(reader: Reader): Query {
  return { batchMode: readEnum(reader, BATCH_MODE), config: reader.opaque16() };
}

function writeQuery(writer: Writer, query: Query): void {
  writer.u8(BATCH_MODE[query.batchMode]).opaque16(query.config);
}

/** `CollectionJobReq` */
export interface CollectionJobReq {
  readonly query: Query;
  /** Empty for Prio3. */
  readonly aggParam: Uint8Array;
  /** Not checked here: an unknown one is `unsupportedExtension`, a wrong order `invalidExtension`. */
  readonly extensions: readonly Extension[];
}

/** @throws CryptoError `invalid_argument` */
export function encodeCollectionJobReq(request: CollectionJobReq): Uint8Array {
  return encodeWith(request, (writer) => {
    writeQuery(writer, request.query);
    writer.opaque32(request.aggParam);
    writeExtensions(writer, request.extensions);
  });
}

/** @throws CryptoError `decode` */
export function decodeCollectionJobReq(bytes: Uint8Array): CollectionJobReq {
  return decodeWith(bytes, readCollectionJobReq);
}

function readCollectionJobReq(reader: Reader): CollectionJobReq {
  return {
    query: readQuery(reader),
    aggParam: reader.opaque32(),
    extensions: readExtensions(reader),
  };
}

/** `AggregateShareReq`, decoded. */
export interface AggregateShareReq {
  readonly collectionJobReq: CollectionJobReq;
  /** The encoding of `collectionJobReq`: associated data of both aggregate shares. */
  readonly collectionJobReqBytes: Uint8Array;
  readonly batchSelector: BatchSelector;
  readonly reportCount: number;
  /** 32 bytes. */
  readonly checksum: Uint8Array;
}

/** The request goes in as the bytes that came from the Collector. @throws CryptoError `invalid_argument` */
export function encodeAggregateShareReq(
  request: Omit<AggregateShareReq, 'collectionJobReq'>,
): Uint8Array {
  return encodeWith(request, (writer) => {
    writer.opaque(request.collectionJobReqBytes);
    writeQuery(writer, request.batchSelector);
    writer.u64(request.reportCount).opaque(request.checksum, CHECKSUM_SIZE);
  });
}

/** @throws CryptoError `decode`, also for a count beyond 2^53 − 1 */
export function decodeAggregateShareReq(bytes: Uint8Array): AggregateShareReq {
  return decodeWith(bytes, (reader) => {
    const collectionJobReq = readCollectionJobReq(reader);
    return {
      collectionJobReq,
      collectionJobReqBytes: reader.since(0),
      batchSelector: readQuery(reader),
      reportCount: reader.safeU64(),
      checksum: reader.opaque(CHECKSUM_SIZE),
    };
  });
}

/**
 * `AggregateShare`: the Helper's aggregate share, sealed to the Collector.
 * @throws CryptoError `invalid_argument`
 */
export function encodeAggregateShare(encryptedAggregateShare: HpkeCiphertext): Uint8Array {
  return encodeWith(encryptedAggregateShare, writeHpkeCiphertext);
}

/** @throws CryptoError `decode` */
export function decodeAggregateShare(bytes: Uint8Array): HpkeCiphertext {
  return decodeWith(bytes, readHpkeCiphertext);
}

/** `CollectionJobResp` */
export interface CollectionJobResp {
  readonly reportCount: number;
  /** The smallest interval that holds the times of all reports in the batch. */
  readonly interval: Interval;
  readonly leaderEncryptedAggShare: HpkeCiphertext;
  readonly helperEncryptedAggShare: HpkeCiphertext;
}

/** @throws CryptoError `invalid_argument` */
export function encodeCollectionJobResp(response: CollectionJobResp): Uint8Array {
  return encodeWith(response, (writer) => {
    writer.u64(response.reportCount);
    writeInterval(writer, response.interval);
    writeHpkeCiphertext(writer, response.leaderEncryptedAggShare);
    writeHpkeCiphertext(writer, response.helperEncryptedAggShare);
  });
}

/** @throws CryptoError `decode`, also for a count or time beyond 2^53 − 1 */
export function decodeCollectionJobResp(bytes: Uint8Array): CollectionJobResp {
  return decodeWith(bytes, (reader) => ({
    reportCount: reader.safeU64(),
    interval: readInterval(reader),
    leaderEncryptedAggShare: readHpkeCiphertext(reader),
    helperEncryptedAggShare: readHpkeCiphertext(reader),
  }));
}
