import { concat, equalBytes } from '../bytes.ts';
import { CryptoError } from '../errors.ts';
import { Secret } from '../secret.ts';
import { Aggregation, type SecretVec } from './aggregation.ts';
import { decodeLength, requireInteger, requireLength } from './arguments.ts';
import type { Circuit } from './circuit.ts';
import { Derivation } from './derivation.ts';
import { Flp } from './flp.ts';
import { SEED_SIZE } from './xof.ts';

export type { SecretVec } from './aggregation.ts';

/** What a party keeps of one report between `verifyInit` and `verifyNext`. */
export class VerifyState {
  readonly #outShare: readonly bigint[];
  readonly #jointRandSeed: Uint8Array;

  constructor(outShare: readonly bigint[], jointRandSeed: Uint8Array) {
    this.#outShare = outShare;
    this.#jointRandSeed = jointRandSeed;
  }

  /** The out share, on the message that confirms this party's joint randomness; `vdaf_verify`. */
  finish(message: Uint8Array): SecretVec {
    if (!equalBytes(message, this.#jointRandSeed)) {
      throw new CryptoError('vdaf_verify', 'the joint randomness check failed');
    }
    return new Secret(this.#outShare);
  }
}

/** What can be chosen for any circuit. */
export interface Prio3Options {
  /** Parties, from 2 to 255; 2 if absent. */
  readonly shares?: number;
  /** Proofs for each measurement, from 1 to 255; 1 if absent (VDAF §Multiple Proofs). */
  readonly proofs?: number;
}

/**
 * Prio3 of draft-irtf-cfrg-vdaf-20: a client cuts its measurement into one share for each party,
 * with a proof that it is well-formed; the parties check the proof without seeing the measurement,
 * and each adds up its shares.
 *
 * Byte strings are messages as they go over the wire, and of exactly the sizes given. Aggregator 0
 * is the leader, 1 to shares − 1 are helpers. Nothing here draws randomness, keeps state or changes
 * an argument. `ctx`, up to 65527 bytes, names the application and its task; it must be the same
 * for all parties.
 */
export class Prio3<Measurement, AggregateResult> extends Aggregation {
  readonly algorithmId: number;
  readonly proofs: number;
  /** Bytes of randomness that `shard` takes. */
  readonly randSize: number;
  /** Bytes of a nonce. */
  readonly nonceSize = 16;
  /** Bytes of the key that all parties share and no client knows. */
  readonly verifyKeySize = 32;
  /** Bytes of a public share: one joint randomness part a party, or none. */
  readonly publicShareSize: number;
  /** Bytes of a verifier share. */
  readonly verifierShareSize: number;
  /** Bytes of a verifier message: the joint randomness seed, or nothing. */
  readonly verifierMessageSize: number;
  readonly #circuit: Circuit<Measurement, AggregateResult>;
  readonly #flp: Flp<Measurement, AggregateResult>;
  readonly #derive: Derivation;
  /** Bytes of a blind, a joint randomness part or seed: 32, or 0 for circuits that need none. */
  readonly #blindSize: number;
  /** 1 over the number of shares. */
  readonly #one: bigint;

  /**
   * @param algorithmId from 0 to 2^32 − 1 (VDAF §IANA Considerations)
   * @throws CryptoError `invalid_argument`, also for joint randomness over Field64 with fewer than
   * three proofs: a client could search offline for a false proof (VDAF §Choosing FLP Parameters)
   */
  constructor(
    circuit: Circuit<Measurement, AggregateResult>,
    algorithmId: number,
    { shares = 2, proofs = 1 }: Prio3Options = {},
  ) {
    super(circuit.field, shares, circuit.outputLength);
    requireInteger('algorithm identifier', algorithmId, 0, 0xffffffff);
    requireInteger('number of shares', shares, 2, 255);
    requireInteger('number of proofs', proofs, 1, 255);
    const flp = new Flp(circuit);
    const { field, measurementLength, jointRandLength } = circuit;
    if (jointRandLength > 0 && field.encodedSize === 8 && proofs < 3) {
      throw new CryptoError('invalid_argument', 'joint randomness over Field64 needs three proofs');
    }
    this.algorithmId = algorithmId;
    this.proofs = proofs;
    this.#circuit = circuit;
    this.#flp = flp;
    this.#derive = new Derivation(field, algorithmId, proofs, {
      measurement: measurementLength,
      proof: flp.proofLength,
      jointRand: jointRandLength,
      proveRand: flp.proveRandLength,
      queryRand: flp.queryRandLength,
    });
    this.#blindSize = jointRandLength > 0 ? SEED_SIZE : 0;
    this.#one = field.inverse(BigInt(shares));
    this.randSize = shares * (SEED_SIZE + this.#blindSize);
    this.publicShareSize = shares * this.#blindSize;
    this.verifierShareSize = field.encodedSize * flp.verifierLength * proofs + this.#blindSize;
    this.verifierMessageSize = this.#blindSize;
  }

  /** Bytes of the input share of an aggregator: the leader's holds vectors, a helper's a seed. */
  inputShareSize(aggregatorId: number): number {
    requireInteger('aggregator identifier', aggregatorId, 0, this.shares - 1);
    if (aggregatorId > 0) return SEED_SIZE + this.#blindSize;
    const elements = this.#circuit.measurementLength + this.#flp.proofLength * this.proofs;
    return this.field.encodedSize * elements + this.#blindSize;
  }

  /**
   * Cuts a measurement into one input share for each aggregator (VDAF §Sharding).
   * @param nonce 16 bytes, public, never used for another report
   * @param rand `randSize` fresh uniform bytes
   * @throws CryptoError `invalid_argument`
   */
  shard(
    ctx: Uint8Array,
    measurement: Measurement,
    nonce: Uint8Array,
    rand: Uint8Array,
  ): { publicShare: Uint8Array; inputShares: Secret<Uint8Array>[] } {
    requireLength('nonce', nonce, this.nonceSize);
    requireLength('rand', rand, this.randSize);
    const { field } = this;
    const take = reader(rand);
    const helpers = Array.from({ length: this.shares - 1 }, (_, i) => {
      const id = i + 1;
      const share = take(SEED_SIZE);
      const blind = take(this.#blindSize);
      const meas = this.#derive.measShare(ctx, id, share);
      const proofs = this.#derive.proofsShare(ctx, id, share);
      const part = this.#derive.jointRandPart(ctx, id, blind, nonce, meas.encoded);
      return { meas: meas.elements, proofs, part, inputShare: concat(share, blind) };
    });
    const leaderBlind = take(this.#blindSize);
    const proveSeed = take(SEED_SIZE);

    // The leader holds what the helpers' shares lack.
    const meas = this.#circuit.encode(measurement);
    const leaderMeas = field.encodeVec(
      helpers.reduce((rest, helper) => field.subVec(rest, helper.meas), meas),
    );
    const leaderPart = this.#derive.jointRandPart(ctx, 0, leaderBlind, nonce, leaderMeas);
    const publicShare = concat(leaderPart, ...helpers.map(({ part }) => part));

    const jointRands = this.#derive.jointRands(ctx, this.#derive.jointRandSeed(ctx, publicShare));
    const proveRands = this.#derive.proveRands(ctx, proveSeed);
    const proofs = this.#eachProof((i) =>
      this.#flp.prove(
        meas,
        nth(proveRands, i, this.#flp.proveRandLength),
        nth(jointRands, i, this.#circuit.jointRandLength),
      ),
    );
    const leaderProofs = field.encodeVec(
      helpers.reduce((rest, helper) => field.subVec(rest, helper.proofs), proofs),
    );
    const inputShares = [concat(leaderMeas, leaderProofs, leaderBlind)];
    inputShares.push(...helpers.map(({ inputShare }) => inputShare));
    return { publicShare, inputShares: inputShares.map((share) => new Secret(share)) };
  }

  /**
   * A party's first step on a report (VDAF §Verification).
   *
   * The party replaces its own joint randomness part in the public share by the one that it
   * computes from its input share. `jointRandPartMatches` tells whether they were equal. VDAF does
   * not ask; Chorus refuses the report if not, because it counts on the public share to commit to
   * both input shares (all but the leader's share of the proof, of which any other is refused
   * anyhow). Always true for circuits without joint randomness.
   * @param verifyKey 32 bytes, uniform, unknown to clients
   * @param nonce 16 bytes
   * @throws CryptoError `decode` for a malformed share, `invalid_argument` for any other argument,
   * `vdaf_verify` for a test point that would disclose inputs (less than one in 2^50)
   */
  verifyInit(
    verifyKey: Uint8Array,
    ctx: Uint8Array,
    aggregatorId: number,
    nonce: Uint8Array,
    publicShare: Uint8Array,
    inputShare: Secret<Uint8Array>,
  ): { state: VerifyState; verifierShare: Uint8Array; jointRandPartMatches: boolean } {
    requireLength('verify key', verifyKey, this.verifyKeySize);
    requireLength('nonce', nonce, this.nonceSize);
    decodeLength('public share', publicShare, this.publicShareSize);
    const { meas, encodedMeas, proofs, blind } = this.#expandInputShare(
      ctx,
      aggregatorId,
      inputShare.reveal(),
    );
    const part = this.#derive.jointRandPart(ctx, aggregatorId, blind, nonce, encodedMeas);
    const partAt = aggregatorId * this.#blindSize;
    const claimedPart = publicShare.subarray(partAt, partAt + this.#blindSize);
    const correctedParts = new Uint8Array(publicShare);
    correctedParts.set(part, partAt);
    const jointRandSeed = this.#derive.jointRandSeed(ctx, correctedParts);

    const jointRands = this.#derive.jointRands(ctx, jointRandSeed);
    const queryRands = this.#derive.queryRands(ctx, verifyKey, nonce);
    const verifiers = this.#eachProof((i) =>
      this.#flp.query(
        meas,
        nth(proofs, i, this.#flp.proofLength),
        nth(queryRands, i, this.#flp.queryRandLength),
        nth(jointRands, i, this.#circuit.jointRandLength),
        this.#one,
      ),
    );
    return {
      state: new VerifyState(this.#circuit.truncate(meas), jointRandSeed),
      verifierShare: concat(this.field.encodeVec(verifiers), part),
      jointRandPartMatches: equalBytes(part, claimedPart),
    };
  }

  /**
   * Decides on a report from the verifier shares of all aggregators, in order (VDAF §Verification).
   * @returns the verifier message, for every party
   * @throws CryptoError `vdaf_verify` if the proof does not hold, `decode` for a malformed share,
   * `invalid_argument` for a wrong number of shares
   */
  verifierSharesToMessage(ctx: Uint8Array, verifierShares: readonly Uint8Array[]): Uint8Array {
    this.requireAllShares(verifierShares);
    const verifiersSize = this.verifierShareSize - this.#blindSize;
    const vectors = verifierShares.map((share) => {
      decodeLength('verifier share', share, this.verifierShareSize);
      return this.field.decodeVec(share.subarray(0, verifiersSize));
    });
    const length = this.#flp.verifierLength;
    const verifiers = this.field.lazySumVecs(vectors, length * this.proofs);
    for (let i = 0; i < this.proofs; i++) {
      if (!this.#flp.decide(nth(verifiers, i, length))) {
        throw new CryptoError('vdaf_verify', 'the proof does not hold');
      }
    }
    const parts = concat(...verifierShares.map((share) => share.subarray(verifiersSize)));
    return this.#derive.jointRandSeed(ctx, parts);
  }

  /**
   * A party's last step on a report (VDAF §Verification).
   * @returns the out share, to be aggregated
   * @throws CryptoError `vdaf_verify` if the parties did not use the same joint randomness,
   * `decode` for a message of a wrong length
   */
  verifyNext(_ctx: Uint8Array, state: VerifyState, message: Uint8Array): SecretVec {
    decodeLength('verifier message', message, this.verifierMessageSize);
    return state.finish(message);
  }

  /**
   * The aggregate result of the shares of all parties (VDAF §Unsharding).
   * @param measurementCount how many reports are in each share, from 1 on
   * @throws CryptoError `invalid_argument`
   */
  unshard(aggregateShares: readonly SecretVec[], measurementCount: number): AggregateResult {
    requireInteger('measurement count', measurementCount, 1, Number.MAX_SAFE_INTEGER);
    return this.#circuit.decode(this.sumAggregateShares(aggregateShares), measurementCount);
  }

  #expandInputShare(ctx: Uint8Array, aggregatorId: number, inputShare: Uint8Array) {
    decodeLength('input share', inputShare, this.inputShareSize(aggregatorId));
    const take = reader(inputShare);
    if (aggregatorId > 0) {
      const share = take(SEED_SIZE);
      const meas = this.#derive.measShare(ctx, aggregatorId, share);
      const proofs = this.#derive.proofsShare(ctx, aggregatorId, share);
      return {
        meas: meas.elements,
        encodedMeas: meas.encoded,
        proofs,
        blind: take(this.#blindSize),
      };
    }
    const { encodedSize } = this.field;
    const encodedMeas = take(encodedSize * this.#circuit.measurementLength);
    const encodedProofs = take(encodedSize * this.#flp.proofLength * this.proofs);
    return {
      meas: this.field.decodeVec(encodedMeas),
      encodedMeas,
      proofs: this.field.decodeVec(encodedProofs),
      blind: take(this.#blindSize),
    };
  }

  #eachProof(vectorOf: (index: number) => bigint[]): bigint[] {
    const all = vectorOf(0);
    for (let i = 1; i < this.proofs; i++) all.push(...vectorOf(i));
    return all;
  }
}

/** The i-th of consecutive vectors of one length. */
function nth(vector: readonly bigint[], i: number, length: number): readonly bigint[] {
  return vector.slice(i * length, (i + 1) * length);
}

/** Takes a byte string apart from the front; the caller has checked its length. */
function reader(bytes: Uint8Array): (length: number) => Uint8Array {
  let at = 0;
  return (length) => {
    at += length;
    return bytes.subarray(at - length, at);
  };
}
