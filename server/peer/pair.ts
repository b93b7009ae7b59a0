import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { concat, toBase64url, toHex, utf8 } from '../../crypto/bytes.ts';
import { canonicalJson } from '../../crypto/canonical.ts';
import type { Randomness } from '../../crypto/random.ts';
import { Secret } from '../../crypto/secret.ts';
import { bytesField } from '../http/schema.ts';
import type { Pairing } from './pairing.ts';

/**
 * Pairing: each party learns the other's address, signing key and the hash of the token that the
 * other will present. Both messages are authenticated with a one-time code of 128 bits, which one
 * owner reads to the other; so nobody on the wire can put itself between them. Afterwards both see
 * the same fingerprint of the two keys.
 */

/** No I, L, O or U: they are misread. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const CODE_SYMBOLS = 26;
const GROUP = 5;

/** A fresh code: 26 symbols of five bits, in groups. */
export function newPairingCode(randomness: Randomness): Secret<string> {
  const symbols = [...randomness(CODE_SYMBOLS)].map((byte) => ALPHABET[byte & 31]);
  const groups: string[] = [];
  for (let i = 0; i < CODE_SYMBOLS; i += GROUP) groups.push(symbols.slice(i, i + GROUP).join(''));
  return new Secret(groups.join('-'));
}

/** A code as a person typed it: case, spaces and hyphens do not matter. */
export function readPairingCode(text: string): Secret<string> | undefined {
  const symbols = text.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0');
  const plain = symbols.replaceAll(/[IL]/g, '1');
  return /^[0-9A-HJKMNP-TV-Z]{26}$/.test(plain) ? new Secret(plain) : undefined;
}

/** What a party says of itself. */
export interface Card {
  readonly party: 'guardian' | 'employer';
  readonly url: string;
  readonly signingKey: Uint8Array;
  /** SHA-256 of the token that this party will present. */
  readonly tokenHash: Uint8Array;
}

const MESSAGE = z.strictObject({
  party: z.enum(['guardian', 'employer']),
  url: z.url().max(2000),
  signing_key: bytesField(32),
  token_hash: bytesField(32),
  mac: bytesField(32),
});

/** The message that carries a card; a reply names the message that it answers. */
export function encodeCard(
  card: Card,
  code: Secret<string>,
  inReplyTo?: unknown,
): Record<string, string> {
  const body = bodyOf(card);
  return { ...body, mac: toBase64url(macOf(body, code, inReplyTo)) };
}

/**
 * The card in a message.
 * @returns undefined if the message is malformed, of this party's own kind, or made with another code
 */
export function openCard(
  message: unknown,
  from: 'guardian' | 'employer',
  code: Secret<string>,
  inReplyTo?: unknown,
): Card | undefined {
  const parsed = MESSAGE.safeParse(message);
  if (!parsed.success || parsed.data.party !== from) return undefined;
  const { party, url, signing_key, token_hash, mac } = parsed.data;
  const card = { party, url, signingKey: signing_key, tokenHash: token_hash };
  return timingSafeEqual(macOf(bodyOf(card), code, inReplyTo), mac) ? card : undefined;
}

function bodyOf(card: Card) {
  return {
    party: card.party,
    url: card.url,
    signing_key: toBase64url(card.signingKey),
    token_hash: toBase64url(card.tokenHash),
  };
}

function macOf(body: object, code: Secret<string>, inReplyTo: unknown): Uint8Array {
  const key = code.reveal().replaceAll('-', '');
  return createHmac('sha256', key)
    .update(utf8('chorus pair v1\0'))
    .update(canonicalJson({ body, in_reply_to: inReplyTo ?? null }))
    .digest();
}

/** The key file of a pairing: what this party presents, and what it accepts. */
export function pairingFile(other: Card, token: Secret<Uint8Array>): Record<string, string> {
  return {
    url: other.url,
    signing_key: toBase64url(other.signingKey),
    token: toBase64url(token.reveal()),
    accepted_token_hash: toBase64url(other.tokenHash),
  };
}

export function tokenHash(token: Secret<Uint8Array>): Uint8Array {
  return createHash('sha256').update(token.reveal()).digest();
}

/** What both owners compare: the same on both sides only if both hold the same two keys. */
export function fingerprint(guardianKey: Uint8Array, employerKey: Uint8Array): string {
  const digest = createHash('sha256')
    .update(concat(utf8('chorus fingerprint v1\0'), guardianKey, employerKey))
    .digest();
  return (toHex(digest.subarray(0, 10)).match(/.{4}/g) ?? []).join(' ');
}

/** The fingerprint of a pairing as its party sees it. */
export function fingerprintOf(
  party: 'guardian' | 'employer',
  ownKey: Uint8Array,
  pairing: Pairing,
): string {
  return party === 'guardian'
    ? fingerprint(ownKey, pairing.signingKey)
    : fingerprint(pairing.signingKey, ownKey);
}
