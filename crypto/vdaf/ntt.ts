import type { Field } from './field.ts';

/**
 * [P(1), P(ω), …, P(ω^(n−1))] for the polynomial with the given n coefficients, ω = nth_root(n)
 * (VDAF §NTT-Friendly Fields). n = the length, a power of two. Takes and returns representatives.
 */
export function ntt(field: Field, coefficients: readonly bigint[]): bigint[] {
  const n = coefficients.length;
  const roots = field.roots(n);
  const out = bitReversed(coefficients);
  for (let half = 1; half < n; half *= 2) {
    const stride = n / (2 * half);
    for (let start = 0; start < n; start += 2 * half) {
      for (let i = start; i < start + half; i++) {
        const even = out[i] as bigint;
        const odd = out[i + half] as bigint;
        // Only products are reduced. A sum then grows by one bit a stage, and the sign is free.
        const turned = i === start ? odd : field.mul(odd, roots[(i - start) * stride] as bigint);
        out[i] = even + turned;
        out[i + half] = even - turned;
      }
    }
  }
  return out;
}

/**
 * The values at the odd 2n-th roots of unity of the polynomial of degree < n whose values at the
 * n-th roots, i.e. at the even 2n-th ones, are given. Takes and returns representatives.
 */
export function oddValues(field: Field, evenValues: readonly bigint[]): bigint[] {
  const n = evenValues.length;
  const shift = oddShift(field, n);
  // The inverse transform is the transform with ω^−1 in the place of ω: the same sums come out, n
  // times the coefficients, all but the first one backwards.
  const sums = ntt(field, evenValues);
  const shifted = new Array<bigint>(n);
  for (let i = 0; i < n; i++) shifted[i] = (sums[(n - i) % n] as bigint) * (shift[i] as bigint);
  return ntt(field, shifted);
}

const oddShifts = new Map<Field, Map<number, readonly bigint[]>>();

/** ω^i/n, ω = nth_root(2n): takes scaled coefficients of P(x) to the coefficients of P(ω·x). */
function oddShift(field: Field, n: number): readonly bigint[] {
  const ofField = oddShifts.get(field) ?? new Map<number, readonly bigint[]>();
  oddShifts.set(field, ofField);
  let shift = ofField.get(n);
  if (shift === undefined) {
    const scale = field.inverseOfPowerOfTwo(n);
    shift = Array.from({ length: n }, (_, i) => field.mul(field.roots(2 * n)[i] as bigint, scale));
    ofField.set(n, shift);
  }
  return shift;
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
