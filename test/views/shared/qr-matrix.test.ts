import { create } from 'qrcode';
import { describe, expect, it } from 'vitest';
import { qrMatrix } from '../../../views/browser/shared/qr-matrix.ts';

/** The same bytes in the same version under the same mask, by another implementation. */
function reference(bytes: Uint8Array, mask: number): boolean[][] {
  const { modules } = create([{ data: bytes, mode: 'byte' }], {
    errorCorrectionLevel: 'L',
    maskPattern: mask as never,
  });
  return Array.from({ length: modules.size }, (_, y) =>
    Array.from({ length: modules.size }, (_, x) => modules.get(y, x) === 1),
  );
}

const bytesOf = (length: number) =>
  Uint8Array.from({ length }, (_, i) => (i * 151 + length * 7) % 256);

/** The most bytes that a version holds at level L, from 1 to 20 (ISO/IEC 18004 table 7). */
const MOST = [
  17, 32, 53, 78, 106, 134, 154, 192, 230, 271, 321, 367, 425, 458, 520, 586, 644, 718, 792, 858,
];

describe('a QR code', () => {
  it('is module by module what another implementation draws, in every version', () => {
    MOST.forEach((most, i) => {
      for (const length of [most, most - 1, (MOST[i - 1] ?? 0) + 1]) {
        const mask = length % 8;
        const drawn = qrMatrix(bytesOf(length), mask);
        expect(drawn.length, `version ${i + 1}`).toBe(4 * i + 21);
        expect(drawn).toEqual(reference(bytesOf(length), mask));
      }
    });
  });

  it('is so under every mask', () => {
    for (let mask = 0; mask < 8; mask++) {
      expect(qrMatrix(bytesOf(500), mask)).toEqual(reference(bytesOf(500), mask));
    }
  });

  it('chooses one of the masks by itself', () => {
    const chosen = JSON.stringify(qrMatrix(bytesOf(500)));
    const all = Array.from({ length: 8 }, (_, mask) =>
      JSON.stringify(qrMatrix(bytesOf(500), mask)),
    );
    expect(all).toContain(chosen);
  });

  it('holds up to 858 bytes', () => {
    expect(() => qrMatrix(bytesOf(859))).toThrow(RangeError);
    expect(qrMatrix(new Uint8Array(0), 0)).toEqual(reference(new Uint8Array(0), 0));
  });
});
