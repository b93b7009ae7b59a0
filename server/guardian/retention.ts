import { sign } from '../../crypto/signing.ts';
import { changeWords, type ScopeFacts, scopeFacts } from '../aggregator/retention-scope.ts';
import {
  checkDays,
  decodeChange,
  hashOfChange,
  type RetentionChange,
  RetentionRefused,
} from '../domain/retention.ts';
import { Refusal } from '../http/refusal.ts';
import type { StoredChange } from '../storage/retention.ts';
import { transact } from '../storage/stores.ts';
import type { GuardianParts } from './parts.ts';

type RetentionParts = Pick<
  GuardianParts,
  'db' | 'sheets' | 'retention' | 'events' | 'clock' | 'signingSeed'
>;

/**
 * A change of a retention setting, as the employer sends it: followed at once if nothing is kept
 * longer by it, else kept until this party consents or refuses. Repeatable.
 * @param cancelled whether the employer has taken it back
 * @throws Refusal `invalidMessage`, `planMismatch`
 */
export function receiveChange(
  parts: RetentionParts,
  bytes: Uint8Array,
  cancelled: boolean,
): StoredChange {
  const change = decodeChange(bytes);
  if (change === undefined) throw new Refusal('invalidMessage', 'not a change of a setting');
  const facts = scopeFacts(parts, change);
  if (facts === undefined) throw new Refusal('planMismatch', 'there is no such survey here');
  const { retention } = parts;
  const hash = hashOfChange(change);
  const words = changeWords(parts, change);
  return transact(parts.db, () => {
    const known = retention.withHash(hash);
    const nowMs = parts.clock.now();
    if (known === undefined) {
      // What is taken back may be out of bounds by now.
      if (!cancelled) requireBounds(change, facts);
      // By its number a person here agrees to it: it is that of one change, the one that they read.
      if (retention.withNumber(change.number) !== undefined) {
        throw new Refusal('planMismatch', `there is another change ${change.number}`);
      }
      const longer = change.days > facts.days;
      const state = cancelled ? 'cancelled' : longer ? 'waiting' : 'applied';
      const signature = state === 'applied' ? consent(parts, hash) : null;
      retention.insert(change, state, signature, nowMs);
      retention.setTold(hash, true);
      if (state === 'waiting') note(parts, `${words} waits for this party’s consent.`);
      if (state === 'applied') note(parts, `${words}, as the employer set it.`);
    } else if (cancelled && (known.state === 'waiting' || known.state === 'applied')) {
      const before = retention.own(change);
      retention.settle(hash, known.state, 'cancelled', { nowMs });
      // What was followed is not undone behind this party's back, also where something else bounds it.
      if (retention.own(change) > before) {
        throw new Refusal('planMismatch', 'more would be kept; that takes a new change');
      }
      note(parts, `The employer took back a change: ${words}.`);
    }
    return retention.withHash(hash) as StoredChange;
  });
}

/** @throws Refusal `planMismatch` */
function requireBounds({ kind, days }: RetentionChange, facts: ScopeFacts): void {
  try {
    checkDays(kind, days, kind === 'trends' ? facts.most : undefined);
  } catch (error) {
    if (error instanceof RetentionRefused) throw new Refusal('planMismatch', error.message);
    throw error;
  }
}

/** waiting → applied: this party's signature. @throws Refusal `planMismatch`, `notFound` */
export function approveChange(parts: RetentionParts, hash: Uint8Array): void {
  decide(parts, hash, 'applied', consent(parts, hash), null, 'is approved and counts now.');
}

/** waiting → refused, with a reason for the employer. @throws Refusal `planMismatch`, `notFound` */
export function refuseChange(parts: RetentionParts, hash: Uint8Array, reason: string): void {
  decide(parts, hash, 'refused', null, reason, `is refused: ${reason}`);
}

function decide(
  parts: RetentionParts,
  hash: Uint8Array,
  state: 'applied' | 'refused',
  signature: Uint8Array | null,
  reason: string | null,
  said: string,
): void {
  const change = parts.retention.withHash(hash);
  if (change === undefined) throw new Refusal('notFound', 'there is no such change');
  const words = changeWords(parts, change);
  transact(parts.db, () => {
    const nowMs = parts.clock.now();
    if (!parts.retention.settle(hash, 'waiting', state, { signature, reason, nowMs })) {
      throw new Refusal('planMismatch', `the change is ${change.state} already`);
    }
    note(parts, `${words} ${said}`);
  });
}

function consent(parts: RetentionParts, hash: Uint8Array): Uint8Array {
  return sign(parts.signingSeed, 'chorus retention v1', hash);
}

function note(parts: RetentionParts, sentence: string): void {
  const atMs = parts.clock.now();
  parts.events.add({ atMs, round: null, groupIndex: null, kind: 'retention', sentence });
}
