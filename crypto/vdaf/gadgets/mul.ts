import type { Gadget } from './gadget.ts';

/** x·y (VDAF §Multiplication). */
export const Mul: Gadget = {
  arity: 2,
  degree: 2,
  eval: (inputs, at = 0) => (inputs[at] as bigint) * (inputs[at + 1] as bigint),
};
