import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../crypto/bytes.ts';
import {
  inclusionPath,
  leafHash,
  MerkleTree,
  merkleRoot,
  verifyInclusion,
  verifyLeafInclusion,
} from '../../crypto/merkle.ts';
import { sha256 } from '../../crypto/sha256.ts';
import { bytes, expectCode, random, sized, vectors } from './support.ts';

interface InclusionVector {
  readonly leafIdx: number;
  readonly treeSize: number;
  readonly root: string | null;
  readonly leafHash: string | null;
  readonly proof: readonly string[] | null;
  readonly wantErr: boolean;
}

const fromBase64 = (text: string | null) => new Uint8Array(Buffer.from(text ?? '', 'base64'));

const inclusion = Object.entries(
  vectors<Record<string, InclusionVector>>('merkle/inclusion-consistency.json'),
).filter(([name]) => name.startsWith('inclusion/'));

/** RFC 6962 §2.1 word by word, with the entries split at the largest power of two below. */
function rootByDefinition(entries: readonly Uint8Array[]): Uint8Array {
  if (entries.length === 0) return sha256();
  if (entries.length === 1) return sha256(Uint8Array.of(0), entries[0] as Uint8Array);
  const k = splitOf(entries.length);
  const [left, right] = [entries.slice(0, k), entries.slice(k)];
  return sha256(Uint8Array.of(1), rootByDefinition(left), rootByDefinition(right));
}

/** RFC 6962 §2.1.1 word by word. */
function pathByDefinition(entries: readonly Uint8Array[], index: number): Uint8Array[] {
  if (entries.length === 1) return [];
  const k = splitOf(entries.length);
  const [left, right] = [entries.slice(0, k), entries.slice(k)];
  return index < k
    ? [...pathByDefinition(left, index), rootByDefinition(right)]
    : [...pathByDefinition(right, index - k), rootByDefinition(left)];
}

function splitOf(count: number): number {
  let k = 1;
  while (2 * k < count) k *= 2;
  return k;
}

/** The path with its element `at` left out, or replaced. */
function spliced(path: readonly Uint8Array[], at: number, ...by: Uint8Array[]): Uint8Array[] {
  return [...path.slice(0, at), ...by, ...path.slice(at + 1)];
}

const entriesOf = (size: number) => Array.from({ length: size }, (_, i) => Uint8Array.of(i, i));

describe('transparency-dev/merkle testdata/inclusion', () => {
  it('has cases that hold and cases that do not', () => {
    expect(inclusion.map(([, { wantErr }]) => wantErr)).toEqual(
      expect.arrayContaining([true, false]),
    );
    expect(inclusion.length).toBe(49);
  });

  it.each(inclusion)('%s', (_, { root, treeSize, leafIdx, leafHash: leaf, proof, wantErr }) => {
    const path = (proof ?? []).map(fromBase64);
    expect(verifyLeafInclusion(fromBase64(root), treeSize, leafIdx, fromBase64(leaf), path)).toBe(
      !wantErr,
    );
  });
});

describe('Merkle tree (RFC 6962 §2.1)', () => {
  it('has the published roots of nothing and of the empty entry', () => {
    expect(toHex(merkleRoot([]))).toBe(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    );
    expect(toHex(merkleRoot([new Uint8Array(0)]))).toBe(
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
    );
  });

  it('has the root and the paths of the definition, for every size up to 40', () => {
    for (let size = 0; size <= 40; size++) {
      const entries = entriesOf(size);
      const tree = new MerkleTree(entries);
      expect(tree.root).toEqual(rootByDefinition(entries));
      for (let index = 0; index < size; index++) {
        expect(tree.inclusionPath(index)).toEqual(pathByDefinition(entries, index));
      }
    }
  });

  it('shows every entry, and no other at its place', () => {
    fc.assert(
      fc.property(fc.array(bytes({ max: 8 }), { minLength: 1, maxLength: 70 }), (entries) => {
        const root = merkleRoot(entries);
        const index = entries.length - 1;
        const path = inclusionPath(entries, index);
        const entry = entries[index] as Uint8Array;
        expect(verifyInclusion(root, entries.length, index, entry, path)).toBe(true);
        const other = random(9);
        expect(verifyInclusion(root, entries.length, index, other, path)).toBe(false);
      }),
    );
  });

  it('refuses a changed path, root, index or size', () => {
    for (const size of [1, 2, 3, 7, 8, 13]) {
      const entries = entriesOf(size);
      const root = merkleRoot(entries);
      for (let index = 0; index < size; index++) {
        const entry = entries[index] as Uint8Array;
        const path = inclusionPath(entries, index);
        const holds = (r = root, s = size, i = index, p: readonly Uint8Array[] = path) =>
          verifyInclusion(r, s, i, entry, p);
        expect(holds()).toBe(true);
        expect(holds(random(32))).toBe(false);
        expect(holds(root.slice(1))).toBe(false);
        for (let other = -1; other <= size; other++) {
          expect(holds(root, size, other)).toBe(other === index);
        }
        expect(holds(root, size, index, [...path, random(32)])).toBe(false);
        for (let i = 0; i < path.length; i++) {
          expect(holds(root, size, index, spliced(path, i))).toBe(false);
          expect(holds(root, size, index, spliced(path, i, random(32)))).toBe(false);
          expect(holds(root, size, index, spliced(path, i, random(31)))).toBe(false);
        }
      }
    }
  });

  it('does not take a node for a leaf', () => {
    const [a, b, c] = entriesOf(3) as [Uint8Array, Uint8Array, Uint8Array];
    const node = Uint8Array.from([...leafHash(a), ...leafHash(b)]);
    expect(merkleRoot([node, c])).not.toEqual(merkleRoot([a, b, c]));
  });

  it('answers for any numbers', () => {
    const anything = fc.oneof(fc.double(), fc.integer(), fc.constant(2 ** 53));
    fc.assert(
      fc.property(anything, anything, bytes(), fc.array(sized(32)), (size, index, entry, path) => {
        expect(verifyInclusion(random(32), size, index, entry, path)).toBe(false);
      }),
    );
  });

  it.each([-1, 3, 0.5, Number.NaN])('has no path for the entry %s of three', (index) => {
    expectCode('invalid_argument', () => inclusionPath(entriesOf(3), index));
  });
});
