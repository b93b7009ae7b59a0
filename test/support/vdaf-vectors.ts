import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { fromHex, toHex } from '../../crypto/bytes.ts';
import { CryptoError, type CryptoErrorCode } from '../../crypto/errors.ts';
import { Secret } from '../../crypto/secret.ts';
import type { SecretVec } from '../../crypto/vdaf/aggregation.ts';
import { prio3Count } from '../../crypto/vdaf/circuits/count.ts';
import { prio3Histogram } from '../../crypto/vdaf/circuits/histogram.ts';
import { prio3MultihotCountVec } from '../../crypto/vdaf/circuits/multihot-count-vec.ts';
import { prio3Sum } from '../../crypto/vdaf/circuits/sum.ts';
import { prio3SumVec, sumVec } from '../../crypto/vdaf/circuits/sum-vec.ts';
import { PRIO3_SURVEY, survey } from '../../crypto/vdaf/circuits/survey.ts';
import { Field64, Field128 } from '../../crypto/vdaf/field.ts';
import { Prio3, type VerifyState } from '../../crypto/vdaf/prio3.ts';
import { higherDegree } from './higher-degree.ts';

const hex = z.string();
const index = z.int().min(0).optional();
/** An integer; `parseVector` writes those that no number holds as strings of digits. */
const integer = z.union([z.int(), z.string().regex(/^\d+$/)]);

/** One step of a vector (VDAF §Test Vectors, Schema). */
const operationSchema = z.object({
  operation: z.enum([
    'shard',
    'verify_init',
    'verifier_shares_to_message',
    'verify_next',
    'aggregate',
    'unshard',
  ]),
  round: index,
  aggregator_id: index,
  report_index: index,
  success: z.boolean(),
});

/** A vector file; all byte strings in hexadecimal. Parameters of circuits stand beside these. */
const vectorSchema = z.object({
  operations: z.array(operationSchema).min(1),
  shares: z.int(),
  ctx: hex,
  verify_key: hex,
  agg_param: hex,
  reports: z.array(
    z.object({
      measurement: z.unknown(),
      nonce: hex,
      rand: hex,
      public_share: hex,
      input_shares: z.array(hex),
      verifier_shares: z.array(z.array(hex)),
      verifier_messages: z.array(hex),
      out_shares: z.array(hex),
    }),
  ),
  agg_shares: z.array(hex),
  agg_result: z.unknown(),
  length: z.int().optional(),
  chunk_length: z.int().optional(),
  max_measurement: integer.optional(),
  max_weight: z.int().optional(),
  block_lengths: z.array(z.int()).optional(),
});

type Operation = z.infer<typeof operationSchema>;
export type VdafVector = z.infer<typeof vectorSchema>;

/** A Prio3 variant with its measurements as the vector files write them. */
interface Variant {
  prio3: Prio3<unknown, unknown>;
  measurement(json: unknown): unknown;
}

/** Where a vector asked for one thing and got another. */
export class VectorMismatch extends Error {}

/** A vector from the text of its file. @throws VectorMismatch for text that is none */
export function parseVector(text: string): VdafVector {
  let json: unknown;
  try {
    // Integers that a number cannot hold become strings. None stands inside of a string: what comes
    // before it there is a quotation mark or another digit.
    json = JSON.parse(text.replace(/(?<=[[:,]\s*)\d{16,}(?=\s*[,\]}])/g, '"$&"'));
  } catch {
    throw new VectorMismatch('not JSON');
  }
  const { success, data, error } = vectorSchema.safeParse(json);
  if (success) return data;
  const [issue] = error.issues;
  throw new VectorMismatch(`not a vector: ${issue?.path.join('.')}: ${issue?.message}`);
}

/** Every vector of a Prio3 variant in a folder: names and contents, in order of the names. */
export function vdafVectors(folder: string): { name: string; vector: VdafVector }[] {
  return readdirSync(folder)
    .filter((file) => file.startsWith('Prio3') && file.endsWith('.json'))
    .sort()
    .map((file) => ({
      name: file.replace(/\.json$/, ''),
      vector: parseVector(readFileSync(join(folder, file), 'utf8')),
    }));
}

/**
 * Runs the operations of a vector in their order and compares every message with it.
 * @param name the file's name without its ending; it names the variant: `Prio3Count_bad_wire_seed`
 * @returns how many operations were run, and the codes of those refusals that the vector asks for
 * @throws VectorMismatch at the first difference
 */
export function runVdafVector(
  name: string,
  vector: VdafVector,
): { operations: number; refusals: CryptoErrorCode[] } {
  const variant = variantOf(name, vector);
  const { prio3 } = variant;
  if (vector.agg_param !== '') throw new VectorMismatch('Prio3 has no aggregation parameter');
  const ctx = fromHex(vector.ctx);
  const verifyKey = fromHex(vector.verify_key);
  const states = new Map<string, VerifyState>();

  const steps: Record<Operation['operation'], (operation: Operation) => void> = {
    shard({ report_index }) {
      const report = at(vector.reports, report_index);
      const { publicShare, inputShares } = prio3.shard(
        ctx,
        variant.measurement(report.measurement),
        fromHex(report.nonce),
        fromHex(report.rand),
      );
      equal('public_share', toHex(publicShare), report.public_share);
      equal(
        'input_shares',
        inputShares.map((share) => toHex(share.reveal())),
        report.input_shares,
      );
    },
    verify_init({ report_index, aggregator_id }) {
      const report = at(vector.reports, report_index);
      const { state, verifierShare } = prio3.verifyInit(
        verifyKey,
        ctx,
        aggregator_id ?? -1,
        fromHex(report.nonce),
        fromHex(report.public_share),
        new Secret(fromHex(at(report.input_shares, aggregator_id))),
      );
      states.set(`${report_index}/${aggregator_id}`, state);
      equal(
        'verifier_share',
        toHex(verifierShare),
        at(at(report.verifier_shares, 0), aggregator_id),
      );
    },
    verifier_shares_to_message({ report_index, round }) {
      const report = at(vector.reports, report_index);
      const shares = at(report.verifier_shares, round).map(fromHex);
      const message = prio3.verifierSharesToMessage(ctx, shares);
      equal('verifier_message', toHex(message), at(report.verifier_messages, round));
    },
    verify_next({ report_index, aggregator_id, round }) {
      const report = at(vector.reports, report_index);
      const state = states.get(`${report_index}/${aggregator_id}`);
      if (state === undefined) throw new VectorMismatch('verify_next without verify_init');
      const message = fromHex(at(report.verifier_messages, (round ?? 0) - 1));
      const outShare = prio3.encodeAggregateShare(prio3.verifyNext(ctx, state, message));
      equal('out_share', toHex(outShare.reveal()), at(report.out_shares, aggregator_id));
    },
    aggregate({ aggregator_id }) {
      const outShares = vector.reports.map((report) =>
        decodeShare(at(report.out_shares, aggregator_id)),
      );
      const aggregate = prio3.aggregateUpdate(prio3.aggregateInit(), outShares);
      const encoded = prio3.encodeAggregateShare(aggregate).reveal();
      equal('agg_share', toHex(encoded), at(vector.agg_shares, aggregator_id));
    },
    unshard() {
      const result = prio3.unshard(vector.agg_shares.map(decodeShare), vector.reports.length);
      equal('agg_result', result, vector.agg_result);
    },
  };
  const decodeShare = (hex: string): SecretVec =>
    prio3.decodeAggregateShare(new Secret(fromHex(hex)));

  const refusals: CryptoErrorCode[] = [];
  for (const operation of vector.operations) {
    const step = () => steps[operation.operation](operation);
    if (operation.success) step();
    else refusals.push(refusalOf(operation.operation, step));
  }
  return { operations: vector.operations.length, refusals };
}

function equal(what: string, got: unknown, expected: unknown): void {
  if (canonical(got) !== canonical(expected)) throw new VectorMismatch(`${what} differs`);
}

/** JSON with all integers as strings, of whatever type they are. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item) =>
    typeof item === 'bigint' || typeof item === 'number' ? String(item) : item,
  );
}

/** A report is refused for what is in it; anything else would be a failure by accident. */
function refusalOf(name: string, step: () => void): CryptoErrorCode {
  try {
    step();
  } catch (error) {
    if (!(error instanceof CryptoError) || error.code === 'invalid_argument') throw error;
    return error.code;
  }
  throw new VectorMismatch(`${name} accepted what it must refuse`);
}

function at<T>(list: readonly T[], index: number | undefined): T {
  const item = list[index ?? -1];
  if (item === undefined) throw new VectorMismatch('the vector names an entry it does not have');
  return item;
}

/** The types of vectors that can be run, by the beginning of their names. */
const VARIANTS: Readonly<Record<string, (vector: VdafVector) => Variant>> = {
  Prio3Count: ({ shares }) => variant(prio3Count({ shares })),
  Prio3Sum: (vector) =>
    variant(prio3Sum({ maxMeasurement: maxMeasurement(vector) }, vector), toBigInt),
  Prio3SumVec: (vector) => variant(prio3SumVec(sumVecParameters(vector), vector), toBigInts),
  Prio3SumVecWithMultiproof: (vector) => variant(multiproof(vector), toBigInts),
  Prio3Histogram: (vector) => variant(prio3Histogram(chunked(vector), vector)),
  Prio3MultihotCountVec(vector) {
    const maxWeight = given('max_weight', vector.max_weight);
    return variant(prio3MultihotCountVec({ ...chunked(vector), maxWeight }, vector));
  },
  Prio3HigherDegree: ({ shares }) =>
    variant(new Prio3(higherDegree, RESERVED_FOR_TESTS, { shares })),
  Prio3Survey({ shares, ...vector }) {
    const circuit = survey({
      blockLengths: given('block_lengths', vector.block_lengths),
      chunkLength: given('chunk_length', vector.chunk_length),
    });
    return variant(new Prio3(circuit, PRIO3_SURVEY, { shares }));
  },
};

/** The type of a vector, if it is one of those above: `Prio3Count` for `Prio3Count_bad_wire_seed`. */
export function vectorType(name: string): string | undefined {
  const [type] = name.split('_') as [string];
  return Object.hasOwn(VARIANTS, type) ? type : undefined;
}

function variantOf(name: string, vector: VdafVector): Variant {
  const make = VARIANTS[vectorType(name) ?? ''];
  if (make === undefined) throw new VectorMismatch(`${name}: no such variant`);
  return make(vector);
}

/** The identifier of variants that exist in tests only (VDAF §IANA Considerations). */
const RESERVED_FOR_TESTS = 0xffffffff;

/**
 * The files of this variant name neither field nor number of proofs. The draft's own have three
 * proofs over Field64 (gen_test_vec.py); for others the size of the leader's share tells.
 */
function multiproof(vector: VdafVector): Prio3<readonly bigint[], bigint[]> {
  const { shares } = vector;
  const size = (vector.reports[0]?.input_shares[0] ?? '').length / 2;
  const parameters = sumVecParameters(vector);
  for (const [field, least] of [
    [Field64, 3],
    [Field128, 1],
  ] as const) {
    for (let proofs = least; proofs <= 255; proofs++) {
      const options = { shares, proofs };
      const prio3 = new Prio3(sumVec(parameters, field), RESERVED_FOR_TESTS, options);
      if (prio3.inputShareSize(0) === size) return prio3;
    }
  }
  throw new VectorMismatch('no number of proofs gives an input share of this size');
}

function given<T>(name: string, value: T | undefined): T {
  if (value === undefined) throw new VectorMismatch(`${name} is missing`);
  return value;
}

const maxMeasurement = (vector: VdafVector) =>
  BigInt(given('max_measurement', vector.max_measurement));
const chunked = (vector: VdafVector) => ({
  length: given('length', vector.length),
  chunkLength: given('chunk_length', vector.chunk_length),
});
const sumVecParameters = (vector: VdafVector) => ({
  ...chunked(vector),
  maxMeasurement: maxMeasurement(vector),
});

function toBigInt(json: unknown): bigint {
  const { success, data } = integer.safeParse(json);
  if (!success) throw new VectorMismatch('a measurement is no integer');
  return BigInt(data);
}

function toBigInts(json: unknown): bigint[] {
  if (!Array.isArray(json)) throw new VectorMismatch('a measurement is no list');
  return json.map(toBigInt);
}

function variant<Measurement, AggregateResult>(
  prio3: Prio3<Measurement, AggregateResult>,
  measurement: (json: unknown) => unknown = (json) => json,
): Variant {
  return { prio3: prio3 as Prio3<unknown, unknown>, measurement };
}
