import { generatePrimeSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  blindMessage,
  isBelow,
  rsaPublicKey,
  unblindSignature,
  verifyPss,
} from '../../crypto/blind-rsa.ts';
import { fromHex, toHex } from '../../crypto/bytes.ts';
import { power, scripted, toBytes, toInteger } from '../support/tokens.ts';
import { bytes, codeOf, expectCode, random, vectors } from './support.ts';

interface BlindRsaVector {
  readonly name: string;
  readonly n: string;
  readonly d: string;
  readonly input_msg: string;
  readonly sLen: string;
  readonly salt: string;
  readonly inv: string;
  readonly blinded_msg: string;
  readonly blind_sig: string;
  readonly sig: string;
}

const VECTORS = vectors<BlindRsaVector[]>('rfc9474/test-vectors.json');
/** Numbers of a vector are written with 0x, byte strings without. */
const unprefixed = (text: string) => fromHex(text.replace(/^0x/, ''));

/** A key of 1024 bits with both its primes, so that what divides the modulus can be tried. */
function smallKey() {
  const bigint = true;
  for (;;) {
    const [p, q] = [1, 2].map(() => generatePrimeSync(512, { bigint })) as [bigint, bigint];
    const order = (p - 1n) * (q - 1n);
    if (order % 65_537n === 0n || p * q < 1n << 1023n || p === q) continue;
    // d ≡ 65537⁻¹: (1 + k · order) / 65537 for the one k below 65537 that makes it whole.
    let k = 1n;
    while ((1n + k * order) % 65_537n !== 0n) k++;
    return { p, key: rsaPublicKey(toBytes(p * q, 128)), d: (1n + k * order) / 65_537n };
  }
}

describe('RFC 9474 Appendix A', () => {
  const withSalt = VECTORS.filter(({ sLen }) => Number(sLen) === 48);

  it('has both variants with a salt of 48 bytes', () => {
    expect(withSalt.map(({ name }) => name)).toEqual([
      'RSABSSA-SHA384-PSS-Randomized',
      'RSABSSA-SHA384-PSS-Deterministic',
    ]);
  });

  it.each(withSalt)('$name', (vector) => {
    const key = rsaPublicKey(unprefixed(vector.n));
    const inverse = toInteger(unprefixed(vector.inv));
    const order = key.modulus;
    // The vectors give r⁻¹; its own inverse is (r⁻¹)^(e·d − 2), as x^(e·d) = x.
    const d = toInteger(unprefixed(vector.d));
    const r = power(inverse, 65_537n * d - 2n, order);
    const message = fromHex(vector.input_msg);

    const made = blindMessage(key, message, scripted(fromHex(vector.salt), toBytes(r, key.size)));
    expect(toHex(made.blinded)).toBe(vector.blinded_msg);
    expect(toInteger(made.inverse)).toBe(inverse);
    const signature = unblindSignature(key, message, fromHex(vector.blind_sig), made.inverse);
    expect(toHex(signature)).toBe(vector.sig);
    expect(verifyPss(key, message, signature)).toBe(true);
  });

  it.each(VECTORS.filter(({ sLen }) => Number(sLen) === 0))('refuses $name', (vector) => {
    const key = rsaPublicKey(unprefixed(vector.n));
    expect(verifyPss(key, fromHex(vector.input_msg), fromHex(vector.sig))).toBe(false);
  });
});

describe('blind, sign, unblind', () => {
  const { p, key, d } = smallKey();
  const signRaw = (blinded: Uint8Array) =>
    toBytes(power(toInteger(blinded), d, key.modulus), key.size);
  const salt = new Uint8Array(48);
  const usable = toBytes(3n, key.size);

  it('gives a valid signature of any message', () => {
    fc.assert(
      fc.property(bytes(), (message) => {
        const { blinded, inverse } = blindMessage(key, message, random);
        const signature = unblindSignature(key, message, signRaw(blinded), inverse);
        expect(verifyPss(key, message, signature)).toBe(true);
        expect(verifyPss(key, Uint8Array.of(...message, 0), signature)).toBe(false);
      }),
      { numRuns: 20 },
    );
  });

  it('draws again for a factor that is zero, not below the modulus, or not invertible', () => {
    const expected = blindMessage(key, salt, scripted(salt, usable));
    const unusable = [0n, key.modulus, key.modulus + 1n, p, key.modulus - p];
    const draws = unusable.map((value) => toBytes(value, key.size));
    expect(blindMessage(key, salt, scripted(salt, ...draws, usable))).toEqual(expected);
  });

  it('takes the least and the greatest factor', () => {
    for (const r of [1n, key.modulus - 1n]) {
      const { blinded, inverse } = blindMessage(key, salt, scripted(salt, toBytes(r, key.size)));
      expect(toInteger(inverse)).toBe(r); // both are their own inverses
      expect(codeOf(() => unblindSignature(key, salt, signRaw(blinded), inverse))).toBe(undefined);
    }
  });

  it('gives up on a source that never gives a factor', () => {
    expectCode('invalid_argument', () =>
      blindMessage(key, salt, (length) => new Uint8Array(length)),
    );
  });

  it('refuses blind signatures of another message, length or range', () => {
    const { blinded, inverse } = blindMessage(key, salt, random);
    const good = signRaw(blinded);
    const tooLarge = toInteger(good) + key.modulus;
    const bad = [
      signRaw(blindMessage(key, salt, random).blinded),
      blinded,
      new Uint8Array(key.size),
      toBytes(1n, key.size),
      toBytes(key.modulus - toInteger(good), key.size),
      toBytes(key.modulus, key.size),
      new Uint8Array(0),
      good.subarray(1),
      Uint8Array.of(0, ...good),
      Uint8Array.of(...good, 0),
    ];
    if (tooLarge < 1n << 1024n) bad.push(toBytes(tooLarge, key.size));
    for (const each of bad) expectCode('token', () => unblindSignature(key, salt, each, inverse));
    expect(codeOf(() => unblindSignature(key, salt, good, inverse))).toBe(undefined);
  });

  it('isBelow compares integers of the size of the modulus', () => {
    expect(isBelow(new Uint8Array(key.size), key)).toBe(true);
    expect(isBelow(toBytes(key.modulus - 1n, key.size), key)).toBe(true);
    expect(isBelow(toBytes(key.modulus, key.size), key)).toBe(false);
    expect(isBelow(new Uint8Array(key.size - 1), key)).toBe(false);
    expect(isBelow(new Uint8Array(0), key)).toBe(false);
  });
});

it('a modulus is odd, of whole bytes and not short', () => {
  const modulus = toBytes((1n << 1023n) + 1n, 128);
  expect(rsaPublicKey(modulus)).toEqual({ modulus: (1n << 1023n) + 1n, size: 128 });
  const even = toBytes(1n << 1023n, 128);
  const short = toBytes((1n << 1022n) + 1n, 128);
  for (const bad of [even, short, modulus.subarray(1), new Uint8Array(0)]) {
    expectCode('decode', () => rsaPublicKey(bad));
  }
});
