/** Why an operation of `crypto/` refused. The union is closed: callers switch over it. */
export type CryptoErrorCode =
  /** The caller broke the contract: a wrong length, a value out of range. */
  | 'invalid_argument'
  /** Untrusted bytes are not one canonical encoding: a bad length, trailing bytes, an element ≥ p. */
  | 'decode'
  /** A zero-knowledge proof or a joint-randomness check failed (VDAF §Prio3). */
  | 'vdaf_verify'
  /** A ciphertext does not open under this key, info and associated data (HPKE). */
  | 'hpke_open'
  /** A public key is not one (HPKE). */
  | 'hpke_key'
  /** A signature does not verify. */
  | 'signature'
  /** A manifest, entry or path contradicts its hash, its signatures or itself. */
  | 'manifest'
  /** A token, its key or a blind signature does not verify. */
  | 'token';

/** The one error that `crypto/` throws on purpose. Match on `code`, never on the message. */
export class CryptoError extends Error {
  readonly code: CryptoErrorCode;

  constructor(code: CryptoErrorCode, message: string) {
    super(message);
    this.name = 'CryptoError';
    this.code = code;
  }
}
