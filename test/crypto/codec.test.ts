import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeWith, encodeWith, Reader, Writer } from '../../crypto/codec.ts';
import { bytes, codeOf, expectCode } from './support.ts';

const MAX_U64 = 2n ** 64n - 1n;

describe('TLS presentation language (RFC 8446 §3)', () => {
  it('writes integers big-endian', () => {
    const out = new Writer().u8(1).u16(0x0203).u32(0x04050607).u64(0x08090a0b0c0d0e0fn).finish();
    expect(out).toEqual(Uint8Array.from({ length: 15 }, (_, i) => i + 1));
  });

  it('writes vectors behind their length', () => {
    const x = Uint8Array.of(7, 8);
    const out = new Writer().opaque8(x).opaque16(x).opaque32(x).opaque(x).finish();
    expect([...out]).toEqual([2, 7, 8, 0, 2, 7, 8, 0, 0, 0, 2, 7, 8, 7, 8]);
  });

  it('reads what was written', () => {
    const fields = fc.record({
      a: fc.nat(0xff),
      b: fc.nat(0xffff),
      c: fc.integer({ min: 0, max: 0xffff_ffff }),
      d: fc.bigInt({ min: 0n, max: MAX_U64 }),
      e: fc.maxSafeNat(),
      f: bytes({ max: 255 }),
      g: bytes(),
      h: bytes(),
      i: bytes({ min: 5, max: 5 }),
    });
    fc.assert(
      fc.property(fields, (value) => {
        const encoded = encodeWith(value, (writer, { a, b, c, d, e, f, g, h, i }) => {
          writer.u8(a).u16(b).u32(c).u64(d).u64(e).opaque8(f).opaque16(g).opaque32(h).opaque(i, 5);
        });
        const decoded = decodeWith(encoded, (reader) => ({
          a: reader.u8(),
          b: reader.u16(),
          c: reader.u32(),
          d: reader.u64(),
          e: reader.safeU64(),
          f: reader.opaque8(),
          g: reader.opaque16(),
          h: reader.opaque32(),
          i: reader.opaque(5),
        }));
        expect(decoded).toEqual(value);
      }),
    );
  });

  it.each<[string, readonly number[], (reader: Reader) => unknown]>([
    ['u8 of nothing', [], (r) => r.u8()],
    ['u16 of one byte', [1], (r) => r.u16()],
    ['u32 of three bytes', [1, 2, 3], (r) => r.u32()],
    ['u64 of seven bytes', [1, 2, 3, 4, 5, 6, 7], (r) => r.u64()],
    ['a count of 2^53', [0, 0x20, 0, 0, 0, 0, 0, 0], (r) => r.safeU64()],
    ['a fixed string that is cut', [1, 2], (r) => r.opaque(3)],
    ['a vector without its length', [0], (r) => r.opaque16()],
    ['a vector shorter than its length', [0, 3, 1, 2], (r) => r.opaque16()],
    ['a length of 2^32 − 1', [255, 255, 255, 255], (r) => r.opaque32()],
    ['a vector below its minimum', [0], (r) => r.opaque8(1)],
    ['a vector above its maximum', [0, 3, 1, 2, 3], (r) => r.opaque16(0, 2)],
    ['trailing bytes', [1], (r) => r.end()],
    ['half an element', [1, 2, 3], (r) => r.all((element) => element.u16())],
  ])('refuses %s', (_, input, read) => {
    expectCode('decode', () => read(new Reader(Uint8Array.from(input))));
  });

  it.each<[string, (writer: Writer) => unknown]>([
    ['256 in u8', (w) => w.u8(256)],
    ['−1 in u8', (w) => w.u8(-1)],
    ['a fraction', (w) => w.u16(1.5)],
    ['NaN', (w) => w.u32(Number.NaN)],
    ['2^32 in u32', (w) => w.u32(2 ** 32)],
    ['2^64 in u64', (w) => w.u64(MAX_U64 + 1n)],
    ['−1 in u64', (w) => w.u64(-1n)],
    ['a number that is no safe integer in u64', (w) => w.u64(2 ** 53)],
    ['256 bytes in opaque8', (w) => w.opaque8(new Uint8Array(256))],
    ['2^16 bytes in opaque16', (w) => w.opaque16(new Uint8Array(2 ** 16))],
    ['more than the maximum', (w) => w.opaque16(new Uint8Array(3), 0, 2)],
    ['less than the minimum', (w) => w.opaque32(new Uint8Array(0), 1)],
    ['a fixed string of another length', (w) => w.opaque(new Uint8Array(3), 4)],
  ])('does not write %s', (_, write) => {
    expectCode('invalid_argument', () => write(new Writer()));
  });

  it('gives views of the input, as plain arrays even of a Buffer', () => {
    const input = Buffer.from([2, 7, 8]);
    const view = new Reader(input).opaque8();
    expect(Object.getPrototypeOf(view)).toBe(Uint8Array.prototype);
    expect(view.buffer).toBe(input.buffer);
  });

  it('keeps the place and the bytes since an earlier one', () => {
    const reader = new Reader(Uint8Array.of(1, 2, 3, 4));
    reader.u8();
    const start = reader.position;
    reader.u16();
    expect([...reader.since(start)]).toEqual([2, 3]);
    expect(reader.remaining).toBe(1);
    expect(codeOf(() => reader.end())).toBe('decode');
  });
});
