import { createHash, timingSafeEqual } from 'node:crypto';
import type { RequestHandler } from 'express';
import { z } from 'zod';
import { Secret } from '../../crypto/secret.ts';
import { Refusal } from '../http/refusal.ts';
import { bytesField } from '../http/schema.ts';

/** What the two parties exchanged when they were paired, as it lies in each one's key folder. */
const PAIRING = z.strictObject({
  /** Where the other party answers. */
  url: z.url(),
  /** The other party's Ed25519 key. */
  signing_key: bytesField(32),
  /** What this party presents to the other. */
  token: bytesField(32),
  /** SHA-256 of what the other party presents to this one. */
  accepted_token_hash: bytesField(32),
});

export interface Pairing {
  readonly url: string;
  readonly signingKey: Uint8Array;
  readonly token: Secret<Uint8Array>;
  readonly acceptedTokenHash: Uint8Array;
}

/** @throws ZodError if the key file is not a pairing */
export function parsePairing(value: unknown): Pairing {
  const { url, signing_key, token, accepted_token_hash } = PAIRING.parse(value);
  return {
    url,
    signingKey: signing_key,
    token: new Secret(token),
    acceptedTokenHash: accepted_token_hash,
  };
}

/** Lets the other party through, and nobody else. */
export function requirePeer(pairing: Pairing): RequestHandler {
  return (request, _response, next) => {
    const given = /^Bearer ([A-Za-z0-9_-]{43})$/.exec(request.headers.authorization ?? '')?.[1];
    const hash = createHash('sha256')
      .update(Buffer.from(given ?? '', 'base64url'))
      .digest();
    next(
      timingSafeEqual(hash, pairing.acceptedTokenHash) ? undefined : new Refusal('unauthorized'),
    );
  };
}
