import { constants, sign } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { concat, toHex } from '../../../crypto/bytes.ts';
import type { CryptoErrorCode } from '../../../crypto/errors.ts';
import {
  blindToken,
  finalizeToken,
  openTokenRequest,
  type TokenBinding,
  verifyToken,
} from '../../../crypto/token.ts';
import { encodeTokenSpki } from '../../../crypto/token-key.ts';
import { TokenVerifier } from '../../../server/aggregator/token-check.ts';
import { issueToken } from '../../../server/employer/token-keys.ts';
import { bytes, codeOf, mutated, random, sized } from '../../crypto/support.ts';
import { issuerKey, toBytes, toInteger, withByte } from '../../support/tokens.ts';

const [key, otherKey] = [issuerKey(), issuerKey()];
const verifier = new TokenVerifier();

/** A token and what it is bound to. */
function issued(): { bound: TokenBinding; token: Uint8Array } {
  const bound = { spki: key.spki, nonce: random(32), challengeHash: random(32) };
  const { request, state } = blindToken(bound, random);
  const reply = issueToken(key, openTokenRequest(request, key.spki));
  return { bound, token: finalizeToken(state, reply) };
}

/** What both verifiers say, which must be the same; undefined if the token is good. */
function verdict(token: Uint8Array, bound: TokenBinding): CryptoErrorCode | undefined {
  const code = codeOf(() => verifyToken(token, bound));
  expect(codeOf(() => verifier.verify(token, bound))).toBe(code);
  return code;
}

test('a good token passes, and is given back by its parts', () => {
  const { bound, token } = issued();
  const parts = verifyToken(token, bound);
  for (let i = 0; i < 2; i++) expect(verifier.verify(token, bound)).toEqual(parts);
  const buffers = { ...bound, spki: Buffer.from(key.spki) };
  expect(verifier.verify(Buffer.from(token), buffers)).toEqual(parts);
});

test('any one byte changed is refused, by both alike', () => {
  const { bound, token } = issued();
  for (let at = 0; at < token.length; at++) {
    const altered = withByte(token, at, (token[at] as number) ^ (1 << (at % 8)));
    expect(verdict(altered, bound)).toBe(at < 2 ? 'decode' : 'token');
  }
});

test('both agree on whatever bytes, near a token or not, and on whatever it should be bound to', () => {
  const { bound, token } = issued();
  const other = issued();
  const signed = token.subarray(0, 98);
  const tokens = fc.oneof(
    fc.constantFrom(token, other.token),
    mutated(token),
    bytes({ max: 360 }),
    sized(256).map((signature) => concat(signed, signature)),
  );
  const bindings = fc.record({
    nonce: fc.constantFrom(bound.nonce, other.bound.nonce, new Uint8Array(0)),
    challengeHash: fc.constantFrom(bound.challengeHash, other.bound.challengeHash),
    spki: fc.oneof(fc.constantFrom(key.spki, otherKey.spki), mutated(key.spki)),
  });
  fc.assert(
    fc.property(tokens, bindings, (input, expected) => {
      verdict(input, expected);
    }),
    { numRuns: 300 },
  );
  fc.assert(
    fc.property(tokens, (input) => {
      expect(verdict(input, bound) === undefined).toBe(toHex(input) === toHex(token));
    }),
    { numRuns: 200 },
  );
});

test('both agree on signatures at the edges of the modulus', () => {
  const { bound, token } = issued();
  const n = toInteger(key.modulus);
  const s = toInteger(token.subarray(98));
  const edges = [0n, 1n, n - s, n - 1n, n, n + 1n, s + n, (1n << 2048n) - 1n];
  for (const edge of edges.filter((value) => value < 1n << 2048n)) {
    expect(verdict(concat(token.subarray(0, 98), toBytes(edge)), bound)).toBe('token');
  }
});

test('both agree on other salts, hashes, paddings and keys', () => {
  const { bound, token } = issued();
  const signed = token.subarray(0, 98);
  const { privateKey } = key;
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 48 };
  const signatures = [
    ...[0, 20, 47, 49, 206].map((saltLength) =>
      sign('sha384', signed, { key: privateKey, ...pss, saltLength }),
    ),
    sign('sha256', signed, { key: privateKey, ...pss }),
    sign('sha384', signed, privateKey),
    sign('sha384', signed, { key: otherKey.privateKey, ...pss }),
  ];
  for (const signature of signatures) {
    expect(verdict(concat(signed, signature), bound)).toBe('token');
  }
  const good = sign('sha384', signed, { key: privateKey, ...pss });
  expect(verdict(concat(signed, good), bound)).toBe(undefined);
});

test('more keys than are kept do not change the answer', () => {
  const { bound, token } = issued();
  const many = new TokenVerifier();
  many.verify(token, bound);
  for (let i = 0; i < 4100; i++) {
    const spki = encodeTokenSpki(toBytes((1n << 2047n) + 2n * BigInt(i) + 1n));
    expect(codeOf(() => many.verify(token, { ...bound, spki }))).toBe('token');
  }
  expect(many.verify(token, bound)).toEqual(verifyToken(token, bound));
});
