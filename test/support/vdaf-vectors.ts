import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromHex, toHex } from '../../crypto/bytes.ts';
import { CryptoError } from '../../crypto/errors.ts';
import { Secret } from '../../crypto/secret.ts';
import type { SecretVec } from '../../crypto/vdaf/aggregation.ts';
import { prio3Count } from '../../crypto/vdaf/circuits/count.ts';
import { prio3Histogram } from '../../crypto/vdaf/circuits/histogram.ts';
import { prio3MultihotCountVec } from '../../crypto/vdaf/circuits/multihot-count-vec.ts';
import { prio3Sum } from '../../crypto/vdaf/circuits/sum.ts';
import { prio3SumVec, sumVec } from '../../crypto/vdaf/circuits/sum-vec.ts';
import { prio3Survey } from '../../crypto/vdaf/circuits/survey.ts';
import { Field64 } from '../../crypto/vdaf/field.ts';
import { Prio3, type VerifyState } from '../../crypto/vdaf/prio3.ts';
import { higherDegree } from './higher-degree.ts';

/** One step of a vector (VDAF §Test Vectors, Schema). */
interface Operation {
  operation:
    | 'shard'
    | 'verify_init'
    | 'verifier_shares_to_message'
    | 'verify_next'
    | 'aggregate'
    | 'unshard';
  round?: number;
  aggregator_id?: number;
  report_index?: number;
  success: boolean;
}

interface ReportVector {
  measurement: unknown;
  nonce: string;
  rand: string;
  public_share: string;
  input_shares: string[];
  verifier_shares: string[][];
  verifier_messages: string[];
  out_shares: string[];
}

/** A vector file; all byte strings in hexadecimal. Parameters of circuits stand beside these. */
export interface VdafVector {
  operations: Operation[];
  shares: number;
  ctx: string;
  verify_key: string;
  agg_param: string;
  reports: ReportVector[];
  agg_shares: string[];
  agg_result: unknown;
  length: number;
  chunk_length: number;
  max_measurement: number;
  max_weight: number;
  block_lengths: number[];
}

/** A Prio3 variant with its measurements and results as the vector files write them. */
interface Variant {
  prio3: Prio3<unknown, unknown>;
  measurement(json: unknown): unknown;
  result(value: unknown): unknown;
}

/** Where a vector asked for one thing and got another. */
export class VectorMismatch extends Error {}

/** Every vector of a Prio3 variant in a folder: names and contents, in order of the names. */
export function vdafVectors(folder: string): { name: string; vector: VdafVector }[] {
  return readdirSync(folder)
    .filter((file) => file.startsWith('Prio3') && file.endsWith('.json'))
    .sort()
    .map((file) => ({
      name: file.replace(/\.json$/, ''),
      vector: JSON.parse(readFileSync(join(folder, file), 'utf8')) as VdafVector,
    }));
}

/**
 * Runs the operations of a vector in their order and compares every message with it.
 * @param name the file's name without its ending; it names the variant: `Prio3Count_bad_wire_seed`
 * @returns how many operations were run
 * @throws VectorMismatch at the first difference
 */
export function runVdafVector(name: string, vector: VdafVector): number {
  const variant = variantOf(name, vector);
  const { prio3 } = variant;
  if (vector.agg_param !== '') throw new VectorMismatch(`${name}: Prio3 has no parameter`);
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
        aggregator_id as number,
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
      const state = states.get(`${report_index}/${aggregator_id}`) as VerifyState;
      const message = fromHex(at(report.verifier_messages, (round as number) - 1));
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
      equal('agg_result', variant.result(result), vector.agg_result);
    },
  };
  const decodeShare = (hex: string): SecretVec =>
    prio3.decodeAggregateShare(new Secret(fromHex(hex)));

  const equal = (what: string, got: unknown, expected: unknown) => {
    if (JSON.stringify(got) !== JSON.stringify(expected)) {
      throw new VectorMismatch(`${name}: ${what} differs`);
    }
  };
  for (const operation of vector.operations) {
    if (operation.success) {
      steps[operation.operation](operation);
    } else if (!refuses(() => steps[operation.operation](operation))) {
      throw new VectorMismatch(`${name}: ${operation.operation} accepted what it must refuse`);
    }
  }
  return vector.operations.length;
}

/** A vector that must fail does so by the proof or the joint randomness, not by accident. */
function refuses(step: () => void): boolean {
  try {
    step();
    return false;
  } catch (error) {
    if (error instanceof CryptoError && error.code === 'vdaf_verify') return true;
    throw error;
  }
}

function at<T>(list: readonly T[], index: number | undefined): T {
  const item = list[index ?? -1];
  if (item === undefined) throw new VectorMismatch('the vector names an entry it does not have');
  return item;
}

function variantOf(name: string, vector: VdafVector): Variant {
  const { shares, length, chunk_length: chunkLength } = vector;
  const options = { shares };
  const maxMeasurement = BigInt(vector.max_measurement ?? 0);
  const sumVecParameters = { length, maxMeasurement, chunkLength };
  switch (name.split('_')[0]) {
    case 'Prio3Count':
      return variant(prio3Count(options));
    case 'Prio3Sum':
      return variant(prio3Sum({ maxMeasurement }, options), toBigInt, toNumber);
    case 'Prio3SumVec':
      return variant(prio3SumVec(sumVecParameters, options), toBigInts, toNumbers);
    case 'Prio3SumVecWithMultiproof': {
      // The generator of the vectors fixes three proofs over Field64 (gen_test_vec.py).
      const circuit = sumVec(sumVecParameters, Field64);
      return variant(
        new Prio3(circuit, RESERVED_FOR_TESTS, { shares, proofs: 3 }),
        toBigInts,
        toNumbers,
      );
    }
    case 'Prio3MultihotCountVec':
      return variant(
        prio3MultihotCountVec({ length, maxWeight: vector.max_weight, chunkLength }, options),
      );
    case 'Prio3HigherDegree':
      return variant(new Prio3(higherDegree, RESERVED_FOR_TESTS, options));
    case 'Prio3Survey':
      return variant(prio3Survey({ blockLengths: vector.block_lengths, chunkLength }));
    case 'Prio3Histogram':
      return variant(prio3Histogram({ length, chunkLength }, options));
    default:
      throw new VectorMismatch(`${name}: no such variant`);
  }
}

/** The identifier of variants that exist in tests only (VDAF §IANA Considerations). */
const RESERVED_FOR_TESTS = 0xffffffff;

const toBigInt = (json: unknown) => BigInt(json as number);
const toNumber = (value: unknown) => Number(value);
const toBigInts = (json: unknown) => (json as number[]).map(BigInt);
const toNumbers = (value: unknown) => (value as bigint[]).map(Number);

function variant<Measurement, AggregateResult>(
  prio3: Prio3<Measurement, AggregateResult>,
  measurement: (json: unknown) => unknown = (json) => json,
  result: (value: unknown) => unknown = (value) => value,
): Variant {
  return { prio3: prio3 as Prio3<unknown, unknown>, measurement, result };
}
