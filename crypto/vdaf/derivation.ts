import { bigEndian, concat } from '../bytes.ts';
import type { Field } from './field.ts';
import { deriveSeed, type EncodedVec, expandIntoVec, SEED_SIZE } from './xof.ts';

/** VERSION of draft-irtf-cfrg-vdaf-20 (§Conventions), in every tag; not the number of the draft. */
export const VERSION = 18;

/** The algorithm class of VDAFs (VDAF §The Domain Separation Tag and Binder String). */
const CLASS_VDAF = 0;

/** What a stream is for (VDAF §Specification, constants used by Prio3). */
const USAGE = {
  measShare: 1,
  proofShare: 2,
  jointRandomness: 3,
  proveRandomness: 4,
  queryRandomness: 5,
  jointRandSeed: 6,
  jointRandPart: 7,
} as const;

/** How many elements the streams of one Prio3 variant have. */
export interface DerivedLengths {
  readonly measurement: number;
  /** Of one proof, as the three below. */
  readonly proof: number;
  readonly jointRand: number;
  readonly proveRand: number;
  readonly queryRand: number;
}

/**
 * Everything that one variant of Prio3 derives from seeds (VDAF §Prio3, Auxiliary Functions). Each
 * stream is bound to the algorithm, its usage and the application context; where proofs are
 * concerned also to their number. For circuits that take no joint randomness its parts, seed and
 * elements are empty.
 */
export class Derivation {
  readonly #field: Field;
  readonly #proofs: number;
  readonly #lengths: DerivedLengths;
  /** The start of a tag by its usage: version, class, algorithm and usage. */
  readonly #tagStarts: ReadonlyMap<number, Uint8Array>;

  constructor(field: Field, algorithmId: number, proofs: number, lengths: DerivedLengths) {
    this.#field = field;
    this.#proofs = proofs;
    this.#lengths = lengths;
    const algorithm = concat(Uint8Array.of(VERSION, CLASS_VDAF), bigEndian(algorithmId, 4));
    this.#tagStarts = new Map(
      Object.values(USAGE).map((usage) => [usage, concat(algorithm, bigEndian(usage, 2))]),
    );
  }

  /** A helper's measurement share, from its 32-byte share seed. */
  measShare(ctx: Uint8Array, aggregatorId: number, share: Uint8Array): EncodedVec {
    const binder = Uint8Array.of(aggregatorId);
    return expandIntoVec(
      this.#field,
      this.#lengths.measurement,
      share,
      this.#tag(USAGE.measShare, ctx),
      binder,
    );
  }

  /** A helper's share of all proofs, from its 32-byte share seed. */
  proofsShare(ctx: Uint8Array, aggregatorId: number, share: Uint8Array): readonly bigint[] {
    const binder = Uint8Array.of(this.#proofs, aggregatorId);
    return this.#perProof(USAGE.proofShare, this.#lengths.proof, ctx, share, binder);
  }

  /** The prover's randomness for all proofs. */
  proveRands(ctx: Uint8Array, proveSeed: Uint8Array): readonly bigint[] {
    const binder = Uint8Array.of(this.#proofs);
    return this.#perProof(USAGE.proveRandomness, this.#lengths.proveRand, ctx, proveSeed, binder);
  }

  /** The verifiers' randomness for all proofs. */
  queryRands(ctx: Uint8Array, verifyKey: Uint8Array, nonce: Uint8Array): readonly bigint[] {
    const binder = concat(Uint8Array.of(this.#proofs), nonce);
    return this.#perProof(USAGE.queryRandomness, this.#lengths.queryRand, ctx, verifyKey, binder);
  }

  /** The joint randomness for all proofs. */
  jointRands(ctx: Uint8Array, jointRandSeed: Uint8Array): readonly bigint[] {
    if (this.#lengths.jointRand === 0) return [];
    const binder = Uint8Array.of(this.#proofs);
    return this.#perProof(
      USAGE.jointRandomness,
      this.#lengths.jointRand,
      ctx,
      jointRandSeed,
      binder,
    );
  }

  /** One party's part of the joint randomness: a commitment to its encoded measurement share. */
  jointRandPart(
    ctx: Uint8Array,
    aggregatorId: number,
    blind: Uint8Array,
    nonce: Uint8Array,
    measShare: Uint8Array,
  ): Uint8Array {
    if (this.#lengths.jointRand === 0) return new Uint8Array(0);
    const id = Uint8Array.of(aggregatorId);
    return deriveSeed(blind, this.#tag(USAGE.jointRandPart, ctx), id, nonce, measShare);
  }

  /** The seed of the joint randomness, from the parts of all parties one after another. */
  jointRandSeed(ctx: Uint8Array, parts: Uint8Array): Uint8Array {
    if (this.#lengths.jointRand === 0) return new Uint8Array(0);
    const zeros = new Uint8Array(SEED_SIZE);
    return deriveSeed(zeros, this.#tag(USAGE.jointRandSeed, ctx), parts);
  }

  #perProof(
    usage: number,
    length: number,
    ctx: Uint8Array,
    seed: Uint8Array,
    binder: Uint8Array,
  ): readonly bigint[] {
    const tag = this.#tag(usage, ctx);
    return expandIntoVec(this.#field, length * this.#proofs, seed, tag, binder).elements;
  }

  /** The domain separation tag of a stream. */
  #tag(usage: number, ctx: Uint8Array): Uint8Array {
    return concat(this.#tagStarts.get(usage) as Uint8Array, ctx);
  }
}
