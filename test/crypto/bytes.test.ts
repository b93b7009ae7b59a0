import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bigEndian,
  compareBytes,
  concat,
  equalBytes,
  fromBase64url,
  fromHex,
  toBase64url,
  toHex,
  utf8,
} from '../../crypto/bytes.ts';
import { sha256 } from '../../crypto/sha256.ts';
import { bytes, codeOf, expectCode } from './support.ts';

const buffer = (input: Uint8Array) => Buffer.from(input);

describe('byte strings', () => {
  it('are joined in order, in a new array', () => {
    fc.assert(
      fc.property(fc.array(bytes()), (parts) => {
        const joined = concat(...parts);
        expect(joined).toEqual(new Uint8Array(Buffer.concat(parts)));
        expect(parts.some((part) => part.buffer === joined.buffer)).toBe(false);
      }),
    );
  });

  it('are equal only if every byte is', () => {
    fc.assert(
      fc.property(bytes(), bytes(), (a, b) => {
        expect(equalBytes(a, a.slice())).toBe(true);
        expect(equalBytes(a, b)).toBe(buffer(a).equals(buffer(b)));
        expect(equalBytes(a, concat(a, Uint8Array.of(0)))).toBe(false);
        for (let at = 0; at < a.length; at++) {
          const other = a.slice();
          other[at] = (other[at] as number) ^ 1;
          expect(equalBytes(a, other)).toBe(false);
        }
      }),
    );
  });

  it('are ordered byte by byte, and a beginning comes first', () => {
    fc.assert(
      fc.property(bytes({ max: 4 }), bytes({ max: 4 }), (a, b) => {
        expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(a, b));
        expect(compareBytes(a, concat(a, b))).toBe(-b.length + 0);
      }),
    );
  });

  it('hash alike in one part and in many', () => {
    const abc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad';
    expect(toHex(sha256(utf8('abc')))).toBe(abc);
    expect(toHex(sha256(utf8('a'), utf8(''), utf8('bc')))).toBe(abc);
    expect(toHex(sha256())).toBe(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
  });
});

describe('utf8', () => {
  it.each(['\ud800', 'a\udfffb', '\ude00\ud83d'])('does not encode %j', (text) => {
    expectCode('invalid_argument', () => utf8(text));
  });
});

describe('bigEndian', () => {
  it('writes numbers and bigints', () => {
    expect(toHex(bigEndian(0x0102, 2))).toBe('0102');
    expect(toHex(bigEndian(5, 4))).toBe('00000005');
    expect(toHex(bigEndian(2n ** 64n - 1n, 8))).toBe('ffffffffffffffff');
    expect(bigEndian(0, 0)).toHaveLength(0);
  });

  it.each([
    [-1, 2],
    [256, 1],
    [2n ** 64n, 8],
    [1, 0],
  ])('refuses %s in %i bytes', (value, length) => {
    expectCode('invalid_argument', () => bigEndian(value, length));
  });
});

describe('hexadecimal', () => {
  it('is what Node writes and reads', () => {
    fc.assert(
      fc.property(bytes(), (input) => {
        expect(toHex(input)).toBe(buffer(input).toString('hex'));
        expect(fromHex(toHex(input))).toEqual(input);
      }),
    );
  });

  it.each(['0', '000', 'AB', '0g', ' 00', '00\n', '0x00', 'ü0'])('%j is none', (text) => {
    expectCode('decode', () => fromHex(text));
  });

  it('accepts only what it would write', () => {
    const text = fc.string({ unit: fc.constantFrom(...'0123456789abcdefABg '), maxLength: 8 });
    fc.assert(
      fc.property(fc.oneof(fc.string(), text), (input) => {
        let decoded: Uint8Array | undefined;
        const code = codeOf(() => {
          decoded = fromHex(input);
        });
        if (decoded === undefined) expect(code).toBe('decode');
        else expect(toHex(decoded)).toBe(input);
      }),
    );
  });
});

describe('base64url', () => {
  it('is what Node writes and reads, at every length', () => {
    fc.assert(
      fc.property(bytes(), (input) => {
        expect(toBase64url(input)).toBe(buffer(input).toString('base64url'));
        expect(fromBase64url(toBase64url(input))).toEqual(input);
      }),
    );
    for (let length = 0; length < 40; length++) {
      const input = new Uint8Array(length).fill(0xff);
      expect(fromBase64url(toBase64url(input))).toEqual(input);
    }
  });

  it.each([
    'A', // six bits are no byte
    'AAAAA',
    'AB', // a spare bit is set
    'AAB',
    'AA==',
    'AA+A',
    'AA/A',
    'A A',
    'AA\n',
    'ÄÄ',
    '😀AA',
  ])('%j is none', (text) => {
    expectCode('decode', () => fromBase64url(text));
  });

  it('accepts only what it would write', () => {
    const text = fc.string({ unit: fc.constantFrom(...'ABCQgwZaz059-_=+/ '), maxLength: 8 });
    fc.assert(
      fc.property(fc.oneof(fc.string(), text), (input) => {
        let decoded: Uint8Array | undefined;
        const code = codeOf(() => {
          decoded = fromBase64url(input);
        });
        if (decoded === undefined) expect(code).toBe('decode');
        else expect(toBase64url(decoded)).toBe(input);
      }),
      { numRuns: 1000 },
    );
  });
});
