import type { Field } from './field.ts';

/**
 * [P(1), P(ω), …, P(ω^(n−1))] for the polynomial with the given n coefficients, ω = nth_root(n)
 * (VDAF §NTT-Friendly Fields). n = the length, a power of two. Takes representatives, returns
 * elements.
 */
export function ntt(field: Field, coefficients: readonly bigint[]): bigint[] {
  const values = transform(field, coefficients);
  for (let i = 0; i < values.length; i++) values[i] = field.reduce(values[i] as bigint);
  return values;
}

/** The coefficients of the polynomial with the given values at the n-th roots of unity. */
export function inverseNtt(field: Field, values: readonly bigint[]): bigint[] {
  const n = values.length;
  const forward = transform(field, values);
  // With ω^−1 in the place of ω the same sums come out in the opposite order, n times too large.
  const scale = field.inverseOfPowerOfTwo(n);
  return forward.map((_, i) => field.mul(forward[(n - i) % n] as bigint, scale));
}

/**
 * The values at the odd 2n-th roots of unity of the polynomial of degree < n whose values at the
 * n-th roots, i.e. at the even 2n-th ones, are given. Takes representatives, returns elements.
 */
export function oddValues(field: Field, evenValues: readonly bigint[]): bigint[] {
  const shift = field.roots(2 * evenValues.length);
  const coefficients = inverseNtt(field, evenValues);
  return ntt(
    field,
    coefficients.map((coefficient, i) => coefficient * (shift[i] as bigint)),
  );
}

/** Cooley–Tukey, decimation in time; the output is not reduced. */
function transform(field: Field, input: readonly bigint[]): bigint[] {
  const n = input.length;
  const roots = field.roots(n);
  const out = bitReversed(input);
  for (let half = 1; half < n; half *= 2) {
    const stride = n / (2 * half);
    for (let start = 0; start < n; start += 2 * half) {
      for (let i = start; i < start + half; i++) {
        const even = out[i] as bigint;
        // Only the product is reduced. A sum then grows by one bit a stage, and the sign is free.
        const twiddle = roots[(i - start) * stride] as bigint;
        const odd =
          i === start ? (out[i + half] as bigint) : field.mul(out[i + half] as bigint, twiddle);
        out[i] = even + odd;
        out[i + half] = even - odd;
      }
    }
  }
  return out;
}

/** A copy in which index i holds the element whose index has the bits of i in reverse. */
function bitReversed(input: readonly bigint[]): bigint[] {
  const out = [...input];
  for (let i = 1, reversed = 0; i < input.length; i++) {
    let bit = input.length >> 1;
    for (; reversed & bit; bit >>= 1) reversed ^= bit;
    reversed |= bit;
    out[i] = input[reversed] as bigint;
  }
  return out;
}
