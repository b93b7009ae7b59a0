import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { sodiumReady } from '../../../../crypto/sodium.ts';
import { prio3Count } from '../../../../crypto/vdaf/circuits/count.ts';
import { prio3Histogram } from '../../../../crypto/vdaf/circuits/histogram.ts';
import { prio3MultihotCountVec } from '../../../../crypto/vdaf/circuits/multihot-count-vec.ts';
import { prio3Sum } from '../../../../crypto/vdaf/circuits/sum.ts';
import { prio3SumVec, sumVec } from '../../../../crypto/vdaf/circuits/sum-vec.ts';
import { PRIO3_SURVEY, survey } from '../../../../crypto/vdaf/circuits/survey.ts';
import { Field64 } from '../../../../crypto/vdaf/field.ts';
import { Prio3 } from '../../../../crypto/vdaf/prio3.ts';
import { higherDegree } from '../../../support/higher-degree.ts';
import { aggregateOf } from '../../../support/vdaf-reports.ts';

beforeAll(sodiumReady);

/** Some measurements for one instance, and the sum that is in their definition. */
interface Case {
  prio3: Prio3<unknown, unknown>;
  measurements: readonly unknown[];
  expected: unknown;
}

const caseOf = <Measurement>(
  prio3: Prio3<Measurement, unknown>,
  measurements: readonly Measurement[],
  expected: unknown,
): Case => ({ prio3: prio3 as Prio3<unknown, unknown>, measurements, expected });

const total = (values: readonly bigint[]) => values.reduce((a, b) => a + b, 0n);
const totals = (length: number, vectors: readonly (readonly bigint[])[]) =>
  Array.from({ length }, (_, i) => total(vectors.map((vector) => vector[i] as bigint)));

const several = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: 1, maxLength: 3 });
const listOf = <T>(one: fc.Arbitrary<T>, length: number) =>
  fc.array(one, { minLength: length, maxLength: length });
const small = fc.integer({ min: 1, max: 9 });
const shares = fc.integer({ min: 2, max: 4 });
/** The ends of a range more often than chance would have them. */
const upTo = (max: bigint) => fc.oneof(fc.constantFrom(0n, max), fc.bigInt(0n, max));

const vectors = (maxBits: number) =>
  fc.tuple(small, fc.bigInt(1n, (1n << BigInt(maxBits)) - 1n), small).chain(([length, max, c]) =>
    fc.record({
      parameters: fc.constant({ length, maxMeasurement: max, chunkLength: c }),
      measurements: several(listOf(upTo(max), length)),
      shares,
    }),
  );

const cases: Readonly<Record<string, fc.Arbitrary<Case>>> = {
  Prio3Count: fc
    .tuple(shares, several(fc.constantFrom<0 | 1>(0, 1)))
    .map(([parties, bits]) =>
      caseOf(prio3Count({ shares: parties }), bits, bits.filter(Boolean).length),
    ),

  Prio3Sum: fc
    .tuple(shares, fc.bigInt(1n, 2n ** 62n))
    .chain(([parties, maxMeasurement]) =>
      several(upTo(maxMeasurement)).map((values) =>
        caseOf(
          prio3Sum({ maxMeasurement }, { shares: parties }),
          values,
          total(values) % Field64.modulus,
        ),
      ),
    ),

  Prio3SumVec: vectors(40).map(({ parameters, measurements, ...options }) =>
    caseOf(prio3SumVec(parameters, options), measurements, totals(parameters.length, measurements)),
  ),

  'Prio3SumVec over Field64 with three proofs or more': fc
    .tuple(vectors(8), fc.integer({ min: 3, max: 5 }))
    .map(([{ parameters, measurements, ...options }, proofs]) =>
      caseOf(
        new Prio3(sumVec(parameters, Field64), 0xffffffff, { ...options, proofs }),
        measurements,
        totals(parameters.length, measurements),
      ),
    ),

  Prio3Histogram: fc.tuple(small, small, shares).chain(([length, chunkLength, parties]) =>
    several(fc.nat(length - 1)).map((buckets) =>
      caseOf(
        prio3Histogram({ length, chunkLength }, { shares: parties }),
        buckets,
        Array.from({ length }, (_, i) => buckets.filter((bucket) => bucket === i).length),
      ),
    ),
  ),

  Prio3MultihotCountVec: fc
    .tuple(small, small, small, shares)
    .chain(([length, maxWeight, chunkLength, parties]) => {
      const parameters = { length, maxWeight: Math.min(length, maxWeight), chunkLength };
      const places = Array.from({ length }, (_, i) => i);
      const measurement = fc
        .subarray(places, { maxLength: parameters.maxWeight })
        .map((chosen) => places.map((i) => chosen.includes(i)));
      return several(measurement).map((measurements) =>
        caseOf(
          prio3MultihotCountVec(parameters, { shares: parties }),
          measurements,
          places.map((i) => measurements.filter((bits) => bits[i]).length),
        ),
      );
    }),

  Prio3HigherDegree: fc.tuple(shares, several(fc.nat(2))).map(([parties, values]) =>
    caseOf(
      new Prio3(higherDegree, 0xffffffff, { shares: parties }),
      values,
      values.reduce((a, b) => a + b, 0),
    ),
  ),

  Prio3Survey: fc
    .tuple(fc.array(small, { minLength: 1, maxLength: 4 }), small, shares)
    .chain(([blockLengths, chunkLength, parties]) =>
      several(fc.tuple(...blockLengths.map((options) => fc.nat(options - 1)))).map((choices) =>
        caseOf(
          new Prio3(survey({ blockLengths, chunkLength }), PRIO3_SURVEY, { shares: parties }),
          choices,
          blockLengths.flatMap((options, block) =>
            Array.from(
              { length: options },
              (_, option) => choices.filter((choice) => choice[block] === option).length,
            ),
          ),
        ),
      ),
    ),
};

test.each(Object.entries(cases))(
  '%s: every well-formed measurement is accepted, and the sum is exact',
  (_name, arbitrary) => {
    fc.assert(
      fc.property(arbitrary, ({ prio3, measurements, expected }) => {
        expect(aggregateOf(prio3, measurements)).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  },
);
