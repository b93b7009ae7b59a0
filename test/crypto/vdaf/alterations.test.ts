import { beforeAll, describe, expect, test } from 'vitest';
import { CryptoError, type CryptoErrorCode } from '../../../crypto/errors.ts';
import { Secret } from '../../../crypto/secret.ts';
import { sodiumReady } from '../../../crypto/sodium.ts';
import type { SecretVec } from '../../../crypto/vdaf/aggregation.ts';
import { prio3Count } from '../../../crypto/vdaf/circuits/count.ts';
import { prio3Histogram } from '../../../crypto/vdaf/circuits/histogram.ts';
import { prio3MultihotCountVec } from '../../../crypto/vdaf/circuits/multihot-count-vec.ts';
import { prio3Sum } from '../../../crypto/vdaf/circuits/sum.ts';
import { prio3SumVec, sumVec } from '../../../crypto/vdaf/circuits/sum-vec.ts';
import { prio3Survey } from '../../../crypto/vdaf/circuits/survey.ts';
import { Field64 } from '../../../crypto/vdaf/field.ts';
import { Prio3 } from '../../../crypto/vdaf/prio3.ts';
import {
  CTX,
  refusal,
  replaced,
  report,
  type TestReport,
  VERIFY_KEY,
  verify,
} from '../../support/vdaf-reports.ts';

beforeAll(sodiumReady);

/**
 * A report altered at any one byte of any field, for every circuit. Which field does what:
 *
 * | field | with joint randomness | without |
 * |---|---|---|
 * | nonce, the same for all parties | refused | harmless: the sum is what it was |
 * | nonce, of one party | refused | refused |
 * | public share | refused, and its party sees that its part does not match | empty |
 * | leader's measurement share | refused, and the leader sees it | refused |
 * | leader's proof share | refused, by the proof alone: the parts do not cover it | refused |
 * | leader's blind | refused, and the leader sees it | none |
 * | helper's seed, helper's blind | refused, and the helper sees it | refused; no blind |
 * | verifier share | refused, at the latest by the verifier message | refused |
 * | verifier message | refused | empty |
 * | out share, aggregate share | not noticed: a party can falsify its own sum | the same |
 *
 * "Refused" is `vdaf_verify`, or `decode` where an element is no longer below the modulus.
 */
const instances: readonly {
  name: string;
  prio3: Prio3<never, unknown>;
  measurement: unknown;
  /** Elements of the measurement share. */
  elements: number;
}[] = [
  { name: 'Prio3Count', prio3: prio3Count(), measurement: 1, elements: 1 },
  { name: 'Prio3Sum', prio3: prio3Sum({ maxMeasurement: 5n }), measurement: 3n, elements: 3 },
  {
    name: 'Prio3SumVec, three parties',
    prio3: prio3SumVec({ length: 2, maxMeasurement: 3n, chunkLength: 2 }, { shares: 3 }),
    measurement: [3n, 0n],
    elements: 4,
  },
  {
    name: 'Prio3SumVec over Field64',
    prio3: new Prio3(
      sumVec({ length: 2, maxMeasurement: 3n, chunkLength: 2 }, Field64),
      0xffffffff,
      { proofs: 3 },
    ),
    measurement: [3n, 1n],
    elements: 4,
  },
  {
    name: 'Prio3Histogram',
    prio3: prio3Histogram({ length: 4, chunkLength: 2 }),
    measurement: 2,
    elements: 4,
  },
  {
    name: 'Prio3MultihotCountVec',
    prio3: prio3MultihotCountVec({ length: 3, maxWeight: 2, chunkLength: 2 }),
    measurement: [true, false, true],
    elements: 5,
  },
  {
    name: 'Prio3Survey',
    prio3: prio3Survey({ blockLengths: [3, 2], chunkLength: 2 }),
    measurement: [2, 0],
    elements: 5,
  },
];

const MASKS = [0x01, 0xff];

const changed = (bytes: Uint8Array, at: number, mask: number) =>
  replaced(bytes, at, (bytes[at] as number) ^ mask);

/** Every alteration of one byte by each of the masks. */
function alterations(bytes: Uint8Array): { at: number; altered: Uint8Array }[] {
  return MASKS.flatMap((mask) =>
    Array.from(bytes, (_, at) => ({ at, altered: changed(bytes, at, mask) })),
  );
}

/** What comes of a report: the sum of its out shares, or the code of the refusal. */
function outcome(prio3: Prio3<never, unknown>, made: TestReport): bigint[] | CryptoErrorCode {
  try {
    return prio3.sumAggregateShares(verify(prio3, made));
  } catch (error) {
    if (error instanceof CryptoError) return error.code;
    throw error;
  }
}

const REFUSED = ['vdaf_verify', 'decode'];

describe.each(instances)('$name', ({ prio3, measurement, elements }) => {
  let honest: TestReport;
  let sum: bigint[];
  beforeAll(() => {
    honest = report(prio3 as Prio3<unknown, unknown>, measurement);
    sum = outcome(prio3, honest) as bigint[];
  });
  const hasJointRand = prio3.verifierMessageSize > 0;
  const parties = Array.from({ length: prio3.shares }, (_, id) => id);
  const shareOf = (id: number) => (honest.inputShares[id] as Secret<Uint8Array>).reveal();
  const init = (made: TestReport, id: number) =>
    prio3.verifyInit(
      VERIFY_KEY,
      CTX,
      id,
      made.nonce,
      made.publicShare,
      made.inputShares[id] as Secret<Uint8Array>,
    );
  const mismatched = (made: TestReport) =>
    parties.filter((id) => !init(made, id).jointRandPartMatches);

  test('as it was made, it is accepted, and all parts match', () => {
    expect(sum.every((x) => typeof x === 'bigint')).toBe(true);
    expect(mismatched(honest)).toEqual([]);
  });

  test('the nonce of all', () => {
    for (const { altered: nonce } of alterations(honest.nonce)) {
      expect(outcome(prio3, { ...honest, nonce })).toEqual(hasJointRand ? 'vdaf_verify' : sum);
      expect(mismatched({ ...honest, nonce })).toEqual(hasJointRand ? parties : []);
    }
  });

  test('the nonce of one party', () => {
    const others = parties.slice(1).map((id) => init(honest, id).verifierShare);
    for (const { altered: nonce } of alterations(honest.nonce)) {
      const { state, verifierShare } = init({ ...honest, nonce }, 0);
      expect(() => {
        const message = prio3.verifierSharesToMessage(CTX, [verifierShare, ...others]);
        prio3.verifyNext(CTX, state, message);
      }).toThrow(expect.objectContaining({ code: 'vdaf_verify' }));
    }
  });

  test('the public share', () => {
    expect(honest.publicShare).toHaveLength(hasJointRand ? 32 * prio3.shares : 0);
    for (const { at, altered: publicShare } of alterations(honest.publicShare)) {
      expect(outcome(prio3, { ...honest, publicShare })).toBe('vdaf_verify');
      expect(mismatched({ ...honest, publicShare })).toEqual([Math.floor(at / 32)]);
    }
  });

  test('an input share', () => {
    const blindSize = hasJointRand ? 32 : 0;
    for (const id of parties) {
      const share = shareOf(id);
      const proofEnd = share.length - blindSize;
      for (const { at, altered } of alterations(share)) {
        const inputShares = replaced(honest.inputShares, id, new Secret(altered));
        const made = { ...honest, inputShares };
        const result = outcome(prio3, made);
        expect(REFUSED).toContain(result);
        // Only the leader's share holds elements, and only what reaches the modulus is no element.
        if (id > 0 || at >= proofEnd || altered[at] !== 0xff) expect(result).toBe('vdaf_verify');
        if (result === 'decode') continue;
        // Which part fails to match tells what the parts commit to: all but the leader's proof.
        const isProof = id === 0 && at < proofEnd && at >= prio3.field.encodedSize * elements;
        expect(mismatched(made)).toEqual(hasJointRand && !isProof ? [id] : []);
      }
    }
  });

  test('a verifier share, and the verifier message', () => {
    const steps = parties.map((id) => init(honest, id));
    const shares = steps.map(({ verifierShare }) => verifierShare);
    const finish = (message: Uint8Array) => {
      for (const { state } of steps) prio3.verifyNext(CTX, state, message);
    };
    for (const id of parties) {
      for (const { altered } of alterations(shares[id] as Uint8Array)) {
        const code = refusal(() =>
          finish(prio3.verifierSharesToMessage(CTX, replaced(shares, id, altered))),
        );
        expect(REFUSED).toContain(code);
      }
    }
    const message = prio3.verifierSharesToMessage(CTX, shares);
    expect(message).toHaveLength(hasJointRand ? 32 : 0);
    for (const { altered } of alterations(message)) {
      for (const { state } of steps) {
        expect(refusal(() => prio3.verifyNext(CTX, state, altered))).toBe('vdaf_verify');
      }
    }
  });

  test('an aggregate share: not noticed, or no longer an encoding', () => {
    const shares = verify(prio3, honest);
    const encoded = prio3.encodeAggregateShare(shares[0] as SecretVec).reveal();
    for (const { altered } of alterations(encoded)) {
      let decoded: SecretVec;
      try {
        decoded = prio3.decodeAggregateShare(new Secret(altered));
      } catch (error) {
        expect(error).toMatchObject({ code: 'decode' });
        continue;
      }
      expect(prio3.sumAggregateShares([decoded, ...shares.slice(1)])).not.toEqual(sum);
    }
  });
});
