import { compareBytes, concat } from './bytes.ts';
import { Reader } from './codec.ts';
import { REPORT_ERROR, REPORT_ID_SIZE, type ReportError, readEnum } from './dap/types.ts';
import { CryptoError } from './errors.ts';
import { sha256 } from './sha256.ts';

/** How one acknowledged report of a round ended, as its receipt can look it up. */
export type Ending =
  | { readonly outcome: 'counted' | 'withdrawn' }
  | { readonly outcome: 'refused'; readonly error: ReportError };

/** An ending, and the 16-byte id of the report that ended so. */
export type ListedReport = Ending & { readonly reportId: Uint8Array };

/** A slice holds the ids that begin with its number. */
export const SLICES = 256;

const OUTCOME = { counted: 0, withdrawn: 1, refused: 2 } as const;

/**
 * The list of a round: records of 18 bytes (id, outcome, ReportError number or 0), sorted by id, cut
 * into 256 slices by the id's first byte. A receipt fetches its slice and looks by itself, so that
 * asking tells nobody which report it is about.
 * @throws CryptoError `invalid_argument` if an id is listed twice
 */
export function encodeIdList(reports: readonly ListedReport[]): Uint8Array[] {
  const sorted = [...reports].sort((a, b) => compareBytes(a.reportId, b.reportId));
  const records: Uint8Array[][] = Array.from({ length: SLICES }, () => []);
  sorted.forEach((report, i) => {
    const before = sorted[i - 1];
    if (before !== undefined && compareBytes(before.reportId, report.reportId) === 0) {
      throw new CryptoError('invalid_argument', 'an id is listed twice');
    }
    const error = report.outcome === 'refused' ? REPORT_ERROR[report.error] : 0;
    records[report.reportId[0] as number]?.push(
      concat(report.reportId, Uint8Array.of(OUTCOME[report.outcome], error)),
    );
  });
  return records.map((slice) => concat(...slice));
}

/** The reports of one slice. @throws CryptoError `decode` unless sorted, and all of this slice */
export function decodeIdSlice(bytes: Uint8Array, slice: number): ListedReport[] {
  const reports = new Reader(bytes).all((reader): ListedReport => {
    const reportId = reader.opaque(REPORT_ID_SIZE);
    const outcome = readEnum(reader, OUTCOME);
    if (outcome === 'refused') return { reportId, outcome, error: readEnum(reader, REPORT_ERROR) };
    if (reader.u8() !== 0) throw new CryptoError('decode', 'only a refusal has an error');
    return { reportId, outcome };
  });
  reports.forEach((report, i) => {
    const before = reports[i - 1];
    if (
      report.reportId[0] !== slice ||
      (before !== undefined && compareBytes(before.reportId, report.reportId) >= 0)
    ) {
      throw new CryptoError('decode', 'the slice is not sorted, or not of its ids alone');
    }
  });
  return reports;
}

/** SHA-256 over the SHA-256 of each slice, in order. */
export function idListRoot(slices: readonly Uint8Array[]): Uint8Array {
  return sha256(...slices.map((slice) => sha256(slice)));
}
