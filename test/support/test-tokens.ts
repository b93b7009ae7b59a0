import { constants, type KeyObject, sign } from 'node:crypto';
import { bigEndian, concat, toBase64url } from '../../crypto/bytes.ts';
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
  return signToken(task, sha256(signingPublicKey(seed)), keyOf(task.spki));
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

function keyOf(spki: Uint8Array): KeyObject {
  return poolPrivateKey(toBase64url(decodeTokenSpki(spki)));
}

/** The task with a token for this seed. */
export function entitled(task: TestTask, seed: Secret<Uint8Array>): ReportTask {
  return { ...task, token: tokenFor(task, seed) };
}
