import type { Field } from '../../crypto/vdaf/field.ts';

/** P(x) for coefficients from the constant term on, the slow and obvious way. */
export function hornerEval(field: Field, coefficients: readonly bigint[], x: bigint): bigint {
  return coefficients.reduceRight(
    (value, coefficient) => field.reduce(value * x + coefficient),
    0n,
  );
}
