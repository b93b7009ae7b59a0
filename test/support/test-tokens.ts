import { constants, createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { bigEndian, concat, fromBase64url, toBase64url } from '../../crypto/bytes.ts';
import type { ReportTask } from '../../crypto/dap/report.ts';
import type { Secret } from '../../crypto/secret.ts';
import { sha256 } from '../../crypto/sha256.ts';
import { signingPublicKey } from '../../crypto/signing.ts';
import { TOKEN_TYPE } from '../../crypto/token-challenge.ts';
import { decodeTokenSpki, tokenKeyId } from '../../crypto/token-key.ts';
import { poolPrivateKey } from './token-key-pool.ts';

/** A task together with what its tokens are bound to. */
export interface TestTask extends ReportTask {
  readonly spki: Uint8Array;
  readonly challengeHash: Uint8Array;
}

/**
 * A token for this signing seed, as the employer's key would sign it, without the way over a code: for
 * tests that are about something else.
 */
export function tokenFor(task: TestTask, seed: Secret<Uint8Array>): Uint8Array {
  return signToken(task, sha256(signingPublicKey(seed)), tokenKeyOf(task));
}

/** A token with any nonce, signed with any key. */
export function signToken(
  task: Pick<TestTask, 'spki' | 'challengeHash'>,
  nonce: Uint8Array,
  key: KeyObject,
): Uint8Array {
  const signed = concat(bigEndian(TOKEN_TYPE, 2), nonce, task.challengeHash, tokenKeyId(task.spki));
  const padding = constants.RSA_PKCS1_PSS_PADDING;
  return concat(signed, sign('sha384', signed, { key, padding, saltLength: 48 }));
}

/** Keys that are not of the pool, by modulus. */
const learnt = new Map<string, KeyObject>();

/** Learns the token keys that an employer in a process of its own has made, from its folder. */
export function learnTokenKeys(employerFolder: string): void {
  const folder = join(employerFolder, 'keys');
  for (const name of readdirSync(folder).filter((file) => file.startsWith('tokens-'))) {
    const { keys } = JSON.parse(readFileSync(join(folder, name), 'utf8')) as {
      keys: { pkcs8: string }[];
    };
    for (const { pkcs8 } of keys) {
      const der = Buffer.from(fromBase64url(pkcs8));
      const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
      learnt.set(createPublicKey(key).export({ format: 'jwk' }).n as string, key);
    }
  }
}

/** The private key of a task's tokens. */
export function tokenKeyOf(task: Pick<TestTask, 'spki'>): KeyObject {
  const modulus = toBase64url(decodeTokenSpki(task.spki));
  return learnt.get(modulus) ?? poolPrivateKey(modulus);
}

/** The task with a token for this seed. */
export function entitled(task: TestTask, seed: Secret<Uint8Array>): ReportTask {
  return { ...task, token: tokenFor(task, seed) };
}
