import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { Secret } from '../../../crypto/secret.ts';
import { sodiumReady } from '../../../crypto/sodium.ts';
import type { SecretVec } from '../../../crypto/vdaf/aggregation.ts';
import { prio3Count } from '../../../crypto/vdaf/circuits/count.ts';
import { prio3Histogram } from '../../../crypto/vdaf/circuits/histogram.ts';
import { prio3MultihotCountVec } from '../../../crypto/vdaf/circuits/multihot-count-vec.ts';
import { prio3Sum } from '../../../crypto/vdaf/circuits/sum.ts';
import { prio3SumVec, sumVec } from '../../../crypto/vdaf/circuits/sum-vec.ts';
import { prio3Survey } from '../../../crypto/vdaf/circuits/survey.ts';
import { Field64, Field128 } from '../../../crypto/vdaf/field.ts';
import { helperInitialized, leaderContinued } from '../../../crypto/vdaf/ping-pong.ts';
import { Prio3 } from '../../../crypto/vdaf/prio3.ts';
import { CTX, report, VERIFY_KEY } from '../../support/vdaf-reports.ts';
import { bytes, codeOf, sized } from '../support.ts';

beforeAll(sodiumReady);

/**
 * Whatever bytes come over the wire, a decoder ends in a value or in `decode`, a step in a value,
 * `decode` or `vdaf_verify`; and it sees nothing of the memory around its argument.
 */
const chunked = { length: 3, chunkLength: 2 };
const instances: readonly [string, Prio3<never, unknown>, unknown][] = [
  ['Prio3Count', prio3Count(), 1],
  ['Prio3Sum', prio3Sum({ maxMeasurement: 6n }), 4n],
  ['Prio3SumVec', prio3SumVec({ ...chunked, maxMeasurement: 6n }), [6n, 0n, 1n]],
  [
    'Prio3SumVec over Field64',
    new Prio3(sumVec({ ...chunked, maxMeasurement: 1n }, Field64), 0xffffffff, { proofs: 3 }),
    [1n, 0n, 1n],
  ],
  ['Prio3Histogram', prio3Histogram(chunked), 2],
  [
    'Prio3MultihotCountVec',
    prio3MultihotCountVec({ ...chunked, maxWeight: 1 }),
    [false, true, false],
  ],
  ['Prio3Survey', prio3Survey({ blockLengths: [3, 2], chunkLength: 2 }), [2, 0]],
];

const RUNS = { numRuns: 40 };

/** Of this length with a good chance; with runs of ff, so that elements reach the modulus. */
const near = (length: number) =>
  fc.oneof(
    sized(length),
    bytes({ max: length + 33 }),
    fc.tuple(sized(length), fc.nat(length), fc.nat(40)).map(([out, at, count]) => {
      return out.fill(0xff, at, at + count);
    }),
  );

/** The same bytes in the midst of others. */
const within = (input: Uint8Array, noise: Uint8Array): Uint8Array => {
  const whole = new Uint8Array(noise.length + input.length + noise.length);
  whole.set(noise);
  whole.set(input, noise.length);
  whole.set(noise, noise.length + input.length);
  return whole.subarray(noise.length, noise.length + input.length);
};

/** What a step comes to, in a form that can be compared. */
function outcome(step: () => unknown): unknown {
  let value: unknown;
  const code = codeOf(() => {
    value = step();
  });
  return code ?? value;
}

function check(
  input: fc.Arbitrary<Uint8Array>,
  step: (input: Uint8Array) => unknown,
  codes: readonly string[] = ['decode', 'vdaf_verify'],
): void {
  fc.assert(
    fc.property(input, bytes({ min: 1, max: 20 }), (hostile, noise) => {
      const before = hostile.slice();
      const result = outcome(() => step(hostile));
      if (typeof result === 'string') expect(codes).toContain(result);
      expect(hostile).toEqual(before);
      expect(outcome(() => step(within(hostile, noise)))).toEqual(result);
    }),
    RUNS,
  );
}

describe.each(instances)('%s', (_name, prio3, measurement) => {
  const made = () => report(prio3 as Prio3<unknown, unknown>, measurement);
  const init = (id: number, publicShare: Uint8Array, inputShare: Uint8Array) => {
    const { nonce } = made();
    const share = new Secret(inputShare);
    return prio3.verifyInit(VERIFY_KEY, CTX, id, nonce, publicShare, share);
  };
  const inputShareOf = (id: number) => (made().inputShares[id] as Secret<Uint8Array>).reveal();

  test('input shares', () => {
    for (const id of [0, 1]) {
      check(near(prio3.inputShareSize(id)), (share) => {
        const { verifierShare, jointRandPartMatches } = init(id, made().publicShare, share);
        return [verifierShare, jointRandPartMatches];
      });
    }
  });

  test('public shares', () => {
    for (const id of [0, 1]) {
      check(
        near(prio3.publicShareSize),
        (share) => init(id, share, inputShareOf(id)).verifierShare,
      );
    }
  });

  test('verifier shares, also as ping-pong messages', () => {
    const { nonce, publicShare, inputShares } = made();
    const own = init(1, publicShare, inputShareOf(1)).verifierShare;
    check(near(prio3.verifierShareSize), (share) =>
      prio3.verifierSharesToMessage(CTX, [share, own]),
    );
    const helper = { nonce, publicShare, inputShare: inputShares[1] as Secret<Uint8Array> };
    check(
      near(5 + prio3.verifierShareSize),
      (inbound) => helperInitialized(prio3, VERIFY_KEY, CTX, helper, inbound).outbound,
    );
  });

  test('verifier messages, also as ping-pong messages', () => {
    const { state } = init(0, made().publicShare, inputShareOf(0));
    const reveal = (share: SecretVec) => share.reveal();
    check(near(prio3.verifierMessageSize), (message) =>
      reveal(prio3.verifyNext(CTX, state, message)),
    );
    check(near(5 + prio3.verifierMessageSize), (inbound) =>
      reveal(leaderContinued(prio3, CTX, state, inbound)),
    );
  });

  test('aggregate shares: and what is accepted is what encoding would write', () => {
    const decode = (encoded: Uint8Array) => prio3.decodeAggregateShare(new Secret(encoded));
    check(near(prio3.aggregateShareSize), (encoded) => decode(encoded).reveal(), ['decode']);
    fc.assert(
      fc.property(near(prio3.aggregateShareSize), (encoded) => {
        const result = outcome(() => prio3.encodeAggregateShare(decode(encoded)).reveal());
        if (result !== 'decode') expect(result).toEqual(encoded);
      }),
      RUNS,
    );
  });
});

describe.each([Field64, Field128])('vectors over $name', (field) => {
  test('are decoded strictly, at any place in memory', () => {
    const encoded = fc.nat(6).chain((length) => near(length * field.encodedSize));
    check(encoded, (input) => field.decodeVec(input), ['decode']);
    fc.assert(
      fc.property(encoded, (input) => {
        const result = outcome(() => field.encodeVec(field.decodeVec(input)));
        if (result !== 'decode') expect(result).toEqual(input);
      }),
    );
  });
});
