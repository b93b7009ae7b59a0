import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, fromHex, toHex } from '../../../crypto/bytes.ts';
import {
  decodeAggregationJobInitReq,
  decodeAggregationJobResp,
  encodeAggregationJobInitReq,
  encodeAggregationJobResp,
  type VerifyResp,
} from '../../../crypto/dap/aggregation.ts';
import {
  decodeAggregateShare,
  decodeAggregateShareReq,
  decodeCollectionJobReq,
  decodeCollectionJobResp,
  encodeAggregateShare,
  encodeAggregateShareReq,
  encodeCollectionJobReq,
  encodeCollectionJobResp,
  timeIntervalQuery,
} from '../../../crypto/dap/collection.ts';
import { MEDIA_TYPE } from '../../../crypto/dap/media-types.ts';
import { decodeInterval, encodeInterval, REPORT_ERROR } from '../../../crypto/dap/types.ts';
import {
  decodeHpkeConfigList,
  decodePlaintextInputShare,
  decodeReport,
  decodeUploadErrors,
  decodeUploadRequest,
  encodeHpkeConfigList,
  encodePlaintextInputShare,
  encodeReport,
  encodeReportMetadata,
  encodeUploadErrors,
  encodeUploadRequest,
} from '../../../crypto/dap/upload.ts';
import { bytes, checkDecoder, expectCode, sized } from '../support.ts';
import * as values from './values.ts';

const ID = '000102030405060708090a0b0c0d0e0f';
const reportId = fromHex(ID);
const x = Uint8Array.of(0xaa);
const ciphertext = { configId: 7, enc: x, payload: Uint8Array.of(0xbb, 0xcc) };
const CIPHERTEXT = '070001aa00000002bbcc';
const metadata = {
  reportId,
  time: 20_000,
  publicExtensions: [{ extensionType: 0xff01, extensionData: Uint8Array.of(1, 2) }],
};
const METADATA = `${ID}0000000000004e200006ff0100020102`;
const part = { metadataBytes: encodeReportMetadata(metadata), publicShare: Uint8Array.of(9) };
const PART = `${METADATA}0000000109`;

const messages = {
  HpkeConfigList: {
    values: fc.uniqueArray(
      fc.record({
        id: fc.nat(255),
        kemId: fc.nat(0xffff),
        kdfId: fc.nat(0xffff),
        aeadId: fc.nat(0xffff),
        publicKey: bytes({ min: 2, max: 20 }),
      }),
      { selector: (config) => config.id, minLength: 1, maxLength: 4 },
    ),
    encode: encodeHpkeConfigList,
    decode: decodeHpkeConfigList,
  },
  Report: { values: values.report, encode: encodeReport, decode: decodeReport },
  UploadErrors: {
    values: fc.array(fc.record({ id: values.reportId, error: values.reportError })),
    encode: encodeUploadErrors,
    decode: decodeUploadErrors,
  },
  PlaintextInputShare: {
    values: fc.record({ privateExtensions: values.extensions, payload: bytes({ min: 1 }) }),
    encode: encodePlaintextInputShare,
    decode: decodePlaintextInputShare,
  },
  AggregationJobInitReq: {
    values: fc.record({
      verificationKeyId: fc.nat(255),
      aggParam: bytes({ max: 10 }),
      extensions: values.extensions,
      verifyInits: fc.array(
        fc.record({
          reportShare: fc
            .tuple(values.publicPart, values.hpkeCiphertext)
            .map(([share, encryptedInputShare]) => ({ ...share, encryptedInputShare })),
          payload: bytes({ min: 1, max: 20 }),
        }),
        { maxLength: 3 },
      ),
    }),
    encode: encodeAggregationJobInitReq,
    decode: decodeAggregationJobInitReq,
  },
  AggregationJobResp: {
    values: fc.array(
      fc.oneof(
        fc.record({
          type: fc.constant('continue' as const),
          reportId: values.reportId,
          payload: bytes({ min: 1, max: 20 }),
        }),
        fc.record({ type: fc.constant('finish' as const), reportId: values.reportId }),
        fc.record({
          type: fc.constant('reject' as const),
          reportId: values.reportId,
          reportError: values.reportError,
        }),
      ),
      { maxLength: 4 },
    ),
    encode: encodeAggregationJobResp,
    decode: decodeAggregationJobResp,
  },
  CollectionJobReq: {
    values: values.collectionJobReq,
    encode: encodeCollectionJobReq,
    decode: decodeCollectionJobReq,
  },
  AggregateShareReq: {
    values: fc.record({
      collectionJobReqBytes: values.collectionJobReq.map(encodeCollectionJobReq),
      batchSelector: values.query,
      reportCount: fc.maxSafeNat(),
      checksum: sized(32),
    }),
    encode: encodeAggregateShareReq,
    decode: decodeAggregateShareReq,
  },
  AggregateShare: {
    values: values.hpkeCiphertext,
    encode: encodeAggregateShare,
    decode: decodeAggregateShare,
  },
  CollectionJobResp: {
    values: fc.record({
      reportCount: fc.maxSafeNat(),
      interval: values.interval,
      leaderEncryptedAggShare: values.hpkeCiphertext,
      helperEncryptedAggShare: values.hpkeCiphertext,
    }),
    encode: encodeCollectionJobResp,
    decode: decodeCollectionJobResp,
  },
  Interval: { values: values.interval, encode: encodeInterval, decode: decodeInterval },
};

/** One message of each kind, with the encoding that the draft's structs prescribe. */
const examples: readonly [name: string, encoded: Uint8Array, expected: string][] = [
  [
    'HpkeConfigList',
    encodeHpkeConfigList([
      { id: 194, kemId: 0x647a, kdfId: 0x0011, aeadId: 3, publicKey: Uint8Array.of(1, 2, 3) },
    ]),
    '000cc2647a001100030003010203',
  ],
  [
    'Report',
    encodeReport({
      ...part,
      leaderEncryptedInputShare: ciphertext,
      helperEncryptedInputShare: ciphertext,
    }),
    `${PART}${CIPHERTEXT}${CIPHERTEXT}`,
  ],
  ['UploadErrors', encodeUploadErrors([{ id: reportId, error: 'report_replayed' }]), `${ID}02`],
  [
    'PlaintextInputShare',
    encodePlaintextInputShare({ privateExtensions: [], payload: x }),
    '000000000001aa',
  ],
  [
    'AggregationJobInitReq',
    encodeAggregationJobInitReq({
      verificationKeyId: 5,
      aggParam: new Uint8Array(0),
      extensions: [],
      verifyInits: [{ reportShare: { ...part, encryptedInputShare: ciphertext }, payload: x }],
    }),
    `05000000000000${PART}${CIPHERTEXT}00000001aa`,
  ],
  [
    'AggregationJobResp',
    encodeAggregationJobResp([
      { type: 'continue', reportId, payload: x },
      { type: 'finish', reportId },
      { type: 'reject', reportId, reportError: 'hpke_decrypt_error' },
    ]),
    `${ID}0000000001aa${ID}01${ID}0205`,
  ],
  [
    'CollectionJobReq',
    encodeCollectionJobReq({
      query: timeIntervalQuery({ start: 20_000, duration: 14 }),
      aggParam: new Uint8Array(0),
      extensions: [],
    }),
    '0100100000000000004e20000000000000000e000000000000',
  ],
  [
    'AggregateShareReq',
    encodeAggregateShareReq({
      collectionJobReqBytes: encodeCollectionJobReq({
        query: { batchMode: 'leader_selected', config: new Uint8Array(0) },
        aggParam: x,
        extensions: [],
      }),
      batchSelector: { batchMode: 'leader_selected', config: x },
      reportCount: 10,
      checksum: new Uint8Array(32),
    }),
    `02000000000001aa0000020001aa000000000000000a${'00'.repeat(32)}`,
  ],
  ['AggregateShare', encodeAggregateShare(ciphertext), CIPHERTEXT],
  [
    'CollectionJobResp',
    encodeCollectionJobResp({
      reportCount: 10,
      interval: { start: 1, duration: 2 },
      leaderEncryptedAggShare: ciphertext,
      helperEncryptedAggShare: ciphertext,
    }),
    `000000000000000a00000000000000010000000000000002${CIPHERTEXT}${CIPHERTEXT}`,
  ],
  ['Interval', encodeInterval({ start: 1, duration: 2 }), '00000000000000010000000000000002'],
];

const decoderOf = (name: string): ((bytes: Uint8Array) => unknown) =>
  messages[name as keyof typeof messages].decode;

describe('DAP-18 messages', () => {
  it.each(examples)('%s is encoded as its struct says', (name, encoded, expected) => {
    expect(toHex(encoded)).toBe(expected);
    expect(decoderOf(name)(encoded)).toBeDefined();
  });

  describe.each(Object.entries(messages))('%s', (_, message) => {
    it('is decoded strictly', () => {
      checkDecoder(message as Parameters<typeof checkDecoder>[0]);
    });
  });

  // Lists without a length of their own are cut at an element's end without a trace.
  it.each(examples)('%s is refused with a byte less, a byte more or nothing', (name, encoded) => {
    const decode = decoderOf(name);
    for (let length = 1; length < encoded.length; length++) {
      if (name === 'AggregationJobInitReq' && length === 7) continue;
      if (name === 'AggregationJobResp' && (length === 22 || length === 39)) continue;
      expectCode('decode', () => decode(encoded.slice(0, length)));
    }
    expectCode('decode', () => decode(concat(encoded, Uint8Array.of(0))));
    expectCode('decode', () => decode(encoded.slice(1)));
  });

  it.each<[string, string, string]>([
    ['an empty HpkeConfigList', 'HpkeConfigList', '0000'],
    ['an HpkeConfigList of 9 bytes', 'HpkeConfigList', '0009c2647a001100030000'],
    ['an HPKE id twice', 'HpkeConfigList', `0014${'c2647a00110003000101'.repeat(2)}`],
    ['an empty public key', 'HpkeConfigList', '0012c2647a001100030000c3647a001100030000'],
    ['an empty enc', 'AggregateShare', '070000000000 02bbcc'],
    ['an empty payload', 'AggregateShare', '070001aa00000000'],
    ['an empty input share', 'PlaintextInputShare', '000000000000'],
    ['half an extension', 'PlaintextInputShare', '0003ff010000000001aa'],
    ['an extension longer than its list', 'PlaintextInputShare', '0005ff0100020100000001aa'],
    ['the report error 0', 'UploadErrors', `${ID}00`],
    ['the report error 12', 'UploadErrors', `${ID}0c`],
    ['a VerifyResp of type 3', 'AggregationJobResp', `${ID}03`],
    ['a continue without payload', 'AggregationJobResp', `${ID}0000000000`],
    ['a reject with an unknown error', 'AggregationJobResp', `${ID}02ff`],
    ['the batch mode 0', 'CollectionJobReq', '000000000000000000'],
    ['the batch mode 3', 'CollectionJobReq', '030000000000000000'],
    ['a start of 2^53', 'Interval', '00200000000000000000000000000002'],
  ])('%s is refused', (_, name, hex) => {
    expectCode('decode', () => decoderOf(name)(fromHex(hex.replaceAll(' ', ''))));
  });

  it('does not encode what does not fit', () => {
    const short = reportId.slice(1);
    expectCode('invalid_argument', () => encodeReportMetadata({ ...metadata, reportId: short }));
    expectCode('invalid_argument', () => encodeReportMetadata({ ...metadata, time: -1 }));
    expectCode('invalid_argument', () => encodeReportMetadata({ ...metadata, time: 2 ** 53 }));
    expectCode('invalid_argument', () => encodeHpkeConfigList([]));
    expectCode('invalid_argument', () => encodeAggregateShare({ ...ciphertext, configId: 256 }));
    expectCode('invalid_argument', () =>
      encodeAggregateShare({ ...ciphertext, enc: short.slice(15) }),
    );
    expectCode('invalid_argument', () =>
      encodePlaintextInputShare({ privateExtensions: [], payload: new Uint8Array(0) }),
    );
    expectCode('invalid_argument', () =>
      encodeAggregationJobResp([{ type: 'nothing', reportId } as unknown as VerifyResp]),
    );
    const config = { id: 1, kemId: 1, kdfId: 1, aeadId: 1, publicKey: fromHex('0102') };
    expectCode('invalid_argument', () => encodeHpkeConfigList([config, config]));
  });
});

describe('UploadRequest', () => {
  const encoded = encodeReport({
    ...part,
    leaderEncryptedInputShare: ciphertext,
    helperEncryptedInputShare: ciphertext,
  });

  it('carries reports one after the other, and gives back the bytes of each', () => {
    fc.assert(
      fc.property(fc.array(values.report.map(encodeReport), { maxLength: 4 }), (reports) => {
        const decoded = decodeUploadRequest(encodeUploadRequest(reports));
        expect(decoded.map((report) => report.bytes)).toEqual(reports);
      }),
    );
  });

  it('is refused as a whole if its last report is cut', () => {
    const two = encodeUploadRequest([encoded, encoded]);
    expectCode('decode', () => decodeUploadRequest(two.slice(0, -1)));
    expectCode('decode', () => decodeUploadRequest(concat(two, Uint8Array.of(0))));
  });

  it('gives the metadata, the public share and the report as they came', () => {
    const report = decodeReport(encoded);
    expect(report.metadata).toEqual(metadata);
    expect(toHex(report.metadataBytes)).toBe(METADATA);
    expect([...report.publicShare]).toEqual([9]);
    expect(report.bytes).toEqual(encoded);
  });
});

describe('Report errors and media types (DAP §IANA Considerations)', () => {
  it('numbers the eleven errors from 1', () => {
    expect(Object.values(REPORT_ERROR)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });

  it('names the messages', () => {
    expect(Object.values(MEDIA_TYPE)).toEqual(
      [
        'hpke-config-list',
        'upload-req',
        'upload-errors',
        'aggregation-job-init-req',
        'aggregation-job-resp',
        'aggregate-share-req',
        'aggregate-share',
        'collection-job-req',
        'collection-job-resp',
      ].map((message) => `application/ppm-dap;message=${message}`),
    );
  });
});
