import { inspect } from 'node:util';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { Secret } from '../../../crypto/secret.ts';
import { sodiumReady } from '../../../crypto/sodium.ts';
import type { SecretVec } from '../../../crypto/vdaf/aggregation.ts';
import { count, prio3Count } from '../../../crypto/vdaf/circuits/count.ts';
import { prio3Histogram } from '../../../crypto/vdaf/circuits/histogram.ts';
import { prio3Survey } from '../../../crypto/vdaf/circuits/survey.ts';
import { Prio3 } from '../../../crypto/vdaf/prio3.ts';
import {
  aggregateOf,
  CTX,
  refusal,
  replaced,
  report,
  type TestReport,
  testBytes,
  VERIFY_KEY,
  verify,
} from '../../support/vdaf-reports.ts';

beforeAll(sodiumReady);

const prio3 = prio3Survey({ blockLengths: [3, 4], chunkLength: 3 });
const withoutJointRand = prio3Count();

const init = (report: TestReport, id: number, of: Prio3<never, unknown> = prio3) =>
  of.verifyInit(
    VERIFY_KEY,
    CTX,
    id,
    report.nonce,
    report.publicShare,
    report.inputShares[id] as Secret<Uint8Array>,
  );

const flipped = (bytes: Uint8Array, at: number) => replaced(bytes, at, (bytes[at] as number) ^ 1);

/** One byte more or less at either end, and nothing. */
const misshapen = (bytes: Uint8Array) => [
  bytes.slice(1),
  bytes.slice(0, -1),
  Uint8Array.of(...bytes, 0),
  ...(bytes.length > 1 ? [new Uint8Array(0)] : []),
];

/** The first element of a message over Field128, made an integer not below the modulus. */
const nonCanonical = (bytes: Uint8Array) => {
  const out = bytes.slice();
  out.fill(0xff, 0, 16);
  return out;
};

describe('hostile bytes', () => {
  const made = () => report(prio3, [1, 2]);

  test('an input share of another length, or with an element that is none, is refused', () => {
    const honest = made();
    for (const id of [0, 1]) {
      const share = (honest.inputShares[id] as Secret<Uint8Array>).reveal();
      const bad = misshapen(share);
      if (id === 0) bad.push(nonCanonical(share));
      for (const bytes of bad) {
        const inputShares = replaced(honest.inputShares, id, new Secret(bytes));
        expect(refusal(() => init({ ...honest, inputShares }, id))).toBe('decode');
      }
    }
  });

  test('a public share of another length is refused, also where it must be empty', () => {
    const honest = made();
    for (const publicShare of misshapen(honest.publicShare)) {
      expect(refusal(() => init({ ...honest, publicShare }, 0))).toBe('decode');
    }
    const plain = report(withoutJointRand, 1);
    expect(plain.publicShare).toHaveLength(0);
    const publicShare = Uint8Array.of(0);
    expect(refusal(() => init({ ...plain, publicShare }, 0, withoutJointRand))).toBe('decode');
  });

  test('a verifier share of another length, or with an element that is none, is refused', () => {
    const honest = made();
    const shares = [init(honest, 0).verifierShare, init(honest, 1).verifierShare];
    for (const id of [0, 1]) {
      const share = shares[id] as Uint8Array;
      for (const bytes of [...misshapen(share), nonCanonical(share)]) {
        const all = replaced(shares, id, bytes);
        expect(refusal(() => prio3.verifierSharesToMessage(CTX, all))).toBe('decode');
      }
    }
  });

  test('a verifier message of another length is refused, also where it must be empty', () => {
    const { state } = init(made(), 0);
    for (const length of [0, 31, 33, 64]) {
      expect(refusal(() => prio3.verifyNext(CTX, state, new Uint8Array(length)))).toBe('decode');
    }
    const plain = init(report(withoutJointRand, 1), 0, withoutJointRand);
    expect(refusal(() => withoutJointRand.verifyNext(CTX, plain.state, Uint8Array.of(0)))).toBe(
      'decode',
    );
  });

  test('an aggregate share of another length, or with an element that is none, is refused', () => {
    const share = prio3.encodeAggregateShare(prio3.aggregateInit()).reveal();
    for (const bytes of [...misshapen(share), nonCanonical(share)]) {
      expect(refusal(() => prio3.decodeAggregateShare(new Secret(bytes)))).toBe('decode');
    }
  });

  test('one flipped bit anywhere in a report makes it fail', () => {
    const honest = made();
    const leaderBlindAt = prio3.inputShareSize(0) - 32;
    const places: [keyof TestReport, number, number][] = [
      ['nonce', 0, honest.nonce.length],
      ['publicShare', 0, honest.publicShare.length],
      ['inputShares', 0, prio3.inputShareSize(0)],
      ['inputShares', 1, prio3.inputShareSize(1)],
    ];
    const place = fc
      .constantFrom(...places)
      .chain(([part, id, length]) =>
        fc.tuple(fc.constant(part), fc.constant(id), fc.nat(length - 1)),
      );
    fc.assert(
      fc.property(place, ([part, id, at]) => {
        const altered = { ...honest };
        if (part === 'inputShares') {
          const share = (honest.inputShares[id] as Secret<Uint8Array>).reveal();
          altered.inputShares = replaced(honest.inputShares, id, new Secret(flipped(share, at)));
        } else {
          altered[part] = flipped(honest[part], at);
        }
        expect(refusal(() => verify(prio3, altered))).toBe('vdaf_verify');
        // The parts commit to everything but the leader's share of the proof.
        const inProof = part === 'inputShares' && id === 0 && at >= 7 * 16 && at < leaderBlindAt;
        const matches = [0, 1].map((party) => init(altered, party).jointRandPartMatches);
        expect(matches.every(Boolean)).toBe(inProof);
      }),
      { numRuns: 60 },
    );
  });

  test('a flipped bit in a verifier share or message makes the report fail', () => {
    const honest = made();
    const steps = [init(honest, 0), init(honest, 1)];
    const shares = steps.map(({ verifierShare }) => verifierShare);
    const message = prio3.verifierSharesToMessage(CTX, shares);
    fc.assert(
      fc.property(fc.nat(prio3.verifierShareSize - 1), fc.nat(31), (shareAt, messageAt) => {
        const altered = replaced(shares, 1, flipped(shares[1] as Uint8Array, shareAt));
        const finish = (bytes: Uint8Array) => {
          for (const { state } of steps) prio3.verifyNext(CTX, state, bytes);
        };
        expect(refusal(() => finish(prio3.verifierSharesToMessage(CTX, altered)))).toBe(
          'vdaf_verify',
        );
        expect(refusal(() => finish(flipped(message, messageAt)))).toBe('vdaf_verify');
      }),
      { numRuns: 60 },
    );
  });

  test('another context, verify key or party makes it fail', () => {
    const honest = made();
    const share = honest.inputShares[1] as Secret<Uint8Array>;
    const leader = init(honest, 0).verifierShare;
    const others = [
      prio3.verifyInit(VERIFY_KEY, testBytes(38, 5), 1, honest.nonce, honest.publicShare, share),
      prio3.verifyInit(testBytes(32, 5), CTX, 1, honest.nonce, honest.publicShare, share),
    ];
    for (const { verifierShare } of others) {
      const shares = [leader, verifierShare];
      expect(refusal(() => prio3.verifierSharesToMessage(CTX, shares))).toBe('vdaf_verify');
    }
    const swapped = [init(honest, 1).verifierShare, leader];
    const message = prio3.verifierSharesToMessage(CTX, swapped);
    expect(refusal(() => prio3.verifyNext(CTX, init(honest, 0).state, message))).toBe(
      'vdaf_verify',
    );
  });
});

describe('the joint randomness part', () => {
  test('matches in honest reports, and in all without joint randomness', () => {
    for (const id of [0, 1]) {
      expect(init(report(prio3, [0, 0]), id).jointRandPartMatches).toBe(true);
      expect(init(report(withoutJointRand, 1), id, withoutJointRand).jointRandPartMatches).toBe(
        true,
      );
    }
  });

  test('that a client falsified is noticed by the party it belongs to, and substituted', () => {
    const honest = report(prio3, [0, 0]);
    const falsified = { ...honest, publicShare: flipped(honest.publicShare, 40) };
    expect(init(falsified, 0).jointRandPartMatches).toBe(true);
    const helper = init(falsified, 1);
    expect(helper.jointRandPartMatches).toBe(false);
    expect(helper.verifierShare).toEqual(init(honest, 1).verifierShare);
  });
});

describe('aggregation', () => {
  const random = (seed: number): SecretVec =>
    prio3.decodeAggregateShare(
      new Secret(testBytes(prio3.aggregateShareSize, seed).map((byte) => byte & 0x7f)),
    );

  test('in any order and grouping gives the same, and changes no argument', () => {
    const [a, b, c] = [random(1), random(2), random(3)] as [SecretVec, SecretVec, SecretVec];
    const before = [...a.reveal()];
    const atOnce = prio3.aggregateUpdate(a, [b, c]);
    const merged = prio3.merge([
      prio3.aggregateUpdate(prio3.aggregateInit(), [c]),
      prio3.merge([b, a]),
    ]);
    expect(merged.reveal()).toEqual(atOnce.reveal());
    expect(a.reveal()).toEqual(before);
    expect(prio3.merge([]).reveal()).toEqual(prio3.aggregateInit().reveal());
  });

  test('an aggregate share survives encoding', () => {
    const share = random(4);
    const encoded = prio3.encodeAggregateShare(share);
    expect(encoded.reveal()).toHaveLength(prio3.aggregateShareSize);
    expect(prio3.decodeAggregateShare(encoded).reveal()).toEqual(share.reveal());
  });

  test('integers of any sign can be added, and read again from the sum', () => {
    const integers = [0n, 5n, -5n, 10n ** 20n, -(10n ** 20n), 1n, -1n];
    const shares = [prio3.addIntegers(prio3.aggregateInit(), integers), prio3.aggregateInit()];
    const sum = prio3.sumAggregateShares(shares);
    expect(sum.every((x) => x >= 0n && x < prio3.field.modulus)).toBe(true);
    expect(sum.map((x) => prio3.field.centered(x))).toEqual(integers);
    expect(refusal(() => prio3.unshard(shares, 10))).toBe('invalid_argument');
    expect(refusal(() => prio3.addIntegers(prio3.aggregateInit(), [1n]))).toBe('invalid_argument');
  });

  test('vectors of another length, or of no elements of the field, are refused', () => {
    const short = new Secret([0n]);
    const large = new Secret(replaced(prio3.field.zeros(7), 3, prio3.field.modulus));
    const negative = new Secret(replaced(prio3.field.zeros(7), 3, -1n));
    for (const bad of [short, large, negative]) {
      expect(refusal(() => prio3.merge([bad]))).toBe('invalid_argument');
      expect(refusal(() => prio3.aggregateUpdate(prio3.aggregateInit(), [bad]))).toBe(
        'invalid_argument',
      );
      expect(refusal(() => prio3.encodeAggregateShare(bad))).toBe('invalid_argument');
    }
  });

  test('unsharding takes the shares of all parties and a count', () => {
    const zero = prio3.aggregateInit();
    for (const shares of [[], [zero], [zero, zero, zero]]) {
      expect(refusal(() => prio3.unshard(shares, 1))).toBe('invalid_argument');
    }
    for (const measurements of [0, -1, 0.5]) {
      expect(refusal(() => prio3.unshard([zero, zero], measurements))).toBe('invalid_argument');
    }
    expect(prio3.unshard([zero, zero], 1)).toEqual([0, 0, 0, 0, 0, 0, 0]);
  });
});

describe('the caller’s mistakes', () => {
  test('instances out of range are refused', () => {
    for (const [id, options] of [
      [-1, {}],
      [2 ** 32, {}],
      [1, { shares: 1 }],
      [1, { shares: 256 }],
      [1, { proofs: 0 }],
      [1, { proofs: 256 }],
    ] as const) {
      expect(refusal(() => new Prio3(count, id, options))).toBe('invalid_argument');
    }
  });

  test('wrong lengths of randomness, nonce and key are refused', () => {
    const { nonce, publicShare, inputShares } = report(prio3, [0, 0]);
    const share = inputShares[0] as Secret<Uint8Array>;
    for (const change of [-1, 1]) {
      const rand = new Uint8Array(prio3.randSize + change);
      const badNonce = new Uint8Array(16 + change);
      const badKey = new Uint8Array(32 + change);
      const steps = [
        () => prio3.shard(CTX, [0, 0], nonce, rand),
        () => prio3.shard(CTX, [0, 0], badNonce, new Uint8Array(prio3.randSize)),
        () => prio3.verifyInit(badKey, CTX, 0, nonce, publicShare, share),
        () => prio3.verifyInit(VERIFY_KEY, CTX, 0, badNonce, publicShare, share),
      ];
      for (const step of steps) expect(refusal(step)).toBe('invalid_argument');
    }
  });

  test('aggregators that do not exist and shares that are missing are refused', () => {
    const { nonce, publicShare, inputShares } = report(prio3, [0, 0]);
    for (const id of [-1, 2, 0.5]) {
      const share = inputShares[1] as Secret<Uint8Array>;
      const step = () => prio3.verifyInit(VERIFY_KEY, CTX, id, nonce, publicShare, share);
      expect(refusal(step)).toBe('invalid_argument');
      expect(refusal(() => prio3.inputShareSize(id))).toBe('invalid_argument');
    }
    expect(refusal(() => prio3.verifierSharesToMessage(CTX, []))).toBe('invalid_argument');
  });
});

test('no argument is changed', () => {
  const nonce = testBytes(16, 1);
  const rand = testBytes(prio3.randSize, 2);
  const made = { nonce, ...prio3.shard(CTX, [2, 3], nonce, rand) };
  const copies = [nonce, rand, made.publicShare, CTX, VERIFY_KEY].map((bytes) => bytes.slice());
  const input = made.inputShares.map((share) => share.reveal().slice());
  verify(prio3, made);
  expect([nonce, rand, made.publicShare, CTX, VERIFY_KEY]).toEqual(copies);
  expect(made.inputShares.map((share) => share.reveal())).toEqual(input);
});

test('Node Buffers do as well as byte arrays, and are not changed either', () => {
  const made = report(prio3, [2, 3]);
  // A falsified part is substituted: in a copy, although slice() of a Buffer is none.
  const publicShare = Buffer.from(flipped(made.publicShare, 0));
  const buffers: TestReport = {
    nonce: Buffer.from(made.nonce),
    publicShare,
    inputShares: made.inputShares.map((share) => new Secret(Buffer.from(share.reveal()))),
  };
  const before = Uint8Array.from(publicShare);
  const { verifierShare } = init(buffers, 0);
  expect(Uint8Array.from(publicShare)).toEqual(before);
  expect(verifierShare).toEqual(init(made, 0).verifierShare);
  const honest = { ...buffers, publicShare: Buffer.from(made.publicShare) };
  expect(verify(prio3, honest).map((share) => share.reveal())).toEqual(
    verify(prio3, made).map((share) => share.reveal()),
  );
  const share = prio3.encodeAggregateShare(verify(prio3, made)[0] as SecretVec);
  const decoded = prio3.decodeAggregateShare(new Secret(Buffer.from(share.reveal())));
  expect(prio3.encodeAggregateShare(decoded).reveal()).toEqual(share.reveal());
});

test('a report and the state of its verification show nothing when printed', () => {
  const made = report(prio3, [1, 1]);
  const { state } = init(made, 0);
  expect(inspect(state, { depth: 9, showHidden: true })).toBe('VerifyState {}');
  expect(JSON.stringify(state)).toBe('{}');
  expect(inspect(made.inputShares)).toBe('[ [secret], [secret] ]');
});

test('three parties and many', () => {
  for (const shares of [3, 4, 9, 255]) {
    const histogram = prio3Histogram({ length: 4, chunkLength: 2 }, { shares });
    expect(aggregateOf(histogram, [0, 3, 3])).toEqual([1, 0, 0, 2]);
  }
});
