/** A nonlinear piece of a validity circuit (VDAF §FLP Gadgets): a polynomial in `arity` variables. */
export interface Gadget {
  /** How many inputs it takes. */
  readonly arity: number;
  /** Its arithmetic degree, at least 1. */
  readonly degree: number;
  /**
   * Its value at inputs[at], …, inputs[at + arity − 1]; `at` is 0 if absent. Works on
   * representatives and returns one: nothing is reduced here (see field.ts).
   */
  eval(inputs: readonly bigint[], at?: number): bigint;
}
