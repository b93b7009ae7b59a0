import { equalBytes, fromBase64url, toBase64url } from './bytes.ts';
import { canonicalJson, parseCanonicalJson } from './canonical.ts';
import { encodeTaskConfiguration, type TaskConfiguration, taskId } from './dap/task.ts';
import { CryptoError } from './errors.ts';
import { merkleRoot, verifyInclusion } from './merkle.ts';
import type { Secret } from './secret.ts';
import { sha256 } from './sha256.ts';
import { base64url, fields, natural, oneOf, text } from './shape.ts';
import { blockLengths, type Sheet, sheetWithHash } from './sheet.ts';
import { sign, verifySignature } from './signing.ts';
import { chunkLengthFor, type SurveyParameters } from './vdaf/circuits/survey.ts';

/** Seconds of one DAP time unit: a day. */
export const TIME_PRECISION_S = 86_400;

/** An HPKE key as the manifest names it; binary fields of a manifest are base64url. */
export interface ManifestKey {
  readonly config_id: number;
  readonly public_key: string;
}

/** What is the same for all groups of a round. Its hash is in every invitation link. */
export interface ManifestHead {
  readonly version: 1;
  readonly sheet_hash: string;
  readonly round: number;
  /** Calendar days since 1970-01-01: the first, and how many. */
  readonly days: { readonly start: number; readonly duration: number };
  /** In which the days begin and end. */
  readonly time_zone: string;
  readonly guardian: {
    readonly url: string;
    readonly signing_key: string;
    readonly hpke: ManifestKey;
  };
  readonly employer: {
    readonly url: string;
    readonly signing_key: string;
    readonly hpke: ManifestKey;
    readonly collector: ManifestKey;
  };
  /** SHA-256 of the answering page's script. */
  readonly script_hash: string;
  readonly groups: number;
  /** RFC 6962 root over the canonical JSON of the entries. */
  readonly root: string;
}

/** One group of a round: one DAP task. */
export interface ManifestEntry {
  readonly index: number;
  readonly name: string;
  readonly department: string;
  readonly roster_size: number;
  readonly verify_key_hash: string;
  /** SubjectPublicKeyInfo of the group's token key (RFC 9578 §8.2.2). */
  readonly token_key: string;
  readonly task_configuration: string;
}

/** A group as it is planned: what the entry says before it is bound to a task. */
export interface PlannedGroup {
  readonly name: string;
  readonly department: string;
  readonly rosterSize: number;
  readonly verifyKeyHash: Uint8Array;
  /** SubjectPublicKeyInfo of the group's token key. */
  readonly tokenKey: Uint8Array;
}

/** SHA-256 of the head without signatures. */
export function manifestHash(head: Uint8Array): Uint8Array {
  return sha256(head);
}

/** A party's Ed25519 signature (64 bytes) of a head, i.e. of its hash. */
export function signManifest(seed: Secret<Uint8Array>, head: Uint8Array): Uint8Array {
  return sign(seed, 'chorus manifest v1', manifestHash(head));
}

/** The key id of an entry's token key, 32 bytes. */
export function entryTokenKeyId(entry: Pick<ManifestEntry, 'token_key'>): Uint8Array {
  return sha256(fromBase64url(entry.token_key));
}

/** The encoded entry of one group, its task bound to sheet, round, group, size and keys. */
export function planEntry(
  head: Omit<ManifestHead, 'groups' | 'root'>,
  sheet: Sheet,
  group: PlannedGroup,
  index: number,
): Uint8Array {
  const bound = {
    index,
    name: group.name,
    department: group.department,
    roster_size: group.rosterSize,
    verify_key_hash: toBase64url(group.verifyKeyHash),
    token_key: toBase64url(group.tokenKey),
  };
  return canonicalJson({
    ...bound,
    task_configuration: toBase64url(encodeTaskConfiguration(configurationOf(head, sheet, bound))),
  });
}

/** The encoded head over a round's encoded entries. @throws CryptoError `invalid_argument` */
export function planHead(
  head: Omit<ManifestHead, 'groups' | 'root'>,
  entries: readonly Uint8Array[],
): Uint8Array {
  return canonicalJson({ ...head, groups: entries.length, root: toBase64url(merkleRoot(entries)) });
}

function configurationOf(
  head: Omit<ManifestHead, 'groups' | 'root'>,
  sheet: Sheet,
  entry: Omit<ManifestEntry, 'task_configuration'>,
): TaskConfiguration {
  return {
    taskInfo: sha256(
      canonicalJson({
        sheet_hash: head.sheet_hash,
        round: head.round,
        group: entry.name,
        roster_size: entry.roster_size,
        verify_key_hash: entry.verify_key_hash,
        token_key_id: toBase64url(entryTokenKeyId(entry)),
      }),
    ),
    leaderAggregatorEndpoint: head.guardian.url,
    helperAggregatorEndpoint: head.employer.url,
    timePrecision: TIME_PRECISION_S,
    minBatchSize: sheet.k,
    survey: surveyOf(sheet),
    taskInterval: head.days,
  };
}

/** For a head and a sheet that others signed: what in them makes no task is their fault. */
function expectedConfiguration(head: ManifestHead, sheet: Sheet, entry: ManifestEntry): Uint8Array {
  try {
    return encodeTaskConfiguration(configurationOf(head, sheet, entry));
  } catch {
    throw new CryptoError('manifest', 'no task follows from the sheet and the group');
  }
}

/** The VDAF parameters of a sheet. */
export function surveyOf(sheet: Sheet): SurveyParameters {
  const lengths = blockLengths(sheet);
  return { blockLengths: lengths, chunkLength: chunkLengthFor(lengths) };
}

/** A group's task as everyone who holds the manifest derives it. */
export interface ManifestTask {
  readonly taskId: Uint8Array;
  /** TaskConfiguration, the exact bytes of the entry. */
  readonly configuration: Uint8Array;
  readonly survey: SurveyParameters;
}

/** A signed head, checked. @throws CryptoError `manifest`, `signature`, `decode` */
export function openHead(signed: {
  readonly hash: Uint8Array;
  readonly head: Uint8Array;
  readonly guardianSignature: Uint8Array;
  readonly employerSignature: Uint8Array;
}): ManifestHead {
  if (!equalBytes(manifestHash(signed.head), signed.hash)) {
    throw new CryptoError('manifest', 'the manifest is not the one that the link names');
  }
  const head = checkHead(parseCanonicalJson(signed.head));
  const message = manifestHash(signed.head);
  verifySignature(
    fromBase64url(head.guardian.signing_key),
    signed.guardianSignature,
    'chorus manifest v1',
    message,
  );
  verifySignature(
    fromBase64url(head.employer.signing_key),
    signed.employerSignature,
    'chorus manifest v1',
    message,
  );
  return head;
}

/**
 * One group's entry, checked against the sheet and its own TaskConfiguration.
 * @throws CryptoError `manifest`, `decode`
 */
export function openEntry(
  head: ManifestHead,
  sheet: Sheet,
  index: number,
  bytes: Uint8Array,
): { entry: ManifestEntry; task: ManifestTask } {
  const entry = checkEntry(parseCanonicalJson(bytes));
  if (entry.index !== index) throw new CryptoError('manifest', 'the entry is of another group');
  const configuration = fromBase64url(entry.task_configuration);
  if (!equalBytes(expectedConfiguration(head, sheet, entry), configuration)) {
    throw new CryptoError('manifest', 'the task does not follow from the sheet and the group');
  }
  return {
    entry,
    task: { taskId: taskId(configuration), configuration, survey: surveyOf(sheet) },
  };
}

/**
 * What an invitation link leads to, checked from the hash in the link down to the task: both
 * signatures, the sheet's hash, the path of the entry, and that the task follows from all of them.
 * @throws CryptoError `manifest`, `signature`, `decode`
 */
export function openManifest(served: {
  readonly hash: Uint8Array;
  readonly head: Uint8Array;
  readonly guardianSignature: Uint8Array;
  readonly employerSignature: Uint8Array;
  readonly index: number;
  readonly entry: Uint8Array;
  readonly path: readonly Uint8Array[];
  readonly sheet: Uint8Array;
}): { head: ManifestHead; entry: ManifestEntry; sheet: Sheet; task: ManifestTask } {
  const head = openHead(served);
  const sheet = sheetWithHash(served.sheet, fromBase64url(head.sheet_hash));
  if (sheet === undefined) throw new CryptoError('manifest', 'the sheet is not the signed one');
  if (
    !verifyInclusion(fromBase64url(head.root), head.groups, served.index, served.entry, served.path)
  ) {
    throw new CryptoError('manifest', 'the group is not in the manifest');
  }
  return { head, sheet, ...openEntry(head, sheet, served.index, served.entry) };
}

/**
 * That these are all the entries of a manifest; each is then for `openEntry` to check.
 * @throws CryptoError `manifest`
 */
export function requireEntries(head: ManifestHead, entries: readonly Uint8Array[]): void {
  if (
    entries.length !== head.groups ||
    !equalBytes(merkleRoot(entries), fromBase64url(head.root))
  ) {
    throw new CryptoError('manifest', 'the entries do not have the root of the head');
  }
}

const KEY = fields<ManifestKey>({ config_id: natural, public_key: base64url });
const HEAD = fields<ManifestHead>({
  version: oneOf(1),
  sheet_hash: base64url,
  round: natural,
  days: fields<ManifestHead['days']>({ start: natural, duration: natural }),
  time_zone: text,
  guardian: fields<ManifestHead['guardian']>({ url: text, signing_key: base64url, hpke: KEY }),
  employer: fields<ManifestHead['employer']>({
    url: text,
    signing_key: base64url,
    hpke: KEY,
    collector: KEY,
  }),
  script_hash: base64url,
  groups: natural,
  root: base64url,
});
const ENTRY = fields<ManifestEntry>({
  index: natural,
  name: text,
  department: text,
  roster_size: natural,
  verify_key_hash: base64url,
  token_key: base64url,
  task_configuration: base64url,
});

/** The head in this JSON value. @throws CryptoError `manifest`, `decode` */
export function checkHead(value: unknown): ManifestHead {
  HEAD(value, 'head');
  return value as ManifestHead;
}

function checkEntry(value: unknown): ManifestEntry {
  ENTRY(value, 'entry');
  return value as ManifestEntry;
}
