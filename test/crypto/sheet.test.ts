import { describe, expect, it } from 'vitest';
import { concat, utf8 } from '../../crypto/bytes.ts';
import { canonicalJson } from '../../crypto/canonical.ts';
import { sha256 } from '../../crypto/sha256.ts';
import { blockLengths, type Sheet, sheetWithHash } from '../../crypto/sheet.ts';
import { expectCode } from './support.ts';

const question = (options: readonly string[]) => ({ options });
const sheet = {
  version: 1,
  questions: [question(['a', 'b']), question(['a', 'b', 'c', 'd', 'e'])],
} as unknown as Sheet;

describe('a sheet', () => {
  it('has one place more for each question than it has options', () => {
    expect(blockLengths(sheet)).toEqual([3, 6]);
    expect(blockLengths({ ...sheet, questions: [] })).toEqual([]);
  });

  it('is taken only with its whole hash', () => {
    const bytes = canonicalJson(sheet);
    const hash = sha256(bytes);
    expect(sheetWithHash(bytes, hash)).toEqual(sheet);
    const others = [
      new Uint8Array(0),
      hash.slice(1),
      hash.slice(0, 31),
      concat(hash, Uint8Array.of(0)),
      hash.map((byte, i) => (i === 31 ? byte ^ 1 : byte)),
    ];
    for (const other of others) expect(sheetWithHash(bytes, other)).toBeUndefined();
    expect(sheetWithHash(concat(bytes, utf8(' ')), hash)).toBeUndefined();
  });

  it('is canonical JSON, whatever was signed', () => {
    for (const text of ['{"b":1,"a":1}', '{', '']) {
      expectCode('decode', () => sheetWithHash(utf8(text), sha256(utf8(text))));
    }
  });
});
