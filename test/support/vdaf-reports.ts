import { CryptoError, type CryptoErrorCode } from '../../crypto/errors.ts';
import type { SecretVec } from '../../crypto/vdaf/aggregation.ts';
import type { Circuit } from '../../crypto/vdaf/circuit.ts';
import { Prio3, type Prio3Options } from '../../crypto/vdaf/prio3.ts';

/** Bytes that differ from seed to seed but not from run to run. Not random: for tests only. */
export function testBytes(length: number, seed = 1): Uint8Array {
  let state = Math.imul(seed, 0x9e3779b1) | 1;
  return Uint8Array.from({ length }, () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state & 0xff;
  });
}

export const CTX = testBytes(38, 1001);
export const VERIFY_KEY = testBytes(32, 1002);

/**
 * A client that cheats: its measurement is the vector to be proved, whatever that is. It shards and
 * proves by the same code as honest ones, and what it makes is for an honest `Prio3` to refuse.
 */
export function cheatingPrio3<Measurement, AggregateResult>(
  circuit: Circuit<Measurement, AggregateResult>,
  algorithmId: number,
  options?: Prio3Options,
): Prio3<readonly bigint[], AggregateResult> {
  const cheating = { ...circuit, encode: (vector: readonly bigint[]) => [...vector] };
  return new Prio3(cheating, algorithmId, options);
}

/** A report as the parties get it. */
export interface TestReport {
  nonce: Uint8Array;
  publicShare: Uint8Array;
  inputShares: ReturnType<Prio3<unknown, unknown>['shard']>['inputShares'];
}

/** Shards with a nonce and randomness drawn from the seed. */
export function report<Measurement>(
  prio3: Prio3<Measurement, unknown>,
  measurement: Measurement,
  seed = 1,
): TestReport {
  const nonce = testBytes(prio3.nonceSize, 2 * seed);
  const rand = testBytes(prio3.randSize, 2 * seed + 1);
  return { nonce, ...prio3.shard(CTX, measurement, nonce, rand) };
}

/** What all parties together do with a report. @returns their out shares, by party */
export function verify(
  prio3: Prio3<never, unknown>,
  { nonce, publicShare, inputShares }: TestReport,
): SecretVec[] {
  const steps = inputShares.map((share, id) =>
    prio3.verifyInit(VERIFY_KEY, CTX, id, nonce, publicShare, share),
  );
  const shares = steps.map(({ verifierShare }) => verifierShare);
  const message = prio3.verifierSharesToMessage(CTX, shares);
  return steps.map(({ state }) => prio3.verifyNext(CTX, state, message));
}

/** Shards, verifies, aggregates and unshards. */
export function aggregateOf<Measurement, AggregateResult>(
  prio3: Prio3<Measurement, AggregateResult>,
  measurements: readonly Measurement[],
): AggregateResult {
  const verified = measurements.map((measurement, i) =>
    verify(prio3, report(prio3, measurement, i + 1)),
  );
  const aggregateShares = Array.from({ length: prio3.shares }, (_, id) =>
    prio3.aggregateUpdate(
      prio3.aggregateInit(),
      verified.map((outShares) => outShares[id] as SecretVec),
    ),
  );
  return prio3.unshard(aggregateShares, measurements.length);
}

/** A copy in which one entry is another. */
export function replaced<L extends Uint8Array | readonly unknown[]>(
  list: L,
  at: number,
  entry: L[number],
): L {
  const copy = list.slice();
  copy[at] = entry as never;
  return copy as unknown as L;
}

/** The code of the CryptoError that a step throws; any other outcome fails the test. */
export function refusal(step: () => unknown): CryptoErrorCode {
  try {
    step();
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    if (error.message === '') throw new Error('a refusal that does not say why');
    return error.code;
  }
  throw new Error('nothing was refused');
}
