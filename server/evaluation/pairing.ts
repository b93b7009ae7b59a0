import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { fromBase64url, toBase64url } from '../../crypto/bytes.ts';
import { Secret } from '../../crypto/secret.ts';
import { signingPublicKey } from '../../crypto/signing.ts';
import { systemRandomness } from '../party.ts';
import { KeyFiles } from '../storage/key-files.ts';

const IDENTITY = z.object({ signing_seed: z.string() });
const TOKEN = z.object({ token: z.string() });

/**
 * Gives both parties an identity and pairs them, as two owners would do over a wire: each key folder
 * gets its own seed, the other's public key, and the tokens for the calls between them. What exists
 * stays; the addresses are written anew, since ports may change between starts.
 */
export function pairParties(folder: string, urls: { guardian: string; employer: string }): void {
  const files = {
    guardian: new KeyFiles(join(folder, 'guardian', 'keys')),
    employer: new KeyFiles(join(folder, 'employer', 'keys')),
  };
  const own = { guardian: identity(files.guardian), employer: identity(files.employer) };
  for (const [party, other] of [
    ['guardian', 'employer'],
    ['employer', 'guardian'],
  ] as const) {
    files[party].write('pairing', {
      url: urls[other],
      signing_key: toBase64url(signingPublicKey(own[other].seed)),
      token: own[party].token,
      accepted_token_hash: createHash('sha256')
        .update(fromBase64url(own[other].token))
        .digest('base64url'),
    });
  }
}

function identity(files: KeyFiles): { seed: Secret<Uint8Array>; token: string } {
  if (files.read('identity') === undefined) {
    files.write('identity', { signing_seed: toBase64url(systemRandomness(32)) });
  }
  const seed = IDENTITY.parse(files.read('identity')).signing_seed;
  const paired = TOKEN.safeParse(files.read('pairing'));
  return {
    seed: new Secret(fromBase64url(seed)),
    token: paired.success ? paired.data.token : toBase64url(systemRandomness(32)),
  };
}
