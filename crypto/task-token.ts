import { fromBase64url } from './bytes.ts';
import { Writer } from './codec.ts';
import type { ManifestEntry, ManifestHead, ManifestTask } from './manifest.ts';
import type { Secret } from './secret.ts';
import { sha256 } from './sha256.ts';
import { signingPublicKey } from './signing.ts';
import { type TokenBinding, verifyToken } from './token.ts';
import { TOKEN_TYPE, taskChallengeHash } from './token-challenge.ts';
import { TOKEN_KEY_SIZE, tokenKeyId } from './token-key.ts';

/** What of a manifest a group's tokens follow from. */
export interface TokenTask {
  readonly head: Pick<ManifestHead, 'guardian' | 'employer'>;
  readonly entry: Pick<ManifestEntry, 'token_key'>;
  readonly task: Pick<ManifestTask, 'taskId'>;
}

/**
 * What the token of the report that this seed signs is bound to: the group's key, the task, and the
 * report's public key.
 *
 * @param seed 32 bytes: the signing seed
 * @throws CryptoError `decode` for a token key that is none, `invalid_argument` for the seed or an
 * endpoint with a path
 */
export function taskTokenBinding(
  { head, entry, task }: TokenTask,
  seed: Secret<Uint8Array>,
): TokenBinding {
  return {
    spki: fromBase64url(entry.token_key),
    nonce: sha256(signingPublicKey(seed)),
    challengeHash: taskChallengeHash(task.taskId, head.employer, head.guardian),
  };
}

/**
 * The whole token (354 bytes) of which a receipt keeps the authenticator: everything else in it
 * follows from the manifest and the seed. Its signature is verified.
 *
 * @param authenticator 256 bytes
 * @throws CryptoError `token` if they do not belong together, and as `taskTokenBinding`
 */
export function restoreToken(
  where: TokenTask,
  seed: Secret<Uint8Array>,
  authenticator: Uint8Array,
): Uint8Array {
  const binding = taskTokenBinding(where, seed);
  const token = new Writer()
    .u16(TOKEN_TYPE)
    .opaque(binding.nonce)
    .opaque(binding.challengeHash)
    .opaque(tokenKeyId(binding.spki))
    .opaque(authenticator, TOKEN_KEY_SIZE)
    .finish();
  verifyToken(token, binding);
  return token;
}
