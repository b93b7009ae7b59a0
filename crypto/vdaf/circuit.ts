import type { Field } from './field.ts';
import type { Gadget } from './gadgets/gadget.ts';

/**
 * One gadget as a circuit under evaluation sees it: takes `arity` representatives, returns one.
 * The inputs are read before it returns, so the caller may reuse the array.
 */
export type GadgetCall = (inputs: readonly bigint[]) => bigint;

/** A gadget and how often the circuit calls it, at least once. */
export interface GadgetUse {
  readonly gadget: Gadget;
  readonly calls: number;
}

/**
 * A validity circuit and the encoding it checks (VDAF §Validity Circuits, class Valid). A vector is
 * valid if `eval` gives zeros only.
 */
export interface Circuit<Measurement, AggregateResult> {
  readonly field: Field;
  /** Elements of an encoded measurement (MEAS_LEN). */
  readonly measurementLength: number;
  /** Elements of joint randomness that `eval` takes (JOINT_RAND_LEN); 0 if it needs none. */
  readonly jointRandLength: number;
  /** Elements of an aggregate (OUTPUT_LEN). */
  readonly outputLength: number;
  /** Elements that `eval` returns (EVAL_OUTPUT_LEN). */
  readonly evalOutputLength: number;
  readonly gadgets: readonly GadgetUse[];

  /** The measurement as `measurementLength` elements. @throws CryptoError `invalid_argument` */
  encode(measurement: Measurement): bigint[];

  /**
   * Evaluates the circuit on a measurement or on one party's share of it. Everything but the
   * gadgets is affine in the measurement.
   * @param one the constant 1, as whoever evaluates holds it: 1 for the whole measurement, 1 over
   * the number of shares for a share. Every constant term is a multiple of it.
   * @param gadgets one call for each of `this.gadgets`
   * @returns `evalOutputLength` representatives
   */
  eval(
    measurement: readonly bigint[],
    jointRand: readonly bigint[],
    one: bigint,
    gadgets: readonly GadgetCall[],
  ): bigint[];

  /** The `outputLength` elements to be aggregated, a linear function of an encoded measurement. */
  truncate(measurement: readonly bigint[]): bigint[];

  /**
   * The result that a sum of `measurementCount` truncated measurements stands for.
   * @throws CryptoError `invalid_argument` for a sum that so many measurements cannot have
   */
  decode(aggregate: readonly bigint[], measurementCount: number): AggregateResult;
}
