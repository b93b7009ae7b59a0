import { z } from 'zod';
import { toBase64url } from '../../crypto/bytes.ts';
import { HPKE_SEED_SIZE, HpkePrivateKey } from '../../crypto/hpke.ts';
import type { Randomness } from '../../crypto/random.ts';
import { Secret } from '../../crypto/secret.ts';
import { bytesField } from '../http/schema.ts';
import type { KeyFiles } from '../storage/key-files.ts';

const COLLECTOR_KEY = z.strictObject({ seed: bytesField(HPKE_SEED_SIZE) });

/** The key that released shares are sealed to, in a file of its own: it outlives the input keys. */
export function readCollectorKey(files: KeyFiles, round: number): HpkePrivateKey | undefined {
  const value = files.read(fileName(round));
  if (value === undefined) return undefined;
  return HpkePrivateKey.fromSeed(new Secret(COLLECTOR_KEY.parse(value).seed));
}

export function drawCollectorKey(
  files: KeyFiles,
  round: number,
  randomness: Randomness,
): HpkePrivateKey {
  const seed = randomness(HPKE_SEED_SIZE);
  files.write(fileName(round), { seed: toBase64url(seed) });
  return HpkePrivateKey.fromSeed(new Secret(seed));
}

export function deleteCollectorKey(files: KeyFiles, round: number): void {
  files.delete(fileName(round));
}

function fileName(round: number): string {
  return `collector-${round}`;
}
