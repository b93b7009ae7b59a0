import { type RsaPublicKey, rsaPublicKey } from './blind-rsa.ts';
import { concat, equalBytes, fromHex } from './bytes.ts';
import { CryptoError } from './errors.ts';
import { sha256 } from './sha256.ts';

/** Nk: bytes of the modulus, of a blinded message and of a signature. */
export const TOKEN_KEY_SIZE = 256;
/** Bytes of the SubjectPublicKeyInfo of a token key. */
export const TOKEN_SPKI_SIZE = 342;

/**
 * SubjectPublicKeyInfo before the modulus: id-RSASSA-PSS with SHA-384, MGF1 with SHA-384 and a salt
 * of 48 bytes (RFC 9578 §6.5); a BIT STRING with a SEQUENCE that begins with an INTEGER.
 */
const SPKI_HEAD = fromHex(
  '30820152' +
    '303d06092a864886f70d01010a3030a00d300b0609608648016503040202' +
    'a11a301806092a864886f70d010108300b0609608648016503040202a203020130' +
    '0382010f00' +
    '3082010a' +
    '0282010100',
);
/** After it: e = 65537. */
const SPKI_TAIL = fromHex('0203010001');

/**
 * The key of a 256-byte modulus as SubjectPublicKeyInfo, 342 bytes.
 * @throws CryptoError `decode` unless it is odd and has exactly 2048 bits
 */
export function encodeTokenSpki(modulus: Uint8Array): Uint8Array {
  const spki = concat(SPKI_HEAD, modulus, SPKI_TAIL);
  decodeTokenSpki(spki);
  return spki;
}

/** The 256-byte modulus of a token key: this one algorithm and encoding. @throws CryptoError `decode` */
export function decodeTokenSpki(spki: Uint8Array): Uint8Array {
  const modulus = spki.subarray(SPKI_HEAD.length, SPKI_HEAD.length + TOKEN_KEY_SIZE);
  if (!equalBytes(spki, concat(SPKI_HEAD, modulus, SPKI_TAIL))) {
    throw new CryptoError('decode', 'not an RSASSA-PSS key with e = 65537 and SHA-384');
  }
  if (modulus.length !== TOKEN_KEY_SIZE) throw new CryptoError('decode', 'not 2048 bits');
  rsaPublicKey(modulus);
  return new Uint8Array(modulus);
}

/** token_key_id: SHA-256 of the SubjectPublicKeyInfo, 32 bytes. */
export function tokenKeyId(spki: Uint8Array): Uint8Array {
  return sha256(spki);
}

/** The public key in a SubjectPublicKeyInfo. @throws CryptoError `decode` */
export function openTokenSpki(spki: Uint8Array): RsaPublicKey {
  return rsaPublicKey(decodeTokenSpki(spki));
}
