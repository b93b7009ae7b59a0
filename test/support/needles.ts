import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The shortest piece of a secret that is looked for, and what lies from one piece to the next. */
const PIECE = 8;
const STRIDE = 32;
const FILTER_BITS = 24;

/** Secrets to be looked for in raw bytes, whole or in fragments. */
export class Needles {
  readonly #filter = new Uint8Array(2 ** (FILTER_BITS - 3));
  readonly #pieces = new Map<number, { readonly piece: Buffer; readonly label: string }[]>();

  /**
   * @param label what it is; one label may have many secrets
   * @param length of a piece: any fragment of `length` + 32 bytes is found
   */
  add(label: string, secret: Uint8Array, length = PIECE): void {
    const bytes = Buffer.from(secret);
    for (let at = 0; at + length <= bytes.length; at += STRIDE) {
      const first = bytes.readUInt32LE(at);
      const hash = hashOf(first);
      this.#filter[hash >>> 3] = (this.#filter[hash >>> 3] as number) | (1 << (hash & 7));
      const pieces = this.#pieces.get(first) ?? [];
      pieces.push({ piece: bytes.subarray(at, at + length), label });
      this.#pieces.set(first, pieces);
    }
  }

  /** The labels of the secrets of which anything is in these bytes. */
  find(bytes: Uint8Array): Set<string> {
    return new Set(this.places(bytes).keys());
  }

  /** Where in these bytes pieces of which secrets begin, by label: rising offsets. */
  places(bytes: Uint8Array): Map<string, number[]> {
    const found = new Map<string, number[]>();
    const filter = this.#filter;
    let last = 0;
    for (let i = 0; i < bytes.length; i++) {
      last = (last >>> 8) | ((bytes[i] as number) << 24);
      const hash = hashOf(last);
      if (((filter[hash >>> 3] as number) & (1 << (hash & 7))) === 0) continue;
      this.#compare(bytes, i - 3, last >>> 0, found);
    }
    return found;
  }

  /** As `find`, also in what base64url or hexadecimal text in the bytes stands for. */
  findInText(bytes: Uint8Array): Set<string> {
    const found = this.find(bytes);
    const text = Buffer.from(bytes).toString('latin1');
    for (const [run] of text.matchAll(/[\w+/-]{24,}/g)) {
      for (let skip = 0; skip < 4; skip++) {
        for (const encoding of ['base64', 'hex'] as const) {
          for (const label of this.find(Buffer.from(run.slice(skip), encoding))) found.add(label);
        }
      }
    }
    return found;
  }

  #compare(bytes: Uint8Array, at: number, first: number, found: Map<string, number[]>): void {
    if (at < 0) return;
    for (const { piece, label } of this.#pieces.get(first) ?? []) {
      if (!piece.equals(bytes.subarray(at, at + piece.length))) continue;
      const places = found.get(label);
      if (places === undefined) found.set(label, [at]);
      else places.push(at);
    }
  }
}

function hashOf(value: number): number {
  return Math.imul(value, 0x9e3779b1) >>> (32 - FILTER_BITS);
}

/** Every file below a folder. */
export function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

/** What of the needles is in any file of a party: database, -wal, -shm, log and keys. */
export function findInFolder(needles: Needles, folder: string): Set<string> {
  const found = new Set<string>();
  for (const file of filesBelow(folder)) {
    const bytes = readFileSync(file);
    const text = file.endsWith('.log') || file.endsWith('.json');
    for (const label of text ? needles.findInText(bytes) : needles.find(bytes)) found.add(label);
  }
  return found;
}
