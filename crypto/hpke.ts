import { concat, utf8 } from './bytes.ts';
import { Writer } from './codec.ts';
import { CryptoError } from './errors.ts';
import { Secret } from './secret.ts';
import { sodium } from './sodium.ts';

/**
 * HPKE in base mode, one message per encapsulation (RFC 9180 §6.1, with the post-quantum KEM and
 * the one-stage key schedule of hpke-pq): MLKEM768-X25519 ("X-Wing"), SHAKE256, ChaCha20-Poly1305.
 * The numbers are the IANA registry's.
 */
export const HPKE_SUITE = { kem: 0x647a, kdf: 0x0011, aead: 0x0003 } as const;

/** Npk: an ML-KEM-768 encapsulation key (1184) and an X25519 public key (32). */
export const HPKE_PUBLIC_KEY_SIZE = 1216;
/** Nsk: the private key is a seed, from which X-Wing derives everything else. */
export const HPKE_SEED_SIZE = 32;
/** Nenc: an ML-KEM-768 ciphertext (1088) and an ephemeral X25519 public key (32). */
export const HPKE_ENC_SIZE = 1120;
/** The randomness of one encapsulation: 32 bytes for ML-KEM-768, 32 for X25519. */
export const HPKE_ENCAPSULATION_SEED_SIZE = 64;
/** How much longer a ciphertext is than its plaintext: the Poly1305 tag. */
export const HPKE_TAG_SIZE = 16;

const ML_KEM_CIPHERTEXT_SIZE = 1088;
const ML_KEM_SEED_SIZE = 64;
/** X-Wing expands its seed to d ‖ z (64 bytes, ML-KEM) and an X25519 scalar (32). */
const XWING_EXPANDED_SIZE = 96;
/** X-Wing §Combiner: ends the hash that joins both shared secrets. */
const XWING_LABEL = utf8('\\.//^\\');

const KEY_SIZE = 32;
const NONCE_SIZE = 12;
const EXPORTER_SECRET_SIZE = 64;
const SECRET_SIZE = KEY_SIZE + NONCE_SIZE + EXPORTER_SECRET_SIZE;
const MODE_BASE = 0;
const HPKE_VERSION = utf8('HPKE-v1');
const SECRET_LABEL = utf8('secret');
const NO_PSK = new Uint8Array(0);
const SUITE_ID = new Writer()
  .opaque(utf8('HPKE'))
  .u16(HPKE_SUITE.kem)
  .u16(HPKE_SUITE.kdf)
  .u16(HPKE_SUITE.aead)
  .finish();

/** What a sender makes of one plaintext. */
export interface HpkeSealed {
  /** The encapsulated key, 1120 bytes. */
  readonly enc: Uint8Array;
  /** The plaintext encrypted, and 16 bytes more. */
  readonly ciphertext: Uint8Array;
}

/**
 * `SealBase`: encrypts `plaintext` to `publicKey`, bound to `info` and `aad`.
 *
 * @param publicKey 1216 bytes
 * @param info at most 65535 bytes
 * @param encapsulationSeed 64 fresh random bytes; the same ones twice would give the same keys
 * @throws CryptoError `hpke_key` if `publicKey` has another length, is no ML-KEM-768 encapsulation
 * key (FIPS 203 §7.2) or has an X25519 point of low order; `invalid_argument` for the other lengths
 */
export function hpkeSeal(
  publicKey: Uint8Array,
  info: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
  encapsulationSeed: Uint8Array,
): HpkeSealed {
  if (encapsulationSeed.length !== HPKE_ENCAPSULATION_SEED_SIZE) {
    throw new CryptoError('invalid_argument', 'an encapsulation seed has 64 bytes');
  }
  const { ciphertext: enc, sharedSecret } = encapsulate(publicKey, encapsulationSeed);
  const { key, nonce } = keySchedule(sharedSecret, info);
  const ciphertext = sodium.crypto_aead_chacha20poly1305_ietf_encrypt(
    plaintext,
    aad,
    null,
    nonce,
    key,
  );
  return { enc, ciphertext };
}

/**
 * A recipient's private key. It holds the keys that X-Wing expands from the 32-byte seed, so that
 * opening does not generate an ML-KEM key pair each time; they are private fields, and nothing of
 * them is enumerable or printable.
 */
export class HpkePrivateKey {
  readonly #mlKemKey: Uint8Array;
  readonly #x25519Key: Uint8Array;
  readonly #x25519PublicKey: Uint8Array;
  /** 1216 bytes, as it goes into an `HpkeConfig`. */
  readonly publicKey: Uint8Array;

  private constructor(seed: Uint8Array) {
    const expanded = sodium.crypto_xof_shake256(XWING_EXPANDED_SIZE, seed);
    const mlKem = sodium.crypto_kem_mlkem768_seed_keypair(expanded.subarray(0, ML_KEM_SEED_SIZE));
    this.#mlKemKey = mlKem.privateKey;
    this.#x25519Key = expanded.slice(ML_KEM_SEED_SIZE);
    this.#x25519PublicKey = sodium.crypto_scalarmult_base(this.#x25519Key);
    this.publicKey = concat(mlKem.publicKey, this.#x25519PublicKey);
    sodium.memzero(expanded);
  }

  /** The key of a 32-byte seed (`DeserializePrivateKey`). @throws CryptoError `invalid_argument` */
  static fromSeed(seed: Secret<Uint8Array>): HpkePrivateKey {
    const bytes = seed.reveal();
    if (bytes.length !== HPKE_SEED_SIZE) {
      throw new CryptoError('invalid_argument', 'an HPKE seed has 32 bytes');
    }
    return new HpkePrivateKey(bytes);
  }

  /**
   * `OpenBase`: the plaintext of a ciphertext sealed to this key with the same `info` and `aad`.
   *
   * @throws CryptoError `decode` if `enc` has not 1120 bytes, `hpke_open` if the ciphertext was not
   * made for this key, `info` and `aad`, or was altered; `invalid_argument` if `info` is too long
   */
  open(enc: Uint8Array, info: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): Uint8Array {
    const { key, nonce } = keySchedule(this.decapsulate(enc).reveal(), info);
    try {
      return sodium.crypto_aead_chacha20poly1305_ietf_decrypt(null, ciphertext, aad, nonce, key);
    } catch {
      throw cannotOpen();
    }
  }

  /**
   * X-Wing's `Decapsulate`: the 32-byte shared secret of `enc`. An altered ML-KEM ciphertext gives
   * a pseudorandom secret (implicit rejection, FIPS 203 §6.3), so it shows only when opening.
   *
   * @throws CryptoError `decode` if `enc` has not 1120 bytes, `hpke_open` if its X25519 point has
   * low order
   */
  decapsulate(enc: Uint8Array): Secret<Uint8Array> {
    if (enc.length !== HPKE_ENC_SIZE) {
      throw new CryptoError('decode', `an encapsulated key has 1120 bytes, not ${enc.length}`);
    }
    const ephemeralKey = enc.subarray(ML_KEM_CIPHERTEXT_SIZE);
    try {
      return new Secret(
        sodium.crypto_hash_sha3256(
          concat(
            sodium.crypto_kem_mlkem768_dec(enc.subarray(0, ML_KEM_CIPHERTEXT_SIZE), this.#mlKemKey),
            sodium.crypto_scalarmult(this.#x25519Key, ephemeralKey),
            ephemeralKey,
            this.#x25519PublicKey,
            XWING_LABEL,
          ),
        ),
      );
    } catch {
      throw cannotOpen();
    }
  }
}

function encapsulate(publicKey: Uint8Array, seed: Uint8Array) {
  try {
    return sodium.crypto_kem_xwing_enc_deterministic(publicKey, seed);
  } catch {
    throw new CryptoError('hpke_key', 'not an X-Wing encapsulation key');
  }
}

/** `KeySchedule` with a one-stage KDF, base mode: psk and psk_id are empty. */
function keySchedule(sharedSecret: Uint8Array, info: Uint8Array) {
  const input = new Writer()
    .opaque16(NO_PSK)
    .opaque16(sharedSecret)
    .opaque(HPKE_VERSION)
    .opaque(SUITE_ID)
    .opaque16(SECRET_LABEL)
    .u16(SECRET_SIZE)
    .u8(MODE_BASE)
    .opaque16(NO_PSK)
    .opaque16(info)
    .finish();
  const secret = sodium.crypto_xof_shake256(SECRET_SIZE, input);
  // The base nonce serves as it is (sequence number 0): one message per encapsulation.
  return {
    key: secret.subarray(0, KEY_SIZE),
    nonce: secret.subarray(KEY_SIZE, KEY_SIZE + NONCE_SIZE),
  };
}

function cannotOpen(): CryptoError {
  return new CryptoError('hpke_open', 'the ciphertext does not open under this key, info and aad');
}
