import { equalBytes } from './bytes.ts';
import { CryptoError } from './errors.ts';
import { SHA256_SIZE, sha256 } from './sha256.ts';

/** RFC 6962 §2.1: the prefixes that keep a leaf from being taken for a node. */
const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/** The hash of one entry as a leaf, 32 bytes. */
export function leafHash(entry: Uint8Array): Uint8Array {
  return sha256(LEAF, entry);
}

function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(NODE, left, right);
}

/** The Merkle tree of a list of entries (RFC 6962 §2.1), with every node kept for its paths. */
export class MerkleTree {
  /** From the leaves up to the root. A node without a sibling stands again on the level above. */
  readonly #levels: readonly (readonly Uint8Array[])[];

  constructor(entries: readonly Uint8Array[]) {
    const levels = [entries.map(leafHash)];
    for (let level = levels[0] as Uint8Array[]; level.length > 1; levels.push(level)) {
      level = parents(level);
    }
    this.#levels = levels;
  }

  /** The Merkle tree hash, 32 bytes; of no entries, the hash of nothing. */
  get root(): Uint8Array {
    return this.#levels.at(-1)?.[0] ?? sha256();
  }

  /**
   * The audit path of entry `index` (RFC 6962 §2.1.1): the siblings from the leaf to the root.
   * @throws CryptoError `invalid_argument` if there is no such entry
   */
  inclusionPath(index: number): Uint8Array[] {
    if (this.#levels[0]?.[index] === undefined) {
      throw new CryptoError('invalid_argument', `there is no entry ${index}`);
    }
    const path: Uint8Array[] = [];
    let at = index;
    for (const level of this.#levels) {
      const sibling = level[at % 2 === 0 ? at + 1 : at - 1];
      if (sibling !== undefined) path.push(sibling);
      at = Math.floor(at / 2);
    }
    return path;
  }
}

function parents(level: readonly Uint8Array[]): Uint8Array[] {
  const above: Uint8Array[] = [];
  for (let i = 0; i < level.length; i += 2) {
    const left = level[i] as Uint8Array;
    const right = level[i + 1];
    above.push(right === undefined ? left : nodeHash(left, right));
  }
  return above;
}

/** The Merkle tree hash of a list of entries (RFC 6962 §2.1), 32 bytes. */
export function merkleRoot(entries: readonly Uint8Array[]): Uint8Array {
  return new MerkleTree(entries).root;
}

/**
 * The audit path of one entry. For the paths of many, keep a `MerkleTree`.
 * @throws CryptoError `invalid_argument` if there is no such entry
 */
export function inclusionPath(entries: readonly Uint8Array[], index: number): Uint8Array[] {
  return new MerkleTree(entries).inclusionPath(index);
}

/**
 * Whether `path` shows that `entry` is number `index` of the `size` entries below `root`. Whatever
 * the arguments hold, the answer is true or false.
 */
export function verifyInclusion(
  root: Uint8Array,
  size: number,
  index: number,
  entry: Uint8Array,
  path: readonly Uint8Array[],
): boolean {
  return verifyLeafInclusion(root, size, index, leafHash(entry), path);
}

/** `verifyInclusion` for a leaf whose hash is known. */
export function verifyLeafInclusion(
  root: Uint8Array,
  size: number,
  index: number,
  leaf: Uint8Array,
  path: readonly Uint8Array[],
): boolean {
  if (!Number.isSafeInteger(size) || !Number.isSafeInteger(index)) return false;
  if (index < 0 || index >= size || leaf.length !== SHA256_SIZE) return false;
  let hash = leaf;
  let used = 0;
  // `at` is the node's place on its level, `last` that of the level's last node.
  for (let at = index, last = size - 1; last > 0; at = half(at), last = half(last)) {
    if (at % 2 === 0 && at === last) continue; // no sibling on this level
    const sibling = path[used++];
    if (sibling?.length !== SHA256_SIZE) return false;
    hash = at % 2 === 0 ? nodeHash(hash, sibling) : nodeHash(sibling, hash);
  }
  return used === path.length && equalBytes(hash, root);
}

function half(value: number): number {
  return Math.floor(value / 2);
}
