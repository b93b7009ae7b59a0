import { z } from 'zod';
import { toBase64url } from '../../crypto/bytes.ts';
import { CryptoError } from '../../crypto/errors.ts';
import { verifySignature } from '../../crypto/signing.ts';
import { type ScopeFacts, scopeFacts } from '../aggregator/retention-scope.ts';
import {
  checkDays,
  daysWords,
  encodeChange,
  hashOfChange,
  RetentionRefused,
  type RetentionScope,
  retentionOf,
  scopeWords,
} from '../domain/retention.ts';
import { bytesField } from '../http/schema.ts';
import { each } from '../jobs/each.ts';
import { removalWords, trySweep } from '../jobs/sweep.ts';
import { PeerAway, PeerRefusal } from '../peer/client.ts';
import type { StoredChange } from '../storage/retention.ts';
import { transact } from '../storage/stores.ts';
import type { EmployerParts } from './parts.ts';

type RetentionParts = Pick<EmployerParts, 'db' | 'sheets' | 'retention' | 'events' | 'clock'>;

const STATE = z.enum(['waiting', 'applied', 'refused', 'cancelled']);
const DECISION = z.strictObject({
  state: STATE,
  signature: bytesField(64).nullable(),
  reason: z.string().nullable(),
});
const KNOWN = z.strictObject({
  known: z.array(z.strictObject({ hash: bytesField(32), state: STATE })),
});

const CHECK_EVERY_MS = 3_600_000;

/**
 * What a change of a setting would begin from.
 * @param days that it is to be changed to
 * @param from days in force when the change was asked for
 * @throws RetentionRefused if it is out of bounds, changes nothing, or is stale
 */
export function checkChange(
  parts: RetentionParts,
  scope: RetentionScope,
  days: number,
  from?: number,
): ScopeFacts {
  const facts = scopeFacts(parts, scope);
  if (facts === undefined || (scope.sheet !== null && !retentionOf(scope.kind).perSurvey)) {
    throw new RetentionRefused('there is no such setting');
  }
  if (from !== undefined && from !== facts.days) {
    throw new RetentionRefused(
      `${scopeWords(scope.kind, facts.title)} was changed meanwhile: it is ${daysWords(facts.days)} now. Look at it again`,
    );
  }
  checkDays(scope.kind, days, facts.most);
  if (days === facts.days) throw new RetentionRefused(`it is ${daysWords(days)} already`);
  return facts;
}

/**
 * Changes a setting: a shorter one counts at once, and the guardian follows; a longer one waits for
 * the guardian. In place of one for the same setting that still waits.
 * @throws RetentionRefused
 */
export function changeRetention(
  parts: RetentionParts,
  scope: RetentionScope,
  days: number,
  from?: number,
): StoredChange {
  const { db, retention, clock } = parts;
  return transact(db, () => {
    const facts = checkChange(parts, scope, days, from);
    const nowMs = clock.now();
    for (const other of retention.waiting()) {
      if (sameScope(other, scope)) cancel(parts, other);
    }
    const change = { ...scope, number: retention.lastNumber() + 1, days };
    const shorter = days < facts.days;
    retention.insert(change, shorter ? 'applied' : 'waiting', null, nowMs);
    const words = `${scopeWords(scope.kind, facts.title)}: ${daysWords(facts.days)} → ${daysWords(days)}`;
    note(parts, shorter ? `${words}, at once.` : `${words} waits for the guardian’s consent.`);
    return retention.withHash(hashOfChange(change)) as StoredChange;
  });
}

/** Takes back a change that waits. @throws RetentionRefused if it does not wait any more */
export function cancelRetention(parts: RetentionParts, hash: Uint8Array): void {
  transact(parts.db, () => {
    const change = parts.retention.withHash(hash);
    if (change?.state !== 'waiting') throw new RetentionRefused('this change does not wait');
    cancel(parts, change);
    note(parts, `${wordsOf(parts, change)} is taken back.`);
  });
}

function cancel({ retention, clock }: RetentionParts, { hash }: StoredChange): void {
  retention.settle(hash, 'waiting', 'cancelled', { nowMs: clock.now() });
  retention.setTold(hash, false);
}

/** Tells the guardian of every change that it does not know of, in their order. @throws PeerAway */
export async function sendRetention(parts: EmployerParts, check: RetentionCheck): Promise<boolean> {
  const { retention, peer, db } = parts;
  await check.run();
  return each(retention.untold(), peer, async (change) => {
    await peer.postJson('/peer/retention', {
      change: toBase64url(encodeChange(change)),
      // One that the guardian refused is sent only if it has forgotten that.
      cancelled: change.state === 'cancelled' || change.state === 'refused',
    });
    transact(db, () => {
      // It may have been taken back while it was on its way.
      if (retention.withHash(change.hash)?.state === change.state) {
        retention.setTold(change.hash, true);
      }
    });
    return true;
  });
}

/**
 * Compares the settings with those that the guardian knows, when this party starts and every hour, and
 * has told again what the guardian has forgotten: it may have been restored from a backup, and would
 * keep for longer what both agreed to delete. Also before it is asked for a longer one: by what it
 * remembers that could be a shorter one, which it follows without anybody's consent.
 */
export class RetentionCheck {
  readonly #parts: EmployerParts;
  #nextMs = 0;

  constructor(parts: EmployerParts) {
    this.#parts = parts;
  }

  /** Before anything is sent; where it fails, nothing is. @throws PeerAway */
  async run(): Promise<void> {
    const { retention, peer, clock, db } = this.#parts;
    const nowMs = clock.now();
    const own = retention.all();
    const asks = retention.untold().some(({ state }) => state === 'waiting');
    if ((nowMs < this.#nextMs && !asks) || own.length === 0) return;
    const answer = KNOWN.safeParse(await peer.getJson('/peer/retention'));
    if (!answer.success) throw new PeerAway('the guardian’s settings are malformed');
    this.#nextMs = nowMs + CHECK_EVERY_MS;
    const states = new Map(answer.data.known.map(({ hash, state }) => [toBase64url(hash), state]));
    const forgotten = own.filter((change) => {
      const state = states.get(toBase64url(change.hash));
      if (change.state === 'waiting') return false; // asked for by `hearRetention`
      if (change.state === 'applied') return state === undefined && this.#isInForce(own, change);
      return state === 'waiting' || state === 'applied';
    });
    transact(db, () => {
      for (const { hash } of forgotten) retention.setTold(hash, false);
    });
  }

  /** What was replaced, or is less strict than another setting, may be unknown or refused there. */
  #isInForce(own: readonly StoredChange[], change: StoredChange): boolean {
    const newest = own.find((other) => other.state === 'applied' && sameScope(other, change));
    return newest === change && scopeFacts(this.#parts, change)?.days === change.days;
  }
}

/** waiting → applied or refused, once the guardian has decided. @throws PeerAway */
export async function hearRetention(parts: EmployerParts): Promise<boolean> {
  return each(parts.retention.waiting(), parts.peer, (change) => hear(parts, change));
}

async function hear(parts: EmployerParts, change: StoredChange): Promise<boolean> {
  const { hash } = change;
  let answer: unknown;
  try {
    answer = await parts.peer.getJson(`/peer/retention/${toBase64url(hash)}`);
  } catch (error) {
    // The guardian lost it, or was never told: tell it again.
    if (error instanceof PeerRefusal && error.code === 'notFound') {
      parts.retention.setTold(hash, false);
      return false;
    }
    throw error;
  }
  const parsed = DECISION.safeParse(answer);
  if (!parsed.success) throw new PeerAway('the guardian’s decision is malformed');
  const { state, signature, reason } = parsed.data;
  if (state !== 'refused' && state !== 'applied') return false;
  if (state === 'applied') checkConsent(parts, hash, signature);
  const words = wordsOf(parts, change);
  return transact(parts.db, () => {
    const nowMs = parts.clock.now();
    if (!parts.retention.settle(hash, 'waiting', state, { signature, reason, nowMs })) return false;
    note(
      parts,
      state === 'applied'
        ? `${words} has the guardian’s consent and counts now.`
        : `The guardian refused ${words}: ${reason}`,
    );
    return true;
  });
}

function checkConsent(parts: EmployerParts, hash: Uint8Array, signature: Uint8Array | null): void {
  try {
    verifySignature(
      parts.pairing.signingKey,
      signature ?? new Uint8Array(),
      'chorus retention v1',
      hash,
    );
  } catch (error) {
    if (error instanceof CryptoError) throw new PeerAway('the consent is not signed');
    throw error;
  }
}

/** What is past its retention here with this setting, and not without it, in words. */
export function deletedBy(parts: EmployerParts, scope: RetentionScope, days: number): string[] {
  const staffNow = parts.clock.now();
  const before = new Set(trySweep(parts, staffNow).map(removalWords));
  const then = trySweep(parts, staffNow, (asked, trendsDays) => {
    const inForce = parts.retention.days(asked, trendsDays);
    return asked.kind === scope.kind && (scope.sheet === null || sameScope(asked, scope))
      ? Math.min(inForce, days)
      : inForce;
  });
  return then.map(removalWords).filter((words) => !before.has(words));
}

function sameScope(a: RetentionScope, b: RetentionScope): boolean {
  const key = ({ kind, sheet }: RetentionScope) =>
    `${kind} ${sheet === null ? '' : toBase64url(sheet)}`;
  return key(a) === key(b);
}

/** "Mail queue: 20 days". */
export function wordsOf(
  parts: Pick<EmployerParts, 'sheets' | 'retention'>,
  change: StoredChange,
): string {
  const title = scopeFacts(parts, change)?.title ?? null;
  return `${scopeWords(change.kind, title)}: ${daysWords(change.days)}`;
}

function note(parts: RetentionParts, sentence: string): void {
  const atMs = parts.clock.now();
  parts.events.add({ atMs, round: null, groupIndex: null, kind: 'retention', sentence });
}
