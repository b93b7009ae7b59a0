import type { Fraction } from '../../crypto/sheet.ts';

/** Exact fractions of naturals, for what must come out the same at both parties. */
export interface Exact {
  /** 0 or more. */
  readonly numerator: bigint;
  /** 1 or more. */
  readonly denominator: bigint;
}

export const ZERO: Exact = { numerator: 0n, denominator: 1n };

/** numerator / denominator in lowest terms. */
export function exact(numerator: bigint, denominator: bigint): Exact {
  const divisor = greatestDivisor(numerator, denominator);
  return { numerator: numerator / divisor, denominator: denominator / divisor };
}

export function exactly({ numerator, denominator }: Fraction): Exact {
  return exact(BigInt(numerator), BigInt(denominator));
}

export function plus(a: Exact, b: Exact): Exact {
  return exact(
    a.numerator * b.denominator + b.numerator * a.denominator,
    a.denominator * b.denominator,
  );
}

/** Below 0, 0, or above 0, as a is less than, equal to, or more than b. */
export function compare(a: Exact, b: Exact): number {
  const difference = a.numerator * b.denominator - b.numerator * a.denominator;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** The nearest double. */
export function toNumber({ numerator, denominator }: Exact): number {
  return Number(numerator) / Number(denominator);
}

function greatestDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : greatestDivisor(b, a % b);
}
