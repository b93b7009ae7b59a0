import { createPublicKey, verify } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { concat, fromHex, utf8 } from '../../crypto/bytes.ts';
import { Secret } from '../../crypto/secret.ts';
import {
  type SigningLabel,
  sign,
  signedMessage,
  signingPublicKey,
  verifySignature,
} from '../../crypto/signing.ts';
import { sodiumReady } from '../../crypto/sodium.ts';
import { expectCode, random } from './support.ts';

const LABELS: readonly SigningLabel[] = [
  'chorus sheet v1',
  'chorus manifest v1',
  'chorus report v1',
  'chorus withdraw v1',
  'chorus seal v1',
  'chorus release v1',
  'chorus list v1',
];

beforeAll(sodiumReady);

describe('signing', () => {
  it('derives the public key as RFC 8032 §7.1 does (test 1)', () => {
    const seed = fromHex('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60');
    const key = fromHex('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a');
    expect(signingPublicKey(new Secret(seed))).toEqual(key);
  });

  it('signs label ‖ 00 ‖ parts, as another implementation of Ed25519 agrees', () => {
    const seed = new Secret(random(32));
    const parts = [random(32), random(8)];
    const spki = concat(fromHex('302a300506032b6570032100'), signingPublicKey(seed));
    const key = createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
    for (const label of LABELS) {
      const message = concat(utf8(label), Uint8Array.of(0), ...parts);
      expect(signedMessage(label, ...parts)).toEqual(message);
      expect(verify(null, message, key, sign(seed, label, ...parts))).toBe(true);
    }
  });

  it('verifies what was signed, and nothing that differs', () => {
    const seed = new Secret(random(32));
    const key = signingPublicKey(seed);
    const parts = [random(32), random(32)] as const;
    const signature = sign(seed, 'chorus list v1', ...parts);
    verifySignature(key, signature, 'chorus list v1', ...parts);
    for (let bit = 0; bit < 512; bit += 7) {
      const flipped = signature.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      expectCode('signature', () => verifySignature(key, flipped, 'chorus list v1', ...parts));
    }
    const others: (() => void)[] = [
      () =>
        verifySignature(
          signingPublicKey(new Secret(random(32))),
          signature,
          'chorus list v1',
          ...parts,
        ),
      () => verifySignature(key, signature, 'chorus list v1', parts[1], parts[0]),
      () => verifySignature(key, signature, 'chorus list v1', parts[0]),
      () => verifySignature(key, signature, 'chorus list v1', ...parts, Uint8Array.of(0)),
    ];
    for (const other of others) expectCode('signature', other);
  });

  it('keeps kinds of signatures apart', () => {
    const seed = new Secret(random(32));
    const key = signingPublicKey(seed);
    const part = random(32);
    for (const label of LABELS) {
      const signature = sign(seed, label, part);
      for (const other of LABELS) {
        if (other === label) verifySignature(key, signature, other, part);
        else expectCode('signature', () => verifySignature(key, signature, other, part));
      }
    }
  });

  it('refuses keys and signatures of any other length', () => {
    const seed = new Secret(random(32));
    const key = signingPublicKey(seed);
    const signature = sign(seed, 'chorus seal v1');
    for (const length of [0, 1, 31, 33, 64]) {
      expectCode('signature', () => verifySignature(random(length), signature, 'chorus seal v1'));
    }
    for (const length of [0, 1, 63, 65, 128]) {
      expectCode('signature', () => verifySignature(key, random(length), 'chorus seal v1'));
    }
    expectCode('signature', () =>
      verifySignature(key, concat(signature, signature), 'chorus seal v1'),
    );
  });

  it('refuses points of low order as keys', () => {
    // Under the identity, R = B·s verifies for any message where this is not checked.
    const identity = fromHex(`01${'00'.repeat(31)}`);
    expectCode('signature', () =>
      verifySignature(identity, concat(identity, new Uint8Array(32)), 'chorus seal v1'),
    );
  });
});
