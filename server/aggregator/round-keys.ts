import { z } from 'zod';
import { toBase64url } from '../../crypto/bytes.ts';
import type { AggregatorRole } from '../../crypto/dap/types.ts';
import { HPKE_SEED_SIZE, HpkePrivateKey } from '../../crypto/hpke.ts';
import type { ManifestHead } from '../../crypto/manifest.ts';
import { Secret } from '../../crypto/secret.ts';
import { bytesField } from '../http/schema.ts';
import type { KeyFiles } from '../storage/key-files.ts';
import type { TaskKeys } from './verify.ts';

/** Bytes of a task's verify key. */
export const VERIFY_KEY_SIZE = 32;

const ROUND_KEYS = z.strictObject({
  input_seed: bytesField(HPKE_SEED_SIZE),
  verify_keys: z.array(bytesField(VERIFY_KEY_SIZE)),
});

/** A party's secrets for one round, all in one file: with the file the round is gone. */
export interface RoundKeys {
  /** What the input HPKE key is made from. */
  readonly inputSeed: Secret<Uint8Array>;
  /** One for each group; none at the employer before it has the manifest. */
  readonly verifyKeys: readonly Secret<Uint8Array>[];
}

/** The key files of a party's rounds; an opened round's private key is kept expanded. */
export class RoundKeyFiles {
  readonly #files: KeyFiles;
  readonly #role: AggregatorRole;
  readonly #opened = new Map<number, { keys: RoundKeys; privateKey: HpkePrivateKey }>();

  constructor(files: KeyFiles, role: AggregatorRole) {
    this.#files = files;
    this.#role = role;
  }

  read(round: number): RoundKeys | undefined {
    const value = this.#files.read(`round-${round}`);
    if (value === undefined) return undefined;
    const { input_seed, verify_keys } = ROUND_KEYS.parse(value);
    return {
      inputSeed: new Secret(input_seed),
      verifyKeys: verify_keys.map((key) => new Secret(key)),
    };
  }

  write(round: number, keys: RoundKeys): void {
    this.#opened.delete(round);
    this.#files.write(`round-${round}`, {
      input_seed: toBase64url(keys.inputSeed.reveal()),
      verify_keys: keys.verifyKeys.map((key) => toBase64url(key.reveal())),
    });
  }

  delete(round: number): void {
    this.#opened.delete(round);
    this.#files.delete(`round-${round}`);
  }

  /** The keys of one task, or undefined if the round's file is gone. */
  ofTask(head: ManifestHead, groupIndex: number): TaskKeys | undefined {
    let opened = this.#opened.get(head.round);
    if (opened === undefined) {
      const keys = this.read(head.round);
      if (keys === undefined) return undefined;
      opened = { keys, privateKey: HpkePrivateKey.fromSeed(keys.inputSeed) };
      this.#opened.set(head.round, opened);
    }
    const verifyKey = opened.keys.verifyKeys[groupIndex];
    if (verifyKey === undefined) return undefined;
    const party = this.#role === 'leader' ? head.guardian : head.employer;
    return {
      role: this.#role,
      configId: party.hpke.config_id,
      privateKey: opened.privateKey,
      verifyKey,
    };
  }
}
