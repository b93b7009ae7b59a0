import { randomBytes } from 'node:crypto';
import { Prio3SumVec } from '@divviup/prio3';
import { sodiumReady } from '../../crypto/sodium.ts';
import { chunkLengthFor, prio3Survey } from '../../crypto/vdaf/circuits/survey.ts';
import type { BenchResult } from './result.ts';

/** A survey of 12 questions with 6 options each: 72 elements. */
const BLOCK_LENGTHS: readonly number[] = new Array<number>(12).fill(6);
const CHOICES = [0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 5];

const ROUNDS = 25;
/** Until the compiler has settled, which takes some 2000 calls. */
const WARM_UP_ROUNDS = 25;
/** Calls in a round: the two sides take turns, so that both meet the same noise. */
const CALLS = { own: 100, peer: 10 };

/**
 * Prio3Survey against `@divviup/prio3`'s Prio3SumVec (an older draft) with 72 elements of one bit,
 * in one process: medians over rounds, in µs a call.
 *
 * `vdaf.verify` is all that the helper does with one report: the first step, the decision, the last
 * step. `vdaf.shard` is all that the client does.
 */
export async function benchVdaf(): Promise<BenchResult[]> {
  await sodiumReady();
  const own = ownSide();
  const peer = await peerSide();
  return [
    await compare('vdaf.verify', own.verify, peer.verify),
    await compare('vdaf.shard', own.shard, peer.shard),
  ];
}

function ownSide() {
  const chunkLength = chunkLengthFor(BLOCK_LENGTHS);
  const prio3 = prio3Survey({ blockLengths: BLOCK_LENGTHS, chunkLength });
  const ctx = bytes(38);
  const nonce = bytes(prio3.nonceSize);
  const verifyKey = bytes(prio3.verifyKeySize);
  const rand = bytes(prio3.randSize);
  const shard = () => prio3.shard(ctx, CHOICES, nonce, rand);
  const { publicShare, inputShares } = shard();
  const init = (aggregatorId: 0 | 1) => {
    const share = inputShares[aggregatorId] as (typeof inputShares)[number];
    return prio3.verifyInit(verifyKey, ctx, aggregatorId, nonce, publicShare, share);
  };
  const leader = init(0);
  const verify = () => {
    const helper = init(1);
    const shares = [leader.verifierShare, helper.verifierShare];
    return prio3.verifyNext(ctx, helper.state, prio3.verifierSharesToMessage(ctx, shares));
  };
  return { shard, verify };
}

async function peerSide() {
  const length = BLOCK_LENGTHS.reduce((sum, options) => sum + options, 0);
  const prio3 = new Prio3SumVec({ shares: 2, length, bits: 1, chunkLength: 9 });
  const measurement = BLOCK_LENGTHS.flatMap((options, block) =>
    Array.from({ length: options }, (_, option) => Number(option === CHOICES[block])),
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
  return { name, unit: 'µs', value, peer: peerValue, ratio: peerValue / value };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}

function bytes(length: number): Uint8Array {
  return Uint8Array.from(randomBytes(length));
}
