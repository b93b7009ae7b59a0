import { z } from 'zod';
import { toBase64url } from '../../crypto/bytes.ts';
import { parseCanonicalJson } from '../../crypto/canonical.ts';
import { HPKE_PUBLIC_KEY_SIZE, HPKE_SEED_SIZE, HpkePrivateKey } from '../../crypto/hpke.ts';
import {
  checkHead,
  manifestHash,
  openEntries,
  openHead,
  planManifest,
  signManifest,
} from '../../crypto/manifest.ts';
import { Secret } from '../../crypto/secret.ts';
import { sha256 } from '../../crypto/sha256.ts';
import type { Sheet } from '../../crypto/sheet.ts';
import { sign, signingPublicKey } from '../../crypto/signing.ts';
import type { RoundKeys } from '../aggregator/round-keys.ts';
import { type Days, roundTimes } from '../domain/days.ts';
import { encodeSheet, parseSheet } from '../domain/sheets.ts';
import { bytesField } from '../http/schema.ts';
import { PeerAway } from '../peer/client.ts';
import type { Round } from '../storage/rounds.ts';
import { transact } from '../storage/stores.ts';
import type { GuardianParts } from './parts.ts';

/** What a round is planned from. */
export interface RoundPlan {
  readonly number: number;
  readonly days: Days;
  readonly sheet: Sheet;
  readonly groups: readonly {
    readonly name: string;
    readonly department: string;
    readonly rosterSize: number;
  }[];
}

const KEY = z.strictObject({
  config_id: z.int().min(0).max(255),
  public_key: bytesField(HPKE_PUBLIC_KEY_SIZE),
});
const EMPLOYER_KEYS = z.strictObject({ hpke: KEY, collector: KEY });
const SIGNED = z.strictObject({ signature: bytesField(64) });

/**
 * Plans a round: the employer's keys, then our own, the tasks, the head and our signature, stored;
 * then the employer compares and signs. Repeated after a crash it goes on where it was, with the
 * same manifest once that is stored.
 * @returns the hash that every invitation link carries
 * @throws PeerAway, PeerRefusal; ZodError if the sheet is not valid
 */
export async function planRound(parts: GuardianParts, plan: RoundPlan): Promise<Uint8Array> {
  const round = parts.rounds.withNumber(plan.number) ?? (await draftRound(parts, plan));
  if (round.employerSignature === null) await askForSignature(parts, round);
  return round.manifestHash;
}

async function draftRound(parts: GuardianParts, plan: RoundPlan): Promise<Round> {
  const sheetBytes = encodeSheet(parseSheet(plan.sheet));
  const sheetHash = sha256(sheetBytes);
  const sheetSignature = sign(parts.signingSeed, 'chorus sheet v1', sheetHash);
  const answer = await parts.peer.postJson(`/peer/rounds/${plan.number}/keys`, {
    sheet: toBase64url(sheetBytes),
    sheet_signature: toBase64url(sheetSignature),
  });
  const employerKeys = EMPLOYER_KEYS.safeParse(answer);
  if (!employerKeys.success) throw new PeerAway('the employer’s keys are malformed');
  // The same plan may have been asked for twice at once; another draw would replace its keys.
  const planned = parts.rounds.withNumber(plan.number);
  if (planned !== undefined) return planned;
  const keys = drawKeys(parts, plan);
  const { head, entries } = planManifest(
    {
      version: 1,
      sheet_hash: toBase64url(sheetHash),
      round: plan.number,
      days: { start: plan.days.start, duration: plan.days.duration },
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
        hpke: encodeKey(employerKeys.data.hpke),
        collector: encodeKey(employerKeys.data.collector),
      },
      script_hash: toBase64url(sha256(parts.script)),
    },
    plan.sheet,
    plan.groups.map((group, i) => ({
      ...group,
      verifyKeyHash: sha256((keys.verifyKeys[i] as Secret<Uint8Array>).reveal()),
    })),
  );
  const hash = manifestHash(head);
  const tasks = openEntries(checkHead(parseCanonicalJson(head)), plan.sheet, entries);
  transact(parts.db, () => {
    parts.scripts.insert(sha256(parts.script), parts.script);
    parts.rounds.insertSheet(sheetHash, sheetBytes, sheetSignature);
    parts.rounds.insert({
      manifestHash: hash,
      number: plan.number,
      sheetHash,
      head,
      guardianSignature: signManifest(parts.signingSeed, head),
      employerSignature: null,
      ...roundTimes(plan.days, plan.sheet.deadline_days),
    });
    for (const { entry, task } of tasks) {
      parts.tasks.insert({
        taskId: task.taskId,
        manifestHash: hash,
        groupIndex: entry.index,
        groupName: entry.name,
        department: entry.department,
        rosterSize: entry.roster_size,
        entry: entries[entry.index] as Uint8Array,
        configuration: task.configuration,
      });
    }
  });
  return parts.rounds.withNumber(plan.number) as Round;
}

/** This party's keys of a round, drawn once: a draft that did not get further is drawn anew. */
function drawKeys(parts: GuardianParts, plan: RoundPlan): RoundKeys {
  const keys = {
    inputSeed: new Secret(parts.randomness(HPKE_SEED_SIZE)),
    verifyKeys: plan.groups.map(() => new Secret(parts.randomness(32))),
  };
  parts.roundKeys.write(plan.number, keys);
  return keys;
}

async function askForSignature(parts: GuardianParts, round: Round): Promise<void> {
  const keys = parts.roundKeys.read(round.number);
  if (keys === undefined) throw new Error('the keys of a planned round are gone');
  const answer = await parts.peer.postJson(`/peer/rounds/${round.number}/manifest`, {
    head: toBase64url(round.head),
    guardian_signature: toBase64url(round.guardianSignature as Buffer),
    entries: parts.tasks.ofRound(round.manifestHash).map((task) => toBase64url(task.entry)),
    verify_keys: keys.verifyKeys.map((key) => toBase64url(key.reveal())),
  });
  const reply = SIGNED.safeParse(answer);
  if (!reply.success) throw new PeerAway('the employer did not sign the manifest');
  openHead({
    hash: round.manifestHash,
    head: round.head,
    guardianSignature: round.guardianSignature as Buffer,
    employerSignature: reply.data.signature,
  });
  parts.rounds.countersign(round.manifestHash, reply.data.signature);
}

function encodeKey(key: z.infer<typeof KEY>): { config_id: number; public_key: string } {
  return { config_id: key.config_id, public_key: toBase64url(key.public_key) };
}
