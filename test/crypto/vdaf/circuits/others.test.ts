import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { sodiumReady } from '../../../../crypto/sodium.ts';
import { count, PRIO3_COUNT, prio3Count } from '../../../../crypto/vdaf/circuits/count.ts';
import {
  histogram,
  PRIO3_HISTOGRAM,
  prio3Histogram,
} from '../../../../crypto/vdaf/circuits/histogram.ts';
import {
  multihotCountVec,
  PRIO3_MULTIHOT_COUNT_VEC,
  prio3MultihotCountVec,
} from '../../../../crypto/vdaf/circuits/multihot-count-vec.ts';
import { rangeCheckedInt } from '../../../../crypto/vdaf/circuits/range-checked-int.ts';
import { PRIO3_SUM, prio3Sum, sum } from '../../../../crypto/vdaf/circuits/sum.ts';
import { PRIO3_SUM_VEC, prio3SumVec, sumVec } from '../../../../crypto/vdaf/circuits/sum-vec.ts';
import { Field64 } from '../../../../crypto/vdaf/field.ts';
import { Prio3 } from '../../../../crypto/vdaf/prio3.ts';
import {
  aggregateOf,
  cheatingPrio3,
  refusal,
  replaced,
  report,
  verify,
} from '../../../support/vdaf-reports.ts';

beforeAll(sodiumReady);

const several = <T>(measurement: fc.Arbitrary<T>) =>
  fc.array(measurement, { minLength: 1, maxLength: 4 });
const FEW = { numRuns: 20 };

describe('Prio3Count', () => {
  test('counts the ones, among any number of parties', () => {
    const input = fc.tuple(several(fc.constantFrom(0, 1)), fc.integer({ min: 2, max: 5 }));
    fc.assert(
      fc.property(input, ([measurements, shares]) => {
        const ones = measurements.filter((x) => x === 1).length;
        expect(aggregateOf(prio3Count({ shares }), measurements)).toBe(ones);
      }),
      FEW,
    );
  });

  test('refuses any other value', () => {
    const cheating = cheatingPrio3(count, PRIO3_COUNT);
    for (const value of [2n, Field64.modulus - 1n, 1337n]) {
      const made = report(cheating, [value]);
      expect(refusal(() => verify(prio3Count(), made))).toBe('vdaf_verify');
    }
    expect(refusal(() => count.encode(2 as 1))).toBe('invalid_argument');
  });
});

describe('Prio3Sum', () => {
  test('adds integers up to the maximum', () => {
    const input = fc
      .bigInt(1n, 2n ** 40n)
      .chain((max) => fc.tuple(fc.constant(max), several(fc.bigInt(0n, max))));
    fc.assert(
      fc.property(input, ([maxMeasurement, measurements]) => {
        const total = measurements.reduce((a, b) => a + b, 0n);
        expect(aggregateOf(prio3Sum({ maxMeasurement }), measurements)).toBe(total);
      }),
      FEW,
    );
  });

  test('refuses elements that are no bits, integers out of range and maxima that do not fit', () => {
    const parameters = { maxMeasurement: 10n };
    const cheating = cheatingPrio3(sum(parameters), PRIO3_SUM);
    const made = report(cheating, [0n, 2n, 0n, 0n]);
    expect(refusal(() => verify(prio3Sum(parameters), made))).toBe('vdaf_verify');
    for (const value of [-1n, 11n]) {
      expect(refusal(() => sum(parameters).encode(value))).toBe('invalid_argument');
    }
    for (const maxMeasurement of [0n, -1n, 2n ** 64n]) {
      expect(refusal(() => sum({ maxMeasurement }))).toBe('invalid_argument');
    }
  });
});

describe('a range-checked integer', () => {
  test('round-trips, and no zeros and ones stand for an integer out of range', () => {
    for (const max of [1n, 2n, 5n, 14n, 15n, 16n]) {
      const integer = rangeCheckedInt(Field64, max);
      for (let value = 0n; value <= max; value++) {
        expect(integer.decode(integer.encode(value), 0)).toBe(value);
      }
      for (let code = 0; code < 2 ** integer.bits; code++) {
        const bits = Array.from({ length: integer.bits }, (_, i) => BigInt((code >> i) & 1));
        expect(integer.decode(bits, 0)).toBeLessThanOrEqual(max);
      }
    }
  });
});

describe('Prio3SumVec', () => {
  const parameters = { length: 3, maxMeasurement: 9n, chunkLength: 4 };
  const vectors = several(fc.array(fc.bigInt(0n, 9n), { minLength: 3, maxLength: 3 }));

  test('adds vectors, with one proof over Field128 or three over Field64', () => {
    const small = new Prio3(sumVec(parameters, Field64), 0xffffffff, { proofs: 3 });
    for (const prio3 of [prio3SumVec(parameters), small]) {
      fc.assert(
        fc.property(vectors, (measurements) => {
          const total = [0, 1, 2].map((i) =>
            measurements.reduce((a, vector) => a + (vector[i] as bigint), 0n),
          );
          expect(aggregateOf(prio3, measurements)).toEqual(total);
        }),
        FEW,
      );
    }
  });

  test('refuses elements that are no bits and vectors out of range', () => {
    const circuit = sumVec(parameters);
    const cheating = cheatingPrio3(circuit, PRIO3_SUM_VEC);
    const vector = replaced(circuit.encode([1n, 2n, 3n]), 7, 2n);
    const honest = prio3SumVec(parameters);
    expect(refusal(() => verify(honest, report(cheating, vector)))).toBe('vdaf_verify');
    for (const measurement of [[], [1n, 2n], [1n, 2n, 3n, 4n], [1n, 2n, 10n], [-1n, 0n, 0n]]) {
      expect(refusal(() => circuit.encode(measurement))).toBe('invalid_argument');
    }
  });

  test('joint randomness over Field64 takes three proofs', () => {
    for (const proofs of [1, 2]) {
      expect(refusal(() => new Prio3(sumVec(parameters, Field64), 1, { proofs }))).toBe(
        'invalid_argument',
      );
    }
  });
});

describe('Prio3Histogram', () => {
  test('counts the choices of each bucket', () => {
    fc.assert(
      fc.property(several(fc.nat(6)), fc.integer({ min: 1, max: 9 }), (buckets, chunkLength) => {
        const counts = Array.from({ length: 7 }, (_, i) => buckets.filter((x) => x === i).length);
        expect(aggregateOf(prio3Histogram({ length: 7, chunkLength }), buckets)).toEqual(counts);
      }),
      FEW,
    );
  });

  test('refuses no choice, two choices, and buckets that are not there', () => {
    const parameters = { length: 4, chunkLength: 2 };
    const cheating = cheatingPrio3(histogram(parameters), PRIO3_HISTOGRAM);
    const honest = prio3Histogram(parameters);
    for (const vector of [
      [0n, 0n, 0n, 0n],
      [1n, 1n, 0n, 0n],
      [2n, 0n, 0n, 0n],
    ]) {
      expect(refusal(() => verify(honest, report(cheating, vector)))).toBe('vdaf_verify');
    }
    for (const bucket of [-1, 4, 0.5]) {
      expect(refusal(() => histogram(parameters).encode(bucket))).toBe('invalid_argument');
    }
  });
});

describe('Prio3MultihotCountVec', () => {
  const parameters = { length: 5, maxWeight: 3, chunkLength: 3 };

  test('counts the true values of each place', () => {
    const measurement = fc
      .array(fc.boolean(), { minLength: 5, maxLength: 5 })
      .filter((bits) => bits.filter(Boolean).length <= 3);
    fc.assert(
      fc.property(several(measurement), (measurements) => {
        const counts = [0, 1, 2, 3, 4].map((i) => measurements.filter((bits) => bits[i]).length);
        expect(aggregateOf(prio3MultihotCountVec(parameters), measurements)).toEqual(counts);
      }),
      FEW,
    );
  });

  test('refuses a weight above the maximum, or other than stated', () => {
    const circuit = multihotCountVec(parameters);
    const cheating = cheatingPrio3(circuit, PRIO3_MULTIHOT_COUNT_VEC);
    const honest = prio3MultihotCountVec(parameters);
    for (const vector of [
      [1n, 1n, 1n, 1n, 0n, 1n, 1n],
      [1n, 0n, 0n, 0n, 0n, 0n, 0n],
      [0n, 0n, 0n, 0n, 0n, 1n, 0n],
    ]) {
      expect(refusal(() => verify(honest, report(cheating, vector)))).toBe('vdaf_verify');
    }
    expect(refusal(() => circuit.encode([true, true, true, true, false]))).toBe('invalid_argument');
    expect(refusal(() => circuit.encode([true]))).toBe('invalid_argument');
    expect(refusal(() => multihotCountVec({ ...parameters, maxWeight: 6 }))).toBe(
      'invalid_argument',
    );
  });
});
