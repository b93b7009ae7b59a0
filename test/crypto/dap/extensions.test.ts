import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeReportExtensions,
  encodeReportExtensions,
  type ReportExtensionName,
} from '../../../crypto/dap/extensions.ts';
import { codeOf, expectCode, sized } from '../support.ts';
import * as values from './values.ts';

const ALL: ReadonlySet<ReportExtensionName> = new Set(['consent', 'token', 'signature']);
const some = fc.record(
  { consent: sized(32), token: sized(354), signature: sized(96) },
  { requiredKeys: [] },
);
const extension = (extensionType: number, size: number) => ({
  extensionType,
  extensionData: new Uint8Array(size),
});

describe('report extensions', () => {
  it('have the code points and sizes that every report agrees on', () => {
    const list = encodeReportExtensions({
      signature: new Uint8Array(96),
      consent: new Uint8Array(32),
      token: new Uint8Array(354),
    });
    expect(list.map((e) => [e.extensionType, e.extensionData.length])).toEqual([
      [0xff01, 32],
      [0xff02, 354],
      [0xff03, 96],
    ]);
  });

  it('are decoded as they were encoded', () => {
    fc.assert(
      fc.property(some, (extensions) => {
        expect(decodeReportExtensions(encodeReportExtensions(extensions), ALL)).toEqual(extensions);
      }),
    );
  });

  it.each([
    ['unsorted', [extension(0xff02, 354), extension(0xff01, 32)]],
    ['duplicate', [extension(0xff01, 32), extension(0xff01, 32)]],
    ['unknown', [extension(0xff01, 32), extension(0xff04, 32)]],
    ['of the reserved type', [extension(0, 0)]],
    ['a byte short', [extension(0xff01, 31)]],
    ['a byte long', [extension(0xff02, 355)]],
    ['empty', [extension(0xff03, 0)]],
  ])('are refused if %s', (_, list) => {
    expectCode('decode', () => decodeReportExtensions(list, ALL));
  });

  it('are refused if they are not allowed now', () => {
    const list = encodeReportExtensions({ token: new Uint8Array(354) });
    expectCode('decode', () => decodeReportExtensions(list, new Set(['consent', 'signature'])));
    expectCode('decode', () => decodeReportExtensions(list, new Set()));
    expect(decodeReportExtensions([], new Set())).toEqual({});
  });

  it('are not encoded with a wrong size', () => {
    expectCode('invalid_argument', () => encodeReportExtensions({ consent: new Uint8Array(31) }));
  });

  it('never fail otherwise', () => {
    fc.assert(
      fc.property(values.extensions, (list) => {
        expect([undefined, 'decode']).toContain(codeOf(() => decodeReportExtensions(list, ALL)));
      }),
    );
  });
});
