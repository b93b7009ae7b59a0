import { blindMessage, isBelow, unblindSignature, verifyPss } from './blind-rsa.ts';
import { concat, equalBytes } from './bytes.ts';
import { decodeWith, type Reader, Writer } from './codec.ts';
import { CryptoError } from './errors.ts';
import type { Randomness } from './random.ts';
import { Secret } from './secret.ts';
import { SHA256_SIZE } from './sha256.ts';
import { TOKEN_TYPE } from './token-challenge.ts';
import { openTokenSpki, TOKEN_KEY_SIZE, TOKEN_SPKI_SIZE, tokenKeyId } from './token-key.ts';

/**
 * Privacy Pass tokens of type 0x0002 (RFC 9578 §6). The issuer learns who asks and sees nothing that
 * is spent; the origin sees what is spent and never who asked. The employer is the issuer, with one
 * key for each group of a round; the guardian is the origin. Both can verify a token alone.
 */

/** Bytes of an encoded Token: 98 that are signed, and the signature. */
export const TOKEN_SIZE = 354;
/** Bytes of an encoded TokenRequest. */
export const TOKEN_REQUEST_SIZE = 259;

/** What a client asks an issuer for. */
export interface TokenRequest {
  /** The last byte of token_key_id. It collides: the issuer finds the key by round and group. */
  readonly truncatedKeyId: number;
  /** blinded_msg, 256 bytes. */
  readonly blinded: Uint8Array;
}

/** `TokenRequest`, 259 bytes. @throws CryptoError `invalid_argument` */
export function encodeTokenRequest(request: TokenRequest): Uint8Array {
  return new Writer()
    .u16(TOKEN_TYPE)
    .u8(request.truncatedKeyId)
    .opaque(request.blinded, TOKEN_KEY_SIZE)
    .finish();
}

/** Views of the input. @throws CryptoError `decode`, also for another token type */
export function decodeTokenRequest(bytes: Uint8Array): TokenRequest {
  return decodeWith(bytes, (reader) => {
    requireType(reader);
    return { truncatedKeyId: reader.u8(), blinded: reader.opaque(TOKEN_KEY_SIZE) };
  });
}

/**
 * The blinded message of a request for this key, as the issuer checks it before anything else.
 * @throws CryptoError `decode` for a request or key that is none, `token` if the request is for
 * another key or its blinded message is not below the modulus
 */
export function openTokenRequest(bytes: Uint8Array, spki: Uint8Array): Uint8Array {
  const { truncatedKeyId, blinded } = decodeTokenRequest(bytes);
  const key = openTokenSpki(spki);
  if (truncatedKeyId !== lastByte(tokenKeyId(spki))) {
    throw new CryptoError('token', 'the request is for another key');
  }
  if (!isBelow(blinded, key)) {
    throw new CryptoError('token', 'the blinded message is not below the modulus');
  }
  return blinded;
}

/** What a token is bound to. */
export interface TokenBinding {
  /** SubjectPublicKeyInfo of the issuer's key, 342 bytes, as the manifest has it. */
  readonly spki: Uint8Array;
  /** 32 bytes; in Chorus SHA-256 of the public key that signs the report. */
  readonly nonce: Uint8Array;
  /** SHA-256 of the TokenChallenge: `taskChallengeHash`. */
  readonly challengeHash: Uint8Array;
}

/**
 * A token that was asked for and not yet received: spki ‖ nonce ‖ challenge hash ‖ blinded message ‖
 * inverse of the blinding factor. `reveal()` gives what may be kept in this tab's session storage,
 * and `new Secret(…)` of it goes on where that left off. Whoever has it can tie the request to the
 * token, and so the person to the report.
 */
export type TokenState = Secret<Uint8Array>;

/**
 * Makes the request for one token (RFC 9578 §6.1).
 *
 * @param randomness asked for a salt (48 bytes) and a blinding factor (256, again until it is one)
 * @returns the encoded TokenRequest for the issuer, and what `finalizeToken` needs of it
 * @throws CryptoError `decode` for a key that is none, `invalid_argument` for the other lengths
 */
export function blindToken(
  binding: TokenBinding,
  randomness: Randomness,
): { readonly request: Uint8Array; readonly state: TokenState } {
  const key = openTokenSpki(binding.spki);
  const { blinded, inverse } = blindMessage(key, signedPart(binding), randomness);
  const { spki, nonce, challengeHash } = binding;
  const state = new Secret(concat(spki, nonce, challengeHash, blinded, inverse));
  return { request: pendingTokenRequest(state), state };
}

/**
 * The encoded TokenRequest of a state, for asking again after a lost reply: the same bytes.
 * @throws CryptoError `decode` for a state that is none
 */
export function pendingTokenRequest(state: TokenState): Uint8Array {
  const { binding, blinded } = decodeState(state);
  return encodeTokenRequest({ truncatedKeyId: lastByte(tokenKeyId(binding.spki)), blinded });
}

/**
 * The token, 354 bytes, from the issuer's reply (RFC 9578 §6.3). Its signature is verified. After a
 * failure discard the state: the same blinded message must not be sent to be signed again.
 *
 * @param blindSignature blind_sig of the TokenResponse: any bytes
 * @throws CryptoError `token` if it does not lead to a token of this key, `decode` for a state that
 * is none
 */
export function finalizeToken(state: TokenState, blindSignature: Uint8Array): Uint8Array {
  const { binding, inverse } = decodeState(state);
  const signed = signedPart(binding);
  return concat(
    signed,
    unblindSignature(openTokenSpki(binding.spki), signed, blindSignature, inverse),
  );
}

function decodeState(state: TokenState) {
  return decodeWith(state.reveal(), (reader) => ({
    binding: {
      spki: reader.opaque(TOKEN_SPKI_SIZE),
      nonce: reader.opaque(SHA256_SIZE),
      challengeHash: reader.opaque(SHA256_SIZE),
    },
    blinded: reader.opaque(TOKEN_KEY_SIZE),
    inverse: reader.opaque(TOKEN_KEY_SIZE),
  }));
}

/** A token by its parts. */
export interface Token {
  readonly nonce: Uint8Array;
  /** challenge_digest */
  readonly challengeHash: Uint8Array;
  readonly tokenKeyId: Uint8Array;
  /** The authenticator: a signature of `signed`, 256 bytes. */
  readonly signature: Uint8Array;
  /** The first 98 bytes, as they came. */
  readonly signed: Uint8Array;
}

/** `Token`; views of the input. @throws CryptoError `decode`, also for another token type */
export function decodeToken(bytes: Uint8Array): Token {
  return decodeWith(bytes, (reader) => {
    requireType(reader);
    const nonce = reader.opaque(SHA256_SIZE);
    const challengeHash = reader.opaque(SHA256_SIZE);
    const tokenKeyId = reader.opaque(SHA256_SIZE);
    const signed = reader.since(0);
    return { nonce, challengeHash, tokenKeyId, signature: reader.opaque(TOKEN_KEY_SIZE), signed };
  });
}

/**
 * A token that says it is of this binding; all of `verifyToken` but its signature, for a verifier
 * with an RSA of its own.
 * @throws CryptoError `decode` for bytes that are no token, `token` if it is bound to something else
 */
export function openToken(
  bytes: Uint8Array,
  expected: Omit<TokenBinding, 'spki'> & { readonly tokenKeyId: Uint8Array },
): Token {
  const token = decodeToken(bytes);
  for (const field of ['tokenKeyId', 'challengeHash', 'nonce'] as const) {
    if (!equalBytes(token[field], expected[field])) {
      throw new CryptoError('token', `the token has another ${field}`);
    }
  }
  return token;
}

/**
 * Checks a token whole: its type, what it is bound to, and its signature.
 * @throws CryptoError `decode` for a key or bytes that are none, `token` if it does not verify
 */
export function verifyToken(bytes: Uint8Array, binding: TokenBinding): Token {
  const key = openTokenSpki(binding.spki);
  const token = openToken(bytes, { ...binding, tokenKeyId: tokenKeyId(binding.spki) });
  if (!verifyPss(key, token.signed, token.signature)) throw notSigned();
  return token;
}

/** What a token without a valid signature ends in. */
export function notSigned(): CryptoError {
  return new CryptoError('token', "the token is not signed with its group's key");
}

/** The part of a token that is signed; lengths are refused here. */
function signedPart({ spki, nonce, challengeHash }: TokenBinding): Uint8Array {
  return new Writer()
    .u16(TOKEN_TYPE)
    .opaque(nonce, SHA256_SIZE)
    .opaque(challengeHash, SHA256_SIZE)
    .opaque(tokenKeyId(spki), SHA256_SIZE)
    .finish();
}

function requireType(reader: Reader): void {
  const type = reader.u16();
  if (type !== TOKEN_TYPE) throw new CryptoError('decode', `token type ${type}`);
}

function lastByte(bytes: Uint8Array): number {
  return bytes[bytes.length - 1] as number;
}
