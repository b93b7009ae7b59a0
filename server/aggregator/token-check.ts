import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { toBase64url } from '../../crypto/bytes.ts';
import { notSigned, openToken, type Token, type TokenBinding } from '../../crypto/token.ts';
import { decodeTokenSpki, tokenKeyId } from '../../crypto/token-key.ts';

const SALT_SIZE = 48;
/** More groups than a round has, at some kB each. */
const KEPT_KEYS = 4096;

interface OpenedKey {
  readonly tokenKeyId: Uint8Array;
  readonly publicKey: KeyObject;
}

/**
 * `verifyToken` with OpenSSL and the keys kept open: the same answer to every input, several times
 * as fast.
 */
export class TokenVerifier {
  /** By the bytes of the SubjectPublicKeyInfo, one character each; the oldest first. */
  readonly #keys = new Map<string, OpenedKey>();

  /**
   * Checks a token whole: its type, what it is bound to, and its signature.
   * @throws CryptoError `decode` for a key or bytes that are none, `token` if it does not verify
   */
  verify(bytes: Uint8Array, binding: TokenBinding): Token {
    const { tokenKeyId, publicKey } = this.#open(binding.spki);
    const { nonce, challengeHash } = binding;
    const token = openToken(bytes, { nonce, challengeHash, tokenKeyId });
    const key = {
      key: publicKey,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength: SALT_SIZE,
    };
    if (!verify('sha384', token.signed, key, token.signature)) throw notSigned();
    return token;
  }

  #open(spki: Uint8Array): OpenedKey {
    const name = Buffer.from(spki.buffer, spki.byteOffset, spki.byteLength).toString('latin1');
    const kept = this.#keys.get(name);
    if (kept !== undefined) return kept;
    const n = toBase64url(decodeTokenSpki(spki));
    const opened = {
      tokenKeyId: tokenKeyId(spki),
      publicKey: createPublicKey({ key: { kty: 'RSA', n, e: 'AQAB' }, format: 'jwk' }),
    };
    const [oldest] = this.#keys.keys();
    if (oldest !== undefined && this.#keys.size >= KEPT_KEYS) this.#keys.delete(oldest);
    this.#keys.set(name, opened);
    return opened;
  }
}
