import { QrGrid } from './qr-grid.ts';

/**
 * QR codes (ISO/IEC 18004) for links: byte mode, error correction level L, versions 1 to 20. Written
 * here because it is all that is needed: it is part of the script that both parties sign, and stays
 * small.
 */

/** Error correction codewords in a block, and the number of blocks, of level L by version. */
const CHECK_SIZES = [
  7, 10, 15, 20, 26, 18, 20, 24, 30, 18, 20, 24, 26, 30, 22, 24, 28, 30, 28, 28,
] as const;
const BLOCKS = [1, 1, 1, 1, 1, 2, 2, 2, 2, 4, 4, 4, 4, 4, 6, 6, 6, 6, 7, 8] as const;
const MAX_VERSION = 20;
/** From this version on the length field has 16 bits instead of 8. */
const LONG_LENGTH_VERSION = 10;

const BYTE_MODE = 0b0100;
const FILLERS = [0xec, 0x11] as const;

/** Modules that are left for codewords, in whole bytes. */
function codewords(version: number): number {
  let modules = (16 * version + 128) * version + 64;
  if (version >= 2) {
    const patterns = Math.floor(version / 7) + 2;
    modules -= (25 * patterns - 10) * patterns - 55;
    if (version >= 7) modules -= 36;
  }
  return Math.floor(modules / 8);
}

function capacity(version: number): number {
  const check = (CHECK_SIZES[version - 1] as number) * (BLOCKS[version - 1] as number);
  return codewords(version) - check;
}

/** Multiplication in GF(256) modulo x⁸ + x⁴ + x³ + x² + 1. */
function multiply(a: number, b: number): number {
  let product = 0;
  for (let i = 7; i >= 0; i--) {
    product = (product << 1) ^ ((product >> 7) * 0x11d);
    product ^= ((b >> i) & 1) * a;
  }
  return product;
}

/** The Reed–Solomon generator with roots 2⁰ … 2^(size−1), without its leading 1. */
function generator(size: number): number[] {
  const out = new Array<number>(size).fill(0);
  out[size - 1] = 1;
  let root = 1;
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      out[j] = multiply(out[j] as number, root) ^ (out[j + 1] ?? 0);
    }
    root = multiply(root, 2);
  }
  return out;
}

function checkOf(data: readonly number[], divisor: readonly number[]): number[] {
  let rest = divisor.map(() => 0);
  for (const byte of data) {
    const factor = byte ^ (rest[0] as number);
    rest = [...rest.slice(1), 0].map((value, i) => value ^ multiply(divisor[i] as number, factor));
  }
  return rest;
}

/** Mode, length, the bytes, the end, and fillers up to the capacity. */
function dataCodewords(bytes: Uint8Array, version: number): number[] {
  const lengthBits = version >= LONG_LENGTH_VERSION ? 16 : 8;
  const bits: number[] = [];
  const put = (value: number, count: number) => {
    for (let i = count - 1; i >= 0; i--) bits.push((value >> i) & 1);
  };
  put(BYTE_MODE, 4);
  put(bytes.length, lengthBits);
  for (const byte of bytes) put(byte, 8);
  put(0, Math.min(4, 8 * capacity(version) - bits.length));
  while (bits.length % 8 !== 0) bits.push(0);
  const out: number[] = [];
  for (let i = 0; i < bits.length; i += 8) {
    out.push(bits.slice(i, i + 8).reduce((value, bit) => 2 * value + bit, 0));
  }
  for (let i = 0; out.length < capacity(version); i++) out.push(FILLERS[i % 2] as number);
  return out;
}

/** Data in blocks, each with its check; all blocks interleaved byte by byte. */
function interleaved(data: readonly number[], version: number): number[] {
  const count = BLOCKS[version - 1] as number;
  const divisor = generator(CHECK_SIZES[version - 1] as number);
  const short = Math.floor(data.length / count);
  const shortBlocks = count - (data.length % count);
  const blocks: number[][] = [];
  for (let i = 0, at = 0; i < count; i++) {
    const size = short + (i < shortBlocks ? 0 : 1);
    blocks.push(data.slice(at, at + size));
    at += size;
  }
  const checks = blocks.map((block) => checkOf(block, divisor));
  const byColumn = (columns: readonly (readonly number[])[], height: number) =>
    Array.from({ length: height }, (_, i) =>
      columns.flatMap((column) => (i < column.length ? [column[i] as number] : [])),
    ).flat();
  return [...byColumn(blocks, short + 1), ...byColumn(checks, divisor.length)];
}

/**
 * The modules of the smallest QR code that holds these bytes: rows from the top, true is dark. The
 * quiet zone of four modules around it is for whoever draws it.
 *
 * @param mask 0 to 7; without it, the one that the standard's penalties prefer
 * @throws RangeError for more than 858 bytes
 */
export function qrMatrix(bytes: Uint8Array, mask?: number): readonly (readonly boolean[])[] {
  let version = 1;
  while (version <= MAX_VERSION && !holds(version, bytes.length)) version++;
  if (version > MAX_VERSION) throw new RangeError('too long for one QR code');
  const grid = new QrGrid(version);
  grid.place(interleaved(dataCodewords(bytes, version), version));
  if (mask !== undefined) return grid.masked(mask);
  const masked = Array.from({ length: 8 }, (_, i) => grid.masked(i));
  const penalties = masked.map(penalty);
  return masked[penalties.indexOf(Math.min(...penalties))] as readonly (readonly boolean[])[];
}

function holds(version: number, length: number): boolean {
  const header = version >= LONG_LENGTH_VERSION ? 20 : 12;
  return 8 * capacity(version) >= header + 8 * length;
}

/** ISO/IEC 18004 §7.8.3: runs, blocks, shapes like a finder, and an uneven balance. */
function penalty(rows: readonly (readonly boolean[])[]): number {
  const columns = rows.map((_, x) => rows.map((row) => row[x] as boolean));
  let sum = 0;
  for (const line of [...rows, ...columns]) {
    const text = line.map((dark) => (dark ? '1' : '0')).join('');
    for (const run of text.match(/1{5,}|0{5,}/g) ?? []) sum += run.length - 2;
    sum += 40 * (text.match(/(?=10111010000|00001011101)/g) ?? []).length;
  }
  let dark = 0;
  rows.forEach((row, y) => {
    row.forEach((module, x) => {
      if (module) dark++;
      const next = rows[y + 1];
      if (row[x + 1] === module && next?.[x] === module && next[x + 1] === module) sum += 3;
    });
  });
  const percent = (100 * dark) / rows.length ** 2;
  return sum + 10 * Math.floor(Math.abs(percent - 50) / 5);
}
