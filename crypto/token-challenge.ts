import { utf8 } from './bytes.ts';
import { Writer } from './codec.ts';
import { CryptoError } from './errors.ts';
import { SHA256_SIZE, sha256 } from './sha256.ts';

/** Token type 0x0002, publicly verifiable with blind RSA-2048 (RFC 9578 §8.2.2): ours alone. */
export const TOKEN_TYPE = 0x0002;

const REDEMPTION_LABEL = utf8('chorus token v1\0');
const TASK_ID_SIZE = 32;
/** The scheme and the host, with its port if it names one; no path, no user. */
const ENDPOINT = /^https?:\/\/([^/?#@\s]+)\/?$/;

/** What a token is for (RFC 9577 §2.1.1). */
export interface TokenChallenge {
  /** The host of the issuer: at least one character. */
  readonly issuerName: string;
  /** 32 bytes, or none. */
  readonly redemptionContext: Uint8Array;
  /** The host of the origin, several with commas between them, or none. */
  readonly originInfo: string;
}

/** `TokenChallenge` @throws CryptoError `invalid_argument` */
export function encodeTokenChallenge(challenge: TokenChallenge): Uint8Array {
  const { issuerName, redemptionContext, originInfo } = challenge;
  if (redemptionContext.length !== 0 && redemptionContext.length !== SHA256_SIZE) {
    throw new CryptoError('invalid_argument', 'a redemption context has 32 bytes or none');
  }
  return new Writer()
    .u16(TOKEN_TYPE)
    .opaque16(utf8(issuerName), 1)
    .opaque8(redemptionContext)
    .opaque16(utf8(originInfo))
    .finish();
}

/**
 * SHA-256("chorus token v1" ‖ 00 ‖ task_id): a token is for one task.
 * @throws CryptoError `invalid_argument` if the ID has not 32 bytes
 */
export function redemptionContext(taskId: Uint8Array): Uint8Array {
  return sha256(new Writer().opaque(REDEMPTION_LABEL).opaque(taskId, TASK_ID_SIZE).finish());
}

/**
 * SHA-256 of the challenge that every token of a task answers; 32 bytes. It follows from the
 * manifest alone, so that nobody is ever asked for it.
 *
 * @param employer @param guardian their URLs as the manifest has them; only the hosts count
 * @throws CryptoError `invalid_argument` for a URL with a path, or none
 */
export function taskChallengeHash(
  taskId: Uint8Array,
  employer: { readonly url: string },
  guardian: { readonly url: string },
): Uint8Array {
  return sha256(
    encodeTokenChallenge({
      issuerName: hostOf(employer.url),
      redemptionContext: redemptionContext(taskId),
      originInfo: hostOf(guardian.url),
    }),
  );
}

function hostOf(url: string): string {
  const host = ENDPOINT.exec(url)?.[1];
  if (host === undefined) throw new CryptoError('invalid_argument', 'not the URL of an endpoint');
  return host.toLowerCase();
}
