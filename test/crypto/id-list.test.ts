import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, toHex } from '../../crypto/bytes.ts';
import { REPORT_ERROR, type ReportError } from '../../crypto/dap/types.ts';
import {
  decodeIdSlice,
  encodeIdList,
  idListRoot,
  type ListedReport,
  SLICES,
} from '../../crypto/id-list.ts';
import { sha256 } from '../../crypto/sha256.ts';
import { bytes, codeOf, expectCode, sized } from './support.ts';

const RECORD = 18;

const ending = fc.oneof(
  fc.constantFrom<{ outcome: 'counted' | 'withdrawn' }>(
    { outcome: 'counted' },
    { outcome: 'withdrawn' },
  ),
  fc
    .constantFrom(...(Object.keys(REPORT_ERROR) as ReportError[]))
    .map((error) => ({ outcome: 'refused' as const, error })),
);

const reports: fc.Arbitrary<ListedReport[]> = fc.uniqueArray(
  fc.tuple(sized(16), ending).map(([reportId, ends]): ListedReport => ({ reportId, ...ends })),
  { selector: ({ reportId }) => toHex(reportId), maxLength: 40 },
);

const id = (...start: number[]) => {
  const out = new Uint8Array(16);
  out.set(start);
  return out;
};

describe('the list of ids', () => {
  it('holds every report once, sorted, whatever order it came in', () => {
    fc.assert(
      fc.property(reports, fc.infiniteStream(fc.nat()), (list, keys) => {
        const slices = encodeIdList(list);
        expect(slices).toHaveLength(SLICES);
        const decoded = slices.flatMap(decodeIdSlice);
        const byId = (a: ListedReport, b: ListedReport) =>
          toHex(a.reportId) < toHex(b.reportId) ? -1 : 1;
        expect(decoded).toEqual([...list].sort(byId));
        const order = new Map(list.map((report) => [report, keys.next().value as number]));
        const other = [...list].sort((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
        expect(encodeIdList(other)).toEqual(slices);
        expect(encodeIdList(decoded)).toEqual(slices);
      }),
      { numRuns: 50 },
    );
  });

  it('puts an id into the slice of its first byte, in 18 bytes', () => {
    const slices = encodeIdList([
      { reportId: id(7, 2), outcome: 'refused', error: 'vdaf_verify_error' },
      { reportId: id(7, 1), outcome: 'counted' },
      { reportId: id(255), outcome: 'withdrawn' },
    ]);
    expect(slices[7]).toEqual(concat(id(7, 1), Uint8Array.of(0, 0), id(7, 2), Uint8Array.of(2, 6)));
    expect(slices[255]).toEqual(concat(id(255), Uint8Array.of(1, 0)));
    expect(slices.filter((slice) => slice.length > 0)).toHaveLength(2);
  });

  it('refuses to list an id twice', () => {
    expectCode('invalid_argument', () =>
      encodeIdList([
        { reportId: id(1), outcome: 'counted' },
        { reportId: id(1), outcome: 'withdrawn' },
      ]),
    );
  });

  it('has a root over all slices in order', () => {
    const slices = encodeIdList([{ reportId: id(3), outcome: 'counted' }]);
    expect(idListRoot(slices)).toEqual(sha256(...slices.map((slice) => sha256(slice))));
    expect(idListRoot([...slices].reverse())).not.toEqual(idListRoot(slices));
    expect(idListRoot(encodeIdList([]))).not.toEqual(idListRoot(slices));
  });
});

describe('decoding a slice', () => {
  const [first, second] = [
    concat(id(9, 1), Uint8Array.of(0, 0)),
    concat(id(9, 2), Uint8Array.of(2, 6)),
  ] as const;

  it.each<[string, Uint8Array]>([
    ['cut off', first.subarray(0, RECORD - 1)],
    ['a byte more', concat(first, Uint8Array.of(9))],
    ['not sorted', concat(second, first)],
    ['an id twice', concat(first, first)],
    ['an id of another slice', concat(id(8), Uint8Array.of(0, 0))],
    ['an id of the next slice behind', concat(first, id(10), Uint8Array.of(0, 0))],
    ['an unknown outcome', concat(id(9), Uint8Array.of(3, 0))],
    ['counted, with an error', concat(id(9), Uint8Array.of(0, 1))],
    ['withdrawn, with an error', concat(id(9), Uint8Array.of(1, 6))],
    ['refused, without an error', concat(id(9), Uint8Array.of(2, 0))],
    ['refused, with an error that is none', concat(id(9), Uint8Array.of(2, 12))],
  ])('refuses %s', (_name, slice) => {
    expectCode('decode', () => decodeIdSlice(slice, 9));
  });

  it('takes exactly what encoding would write', () => {
    const near = bytes({ max: 4 * RECORD }).map((tail) => concat(first, second, tail));
    fc.assert(
      fc.property(fc.oneof(bytes({ max: 100 }), near), (input) => {
        let decoded: ListedReport[] | undefined;
        expect(
          codeOf(() => {
            decoded = decodeIdSlice(input, 9);
          }) ?? 'decode',
        ).toBe('decode');
        if (decoded !== undefined) expect(encodeIdList(decoded)[9]).toEqual(input);
      }),
    );
  });
});
