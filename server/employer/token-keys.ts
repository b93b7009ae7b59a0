import {
  constants,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  privateDecrypt,
  publicEncrypt,
} from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { z } from 'zod';
import { compareBytes, equalBytes, fromBase64url, toBase64url } from '../../crypto/bytes.ts';
import { CryptoError } from '../../crypto/errors.ts';
import {
  decodeTokenSpki,
  encodeTokenSpki,
  TOKEN_KEY_SIZE,
  TOKEN_SPKI_SIZE,
} from '../../crypto/token-key.ts';
import { bytesField } from '../http/schema.ts';
import type { KeyFiles } from '../storage/key-files.ts';
import { type KeyMaker, type KeyPair, startKeyMaker } from './key-maker.ts';

/**
 * Keys in one file: what a crash loses at most (some seconds of work), and about 100 kB, so that no
 * write, read or deletion holds up a request.
 */
export const KEYS_PER_FILE = 50;
/** Keys made at once, each in a thread of its own. */
const AT_ONCE = 2;

const FILE = z.strictObject({
  keys: z
    .array(z.strictObject({ spki: bytesField(TOKEN_SPKI_SIZE), pkcs8: z.string() }))
    .max(KEYS_PER_FILE),
});
/** A key as its file has it: the public key, and the private one as base64url PKCS#8. */
type StoredKey = z.infer<typeof FILE>['keys'][number];

/** The key of one group, open. Node's KeyObjects do not print what they hold. */
export interface IssuerKey {
  readonly spki: Uint8Array;
  readonly modulus: Uint8Array;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

/** How a generation is asked for, stopped and watched. */
export interface KeyGeneration {
  readonly round: number;
  /** How many groups: keys are numbered as the groups in the manifest. */
  readonly groups: number;
  readonly signal?: AbortSignal;
  /** Called with how many keys there are: at the beginning and after each one. */
  readonly onProgress?: (done: number) => void;
}

/**
 * The employer's token keys: one RSA-2048 key for each group of a round, in the files
 * `tokens-<round>-<n>` of 50 keys each. A file is written once, when it is complete, and what is
 * there is never made again; so a generation that was stopped goes on where it was.
 */
export class TokenKeys {
  readonly #files: KeyFiles;
  readonly #startMaker: () => KeyMaker;
  readonly #opened = new Map<number, Map<number, IssuerKey>>();
  readonly #running = new Map<number, { stop: AbortController; ended: Promise<unknown> }>();
  /** The end of the generation before: one at a time, whatever is asked for. */
  #last: Promise<unknown> = Promise.resolve();

  /** @param startMaker where key pairs come from */
  constructor(files: KeyFiles, startMaker: () => KeyMaker = startKeyMaker) {
    this.#files = files;
    this.#startMaker = startMaker;
  }

  /**
   * Makes the keys that a round does not have yet, in the background.
   *
   * @returns the SubjectPublicKeyInfo of each group
   * @throws the signal's reason once it is aborted; Error if the round is already being generated
   */
  async generate(generation: KeyGeneration): Promise<Uint8Array[]> {
    const { round, signal } = generation;
    if (this.#running.has(round)) throw new Error(`keys of round ${round} are already being made`);
    const stop = new AbortController();
    const either = signal === undefined ? stop.signal : AbortSignal.any([stop.signal, signal]);
    const result = this.#last.then(() => this.#generate(generation, either, stop));
    const ended = result.catch(() => undefined);
    this.#last = ended;
    this.#running.set(round, { stop, ended });
    try {
      return await result;
    } finally {
      this.#running.delete(round);
    }
  }

  async #generate(
    generation: KeyGeneration,
    signal: AbortSignal,
    stop: AbortController,
  ): Promise<Uint8Array[]> {
    const { round, groups, onProgress } = generation;
    const files: StoredKey[][] = [];
    const missing: number[] = [];
    for (let file = 0; file * KEYS_PER_FILE < groups; file++) {
      signal.throwIfAborted();
      const keys = this.#read(round, file) ?? [];
      files.push(keys);
      const first = file * KEYS_PER_FILE;
      const end = Math.min(groups, first + KEYS_PER_FILE);
      for (let group = first + keys.length; group < end; group++) missing.push(group);
      await nextTurn();
    }
    let done = groups - missing.length;
    onProgress?.(done);

    // Workers take turns, so that all but the last key of a file are there when the next one begins.
    const made = new Map<number, StoredKey>();
    const queue = missing.values();
    const worker = async () => {
      const maker = this.#startMaker();
      try {
        for (const group of queue) {
          signal.throwIfAborted();
          made.set(group, storedKey(await maker.next()));
          signal.throwIfAborted();
          this.#writeIfComplete(round, groups, files, made, Math.floor(group / KEYS_PER_FILE));
          onProgress?.(++done);
        }
      } catch (error) {
        stop.abort(error); // the other one too; nothing goes on behind the back
      } finally {
        await maker.stop();
      }
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, missing.length) }, worker));
    signal.throwIfAborted();
    return files.flatMap((keys) => keys.map(({ spki }) => spki)).slice(0, groups);
  }

  #writeIfComplete(
    round: number,
    groups: number,
    files: StoredKey[][],
    made: Map<number, StoredKey>,
    file: number,
  ): void {
    const first = file * KEYS_PER_FILE;
    const keys = [...(files[file] as StoredKey[])];
    for (let at = keys.length; at < KEYS_PER_FILE && first + at < groups; at++) {
      const key = made.get(first + at);
      if (key === undefined) return;
      keys.push(key);
    }
    this.#files.write(fileName(round, file), {
      keys: keys.map(({ spki, pkcs8 }) => ({ spki: toBase64url(spki), pkcs8 })),
    });
    files[file] = keys;
    for (let at = 0; at < KEYS_PER_FILE; at++) made.delete(first + at);
  }

  /** The key of a group, or undefined if there is none (yet, or any more). Kept once it is open. */
  ofGroup(round: number, group: number): IssuerKey | undefined {
    const kept = this.#opened.get(round)?.get(group);
    if (kept !== undefined) return kept;
    const stored = this.#read(round, Math.floor(group / KEYS_PER_FILE))?.[group % KEYS_PER_FILE];
    if (stored === undefined) return undefined;
    const privateKey = createPrivateKey({
      key: Buffer.from(fromBase64url(stored.pkcs8)),
      format: 'der',
      type: 'pkcs8',
    });
    const key: IssuerKey = {
      spki: stored.spki,
      modulus: decodeTokenSpki(stored.spki),
      privateKey,
      publicKey: createPublicKey(privateKey),
    };
    const opened = this.#opened.get(round) ?? new Map<number, IssuerKey>();
    this.#opened.set(round, opened.set(group, key));
    return key;
  }

  /** Deletes all keys of a round, and stops making them; to be called again after a crash. */
  async delete(round: number): Promise<void> {
    const running = this.#running.get(round);
    running?.stop.abort();
    await running?.ended;
    let files = 0;
    while (this.#files.read(fileName(round, files)) !== undefined) {
      files++;
      await nextTurn();
    }
    // The last one first: what a crash leaves is then still counted from 0.
    while (files > 0) {
      this.#files.delete(fileName(round, --files));
      await nextTurn();
    }
    this.#opened.delete(round);
  }

  #read(round: number, file: number): StoredKey[] | undefined {
    const content = this.#files.read(fileName(round, file));
    return content === undefined ? undefined : FILE.parse(content).keys;
  }
}

function fileName(round: number, file: number): string {
  return `tokens-${round}-${file}`;
}

function storedKey({ publicKey, privateKey }: KeyPair): StoredKey {
  const { n = '' } = publicKey.export({ format: 'jwk' });
  return {
    spki: encodeTokenSpki(fromBase64url(n)),
    pkcs8: privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64url'),
  };
}

/**
 * The issuer's side of a token (RFC 9578 §6.2): raw RSA with the private key, checked with the
 * public one, so that a fault in the computation cannot give the key away.
 *
 * @param blinded blinded_msg of the request, 256 bytes
 * @returns blind_sig, 256 bytes; the same for the same request
 * @throws CryptoError `token`, before the key is used, unless `blinded` is below the modulus
 */
export function issueToken(key: IssuerKey, blinded: Uint8Array): Uint8Array {
  if (blinded.length !== TOKEN_KEY_SIZE || compareBytes(blinded, key.modulus) >= 0) {
    throw new CryptoError('token', 'the blinded message is not below the modulus');
  }
  const padding = constants.RSA_NO_PADDING;
  const signature = privateDecrypt({ key: key.privateKey, padding }, blinded);
  if (!equalBytes(publicEncrypt({ key: key.publicKey, padding }, signature), blinded)) {
    throw new Error('a blind signature failed its own check');
  }
  return new Uint8Array(signature);
}
