import { decodeWith, encodeWith, Reader, type Writer } from '../codec.ts';
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
import { type ReportPublicPart, readReportPublicPart, writeReportPublicPart } from './upload.ts';

/**
 * The messages of DAP §Verifying and Aggregating Reports. Prio3 ends in one step, so there is no
 * AggregationJobContinueReq. Decoders throw CryptoError `decode` and return views of the input;
 * encoders throw `invalid_argument`.
 */

/** `ReportShare`: the part of a report that the Helper needs, as the Leader passes it on. */
export interface ReportShare extends ReportPublicPart {
  readonly encryptedInputShare: HpkeCiphertext;
}

/** `VerifyInit` */
export interface VerifyInit<Share = ReportShare> {
  readonly reportShare: Share;
  /** The Leader's first ping-pong message (VDAF §Star Topologies), at least one byte. */
  readonly payload: Uint8Array;
}

/** `AggregationJobInitReq` */
export interface AggregationJobInitReq<Share = ReportShare> {
  /** Which of the prearranged verification keys, 0 to 255. */
  readonly verificationKeyId: number;
  /** Empty for Prio3. */
  readonly aggParam: Uint8Array;
  /** Not checked here: an unknown one is `unsupportedExtension`, a wrong order `invalidMessage`. */
  readonly extensions: readonly Extension[];
  readonly verifyInits: readonly VerifyInit<Share>[];
}

/** The request with which the Leader opens a job. @throws CryptoError `invalid_argument` */
export function encodeAggregationJobInitReq(
  request: AggregationJobInitReq<Omit<ReportShare, 'metadata'>>,
): Uint8Array {
  return encodeWith(request, (writer) => {
    writer.u8(request.verificationKeyId).opaque32(request.aggParam);
    writeExtensions(writer, request.extensions);
    for (const { reportShare, payload } of request.verifyInits) {
      writeReportPublicPart(writer, reportShare);
      writeHpkeCiphertext(writer, reportShare.encryptedInputShare);
      writer.opaque32(payload, 1);
    }
  });
}

/** @throws CryptoError `decode`; the extensions are for the caller to check */
export function decodeAggregationJobInitReq(bytes: Uint8Array): AggregationJobInitReq {
  return decodeWith(bytes, (reader) => ({
    verificationKeyId: reader.u8(),
    aggParam: reader.opaque32(),
    extensions: readExtensions(reader),
    verifyInits: reader.all(readVerifyInit),
  }));
}

function readVerifyInit(reader: Reader): VerifyInit {
  const reportShare = {
    ...readReportPublicPart(reader),
    encryptedInputShare: readHpkeCiphertext(reader),
  };
  return { reportShare, payload: reader.opaque32(1) };
}

const VERIFY_RESP_TYPE = { continue: 0, finish: 1, reject: 2 } as const;

/** `VerifyResp`: the Helper's word on one report. */
export type VerifyResp =
  | {
      readonly type: 'continue';
      readonly reportId: Uint8Array;
      /** The Helper's ping-pong message, at least one byte. */
      readonly payload: Uint8Array;
    }
  | { readonly type: 'finish'; readonly reportId: Uint8Array }
  | {
      readonly type: 'reject';
      readonly reportId: Uint8Array;
      readonly reportError: ReportError;
    };

/**
 * `AggregationJobResp`: one VerifyResp a report, in the order of the request.
 * @throws CryptoError `invalid_argument`
 */
export function encodeAggregationJobResp(verifyResps: readonly VerifyResp[]): Uint8Array {
  return encodeWith(verifyResps, (writer) => {
    for (const response of verifyResps) writeVerifyResp(writer, response);
  });
}

/** Whatever the number of elements: compare it with the request. @throws CryptoError `decode` */
export function decodeAggregationJobResp(bytes: Uint8Array): readonly VerifyResp[] {
  return new Reader(bytes).all(readVerifyResp);
}

function writeVerifyResp(writer: Writer, response: VerifyResp): void {
  writer.opaque(response.reportId, REPORT_ID_SIZE).u8(VERIFY_RESP_TYPE[response.type]);
  if (response.type === 'continue') writer.opaque32(response.payload, 1);
  if (response.type === 'reject') writer.u8(REPORT_ERROR[response.reportError]);
}

function readVerifyResp(reader: Reader): VerifyResp {
  const reportId = reader.opaque(REPORT_ID_SIZE);
  const type = readEnum(reader, VERIFY_RESP_TYPE);
  switch (type) {
    case 'continue':
      return { type, reportId, payload: reader.opaque32(1) };
    case 'finish':
      return { type, reportId };
    case 'reject':
      return { type, reportId, reportError: readEnum(reader, REPORT_ERROR) };
  }
}
