import { randomBytes } from 'node:crypto';
import { Prio3SumVec } from '@divviup/prio3';
import type { Secret } from '../../crypto/secret.ts';
import { sodiumReady } from '../../crypto/sodium.ts';
import type { SecretVec } from '../../crypto/vdaf/aggregation.ts';
import { PRIO3_SURVEY, prio3Survey, survey } from '../../crypto/vdaf/circuits/survey.ts';
import { Derivation } from '../../crypto/vdaf/derivation.ts';
import { Flp } from '../../crypto/vdaf/flp.ts';
import type { BenchResult } from './result.ts';
import {
  choicesOf,
  named,
  parametersOf,
  perElementAndLog,
  SIZES,
  type SurveySize,
  USUAL,
} from './survey-sizes.ts';

const ROUNDS = 25;
/** Until the compiler has settled, which takes some 2000 calls. */
const WARM_UP_ROUNDS = 25;
/** Calls in a round: the two sides take turns, so that both meet the same noise. */
const CALLS = { own: 100, peer: 10 };

/**
 * Prio3Survey against `@divviup/prio3`'s Prio3SumVec (an older draft) with 72 elements of one bit,
 * in one process; and then alone, for surveys of 12 to 1000 elements. Medians over rounds, in µs a
 * call.
 *
 * - `vdaf.verify` is all that the helper does with one report: the first step, the decision, the
 *   last step. Of that `vdaf.verify.xof` is hashing, `.decode` reading elements, `.query` the
 *   arithmetic of the proof, on vectors of the same lengths.
 * - `vdaf.shard` is all that the client does.
 * - `vdaf.aggregate` adds one report to a sum; `vdaf.unshard` is once for all.
 */
export async function benchVdaf(): Promise<BenchResult[]> {
  await sodiumReady();
  const usual = ownSide(USUAL);
  const peer = await peerSide();
  const compared = [
    await compare('vdaf.verify', usual.verify, peer.verify),
    await compare('vdaf.shard', usual.shard, peer.shard),
  ];
  return [...compared, ...SIZES.flatMap(alone)];
}

/** Everything about one size, but for what was compared with the peer. */
function alone(size: SurveySize): BenchResult[] {
  const own = ownSide(size);
  const parts = partsOfVerify(size);
  const result = (name: string, value: number): BenchResult => {
    return { name: named(name, size), unit: 'µs', value, note: perElementAndLog(value, size) };
  };
  const measured = (name: string, call: () => unknown) => result(name, medianTime(call));
  const streams = medianTime(parts.streams);
  const decodeOfStreams = medianTime(parts.decodeStreams);
  const decodeOfMessages = medianTime(parts.decodeMessages);
  return [
    ...(size === USUAL
      ? []
      : [measured('vdaf.verify', own.verify), measured('vdaf.shard', own.shard)]),
    result('vdaf.verify.xof', streams - decodeOfStreams),
    result('vdaf.verify.decode', decodeOfStreams + decodeOfMessages),
    measured('vdaf.verify.query', parts.query),
    measured('vdaf.aggregate', own.aggregate),
    measured('vdaf.unshard', own.unshard),
  ];
}

function ownSide(size: SurveySize) {
  const prio3 = prio3Survey(parametersOf(size));
  const choices = choicesOf(size);
  const ctx = bytes(38);
  const nonce = bytes(prio3.nonceSize);
  const verifyKey = bytes(prio3.verifyKeySize);
  const rand = bytes(prio3.randSize);
  const shard = () => prio3.shard(ctx, choices, nonce, rand);
  const { publicShare, inputShares } = shard();
  const init = (aggregatorId: 0 | 1) => {
    const share = inputShares[aggregatorId] as Secret<Uint8Array>;
    return prio3.verifyInit(verifyKey, ctx, aggregatorId, nonce, publicShare, share);
  };
  const leader = init(0);
  const verify = () => {
    const helper = init(1);
    const shares = [leader.verifierShare, helper.verifierShare];
    return prio3.verifyNext(ctx, helper.state, prio3.verifierSharesToMessage(ctx, shares));
  };
  const helperShare = verify();
  const leaderShare = prio3.addIntegers(
    prio3.aggregateInit(),
    helperShare.reveal().map((x) => -x),
  );
  let sum: SecretVec = prio3.aggregateInit();
  const aggregate = () => {
    sum = prio3.aggregateUpdate(sum, [helperShare]);
  };
  const unshard = () => prio3.unshard([leaderShare, helperShare], 1);
  return { shard, verify, aggregate, unshard };
}

/** The work of a helper's `verify` by its kinds. */
function partsOfVerify(size: SurveySize) {
  const circuit = survey(parametersOf(size));
  const flp = new Flp(circuit);
  const { field, measurementLength, jointRandLength } = circuit;
  const lengths = {
    measurement: measurementLength,
    proof: flp.proofLength,
    jointRand: jointRandLength,
    proveRand: flp.proveRandLength,
    queryRand: flp.queryRandLength,
  };
  const derive = new Derivation(field, PRIO3_SURVEY, 1, lengths);
  const [ctx, seed, nonce, jointRandParts] = [bytes(38), bytes(32), bytes(16), bytes(64)];
  const measShare = derive.measShare(ctx, 1, seed);
  const proofShare = derive.proofsShare(ctx, 1, seed);
  const jointRands = derive.jointRands(ctx, seed);
  const queryRands = derive.queryRands(ctx, seed, nonce);
  const one = field.inverse(2n);
  const vectors = [measShare.elements, proofShare, jointRands, queryRands].map((elements) =>
    field.encodeVec(elements),
  );
  const verifier = flp.query(measShare.elements, proofShare, queryRands, jointRands, one);
  const message = field.encodeVec(verifier);
  return {
    streams() {
      derive.measShare(ctx, 1, seed);
      derive.proofsShare(ctx, 1, seed);
      derive.jointRandPart(ctx, 1, seed, nonce, measShare.encoded);
      derive.jointRandSeed(ctx, jointRandParts); // twice: as expected, and as exchanged
      derive.jointRandSeed(ctx, jointRandParts);
      derive.jointRands(ctx, seed);
      derive.queryRands(ctx, seed, nonce);
    },
    decodeStreams() {
      for (const vector of vectors) field.decodeVec(vector);
    },
    decodeMessages() {
      field.decodeVec(message);
      field.decodeVec(message);
    },
    query() {
      flp.query(measShare.elements, proofShare, queryRands, jointRands, one);
    },
  };
}

async function peerSide() {
  const prio3 = new Prio3SumVec({ shares: 2, length: USUAL.elements, bits: 1, chunkLength: 9 });
  const choices = choicesOf(USUAL);
  const measurement = USUAL.blockLengths.flatMap((options, block) =>
    Array.from({ length: options }, (_, option) => Number(option === choices[block])),
  );
  const nonce = randomBytes(prio3.nonceSize);
  const verifyKey = randomBytes(prio3.verifyKeySize);
  const rand = randomBytes(prio3.randSize);
  const shard = () => prio3.shard(measurement, nonce, rand);
  const { publicShare, inputShares } = await shard();
  const init = (aggregatorId: 0 | 1) => {
    const share = inputShares[aggregatorId] as (typeof inputShares)[number];
    return prio3.prepareInit(verifyKey, aggregatorId, null, nonce, publicShare, share);
  };
  const leader = await init(0);
  const verify = async () => {
    const helper = await init(1);
    const shares = [leader.preparationShare, helper.preparationShare];
    const message = await prio3.unshardPreparationShares(null, shares);
    return prio3.prepareNext(helper.preparationState, message);
  };
  return { shard, verify };
}

async function compare(
  name: string,
  own: () => unknown,
  peer: () => Promise<unknown>,
): Promise<BenchResult> {
  const ownTimes: number[] = [];
  const peerTimes: number[] = [];
  for (let round = -WARM_UP_ROUNDS; round < ROUNDS; round++) {
    const ownStart = performance.now();
    for (let i = 0; i < CALLS.own; i++) own();
    const peerStart = performance.now();
    for (let i = 0; i < CALLS.peer; i++) await peer();
    const end = performance.now();
    if (round < 0) continue;
    ownTimes.push(((peerStart - ownStart) * 1000) / CALLS.own);
    peerTimes.push(((end - peerStart) * 1000) / CALLS.peer);
  }
  const value = median(ownTimes);
  const peerValue = median(peerTimes);
  const note = perElementAndLog(value, USUAL);
  return { name, unit: 'µs', value, peer: peerValue, ratio: peerValue / value, note };
}

/** A round takes about this long. */
const ROUND_MS = 8;

function medianTime(call: () => unknown): number {
  const start = performance.now();
  let calls = 0;
  for (; performance.now() - start < WARM_UP_ROUNDS * ROUND_MS; calls++) call();
  const perRound = Math.ceil(calls / WARM_UP_ROUNDS);
  const times = Array.from({ length: ROUNDS }, () => {
    const from = performance.now();
    for (let i = 0; i < perRound; i++) call();
    return ((performance.now() - from) * 1000) / perRound;
  });
  return median(times);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}

function bytes(length: number): Uint8Array {
  return Uint8Array.from(randomBytes(length));
}
