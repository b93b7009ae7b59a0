import { concat, utf8 } from './bytes.ts';
import { CryptoError } from './errors.ts';
import type { Secret } from './secret.ts';
import { sodium } from './sodium.ts';

/** What a signature is for: it can never be taken for a signature of another kind. */
export type SigningLabel =
  | 'chorus sheet v1'
  | 'chorus retention v1'
  | 'chorus manifest v1'
  | 'chorus report v1'
  | 'chorus withdraw v1'
  | 'chorus consent v1'
  | 'chorus seal v1'
  | 'chorus release v1'
  | 'chorus list v1';

/** Bytes of an Ed25519 signature. */
export const SIGNATURE_SIZE = 64;
/** Bytes of an Ed25519 public key. */
export const SIGNING_KEY_SIZE = 32;
/** Bytes of the seed of an Ed25519 key pair. */
export const SIGNING_SEED_SIZE = 32;

const ZERO = Uint8Array.of(0);

/** label ‖ 00 ‖ parts: the bytes that Ed25519 signs. The parts must have fixed or encoded lengths. */
export function signedMessage(label: SigningLabel, ...parts: readonly Uint8Array[]): Uint8Array {
  return concat(utf8(label), ZERO, ...parts);
}

/** The Ed25519 public key (32 bytes) of a 32-byte seed. @throws CryptoError `invalid_argument` */
export function signingPublicKey(seed: Secret<Uint8Array>): Uint8Array {
  return keyPair(seed).publicKey;
}

/**
 * The Ed25519 signature (64 bytes) of `signedMessage(label, ...parts)`.
 * @throws CryptoError `invalid_argument` if the seed has not 32 bytes
 */
export function sign(
  seed: Secret<Uint8Array>,
  label: SigningLabel,
  ...parts: readonly Uint8Array[]
): Uint8Array {
  return sodium.crypto_sign_detached(signedMessage(label, ...parts), keyPair(seed).privateKey);
}

function keyPair(seed: Secret<Uint8Array>) {
  const bytes = seed.reveal();
  if (bytes.length !== SIGNING_SEED_SIZE) {
    throw new CryptoError('invalid_argument', 'a signing seed has 32 bytes');
  }
  return sodium.crypto_sign_seed_keypair(bytes);
}

/**
 * @param publicKey 32 bytes
 * @param signature 64 bytes
 * @throws CryptoError `signature` if it does not verify, whatever the lengths
 */
export function verifySignature(
  publicKey: Uint8Array,
  signature: Uint8Array,
  label: SigningLabel,
  ...parts: readonly Uint8Array[]
): void {
  if (
    publicKey.length !== SIGNING_KEY_SIZE ||
    signature.length !== SIGNATURE_SIZE ||
    !sodium.crypto_sign_verify_detached(signature, signedMessage(label, ...parts), publicKey)
  ) {
    throw new CryptoError('signature', `not a valid signature: ${label}`);
  }
}
