import { z } from 'zod';
import { toBase64url } from '../../crypto/bytes.ts';
import { parseCanonicalJson } from '../../crypto/canonical.ts';
import { HPKE_PUBLIC_KEY_SIZE, HPKE_SEED_SIZE, HpkePrivateKey } from '../../crypto/hpke.ts';
import {
  checkHead,
  type ManifestHead,
  manifestHash,
  openEntry,
  openHead,
  planEntry,
  planHead,
  signManifest,
} from '../../crypto/manifest.ts';
import { Secret } from '../../crypto/secret.ts';
import { sha256 } from '../../crypto/sha256.ts';
import type { Sheet } from '../../crypto/sheet.ts';
import { signingPublicKey } from '../../crypto/signing.ts';
import { entryOf, whyNoRoom } from '../aggregator/account.ts';
import { lastStart } from '../aggregator/last-start.ts';
import { inTurns, paced, pause } from '../aggregator/paced.ts';
import { keepTasks } from '../aggregator/planned-tasks.ts';
import { VERIFY_KEY_SIZE } from '../aggregator/round-keys.ts';
import { type Days, roundTimes } from '../domain/days.ts';
import { PlanError } from '../domain/plan-error.ts';
import { roundGroups } from '../domain/round-groups.ts';
import { allowsDays } from '../domain/schedule.ts';
import { storedSheet } from '../domain/sheets.ts';
import { roundPlanned } from '../domain/withheld.ts';
import { Refusal } from '../http/refusal.ts';
import { bytesField } from '../http/schema.ts';
import { PeerAway, PeerRefusal } from '../peer/client.ts';
import type { Round } from '../storage/rounds.ts';
import type { StoredSheet } from '../storage/sheets.ts';
import { transact } from '../storage/stores.ts';
import type { GuardianParts } from './parts.ts';

/** What a round is planned from. */
export interface RoundPlan {
  readonly number: number;
  /** Hash of an approved sheet. */
  readonly sheetHash: Uint8Array;
  readonly days: Days;
}

const KEY = z.strictObject({
  config_id: z.int().min(0).max(255),
  public_key: bytesField(HPKE_PUBLIC_KEY_SIZE),
});
/** What the employer says when a round is proposed: the sizes of its units, never a person. */
const PROPOSAL_REPLY = z.strictObject({
  units: z.array(z.strictObject({ path: z.string(), people: z.int().min(0) })),
  hpke: KEY,
  collector: KEY,
});
const TOKEN_KEYS = z.strictObject({ token_keys: z.array(bytesField()) });
const SIGNED = z.strictObject({ signature: bytesField(64) });

/** Answers to a manifest after which it will never be signed. */
const NEVER_SIGNED = new Set(['planMismatch', 'invalidMessage', 'accountExceeded']);

/**
 * Plans a round: unit sizes and keys from the employer, then the groups, our own keys, the tasks, the
 * head and our signature, stored; then the employer compares and signs. Repeated after a crash it
 * goes on where it was, with the same manifest once that is stored.
 * @returns the hash that every invitation link carries
 * @throws Refusal `planMismatch` if the sheet is not approved; PlanError if there can be no group;
 * PeerAway, PeerRefusal
 */
export async function planRound(parts: GuardianParts, plan: RoundPlan): Promise<Uint8Array> {
  const drafted = () => parts.rounds.withNumber(plan.number);
  const round =
    drafted() ??
    (await draftRound(parts, plan).catch((error) => {
      // The employer has signed what another connection planned meanwhile.
      const twin = drafted();
      if (twin === undefined) throw error;
      return twin;
    }));
  if (round.employerSignature !== null) return round.manifestHash;
  try {
    await askForSignature(parts, round);
  } catch (error) {
    // It will never be signed, and nobody has seen it: the roster changed, say. Drafted anew later.
    if (isNeverPlanned(error)) discardDraft(parts, round);
    throw error;
  }
  return round.manifestHash;
}

/** Whether a plan failed so that it would fail again, rather than wait for something. */
export function isNeverPlanned(error: unknown): boolean {
  if (error instanceof PlanError) return true;
  const refused = error instanceof PeerRefusal || error instanceof Refusal;
  return refused && NEVER_SIGNED.has(error.code ?? '');
}

/** Unless another connection discarded it before, and drafted the round anew. */
function discardDraft(parts: GuardianParts, { manifestHash, number }: Round): void {
  const discarded = transact(parts.db, () => {
    if (parts.rounds.withHash(manifestHash)?.employerSignature !== null) return false;
    parts.tasks.deleteOfRound(manifestHash);
    parts.rounds.deleteUnsigned(manifestHash);
    return true;
  });
  // Keys that a crash leaves behind here are overwritten by the next draft.
  if (discarded) parts.roundKeys.delete(number);
}

async function draftRound(parts: GuardianParts, plan: RoundPlan): Promise<Round> {
  const stored = approvedSheet(parts, plan.sheetHash);
  const sheet = storedSheet(stored.bytes);
  if (!allowsDays(sheet, plan.days, lastStart(parts, stored.hash), parts.evaluation)) {
    throw new Refusal('planMismatch', 'the sheet allows no round on these days');
  }
  const shortage = whyNotPlanned(parts, plan, sheet);
  if (shortage !== undefined) throw new Refusal('accountExceeded', shortage);
  const answer = await parts.peer.postJson(`/peer/rounds/${plan.number}/keys`, {
    sheet_hash: toBase64url(stored.hash),
    sheet_signature: toBase64url(stored.guardianSignature as Buffer),
  });
  const reply = PROPOSAL_REPLY.safeParse(answer);
  if (!reply.success) throw new PeerAway('the employer’s units or keys are malformed');
  const { groups } = await inTurns(roundGroups(reply.data.units, sheet));
  const tokenKeys = await askForTokenKeys(parts, plan.number, groups.length);
  const keys = {
    inputSeed: new Secret(parts.randomness(HPKE_SEED_SIZE)),
    verifyKeys: groups.map(() => new Secret(parts.randomness(VERIFY_KEY_SIZE))),
  };
  const shared = {
    version: 1,
    sheet_hash: toBase64url(stored.hash),
    round: plan.number,
    days: { start: plan.days.start, duration: plan.days.duration },
    time_zone: parts.timeZone,
    guardian: {
      url: parts.url,
      signing_key: toBase64url(signingPublicKey(parts.signingSeed)),
      hpke: {
        config_id: plan.number % 256,
        public_key: toBase64url(HpkePrivateKey.fromSeed(keys.inputSeed).publicKey),
      },
    },
    employer: {
      url: parts.pairing.url,
      signing_key: toBase64url(parts.pairing.signingKey),
      hpke: encodeKey(reply.data.hpke),
      collector: encodeKey(reply.data.collector),
    },
    script_hash: toBase64url(sha256(parts.script)),
  } satisfies Omit<ManifestHead, 'groups' | 'root'>;
  const entries = await paced(groups, (group, index) => {
    const verifyKey = keys.verifyKeys[index] as Secret<Uint8Array>;
    const tokenKey = tokenKeys[index] as Uint8Array;
    const planned = { ...group, tokenKey, verifyKeyHash: sha256(verifyKey.reveal()) };
    return planEntry(shared, sheet, planned, index);
  });
  await pause();
  const encoded = planHead(shared, entries);
  await pause();
  const head = checkHead(parseCanonicalJson(encoded));
  const tasks = await paced(entries, (bytes, index) => openEntry(head, sheet, index, bytes));
  const hash = manifestHash(encoded);
  await pause();
  return transact(parts.db, () => {
    // The same plan may have been asked for twice at once: the keys of the first are the round's.
    const twin = parts.rounds.withNumber(plan.number);
    if (twin !== undefined) return twin;
    parts.roundKeys.write(plan.number, keys);
    parts.scripts.insert(sha256(parts.script), parts.script);
    parts.rounds.insert({
      manifestHash: hash,
      number: plan.number,
      sheetHash: stored.hash,
      head: encoded,
      guardianSignature: signManifest(parts.signingSeed, encoded),
      employerSignature: null,
      ...roundTimes(plan.days, sheet.deadline_days, parts.timeZone),
    });
    keepTasks(parts.tasks, hash, tasks, entries);
    return parts.rounds.withNumber(plan.number) as Round;
  });
}

/**
 * Why the account has no room for a round, beside all that are open or planned; undefined if it has.
 */
export function whyNotPlanned(
  parts: GuardianParts,
  { number, days }: Pick<RoundPlan, 'number' | 'days'>,
  sheet: Sheet,
): string | undefined {
  const planned = parts.rounds
    .inState('planned')
    .map((round) => entryOf(parts.contexts.round(round.manifestHash)));
  return whyNoRoom(parts, entryOf({ head: { round: number, days }, sheet }), planned);
}

/** One token key for each group, all different; the employer makes them in the background. */
async function askForTokenKeys(
  parts: GuardianParts,
  number: number,
  groups: number,
): Promise<readonly Uint8Array[]> {
  const answer = await parts.peer.postJson(`/peer/rounds/${number}/token-keys`, { groups });
  const reply = TOKEN_KEYS.safeParse(answer);
  if (!reply.success) throw new PeerAway('the employer’s token keys are malformed');
  const { token_keys } = reply.data;
  const distinct = new Set(token_keys.map((key) => toBase64url(key)));
  if (token_keys.length !== groups || distinct.size !== groups) {
    throw new PeerAway('the employer did not give one token key to each group');
  }
  return token_keys;
}

function approvedSheet(parts: GuardianParts, hash: Uint8Array): StoredSheet {
  const stored = parts.sheets.withHash(hash);
  if (stored === undefined) throw new Refusal('planMismatch', 'there is no such sheet');
  if (stored.state !== 'approved') {
    throw new Refusal('planMismatch', `the sheet is ${stored.state}, not approved`);
  }
  return stored;
}

async function askForSignature(parts: GuardianParts, round: Round): Promise<void> {
  await pause();
  const keys = parts.roundKeys.read(round.number);
  if (keys === undefined) throw new Refusal('planMismatch', 'the keys of the draft are gone');
  const tasks = parts.tasks.ofRound(round.manifestHash);
  const answer = await parts.peer.postJson(`/peer/rounds/${round.number}/manifest`, {
    head: toBase64url(round.head),
    guardian_signature: toBase64url(round.guardianSignature as Buffer),
    entries: await paced(tasks, (task) => toBase64url(task.entry)),
    verify_keys: await paced(keys.verifyKeys, (key) => toBase64url(key.reveal())),
  });
  const reply = SIGNED.safeParse(answer);
  if (!reply.success) throw new PeerAway('the employer did not sign the manifest');
  openHead({
    hash: round.manifestHash,
    head: round.head,
    guardianSignature: round.guardianSignature as Buffer,
    employerSignature: reply.data.signature,
  });
  transact(parts.db, () => {
    if (!parts.rounds.countersign(round.manifestHash, reply.data.signature)) return;
    const groups = parts.tasks.ofRound(round.manifestHash).length;
    parts.events.add({
      atMs: parts.clock.now(),
      round: round.number,
      groupIndex: null,
      kind: 'planned',
      sentence: roundPlanned(round.number, groups),
    });
  });
}

function encodeKey(key: z.infer<typeof KEY>): { config_id: number; public_key: string } {
  return { config_id: key.config_id, public_key: toBase64url(key.public_key) };
}
