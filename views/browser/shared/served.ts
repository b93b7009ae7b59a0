import { fromBase64url, toBase64url } from '../../../crypto/bytes.ts';
import { CryptoError } from '../../../crypto/errors.ts';
import {
  type ManifestEntry,
  type ManifestHead,
  type ManifestTask,
  openHead,
  openManifest,
} from '../../../crypto/manifest.ts';
import type { Sheet } from '../../../crypto/sheet.ts';
import { sodiumReady } from '../../../crypto/sodium.ts';
import { Stop, type StopCode } from './stop.ts';

/** A round as the guardian serves it: the head checked, the state its own word. */
export interface ServedRound {
  /** base64url */
  readonly manifestHash: string;
  readonly head: ManifestHead;
  readonly state: string;
  readonly signed: {
    readonly hash: Uint8Array;
    readonly head: Uint8Array;
    readonly guardianSignature: Uint8Array;
    readonly employerSignature: Uint8Array;
  };
}

/** One group of it, checked from the manifest's hash down. */
export interface ServedGroup {
  readonly head: ManifestHead;
  readonly entry: ManifestEntry;
  readonly sheet: Sheet;
  readonly task: ManifestTask;
}

/** For every request: no cookie goes along, so that no signed-in person stands beside an answer. */
export const PLAIN = {
  cache: 'no-store',
  credentials: 'omit',
  redirect: 'error',
  referrerPolicy: 'no-referrer',
} as const satisfies RequestInit;

/** @throws Stop `unreachable`, or `unknown` where there is nothing */
export async function get(path: string, unknown: StopCode): Promise<Response> {
  let reply: Response;
  try {
    reply = await fetch(path, PLAIN);
  } catch {
    throw new Stop('unreachable');
  }
  if (reply.status === 410) throw new Stop('retention_over');
  if (reply.status === 404 || reply.status === 400) throw new Stop(unknown);
  if (!reply.ok) throw new Stop('unreachable');
  return reply;
}

/** A field of a JSON reply as bytes. @throws CryptoError `decode` */
export function bytesOf(value: unknown): Uint8Array {
  if (typeof value !== 'string') throw new CryptoError('decode', 'not a base64url field');
  return fromBase64url(value);
}

/** The body, whole. @throws Stop `unreachable` if the connection breaks on the way */
export async function bodyOf(reply: Response): Promise<Uint8Array> {
  try {
    return new Uint8Array(await reply.arrayBuffer());
  } catch {
    throw new Stop('unreachable');
  }
}

/** @throws Stop `unreachable`, SyntaxError */
export async function jsonOf(reply: Response): Promise<Record<string, unknown>> {
  const value: unknown = JSON.parse(new TextDecoder().decode(await bodyOf(reply)));
  if (typeof value !== 'object' || value === null) throw new SyntaxError('not an object');
  return value as Record<string, unknown>;
}

/** The manifest with this hash. @throws Stop, CryptoError */
export async function openRound(hash: Uint8Array, unknown: StopCode): Promise<ServedRound> {
  const manifestHash = toBase64url(hash);
  const served = await jsonOf(await get(`/manifests/${manifestHash}`, unknown));
  await sodiumReady();
  const signed = {
    hash,
    head: bytesOf(served.head),
    guardianSignature: bytesOf(served.guardian_signature),
    employerSignature: bytesOf(served.employer_signature),
  };
  return { manifestHash, head: openHead(signed), state: String(served.state), signed };
}

/** @throws Stop, CryptoError */
export async function openGroup(
  round: ServedRound,
  index: number,
  unknown: StopCode,
): Promise<ServedGroup> {
  if (index >= round.head.groups) throw new Stop(unknown);
  const [entry, sheet] = await Promise.all([
    get(`/manifests/${round.manifestHash}/entries/${index}`, unknown).then(jsonOf),
    get(`/sheets/${round.head.sheet_hash}`, 'unknown_round').then(bodyOf),
  ]);
  return openManifest({
    ...round.signed,
    index,
    entry: bytesOf(entry.entry),
    path: Array.isArray(entry.path) ? entry.path.map(bytesOf) : [],
    sheet,
  });
}

/** What does not parse was not what was signed, whoever garbled it. @throws Stop */
export async function genuine<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CryptoError || error instanceof SyntaxError) throw new Stop('not_genuine');
    throw error;
  }
}
