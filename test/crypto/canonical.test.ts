import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromUtf8, utf8 } from '../../crypto/bytes.ts';
import {
  CANONICAL_JSON_MAX_DEPTH,
  canonicalJson,
  type JsonValue,
  parseCanonicalJson,
} from '../../crypto/canonical.ts';
import { bytes, codeOf, expectCode, mutated } from './support.ts';

const text = fc.string({ unit: 'binary', maxLength: 8 });

const { value: json } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger().map((n) => n + 0),
    text,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(text, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

function nested(depth: number): JsonValue {
  let value: JsonValue = 1;
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}

describe('canonical JSON (RFC 8785)', () => {
  it('sorts keys by UTF-16 code units, as in RFC 8785 §3.2.3', () => {
    const keys = ['\u20ac', '\r', '\ufb33', '1', '\u{1f600}', '\u0080', '\u00f6'];
    const value = Object.fromEntries(keys.map((key, i) => [key, i]));
    const sorted = ['\r', '1', '\u0080', '\u00f6', '\u20ac', '\u{1f600}', '\ufb33'];
    expect(Object.keys(parseCanonicalJson(canonicalJson(value)) as object)).toEqual(
      // Integer-like keys come first in any JavaScript object.
      ['1', ...sorted.filter((key) => key !== '1')],
    );
    expect(fromUtf8(canonicalJson(value))).toBe(
      `{${sorted.map((key) => `${JSON.stringify(key)}:${keys.indexOf(key)}`).join()}}`,
    );
  });

  it('writes literals and strings as RFC 8785 §3.2.2 does', () => {
    const value = {
      string: '\u20ac$\u000f\nA\'B"\\\\"/',
      literals: [null, true, false],
    };
    expect(fromUtf8(canonicalJson(value))).toBe(
      '{"literals":[null,true,false],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it('parses what it wrote, and writes the same again', () => {
    fc.assert(
      fc.property(json, (value) => {
        const encoded = canonicalJson(value);
        expect(parseCanonicalJson(encoded)).toEqual(value);
        expect(canonicalJson(parseCanonicalJson(encoded))).toEqual(encoded);
      }),
      { numRuns: 500 },
    );
  });

  it.each<[string, string]>([
    ['nothing', ''],
    ['a space', '{"a": 1}'],
    ['a line feed at the end', '[]\n'],
    ['a byte order mark', '\ufeff[]'],
    ['a duplicate key', '{"a":1,"a":1}'],
    ['a duplicate key, escaped', '{"a":1,"\\u0061":1}'],
    ['unsorted keys', '{"b":1,"a":1}'],
    ['minus zero', '-0'],
    ['a fraction', '1.5'],
    ['an integer with a fraction', '1.0'],
    ['an exponent', '1e3'],
    ['2^53', '9007199254740992'],
    ['a leading zero', '01'],
    ['an escaped solidus', '"\\/"'],
    ['an upper-case escape', '"\\u000F"'],
    ['a needless escape', '"\\u0041"'],
    ['a lone surrogate, escaped', '"\\ud800"'],
    ['a trailing comma', '[1,]'],
    ['a second value', '1 2'],
    ['a bare word', 'undefined'],
  ])('refuses %s', (_, input) => {
    expectCode('decode', () => parseCanonicalJson(utf8(input)));
  });

  it.each<[string, unknown]>([
    ['undefined', undefined],
    ['undefined in an object', { a: undefined }],
    ['a hole', Object.assign([], { length: 2 })],
    ['a function', () => 1],
    ['a symbol', Symbol('a')],
    ['a bigint', 1n],
    ['minus zero', -0],
    ['a fraction', 0.5],
    ['an infinity', Number.POSITIVE_INFINITY],
    ['2^53', 2 ** 53],
    ['a lone surrogate', '\udc00'],
    ['a lone surrogate in a key', { '\ud800': 1 }],
    ['a date', new Date(0)],
    ['a map', new Map()],
    ['bytes', Uint8Array.of(1)],
  ])('does not write %s', (_, value) => {
    expectCode('invalid_argument', () => canonicalJson(value));
  });

  it('bounds the nesting both ways', () => {
    const deepest = nested(CANONICAL_JSON_MAX_DEPTH);
    expect(parseCanonicalJson(canonicalJson(deepest))).toEqual(deepest);
    expectCode('invalid_argument', () => canonicalJson([deepest]));
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expectCode('invalid_argument', () => canonicalJson(cycle));
    for (const depth of [CANONICAL_JSON_MAX_DEPTH + 1, 100_000]) {
      expectCode('decode', () => parseCanonicalJson(utf8('['.repeat(depth) + ']'.repeat(depth))));
    }
  });

  it('keeps a member named __proto__ a member', () => {
    const input = utf8('{"__proto__":{"a":1}}');
    const value = parseCanonicalJson(input) as object;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(canonicalJson(value)).toEqual(input);
  });

  it('takes arbitrary and mutated bytes with decode, or as they are', () => {
    const hostile = fc.oneof(
      bytes(),
      json.chain((value) => mutated(canonicalJson(value))),
    );
    fc.assert(
      fc.property(hostile, (input) => {
        let value: JsonValue | undefined;
        const code = codeOf(() => {
          value = parseCanonicalJson(input);
        });
        if (code === undefined) expect(canonicalJson(value)).toEqual(input);
        else expect(code).toBe('decode');
      }),
      { numRuns: 1000 },
    );
  });
});

describe('fromUtf8', () => {
  const platform = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  it('agrees with the platform on arbitrary bytes', () => {
    const nearlyUtf8 = fc.oneof(
      bytes(),
      fc.string({ unit: 'binary' }).chain((value) => mutated(utf8(value))),
    );
    fc.assert(
      fc.property(nearlyUtf8, (input) => {
        let expected: string | undefined;
        try {
          expected = platform.decode(input);
        } catch {
          expectCode('decode', () => fromUtf8(input));
          return;
        }
        expect(fromUtf8(input)).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it('reads more than one chunk', () => {
    const long = 'ü€😀a'.repeat(5000);
    expect(fromUtf8(utf8(long))).toBe(long);
  });

  it.each<[string, readonly number[]]>([
    ['a continuation alone', [0x80]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['an overlong slash of three bytes', [0xe0, 0x80, 0xaf]],
    ['an overlong sequence of four bytes', [0xf0, 0x8f, 0xbf, 0xbf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['U+110000', [0xf4, 0x90, 0x80, 0x80]],
    ['the lead byte f5', [0xf5, 0x80, 0x80, 0x80]],
    ['the lead byte ff', [0xff]],
    ['a cut sequence', [0xe2, 0x82]],
    ['a sequence cut by ASCII', [0xe2, 0x82, 0x41]],
  ])('refuses %s', (_, input) => {
    expectCode('decode', () => fromUtf8(Uint8Array.from(input)));
  });
});
