import {
  Prio3Count as PeerCount,
  Prio3Histogram as PeerHistogram,
  type Prio3 as PeerPrio3,
  Prio3Sum as PeerSum,
  Prio3SumVec as PeerSumVec,
} from '@divviup/prio3';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { concat } from '../../../crypto/bytes.ts';
import { sodiumReady } from '../../../crypto/sodium.ts';
import type { Circuit } from '../../../crypto/vdaf/circuit.ts';
import { count, prio3Count } from '../../../crypto/vdaf/circuits/count.ts';
import { histogram, prio3Histogram } from '../../../crypto/vdaf/circuits/histogram.ts';
import { prio3Sum, sum } from '../../../crypto/vdaf/circuits/sum.ts';
import { prio3SumVec, sumVec } from '../../../crypto/vdaf/circuits/sum-vec.ts';
import { VERSION } from '../../../crypto/vdaf/derivation.ts';
import { type Field, Field64, Field128 } from '../../../crypto/vdaf/field.ts';
import { Flp } from '../../../crypto/vdaf/flp.ts';
import { extensionWeights, lagrangeBasis } from '../../../crypto/vdaf/lagrange.ts';
import { ntt } from '../../../crypto/vdaf/ntt.ts';
import { deriveSeed, expandIntoVec } from '../../../crypto/vdaf/xof.ts';
import { aggregateOf, testBytes } from '../../support/vdaf-reports.ts';

/**
 * Another implementation, by other people: `@divviup/prio3` 0.8.0, which is VDAF-08. Between that
 * draft and 20 nearly every byte on the wire changed, and little of the mathematics. What is the
 * same is compared here element by element; what is not is stated, one by one, at the end.
 */
beforeAll(sodiumReady);

const LENGTH = 6;
const BITS = 5;
const MAX = 2n ** BigInt(BITS) - 1n;

/** With one chunk, because the joint randomness of several is another one since draft 18. */
const peers = {
  count: new PeerCount({ shares: 2 }),
  sum: new PeerSum({ shares: 2, bits: BITS }),
  sumVec: new PeerSumVec({ shares: 2, length: LENGTH, bits: 2, chunkLength: 2 * LENGTH }),
  histogram: new PeerHistogram({ shares: 2, length: LENGTH, chunkLength: LENGTH }),
};
// biome-ignore lint/suspicious/noExplicitAny: what the peer makes of a sum is not compared here.
type Peer<Measurement> = PeerPrio3<Measurement, any>;
// biome-ignore lint/suspicious/noExplicitAny: neither do proofs depend on the type of measurements.
type PeerFlp = PeerPrio3<any, any>['flp'];

const buffer = (length: number, seed: number) => Buffer.from(testBytes(length, seed));

/** Shards, verifies and aggregates as the peer does; gives the sum of the aggregate shares. */
async function peerSum<Measurement>(
  peer: Peer<Measurement>,
  measurements: readonly Measurement[],
): Promise<bigint[]> {
  const verifyKey = buffer(peer.verifyKeySize, 1);
  const outShares: bigint[][][] = [[], []];
  for (const [i, measurement] of measurements.entries()) {
    const nonce = buffer(peer.nonceSize, 3 * i + 2);
    const made = await peer.shard(measurement, nonce, buffer(peer.randSize, 3 * i + 3));
    const steps = [];
    for (const [id, share] of made.inputShares.entries()) {
      steps.push(await peer.prepareInit(verifyKey, id, null, nonce, made.publicShare, share));
    }
    const shares = steps.map((step) => step.preparationShare);
    const message = await peer.unshardPreparationShares(null, shares);
    for (const [id, step] of steps.entries()) {
      const finished = peer.prepareNext(step.preparationState, message);
      if (!('outputShare' in finished)) throw new Error('the peer did not finish');
      outShares[id]?.push(finished.outputShare);
    }
  }
  const [a, b] = outShares.map((shares) => peer.aggregate(null, shares));
  return peer.flp.field.vecAdd(a as bigint[], b as bigint[]);
}

describe('both count the same', () => {
  test('Prio3Count', async () => {
    const bits = [1, 0, 1, 1] as const;
    expect(await peerSum(peers.count, [true, false, true, true])).toEqual([3n]);
    expect(aggregateOf(prio3Count(), bits)).toBe(3);
  });

  test('Prio3Sum', async () => {
    const values = [0n, MAX, 17n];
    expect(await peerSum(peers.sum, values)).toEqual([MAX + 17n]);
    expect(aggregateOf(prio3Sum({ maxMeasurement: MAX }), values)).toBe(MAX + 17n);
  });

  test('Prio3SumVec', async () => {
    const values = [
      [0, 1, 2, 3, 0, 1],
      [3, 3, 3, 3, 3, 3],
    ];
    const parameters = { length: LENGTH, maxMeasurement: 3n, chunkLength: 4 };
    const ours = aggregateOf(
      prio3SumVec(parameters),
      values.map((vector) => vector.map(BigInt)),
    );
    expect(ours).toEqual([3n, 4n, 5n, 6n, 3n, 4n]);
    expect(await peerSum(peers.sumVec, values)).toEqual(ours);
  });

  test('Prio3Histogram', async () => {
    const buckets = [0, 5, 5, 3];
    const ours = aggregateOf(prio3Histogram({ length: LENGTH, chunkLength: 2 }), buckets);
    expect(ours).toEqual([1, 0, 0, 1, 0, 2]);
    expect(await peerSum(peers.histogram, buckets)).toEqual(ours.map(BigInt));
  });
});

describe.each([
  ['Field64', Field64, peers.count.flp.field],
  ['Field128', Field128, peers.histogram.flp.field],
] as const)('%s', (_name, field, peer) => {
  const element = fc.bigInt(0n, field.modulus - 1n);
  const vector = fc.array(element, { minLength: 8, maxLength: 8 });

  test('has the same parameters and arithmetic', () => {
    expect([peer.modulus, peer.genOrder, peer.encodedSize]).toEqual([
      field.modulus,
      field.generatorOrder,
      field.encodedSize,
    ]);
    fc.assert(
      fc.property(element, element, (a, b) => {
        expect(field.mul(a, b)).toBe(peer.mul(a, b));
        expect(field.subVec([a], [b])).toEqual(peer.vecSub([a], [b]));
        expect(field.sumVecs([[a], [b]], 1)).toEqual(peer.vecAdd([a], [b]));
        expect(field.pow(a, 5n)).toBe(peer.exp(a === 0n ? field.modulus : a, 5n));
      }),
    );
    for (const n of [1, 2, 16, 1024]) {
      expect(field.roots(n)[1 % n]).toBe(peer.exp(peer.generator, peer.genOrder / BigInt(n)));
    }
  });

  test('has the same encoding', () => {
    fc.assert(
      fc.property(vector, (elements) => {
        const encoded = field.encodeVec(elements);
        expect(Buffer.from(encoded)).toEqual(Buffer.from(peer.encode(elements)));
        expect(peer.decode(encoded)).toEqual(field.decodeVec(encoded));
      }),
    );
  });

  test('has the same transform', () => {
    const roots = field.roots(8);
    fc.assert(
      fc.property(vector, element, (values, t) => {
        const coefficients = peer.interpolate([...roots], values);
        expect(ntt(field, coefficients).map((x) => field.reduce(x))).toEqual(values);
        expect(field.innerProduct(values, lagrangeBasis(field, 8, t))).toBe(
          peer.evalPoly(coefficients, t),
        );
      }),
      { numRuns: 20 },
    );
  });
});

describe('XofTurboShake128', () => {
  const dst = testBytes(20, 5);
  const seed = testBytes(32, 6);
  const binder = testBytes(300, 7);
  const { xof } = peers.count;
  /**
   * What we absorb, cut where the peer cuts: len ‖ 00 ‖ dst ‖ 20 ‖ seed ‖ binder is its len ‖ dst' ‖
   * seed' (16 bytes) ‖ binder'.
   */
  const absorbed = concat(Uint8Array.of(0), dst, Uint8Array.of(32), seed, binder);
  const cut = [absorbed.slice(0, 20), absorbed.slice(20, 36), absorbed.slice(36)] as const;

  test('is the same sponge with the same domain byte, under another framing', async () => {
    const [peerDst, peerSeed, peerBinder] = cut;
    expect(await xof.deriveSeed(peerSeed, peerDst, peerBinder)).toEqual(
      deriveSeed(seed, dst, binder).slice(0, 16),
    );
    expect(await xof.deriveSeed(seed.slice(0, 16), dst, binder)).not.toEqual(
      deriveSeed(seed, dst, binder).slice(0, 16),
    );
  });

  test.each([
    [Field64, peers.count.flp.field],
    [Field128, peers.histogram.flp.field],
  ] as const)('takes elements from it alike: $name', async (field, peerField) => {
    const [peerDst, peerSeed, peerBinder] = cut;
    expect(await xof.expandIntoVec(peerField, peerSeed, peerDst, peerBinder, 700)).toEqual(
      expandIntoVec(field, 700, seed, dst, binder).elements,
    );
  });
});

/** The gadget polynomial that the peer states by its coefficients, as we state it: by values. */
function toValues(flp: Flp<never, unknown>, arity: number, proof: readonly bigint[]): bigint[] {
  const { field } = flp;
  const carried = flp.proofLength - arity;
  const coefficients = proof.slice(arity);
  const padded = [...coefficients, ...field.zeros(nextPowerOfTwo(carried) - coefficients.length)];
  const values = ntt(field, padded).map((x) => field.reduce(x));
  return [...proof.slice(0, arity), ...values.slice(0, carried)];
}

/** The reverse: the missing values, and then the coefficients. */
function toCoefficients(
  flp: Flp<never, unknown>,
  arity: number,
  proof: readonly bigint[],
  peerField: PeerFlp['field'],
): bigint[] {
  const { field } = flp;
  const carried = proof.slice(arity);
  const n = nextPowerOfTwo(carried.length);
  const missing = extensionWeights(field, carried.length, n);
  const values = [...carried, ...missing.map((row) => field.innerProduct(carried, row))];
  const coefficients = peerField.interpolate([...field.roots(n)], values);
  expect(coefficients.slice(carried.length).every((x) => x === 0n)).toBe(true);
  return [...proof.slice(0, arity), ...coefficients.slice(0, carried.length)];
}

const nextPowerOfTwo = (n: number) => 2 ** Math.ceil(Math.log2(n));

/** Enough random elements, none of which is a root of unity but for a chance of 2^-50. */
const elements = (field: Field, length: number, seed: number): bigint[] =>
  expandIntoVec(field, length, testBytes(32, seed), new Uint8Array(0)).elements.slice();

interface Agreement {
  name: string;
  circuit: Circuit<never, unknown>;
  peer: PeerFlp;
  arity: number;
  encoded: bigint[];
  jointRand: { ours: bigint[]; peer: bigint[] };
  /** Our coefficients of the circuit's outputs, chosen as the peer's joint randomness combines them. */
  coefficients: bigint[];
}

describe('the proof system', () => {
  const [r, s] = elements(Field128, 2, 9) as [bigint, bigint];
  const powers = (base: bigint, length: number) =>
    Array.from({ length }, (_, i) => Field128.pow(base, BigInt(i + 1)));
  const chosen = histogram({ length: LENGTH, chunkLength: LENGTH });
  const vectors = sumVec({ length: LENGTH, maxMeasurement: 3n, chunkLength: 2 * LENGTH });
  // The peer's Prio3Sum lives in Field128; our circuit evaluates alike in any field.
  const summed = { ...sum({ maxMeasurement: MAX }), field: Field128 };

  const agreements: Agreement[] = [
    {
      name: 'Count',
      circuit: count as Circuit<never, unknown>,
      peer: peers.count.flp,
      arity: 2,
      encoded: count.encode(1),
      jointRand: { ours: [], peer: [] },
      coefficients: [],
    },
    {
      name: 'Sum',
      circuit: summed as Circuit<never, unknown>,
      peer: peers.sum.flp,
      arity: 1,
      encoded: summed.encode(21n),
      jointRand: { ours: [], peer: [r] },
      coefficients: powers(r, BITS),
    },
    {
      name: 'SumVec, one chunk',
      circuit: vectors as Circuit<never, unknown>,
      peer: peers.sumVec.flp,
      arity: 4 * LENGTH,
      encoded: vectors.encode([0n, 1n, 2n, 3n, 3n, 2n]),
      jointRand: { ours: [r], peer: [r] },
      coefficients: [],
    },
    {
      name: 'Histogram, one chunk',
      circuit: chosen as Circuit<never, unknown>,
      peer: peers.histogram.flp,
      arity: 2 * LENGTH,
      encoded: chosen.encode(4),
      jointRand: { ours: [r], peer: [r, s] },
      coefficients: powers(s, 2),
    },
  ];

  describe.each(agreements)('$name', (agreement) => {
    const { circuit, peer, arity, encoded, jointRand, coefficients } = agreement;
    const { field } = circuit;
    const flp = new Flp(circuit);
    const proveRand = elements(field, flp.proveRandLength, 11);
    const [t] = elements(field, 1, 13) as [bigint];
    const proof = flp.prove(encoded, proveRand, jointRand.ours);
    const peerProof = peer.prove(encoded, proveRand, jointRand.peer);

    test('the proofs are of one length, and the same polynomial in another basis', () => {
      expect(peer.proofLen).toBe(flp.proofLength);
      expect(toValues(flp, arity, peerProof)).toEqual(proof);
      expect(peerProof.slice(0, arity)).toEqual(proof.slice(0, arity));
      expect(peerProof).not.toEqual(proof);
    });

    test('each accepts the other’s proof, cut in two, with the same verifier', () => {
      const meas = elements(field, encoded.length, 15);
      const share = elements(field, proof.length, 17);
      const queries = [
        [field.subVec(encoded, meas), field.subVec(toValues(flp, arity, peerProof), share)],
        [meas, share],
      ].map(([measShare, proofShare]) =>
        flp.query(
          measShare as bigint[],
          proofShare as bigint[],
          [...coefficients, t],
          jointRand.ours,
          field.inverse(2n),
        ),
      );
      const verifier = field.sumVecs(queries, flp.verifierLength);
      expect(flp.decide(verifier)).toBe(true);

      const rebased = toCoefficients(flp, arity, proof, peer.field);
      const peerVerifier = peer.query(encoded, rebased, [t], jointRand.peer, 1);
      expect(peer.decide(peerVerifier)).toBe(true);
      expect(verifier).toEqual(peerVerifier);
    });

    test('each refuses the other’s proof of what is not valid', () => {
      const wrong = encoded.map((x, i) => (i === 0 ? x + 2n : x));
      const forged = peer.prove(wrong, proveRand, jointRand.peer);
      const query = [...coefficients, t];
      const one = toValues(flp, arity, forged);
      expect(flp.decide(flp.query(wrong, one, query, jointRand.ours, 1n))).toBe(false);
      const own = flp.prove(wrong, proveRand, jointRand.ours);
      const rebased = toCoefficients(flp, arity, own, peer.field);
      expect(peer.decide(peer.query(wrong, rebased, [t], jointRand.peer, 1))).toBe(false);
    });
  });
});

describe('where draft 20 is no longer draft 08', () => {
  const tagOf = (peer: object, usage: number): Uint8Array =>
    (peer as { domainSeparationTag(usage: number): Uint8Array }).domainSeparationTag(usage);

  test('the version and the codepoints in every tag, which now ends with the context', () => {
    expect([...tagOf(peers.count, 1)]).toEqual([8, 0, 0, 0, 0, 0, 0, 1]);
    expect([...tagOf(peers.histogram, 7)]).toEqual([8, 0, 0, 0, 0, 3, 0, 7]);
    expect(VERSION).toBe(18);
    const parameters = { length: LENGTH, maxMeasurement: 3n, chunkLength: 1 };
    const ours = [
      prio3Count(),
      prio3Sum({ maxMeasurement: 1n }),
      prio3SumVec(parameters),
      prio3Histogram(parameters),
    ];
    expect(ours.map(({ algorithmId }) => algorithmId)).toEqual([1, 2, 3, 4]);
    expect([peers.count, peers.sum, peers.sumVec, peers.histogram].map(({ id }) => id)).toEqual([
      0, 1, 2, 3,
    ]);
  });

  test('seeds and verify keys of 32 bytes, not 16', () => {
    expect([peers.count.xof.seedSize, peers.count.verifyKeySize]).toEqual([16, 16]);
    expect(prio3Count().verifyKeySize).toBe(32);
  });

  test('one seed for all of a helper’s share, not one each for measurement and proof', async () => {
    const made = await peers.histogram.shard(0, buffer(16, 1), buffer(5 * 16, 2));
    const helper = made.inputShares[1];
    expect(helper && peers.histogram.encodeInputShare(helper)).toHaveLength(3 * 16);
    expect(peers.histogram.randSize).toBe(5 * 16);
    const ours = prio3Histogram({ length: LENGTH, chunkLength: LENGTH });
    expect([ours.inputShareSize(1), ours.randSize]).toEqual([2 * 32, 4 * 32]);
  });

  test('Prio3Sum over Field64, to any maximum, without joint randomness', () => {
    expect(peers.sum.flp.field.encodedSize).toBe(16);
    expect(peers.sum.flp.jointRandLen).toBe(1);
    const circuit = sum({ maxMeasurement: 20n });
    expect([circuit.field.encodedSize, circuit.jointRandLength]).toEqual([8, 0]);
    // The last bit weighs what is missing: 5, not 16.
    expect(circuit.truncate(circuit.encode(20n))).toEqual([20n]);
    expect(circuit.truncate([0n, 0n, 0n, 0n, 1n])).toEqual([5n]);
  });

  test('joint randomness for each chunk, not powers of one element over all', () => {
    const peer = new PeerSumVec({ shares: 2, length: LENGTH, bits: 2, chunkLength: 4 });
    const circuit = sumVec({ length: LENGTH, maxMeasurement: 3n, chunkLength: 4 });
    const flp = new Flp(circuit);
    expect([peer.flp.jointRandLen, circuit.jointRandLength]).toEqual([1, 3]);
    const encoded = circuit.encode([0n, 1n, 2n, 3n, 3n, 2n]);
    const [r, t] = elements(Field128, 2, 21) as [bigint, bigint];
    const proof = flp.prove(encoded, elements(Field128, 8, 22), [r, r, r]);
    const rebased = toCoefficients(flp as Flp<never, unknown>, 8, proof, peer.flp.field);
    expect(peer.flp.decide(peer.flp.query(encoded, rebased, [t], [r], 1))).toBe(false);
    expect(flp.decide(flp.query(encoded, proof, [t], [r, r, r], 1n))).toBe(true);
  });

  test('the verifiers, not the client, combine the outputs of a circuit', () => {
    const ours = new Flp(histogram({ length: LENGTH, chunkLength: LENGTH }));
    expect([peers.histogram.flp.jointRandLen, ours.circuit.jointRandLength]).toEqual([2, 1]);
    expect([peers.histogram.flp.queryRandLen, ours.queryRandLength]).toEqual([1, 3]);
  });
});
