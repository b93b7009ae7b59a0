import { CryptoError } from '../errors.ts';
import type { Circuit, GadgetCall } from './circuit.ts';
import type { Field } from './field.ts';
import type { Gadget } from './gadgets/gadget.ts';
import { evaluateByCosets, extensionWeights, lagrangeBasis, powerOfTwoPower } from './lagrange.ts';
import { oddValues } from './ntt.ts';

/** What prover and verifier both know of one gadget's part of the proof. */
interface GadgetShape {
  readonly gadget: Gadget;
  readonly calls: number;
  /** Values of a wire polynomial: the seed, one an input, zeros up to a power of two. */
  readonly wireLength: number;
  /** Values of the gadget polynomial that the proof carries. */
  readonly gadgetLength: number;
  /** All its values: the power of two from `gadgetLength` on. */
  readonly domain: number;
  /** How the values that the proof leaves out follow from those it carries. */
  readonly missing: readonly (readonly bigint[])[];
}

/**
 * The fully linear proof system of VDAF §FLP Specification (BBCGGI19, Theorem 4.3): a proof that a
 * vector makes a circuit zero, which can be checked on additive shares of vector and proof.
 *
 * For each gadget the values on each of its input wires, one a call, are read as the values of a
 * *wire polynomial* at the p-th roots of unity; the proof carries the *gadget polynomial*, the
 * gadget applied to them. A verifier tests that identity at one random point.
 */
export class Flp<Measurement, AggregateResult> {
  readonly circuit: Circuit<Measurement, AggregateResult>;
  readonly field: Field;
  /** Elements of randomness for one proof (PROVE_RAND_LEN). */
  readonly proveRandLength: number;
  /** Elements of randomness for one query (QUERY_RAND_LEN). */
  readonly queryRandLength: number;
  /** Elements of one proof (PROOF_LEN). */
  readonly proofLength: number;
  /** Elements of one verifier (VERIFIER_LEN). */
  readonly verifierLength: number;
  readonly #shapes: readonly GadgetShape[];

  /** @throws CryptoError `invalid_argument` if the field is too small for the number of calls */
  constructor(circuit: Circuit<Measurement, AggregateResult>) {
    this.circuit = circuit;
    this.field = circuit.field;
    this.#shapes = circuit.gadgets.map(({ gadget, calls }) => {
      const wireLength = nextPowerOfTwo(1 + calls);
      const gadgetLength = gadget.degree * (wireLength - 1) + 1;
      const domain = nextPowerOfTwo(gadgetLength);
      const missing = extensionWeights(circuit.field, gadgetLength, domain);
      return { gadget, calls, wireLength, gadgetLength, domain, missing };
    });
    let proveRand = 0;
    let proof = 0;
    for (const { gadget, gadgetLength } of this.#shapes) {
      proveRand += gadget.arity;
      proof += gadget.arity + gadgetLength;
    }
    const { evalOutputLength } = circuit;
    this.proveRandLength = proveRand;
    this.queryRandLength = this.#shapes.length + (evalOutputLength > 1 ? evalOutputLength : 0);
    this.proofLength = proof;
    this.verifierLength = 1 + proveRand + this.#shapes.length;
  }

  /**
   * A proof about a whole encoded measurement (VDAF §Generating the Proof).
   * @param proveRand `proveRandLength` elements
   * @param jointRand `circuit.jointRandLength` elements
   * @returns `proofLength` elements
   */
  prove(
    measurement: readonly bigint[],
    proveRand: readonly bigint[],
    jointRand: readonly bigint[],
  ): bigint[] {
    // The inputs of all gadgets by call; call 0 is the seeds that hide the others.
    let at = 0;
    const recorded = this.#shapes.map(({ gadget }) => {
      const seeds = proveRand.slice(at, at + gadget.arity);
      at += gadget.arity;
      return [seeds];
    });
    const record = this.#shapes.map(({ gadget }, i): GadgetCall => {
      return (inputs) => {
        recorded[i]?.push([...inputs]);
        return gadget.eval(inputs);
      };
    });
    this.circuit.eval(measurement, jointRand, 1n, record);
    return this.#shapes.flatMap((shape, i) => this.#proveGadget(shape, recorded[i] as bigint[][]));
  }

  #proveGadget(shape: GadgetShape, recorded: readonly (readonly bigint[])[]): bigint[] {
    const { gadget, calls, wireLength, gadgetLength, domain } = shape;
    if (recorded.length !== calls + 1) {
      throw new CryptoError(
        'invalid_argument',
        'the circuit calls a gadget more or less than said',
      );
    }
    const wires: (readonly bigint[])[] = [];
    for (let wire = 0; wire < gadget.arity; wire++) {
      let values: readonly bigint[] = this.field.zeros(wireLength).map((zero, k) => {
        return recorded[k]?.[wire] ?? zero;
      });
      while (values.length < domain) values = interleaved(values, oddValues(this.field, values));
      wires.push(values);
    }
    const proof = [...(recorded[0] as readonly bigint[])];
    const inputs = new Array<bigint>(gadget.arity);
    for (let k = 0; k < gadgetLength; k++) {
      for (let wire = 0; wire < inputs.length; wire++) {
        inputs[wire] = (wires[wire] as readonly bigint[])[k] as bigint;
      }
      proof.push(this.field.reduce(gadget.eval(inputs)));
    }
    return proof;
  }

  /**
   * One party's share of the verifier (VDAF §Querying the Proof).
   * @param measurement a share of the encoded measurement
   * @param proof a share of the proof, `proofLength` elements
   * @param queryRand `queryRandLength` elements, unknown to the prover
   * @param jointRand `circuit.jointRandLength` elements
   * @param one 1 over the number of shares
   * @returns `verifierLength` elements
   * @throws CryptoError `vdaf_verify` if a test point is a root of unity, where the verifier would
   * disclose an input of the gadget
   */
  query(
    measurement: readonly bigint[],
    proof: readonly bigint[],
    queryRand: readonly bigint[],
    jointRand: readonly bigint[],
    one: bigint,
  ): bigint[] {
    const { field } = this;
    const coefficients = this.queryRandLength - this.#shapes.length;
    let at = 0;
    const tests = this.#shapes.map((shape, i) => {
      const share = proof.slice(at, at + shape.gadget.arity + shape.gadgetLength);
      at += share.length;
      return new GadgetTest(field, shape, share, queryRand[coefficients + i] as bigint);
    });
    const output = this.circuit.eval(
      measurement,
      jointRand,
      one,
      tests.map((test) => test.call),
    );
    const v =
      coefficients === 0
        ? field.reduce(output[0] as bigint)
        : field.innerProduct(output, queryRand);
    const verifier = [v];
    for (const test of tests) verifier.push(...test.finish());
    return verifier;
  }

  /**
   * Whether the sum of all verifier shares proves the measurement valid (VDAF §Deciding Validity).
   * @param verifier `verifierLength` representatives
   */
  decide(verifier: readonly bigint[]): boolean {
    if (this.field.reduce(verifier[0] as bigint) !== 0n) return false;
    let at = 1;
    for (const { gadget } of this.#shapes) {
      const expected = gadget.eval(verifier, at);
      at += gadget.arity;
      if (this.field.reduce(expected - (verifier[at++] as bigint)) !== 0n) return false;
    }
    return true;
  }
}

/**
 * A gadget under query: it answers calls with the values of the gadget polynomial, and evaluates
 * its wire polynomials at the test point as their values come in.
 */
class GadgetTest {
  readonly #field: Field;
  readonly #point: bigint;
  /** The point to the power of the wires' length. */
  readonly #power: bigint;
  /** The Lagrange basis at the point, over the roots at which the wires are given. */
  readonly #basis: readonly bigint[];
  /** All values of the gadget polynomial. */
  readonly #values: readonly bigint[];
  /** What the seeds and the calls so far contribute to each wire polynomial at the point. */
  readonly #wires: bigint[];
  /** Values of each wire so far; the first one is the seed. */
  #known = 1;

  constructor(field: Field, shape: GadgetShape, share: readonly bigint[], point: bigint) {
    const { gadget, wireLength, missing } = shape;
    this.#field = field;
    this.#point = point;
    this.#power = powerOfTwoPower(field, point, wireLength);
    if (this.#power === 1n) {
      throw new CryptoError('vdaf_verify', 'the test point is a root of unity');
    }
    this.#basis = lagrangeBasis(field, wireLength, point).map((weight) => field.reduce(weight));
    const first = this.#basis[0] as bigint;
    this.#wires = share.slice(0, gadget.arity).map((seed) => first * seed);
    const carried = share.slice(gadget.arity);
    this.#values = [...carried, ...missing.map((weights) => field.innerProduct(carried, weights))];
  }

  readonly call: GadgetCall = (inputs) => {
    const wires = this.#wires;
    const weight = this.#basis[this.#known] as bigint;
    for (let wire = 0; wire < wires.length; wire++) {
      wires[wire] = (wires[wire] as bigint) + weight * (inputs[wire] as bigint);
    }
    const step = this.#values.length / this.#basis.length;
    return this.#values[this.#known++ * step] as bigint;
  };

  /** The wires and the gadget polynomial at the point, as elements. */
  finish(): bigint[] {
    const out = this.#wires.map((value) => this.#field.reduce(value));
    out.push(evaluateByCosets(this.#field, this.#values, this.#point, this.#power, this.#basis));
    return out;
  }
}

/** [even_0, odd_0, even_1, odd_1, …] */
function interleaved(even: readonly bigint[], odd: readonly bigint[]): bigint[] {
  const out = new Array<bigint>(2 * even.length);
  for (let k = 0; k < even.length; k++) {
    out[2 * k] = even[k] as bigint;
    out[2 * k + 1] = odd[k] as bigint;
  }
  return out;
}

function nextPowerOfTwo(n: number): number {
  return 2 ** Math.ceil(Math.log2(n));
}
