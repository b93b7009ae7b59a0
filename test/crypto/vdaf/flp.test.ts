import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Circuit, GadgetCall } from '../../../crypto/vdaf/circuit.ts';
import { survey } from '../../../crypto/vdaf/circuits/survey.ts';
import { type Field, Field64, Field128 } from '../../../crypto/vdaf/field.ts';
import { Flp } from '../../../crypto/vdaf/flp.ts';
import { Mul } from '../../../crypto/vdaf/gadgets/mul.ts';
import { PolyEval } from '../../../crypto/vdaf/gadgets/poly-eval.ts';
import { higherDegree } from '../../support/higher-degree.ts';
import { refusal, replaced } from '../../support/vdaf-reports.ts';

/** Vectors only: what a circuit for the proof system itself needs no encoding for. */
type VectorCircuit = Circuit<bigint[], bigint[]>;
const identity = {
  encode: (vector: bigint[]) => vector,
  truncate: (vector: readonly bigint[]) => [...vector],
  decode: (vector: readonly bigint[]) => [...vector],
};

/** x² and y = x·x², z = x²·y: two gadgets with different numbers of calls; zero for x = 0 only. */
const twoGadgets: VectorCircuit = {
  ...identity,
  field: Field64,
  measurementLength: 1,
  jointRandLength: 0,
  outputLength: 1,
  evalOutputLength: 1,
  gadgets: [
    { gadget: Mul, calls: 1 },
    { gadget: Mul, calls: 2 },
  ],
  eval([x], _jointRand, _one, [first, second]) {
    const square = (first as GadgetCall)([x as bigint, x as bigint]);
    const cube = (second as GadgetCall)([x as bigint, square]);
    return [(second as GadgetCall)([square, cube])];
  },
};

/** x^degree − 1 for each of `length` elements, so that many gadget calls and missing values. */
const powersOfOne = (field: Field, degree: number, length: number): VectorCircuit => ({
  ...identity,
  field,
  measurementLength: length,
  jointRandLength: 0,
  outputLength: length,
  evalOutputLength: length,
  gadgets: [{ gadget: PolyEval([...new Array<bigint>(degree).fill(0n), 1n]), calls: length }],
  eval: (vector, _jointRand, one, [call]) => vector.map((x) => (call as GadgetCall)([x]) - one),
});

const vectorOf = (field: Field, length: number) =>
  fc.array(fc.bigInt(0n, field.modulus - 1n), { minLength: length, maxLength: length });

/** Proves, shares measurement and proof among `shares` parties, queries and decides. */
function accepts(
  circuit: Circuit<never, unknown>,
  measurement: readonly bigint[],
  random: (length: number) => bigint[],
  shares = 2,
): boolean {
  const flp = new Flp(circuit);
  const { field } = circuit;
  const jointRand = random(circuit.jointRandLength);
  const proof = flp.prove(measurement, random(flp.proveRandLength), jointRand);
  expect(proof).toHaveLength(flp.proofLength);
  const queryRand = random(flp.queryRandLength);
  const one = field.inverse(BigInt(shares));
  const share = (vector: readonly bigint[]) => {
    const others = Array.from({ length: shares - 1 }, () => random(vector.length));
    return [others.reduce((rest, other) => field.subVec(rest, other), [...vector]), ...others];
  };
  const proofShares = share(proof);
  const verifiers = share(measurement).map((measShare, i) =>
    flp.query(measShare, proofShares[i] as bigint[], queryRand, jointRand, one),
  );
  const verifier = field.sumVecs(verifiers, flp.verifierLength);
  return flp.decide(verifier);
}

/** Uniform elements: with small ones, as fast-check likes them, false proofs may well pass. */
const randomness = (field: Field) =>
  fc
    .infiniteStream(fc.noBias(fc.bigInt(0n, field.modulus - 1n)))
    .map((stream) => (length: number) => {
      return Array.from({ length }, () => stream.next().value as bigint);
    });

describe('a valid vector is accepted, any other refused', () => {
  test.each([
    ['two gadgets', twoGadgets, [0n], [[1n], [Field64.modulus - 1n]]],
    ['degree 3', higherDegree, [2n], [[3n], [Field64.modulus - 1n]]],
    ['degree 3, 5 calls', powersOfOne(Field64, 3, 5), [1n, 1n, 1n, 1n, 1n], [[1n, 1n, 2n, 1n, 1n]]],
    [
      'degree 5, 3 calls',
      powersOfOne(Field128, 5, 3),
      [1n, 1n, 1n],
      [
        [0n, 1n, 1n],
        [1n, 1n, 3n],
      ],
    ],
    ['degree 1, 4 calls', powersOfOne(Field128, 1, 4), [1n, 1n, 1n, 1n], [[1n, 1n, 1n, 0n]]],
  ] as const)('%s', (_name, circuit, valid, invalid) => {
    fc.assert(
      fc.property(randomness(circuit.field), fc.integer({ min: 2, max: 4 }), (random, shares) => {
        const generic = circuit as Circuit<never, unknown>;
        expect(accepts(generic, valid, random, shares)).toBe(true);
        for (const vector of invalid) {
          expect(accepts(generic, vector, random, shares)).toBe(false);
        }
      }),
      { numRuns: 10 },
    );
  });
});

test('every element of a proof matters', () => {
  const circuit = survey({ blockLengths: [3, 2], chunkLength: 2 });
  const flp = new Flp(circuit);
  const measurement = circuit.encode([1, 0]);
  const random = fc.sample(vectorOf(Field128, 64), { numRuns: 1, seed: 5 })[0] as bigint[];
  const jointRand = random.slice(0, circuit.jointRandLength);
  const proof = flp.prove(measurement, random.slice(3, 3 + flp.proveRandLength), jointRand);
  const query = random.slice(20, 20 + flp.queryRandLength);
  const decides = (vector: bigint[]) =>
    flp.decide(flp.query(measurement, vector, query, jointRand, 1n));
  expect(decides(proof)).toBe(true);
  for (let i = 0; i < proof.length; i++) {
    const altered = replaced(proof, i, ((proof[i] as bigint) + 1n) % Field128.modulus);
    expect(decides(altered)).toBe(false);
  }
});

test('no query at a root of unity, where the verifier would show an input', () => {
  const flp = new Flp(higherDegree);
  const proof = flp.prove([1n], [5n], []);
  for (const root of Field64.roots(2)) {
    expect(refusal(() => flp.query([1n], proof, [root], [], 1n))).toBe('vdaf_verify');
  }
  expect(flp.decide(flp.query([1n], proof, [Field64.roots(4)[1] as bigint], [], 1n))).toBe(true);
});

test('a circuit that calls its gadget otherwise than it says is refused', () => {
  const wrong = { ...higherDegree, gadgets: [{ gadget: PolyEval([0n, 1n]), calls: 2 }] };
  expect(refusal(() => new Flp(wrong).prove([1n], [5n], []))).toBe('invalid_argument');
});
