import { beforeAll, describe, expect, test } from 'vitest';
import { bigEndian, concat } from '../../../crypto/bytes.ts';
import { sodiumReady } from '../../../crypto/sodium.ts';
import { prio3Count } from '../../../crypto/vdaf/circuits/count.ts';
import { prio3Survey } from '../../../crypto/vdaf/circuits/survey.ts';
import {
  helperInitialized,
  leaderContinued,
  leaderInitialized,
  type ReportInput,
} from '../../../crypto/vdaf/ping-pong.ts';
import type { Prio3 } from '../../../crypto/vdaf/prio3.ts';
import { CTX, refusal, replaced, report, VERIFY_KEY } from '../../support/vdaf-reports.ts';

beforeAll(sodiumReady);

function parties<Measurement>(
  prio3: Prio3<Measurement, unknown>,
  measurement: Measurement,
): [leader: ReportInput, helper: ReportInput] {
  const { inputShares, ...shared } = report(prio3, measurement);
  const [leader, helper] = inputShares.map((inputShare) => ({ ...shared, inputShare }));
  return [leader as ReportInput, helper as ReportInput];
}

const survey = prio3Survey({ blockLengths: [3, 2], chunkLength: 2 });

describe.each([
  ['with joint randomness', survey as Prio3<never, unknown>, [2, 1], 32],
  ['without', prio3Count() as Prio3<never, unknown>, 1, 0],
] as const)('%s', (_name, prio3, measurement, messageSize) => {
  let leader: ReportInput;
  let helper: ReportInput;
  beforeAll(() => {
    [leader, helper] = parties(prio3 as Prio3<unknown, unknown>, measurement);
  });
  const begin = () => leaderInitialized(prio3, VERIFY_KEY, CTX, leader);
  const answer = (inbound: Uint8Array) =>
    helperInitialized(prio3, VERIFY_KEY, CTX, helper, inbound);

  test('two messages and both have their out shares', () => {
    const { state, outbound, jointRandPartMatches } = begin();
    expect(outbound.slice(0, 5)).toEqual(
      concat(Uint8Array.of(0), bigEndian(prio3.verifierShareSize, 4)),
    );
    const reply = answer(outbound);
    expect(reply.outbound.slice(0, 5)).toEqual(concat(Uint8Array.of(2), bigEndian(messageSize, 4)));
    expect(reply.outbound).toHaveLength(5 + messageSize);
    expect([jointRandPartMatches, reply.jointRandPartMatches]).toEqual([true, true]);
    const outShare = leaderContinued(prio3, CTX, state, reply.outbound);
    const sum = prio3.sumAggregateShares([outShare, reply.outShare]);
    expect(sum).toEqual(Array.isArray(measurement) ? [0n, 0n, 1n, 0n, 1n] : [1n]);
  });

  test('a message of another type, length or framing is refused', () => {
    const { state, outbound } = begin();
    const reply = answer(outbound).outbound;
    const misshapen = (message: Uint8Array) => [
      new Uint8Array(0),
      message.slice(0, 4),
      message.slice(0, -1),
      concat(message, Uint8Array.of(0)),
      ...[0, 1, 2, 3]
        .filter((type) => type !== message[0])
        .map((type) => replaced(message, 0, type)),
      ...[1, 2, 3, 4].map((at) => replaced(message, at, (message[at] as number) ^ 0x81)),
    ];
    for (const message of [...misshapen(outbound), reply]) {
      expect(refusal(() => answer(message))).toBe('decode');
    }
    for (const message of [...misshapen(reply), outbound]) {
      expect(refusal(() => leaderContinued(prio3, CTX, state, message))).toBe('decode');
    }
  });

  test('a verifier share of another report is refused', () => {
    const { outbound } = begin();
    const altered = replaced(outbound, 5, (outbound[5] as number) ^ 1);
    expect(refusal(() => answer(altered))).toBe('vdaf_verify');
  });
});

test('a verifier message that the helper made up is refused', () => {
  const [leader, helper] = parties(survey, [0, 0]);
  const { state, outbound } = leaderInitialized(survey, VERIFY_KEY, CTX, leader);
  const reply = helperInitialized(survey, VERIFY_KEY, CTX, helper, outbound).outbound;
  const forged = replaced(reply, 20, (reply[20] as number) ^ 1);
  expect(refusal(() => leaderContinued(survey, CTX, state, forged))).toBe('vdaf_verify');
});

test('three parties cannot play', () => {
  const three = prio3Count({ shares: 3 });
  const [leader, helper] = parties(three, 1);
  expect(refusal(() => leaderInitialized(three, VERIFY_KEY, CTX, leader))).toBe('invalid_argument');
  const inbound = new Uint8Array(0);
  expect(refusal(() => helperInitialized(three, VERIFY_KEY, CTX, helper, inbound))).toBe(
    'invalid_argument',
  );
});
