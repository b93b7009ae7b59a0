import type { Field } from './field.ts';

/**
 * [P(1), P(ω), …, P(ω^(n−1))] for the polynomial with the given n coefficients, ω = nth_root(n)
 * (VDAF §NTT-Friendly Fields). n = the length, a power of two. Takes representatives, returns
 * elements.
 */
export function ntt(field: Field, coefficients: readonly bigint[]): bigint[] {
  return transform(field, coefficients).map((value) => field.reduce(value));
}

/** The coefficients of the polynomial with the given values at the n-th roots of unity. */
export function inverseNtt(field: Field, values: readonly bigint[]): bigint[] {
  const scale = field.inverseOfPowerOfTwo(values.length);
  return scaledInverse(field, values).map((value) => field.mul(value, scale));
}

/**
 * The values at the odd 2n-th roots of unity of the polynomial of degree < n whose values at the
 * n-th roots, i.e. at the even 2n-th ones, are given. Takes and returns representatives, those
 * returned twice as long as an element: n·log n reductions stand for n·(log n + 3).
 */
export function oddValues(field: Field, evenValues: readonly bigint[]): bigint[] {
  const n = evenValues.length;
  const shift = oddShift(field, n);
  const coefficients = scaledInverse(field, evenValues);
  for (let i = 0; i < n; i++) coefficients[i] = (coefficients[i] as bigint) * (shift[i] as bigint);
  return transform(field, coefficients);
}

/** What takes scaled coefficients of P(x) to those of P(ω·x), ω = nth_root(2n): ω^i/n. */
function oddShift(field: Field, n: number): readonly bigint[] {
  const known = shifts.get(field)?.[n];
  if (known !== undefined) return known;
  const scale = field.inverseOfPowerOfTwo(n);
  const shift = field
    .roots(2 * n)
    .slice(0, n)
    .map((root) => field.mul(root, scale));
  shifts.set(field, { ...shifts.get(field), [n]: shift });
  return shift;
}

const shifts = new Map<Field, Readonly<Record<number, readonly bigint[]>>>();

/** n times the coefficients of the polynomial with the given n values; representatives. */
function scaledInverse(field: Field, values: readonly bigint[]): bigint[] {
  // With ω^−1 in the place of ω the same sums come out, the first one first, the others backwards.
  const out = transform(field, values);
  const [first] = out.splice(0, 1) as [bigint];
  return [first, ...out.reverse()];
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
