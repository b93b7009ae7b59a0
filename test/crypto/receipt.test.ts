import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, toBase64url, utf8 } from '../../crypto/bytes.ts';
import { decodeReceipt, encodeReceipt, RECEIPT_SIZE, type Receipt } from '../../crypto/receipt.ts';
import { Secret } from '../../crypto/secret.ts';
import { sha256 } from '../../crypto/sha256.ts';
import { expectCode, mutated, sized } from './support.ts';

const receipts: fc.Arbitrary<Receipt> = fc.record({
  manifestHash: sized(32),
  groupIndex: fc.integer({ min: 0, max: 65_535 }),
  reportId: sized(16),
  seed: sized(32).map((seed) => new Secret(seed)),
  authenticator: sized(256),
});

const one: Receipt = {
  manifestHash: new Uint8Array(32).fill(1),
  groupIndex: 0x0203,
  reportId: new Uint8Array(16).fill(4),
  seed: new Secret(new Uint8Array(32).fill(5)),
  authenticator: new Uint8Array(256).fill(6),
};

/** The body with a check that fits it, as somebody who forges a receipt would write it. */
const checked = (body: Uint8Array) =>
  concat(body, sha256(utf8('chorus receipt v1\0'), body).subarray(0, 8));

describe('a receipt', () => {
  it('has 347 bytes in the order that is written down', () => {
    const bytes = encodeReceipt(one);
    expect(bytes.length).toBe(RECEIPT_SIZE);
    expect(RECEIPT_SIZE).toBe(347);
    expect(toBase64url(bytes).length).toBe(463);
    const body = concat(
      Uint8Array.of(1),
      one.manifestHash,
      Uint8Array.of(2, 3),
      one.reportId,
      one.seed.reveal(),
      one.authenticator,
    );
    expect(bytes).toEqual(checked(body));
  });

  it('comes back as it was', () => {
    fc.assert(
      fc.property(receipts, (receipt) => {
        const decoded = decodeReceipt(encodeReceipt(receipt));
        expect({ ...decoded, seed: decoded.seed.reveal() }).toEqual({
          ...receipt,
          seed: receipt.seed.reveal(),
        });
      }),
    );
  });

  it('is refused when anything in it was changed', () => {
    const bytes = encodeReceipt(one);
    for (let i = 0; i < bytes.length; i++) {
      const other = bytes.slice();
      other[i] = (other[i] as number) ^ (1 << (i % 8));
      expectCode('decode', () => decodeReceipt(other));
    }
    fc.assert(
      fc.property(mutated(bytes), (other) => {
        if (Buffer.compare(other, bytes) !== 0) expectCode('decode', () => decodeReceipt(other));
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (other) =>
        expectCode('decode', () => decodeReceipt(other)),
      ),
    );
  });

  it('of another version is refused, even if its check fits', () => {
    const body = encodeReceipt(one).subarray(0, -8);
    for (const version of [0, 2, 255]) {
      expectCode('decode', () =>
        decodeReceipt(checked(concat(Uint8Array.of(version), body.subarray(1)))),
      );
    }
    expectCode('decode', () => decodeReceipt(concat(checked(body), Uint8Array.of(0))));
  });

  it('is not made of parts with other lengths', () => {
    const wrong: Partial<Receipt>[] = [
      { manifestHash: new Uint8Array(31) },
      { groupIndex: 65_536 },
      { groupIndex: -1 },
      { groupIndex: 1.5 },
      { reportId: new Uint8Array(17) },
      { seed: new Secret(new Uint8Array(33)) },
      { authenticator: new Uint8Array(255) },
    ];
    for (const part of wrong) {
      expectCode('invalid_argument', () => encodeReceipt({ ...one, ...part }));
    }
  });

  it('copies, so that a cleared buffer clears nothing else', () => {
    const bytes = encodeReceipt(one);
    const decoded = decodeReceipt(bytes);
    bytes.fill(0);
    expect(decoded.reportId).toEqual(one.reportId);
    expect(JSON.stringify(decoded)).toContain('[secret]');
  });
});
