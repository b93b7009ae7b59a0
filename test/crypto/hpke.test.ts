import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { equalBytes, fromHex, toHex } from '../../crypto/bytes.ts';
import {
  HPKE_ENC_SIZE,
  HPKE_ENCAPSULATION_SEED_SIZE,
  HPKE_PUBLIC_KEY_SIZE,
  HPKE_SEED_SIZE,
  HPKE_SUITE,
  HPKE_TAG_SIZE,
  HpkePrivateKey,
  hpkeSeal,
} from '../../crypto/hpke.ts';
import { Secret } from '../../crypto/secret.ts';
import { sodium, sodiumReady } from '../../crypto/sodium.ts';
import { amid, bytes, codeOf, expectCode, mutated, random, sized, vectors } from './support.ts';

interface HpkeVector {
  readonly kem_id: number;
  readonly kdf_id: number;
  readonly aead_id: number;
  readonly info: string;
  readonly ikmE: string;
  readonly skRm: string;
  readonly pkRm: string;
  readonly enc: string;
  readonly shared_secret: string;
  readonly encryptions: readonly { aad: string; pt: string; ct: string }[];
}

interface XWingVector {
  readonly seed: string;
  readonly eseed: string;
  readonly pk: string;
  readonly ct: string;
  readonly ss: string;
}

const EMPTY = new Uint8Array(0);
const keyOf = (seed: Uint8Array) => HpkePrivateKey.fromSeed(new Secret(seed));

/** Points of X25519 whose multiples are all zero. */
const LOW_ORDER = [
  '0'.repeat(64),
  `01${'0'.repeat(62)}`,
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].map(fromHex);

function withTail(whole: Uint8Array, tail: Uint8Array): Uint8Array {
  const out = whole.slice();
  out.set(tail, out.length - tail.length);
  return out;
}

function flipped(whole: Uint8Array, at: number, mask = 1): Uint8Array {
  const out = whole.slice();
  out[at] = (out[at] as number) ^ mask;
  return out;
}

beforeAll(sodiumReady);

describe('hpke-pq test-vectors.json, MLKEM768-X25519 / SHAKE256 / ChaCha20-Poly1305', () => {
  const vector = vectors<HpkeVector[]>('hpke-pq/x-wing.json').find(
    ({ kem_id, kdf_id, aead_id }) =>
      kem_id === HPKE_SUITE.kem && kdf_id === HPKE_SUITE.kdf && aead_id === HPKE_SUITE.aead,
  ) as HpkeVector;
  const [first] = vector.encryptions;
  const [info, aad, pt] = [vector.info, first?.aad ?? '', first?.pt ?? ''].map(fromHex) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];

  it('derives the public key', () => {
    expect(toHex(keyOf(fromHex(vector.skRm)).publicKey)).toBe(vector.pkRm);
  });

  it('seals', () => {
    const sealed = hpkeSeal(fromHex(vector.pkRm), info, aad, pt, fromHex(vector.ikmE));
    expect(toHex(sealed.enc)).toBe(vector.enc);
    expect(toHex(sealed.ciphertext)).toBe(first?.ct);
  });

  it('opens', () => {
    const key = keyOf(fromHex(vector.skRm));
    expect(toHex(key.decapsulate(fromHex(vector.enc)).reveal())).toBe(vector.shared_secret);
    expect(key.open(fromHex(vector.enc), info, aad, fromHex(first?.ct ?? ''))).toEqual(pt);
  });
});

describe('draft-connolly-cfrg-xwing-kem test-vectors.json', () => {
  it.each(vectors<XWingVector[]>('xwing/test-vectors.json').map((v, i) => [i, v] as const))(
    'vector %i',
    (_, { seed, eseed, pk, ct, ss }) => {
      const key = keyOf(fromHex(seed));
      expect(toHex(key.publicKey)).toBe(pk);
      expect(toHex(key.decapsulate(fromHex(ct)).reveal())).toBe(ss);
      expect(toHex(hpkeSeal(fromHex(pk), EMPTY, EMPTY, EMPTY, fromHex(eseed)).enc)).toBe(ct);
    },
  );
});

describe('X-Wing from expanded keys', () => {
  const seed = random(HPKE_SEED_SIZE);

  it('equals libsodium on honest, altered and random ciphertexts (implicit rejection)', () => {
    const key = keyOf(seed);
    const honest = sized(HPKE_ENCAPSULATION_SEED_SIZE).map(
      (eseed) => hpkeSeal(key.publicKey, EMPTY, EMPTY, EMPTY, eseed).enc,
    );
    const altered = fc
      .tuple(honest, fc.nat(HPKE_ENC_SIZE - 1), fc.integer({ min: 1, max: 255 }))
      .map(([enc, at, mask]) => flipped(enc, at, mask));
    fc.assert(
      fc.property(fc.oneof(honest, altered, sized(HPKE_ENC_SIZE)), (enc) => {
        expect(key.decapsulate(enc).reveal()).toEqual(sodium.crypto_kem_xwing_dec(enc, seed));
      }),
      { numRuns: 150 },
    );
  });

  it('equals libsodium for random keys', () => {
    fc.assert(
      fc.property(sized(HPKE_SEED_SIZE), sized(HPKE_ENC_SIZE), (other, enc) => {
        const key = keyOf(other);
        expect(key.publicKey).toEqual(sodium.crypto_kem_xwing_seed_keypair(other).publicKey);
        expect(key.decapsulate(enc).reveal()).toEqual(sodium.crypto_kem_xwing_dec(enc, other));
      }),
      { numRuns: 50 },
    );
  });

  it.each(LOW_ORDER.map((point) => [toHex(point), point] as const))(
    'refuses the ephemeral point %s, as libsodium does',
    (_, point) => {
      const enc = withTail(random(HPKE_ENC_SIZE), point);
      expectCode('hpke_open', () => keyOf(seed).decapsulate(enc));
      expect(() => sodium.crypto_kem_xwing_dec(enc, seed)).toThrow();
    },
  );
});

describe('HPKE base mode', () => {
  const info = Uint8Array.of(1, 2, 3);
  const aad = Uint8Array.of(4, 5);
  const plaintext = Uint8Array.of(6, 7, 8, 9);
  const eseed = random(HPKE_ENCAPSULATION_SEED_SIZE);

  it('opens what was sealed', () => {
    const key = keyOf(random(HPKE_SEED_SIZE));
    fc.assert(
      fc.property(
        bytes(),
        bytes(),
        bytes({ max: 3000 }),
        sized(HPKE_ENCAPSULATION_SEED_SIZE),
        (someInfo, someAad, message, someSeed) => {
          const sealed = hpkeSeal(key.publicKey, someInfo, someAad, message, someSeed);
          expect(sealed.enc.length).toBe(HPKE_ENC_SIZE);
          expect(sealed.ciphertext.length).toBe(message.length + HPKE_TAG_SIZE);
          expect(key.open(sealed.enc, someInfo, someAad, sealed.ciphertext)).toEqual(message);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('opens under its own key, enc, info, aad and ciphertext only', () => {
    const key = keyOf(random(HPKE_SEED_SIZE));
    const { enc, ciphertext } = hpkeSeal(key.publicKey, info, aad, plaintext, eseed);
    const other = keyOf(random(HPKE_SEED_SIZE));
    expectCode('hpke_open', () => other.open(enc, info, aad, ciphertext));
    expectCode('hpke_open', () => key.open(enc, flipped(info, 0), aad, ciphertext));
    expectCode('hpke_open', () => key.open(enc, info, flipped(aad, 1), ciphertext));
    expectCode('hpke_open', () => key.open(enc, info, EMPTY, ciphertext));
    for (const at of [0, 1087, 1088, 1119]) {
      expectCode('hpke_open', () => key.open(flipped(enc, at), info, aad, ciphertext));
    }
    for (let at = 0; at < ciphertext.length; at++) {
      expectCode('hpke_open', () => key.open(enc, info, aad, flipped(ciphertext, at)));
    }
    for (let length = 0; length < ciphertext.length; length++) {
      expectCode('hpke_open', () => key.open(enc, info, aad, ciphertext.slice(0, length)));
    }
  });

  it.each([0, 1, HPKE_ENC_SIZE - 1, HPKE_ENC_SIZE + 1])('refuses an enc of %i bytes', (length) => {
    const key = keyOf(random(HPKE_SEED_SIZE));
    expectCode('decode', () => key.open(new Uint8Array(length), info, aad, new Uint8Array(32)));
  });

  it('refuses public keys that are none', () => {
    const { publicKey } = keyOf(random(HPKE_SEED_SIZE));
    const notReduced = publicKey.slice();
    notReduced.set([0xff, 0xff, 0xff], 0); // 4095 is no element of Z_3329 (FIPS 203 §7.2)
    const hostile = [
      EMPTY,
      publicKey.slice(1),
      new Uint8Array(HPKE_PUBLIC_KEY_SIZE + 1),
      notReduced,
      ...LOW_ORDER.map((point) => withTail(publicKey, point)),
    ];
    for (const key of hostile) {
      expectCode('hpke_key', () => hpkeSeal(key, info, aad, plaintext, eseed));
    }
  });

  it('refuses arguments of wrong lengths', () => {
    const key = keyOf(random(HPKE_SEED_SIZE));
    const tooLong = new Uint8Array(2 ** 16);
    for (const length of [0, 63, 65]) {
      const bad = new Uint8Array(length);
      expectCode('invalid_argument', () => hpkeSeal(key.publicKey, info, aad, plaintext, bad));
    }
    for (const length of [0, 31, 33]) {
      expectCode('invalid_argument', () => keyOf(new Uint8Array(length)));
    }
    expectCode('invalid_argument', () => hpkeSeal(key.publicKey, tooLong, aad, plaintext, eseed));
    const enc = random(HPKE_ENC_SIZE);
    expectCode('invalid_argument', () => key.open(enc, tooLong, aad, new Uint8Array(16)));
  });

  it('takes whatever bytes come, and ends in its own refusals', () => {
    const key = keyOf(random(HPKE_SEED_SIZE));
    const honest = hpkeSeal(key.publicKey, info, aad, plaintext, eseed);
    const near = (whole: Uint8Array) =>
      fc.oneof(bytes({ max: 100 }), sized(whole.length), mutated(whole));
    const hostile = fc.tuple(near(honest.enc), near(honest.ciphertext));
    fc.assert(
      fc.property(hostile, ([enc, ciphertext]) => {
        const code = codeOf(() => key.open(enc, info, aad, ciphertext));
        const isHonest = equalBytes(enc, honest.enc) && equalBytes(ciphertext, honest.ciphertext);
        const expected = enc.length === HPKE_ENC_SIZE ? 'hpke_open' : 'decode';
        expect(code).toBe(isHonest ? undefined : expected);
        expect(codeOf(() => key.open(amid(enc), info, aad, amid(ciphertext)))).toBe(code);
      }),
      { numRuns: 150 },
    );
    fc.assert(
      fc.property(near(key.publicKey), (publicKey) => {
        const code = codeOf(() => hpkeSeal(publicKey, info, aad, plaintext, eseed));
        if (publicKey.length !== HPKE_PUBLIC_KEY_SIZE) expect(code).toBe('hpke_key');
        else expect([undefined, 'hpke_key']).toContain(code);
      }),
      { numRuns: 150 },
    );
  });

  it('prints nothing of a private key', async () => {
    const { inspect } = await import('node:util');
    const key = keyOf(random(HPKE_SEED_SIZE));
    expect(Object.keys(key)).toEqual(['publicKey']);
    expect(Object.keys(JSON.parse(JSON.stringify(key)))).toEqual(['publicKey']);
    const shown = inspect(key, { showHidden: true, depth: 5 });
    expect(shown).not.toMatch(/mlKem|x25519/i);
  });

  it('leaves the memory of libsodium as it found it', () => {
    const memory = () =>
      (sodium as unknown as { libsodium: { HEAPU8: Uint8Array } }).libsodium.HEAPU8.length;
    const key = keyOf(random(HPKE_SEED_SIZE));
    const { enc, ciphertext } = hpkeSeal(key.publicKey, info, aad, plaintext, eseed);
    const before = memory();
    // A 200-byte state left behind by each XOF would be 16 MB here.
    for (let i = 0; i < 80_000; i++) sodium.crypto_xof_shake256(108, plaintext);
    for (let i = 0; i < 500; i++) key.open(enc, info, aad, ciphertext);
    for (let i = 0; i < 500; i++) {
      expectCode('hpke_open', () => key.open(enc, info, EMPTY, ciphertext));
    }
    expect(memory()).toBe(before);
  });
});
