import { bigEndian, concat } from '../bytes.ts';
import { CryptoError } from '../errors.ts';
import type { Secret } from '../secret.ts';
import type { SecretVec } from './aggregation.ts';
import type { Prio3, VerifyState } from './prio3.ts';

/**
 * The ping-pong topology (VDAF §The Ping-Pong Topology) for two parties and a VDAF of one round,
 * which Prio3 is: the leader initializes, the helper finishes, the leader finishes. What the draft
 * calls the state Rejected is an exception here.
 *
 * A message is a type byte and its fields, each with a length of four bytes:
 * `initialize` = 00 ‖ verifier share, `finish` = 02 ‖ verifier message. (`continue` = 01 needs a
 * second round.)
 */
const MessageType = { initialize: 0, finish: 2 } as const;

/** What identifies a report to both parties; see `Prio3.verifyInit`. */
export interface ReportInput {
  readonly nonce: Uint8Array;
  readonly publicShare: Uint8Array;
  /** The share of the party that is called. */
  readonly inputShare: Secret<Uint8Array>;
}

// biome-ignore lint/suspicious/noExplicitAny: neither type matters to verification.
type AnyPrio3 = Prio3<any, any>;

/**
 * The leader's first step.
 * @returns the state to keep for `leaderContinued` and the message to the helper
 * @throws CryptoError as `Prio3.verifyInit`
 */
export function leaderInitialized(
  prio3: AnyPrio3,
  verifyKey: Uint8Array,
  ctx: Uint8Array,
  { nonce, publicShare, inputShare }: ReportInput,
): { state: VerifyState; outbound: Uint8Array; jointRandPartMatches: boolean } {
  requireTwoShares(prio3);
  const { state, verifierShare, jointRandPartMatches } = prio3.verifyInit(
    verifyKey,
    ctx,
    0,
    nonce,
    publicShare,
    inputShare,
  );
  return { state, outbound: encode(MessageType.initialize, verifierShare), jointRandPartMatches };
}

/**
 * The helper's only step: verifies the report against the leader's message.
 * @returns the helper's out share and the message to the leader, which must get it only after the
 * helper has stored what it does with the out share
 * @throws CryptoError as `Prio3.verifyInit`; `vdaf_verify` if the proof does not hold, `decode` for
 * a malformed message
 */
export function helperInitialized(
  prio3: AnyPrio3,
  verifyKey: Uint8Array,
  ctx: Uint8Array,
  { nonce, publicShare, inputShare }: ReportInput,
  inbound: Uint8Array,
): { outShare: SecretVec; outbound: Uint8Array; jointRandPartMatches: boolean } {
  requireTwoShares(prio3);
  const leaderShare = decode(MessageType.initialize, prio3.verifierShareSize, inbound);
  const { state, verifierShare, jointRandPartMatches } = prio3.verifyInit(
    verifyKey,
    ctx,
    1,
    nonce,
    publicShare,
    inputShare,
  );
  const message = prio3.verifierSharesToMessage(ctx, [leaderShare, verifierShare]);
  const outShare = prio3.verifyNext(ctx, state, message);
  return { outShare, outbound: encode(MessageType.finish, message), jointRandPartMatches };
}

/**
 * The leader's last step, on the helper's message.
 * @returns the leader's out share
 * @throws CryptoError `decode` for a malformed message, `vdaf_verify` for a false one
 */
export function leaderContinued(
  prio3: AnyPrio3,
  ctx: Uint8Array,
  state: VerifyState,
  inbound: Uint8Array,
): SecretVec {
  const message = decode(MessageType.finish, prio3.verifierMessageSize, inbound);
  return prio3.verifyNext(ctx, state, message);
}

function encode(type: number, field: Uint8Array): Uint8Array {
  return concat(Uint8Array.of(type), bigEndian(field.length, 4), field);
}

/**
 * The one field of a message of which type and size are known. Those two are public, so that the
 * comparison may stop early.
 */
function decode(type: number, size: number, message: Uint8Array): Uint8Array {
  const field = message.subarray(5);
  if (
    field.length !== size ||
    message[0] !== type ||
    bigEndian(size, 4).some((byte, i) => byte !== message[1 + i])
  ) {
    throw new CryptoError('decode', 'not the ping-pong message of this step');
  }
  return field;
}

function requireTwoShares(prio3: AnyPrio3): void {
  if (prio3.shares !== 2) throw new CryptoError('invalid_argument', 'ping-pong is for two parties');
}
