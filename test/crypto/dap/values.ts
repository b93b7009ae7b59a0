import fc from 'fast-check';
import type { CollectionJobReq, Query } from '../../../crypto/dap/collection.ts';
import {
  BATCH_MODE,
  type BatchMode,
  type Extension,
  type HpkeCiphertext,
  type Interval,
  REPORT_ERROR,
  type ReportError,
} from '../../../crypto/dap/types.ts';
import { encodeReportMetadata } from '../../../crypto/dap/upload.ts';
import { bytes, sized } from '../support.ts';

/** Arbitrary values of the structs of DAP. */

export const reportId = sized(16);
export const reportError = fc.constantFrom(...(Object.keys(REPORT_ERROR) as ReportError[]));
export const batchMode = fc.constantFrom(...(Object.keys(BATCH_MODE) as BatchMode[]));

export const interval: fc.Arbitrary<Interval> = fc.record({
  start: fc.maxSafeNat(),
  duration: fc.maxSafeNat(),
});

export const hpkeCiphertext: fc.Arbitrary<HpkeCiphertext> = fc.record({
  configId: fc.nat(255),
  enc: bytes({ min: 1, max: 20 }),
  payload: bytes({ min: 1, max: 20 }),
});

export const extensions: fc.Arbitrary<Extension[]> = fc.array(
  fc.record({ extensionType: fc.nat(0xffff), extensionData: bytes({ max: 10 }) }),
  { maxLength: 3 },
);

export const reportMetadata = fc.record({
  reportId,
  time: fc.maxSafeNat(),
  publicExtensions: extensions,
});

export const publicPart = fc.record({
  metadataBytes: reportMetadata.map(encodeReportMetadata),
  publicShare: bytes({ max: 20 }),
});

export const report = fc
  .tuple(publicPart, hpkeCiphertext, hpkeCiphertext)
  .map(([part, leaderEncryptedInputShare, helperEncryptedInputShare]) => ({
    ...part,
    leaderEncryptedInputShare,
    helperEncryptedInputShare,
  }));

export const query: fc.Arbitrary<Query> = fc.record({ batchMode, config: bytes({ max: 20 }) });

export const collectionJobReq: fc.Arbitrary<CollectionJobReq> = fc.record({
  query,
  aggParam: bytes({ max: 10 }),
  extensions,
});
