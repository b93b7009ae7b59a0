import { CryptoError } from '../errors.ts';
import { Secret } from '../secret.ts';
import { decodeLength } from './arguments.ts';
import type { Field } from './field.ts';

/** Field elements that only their holder may see: an out share or an aggregate share. */
export type SecretVec = Secret<readonly bigint[]>;

/**
 * The half of Prio3 that comes after verification: out shares are vectors over a field, added up by
 * each party for itself and then across parties (VDAF §Aggregation, §Unsharding).
 */
export class Aggregation {
  readonly field: Field;
  readonly shares: number;
  /** Elements of an out share and of an aggregate share. */
  readonly outputLength: number;
  /** Bytes of an aggregate share, and of an encoded out share. */
  readonly aggregateShareSize: number;

  /** @param shares how many parties there are */
  constructor(field: Field, shares: number, outputLength: number) {
    this.field = field;
    this.shares = shares;
    this.outputLength = outputLength;
    this.aggregateShareSize = field.encodedSize * outputLength;
  }

  /** The aggregate share of no report (VDAF §Aggregation). */
  aggregateInit(): SecretVec {
    return new Secret(this.field.zeros(this.outputLength));
  }

  /**
   * An aggregate share with more out shares in it (VDAF §Aggregation).
   * @throws CryptoError `invalid_argument`
   */
  aggregateUpdate(aggregate: SecretVec, outShares: readonly SecretVec[]): SecretVec {
    return this.merge([aggregate, ...outShares]);
  }

  /**
   * The aggregate share of all reports in any number of aggregate shares of one party.
   * @throws CryptoError `invalid_argument`
   */
  merge(aggregateShares: readonly SecretVec[]): SecretVec {
    const vectors = aggregateShares.map((share) => this.#elements(share));
    return new Secret(this.field.sumVecs(vectors, this.outputLength));
  }

  /**
   * An aggregate share with `outputLength` integers of any sign added to it, such as noise.
   * @throws CryptoError `invalid_argument`
   */
  addIntegers(aggregateShare: SecretVec, integers: readonly bigint[]): SecretVec {
    if (integers.length !== this.outputLength) {
      throw new CryptoError('invalid_argument', 'one integer for each element is needed');
    }
    const vectors = [this.#elements(aggregateShare), integers];
    return new Secret(this.field.sumVecs(vectors, this.outputLength));
  }

  /** An aggregate share, or an out share, as bytes. @throws CryptoError `invalid_argument` */
  encodeAggregateShare(aggregateShare: SecretVec): Secret<Uint8Array> {
    return new Secret(this.field.encodeVec(this.#elements(aggregateShare)));
  }

  /** The aggregate share, or out share, that the bytes encode. @throws CryptoError `decode` */
  decodeAggregateShare(encoded: Secret<Uint8Array>): SecretVec {
    decodeLength('aggregate share', encoded.reveal(), this.aggregateShareSize);
    return new Secret(this.field.decodeVec(encoded.reveal()));
  }

  /**
   * The sum of the aggregate shares of all parties, as elements: what `unshard` decodes. With noise
   * in it, `field.centered` reads an element as a signed integer.
   * @throws CryptoError `invalid_argument`
   */
  sumAggregateShares(aggregateShares: readonly SecretVec[]): bigint[] {
    this.requireAllShares(aggregateShares);
    return [...this.merge(aggregateShares).reveal()];
  }

  /** @throws CryptoError `invalid_argument` unless there is one share for each party */
  protected requireAllShares(shares: readonly unknown[]): void {
    if (shares.length !== this.shares) {
      throw new CryptoError('invalid_argument', `${this.shares} shares are needed`);
    }
  }

  #elements(share: SecretVec): readonly bigint[] {
    const elements = share.reveal();
    const { modulus } = this.field;
    if (
      elements.length !== this.outputLength ||
      elements.some((element) => element < 0n || element >= modulus)
    ) {
      throw new CryptoError('invalid_argument', 'not an aggregate share of this instance');
    }
    return elements;
  }
}
