import { fromBase64url, toBase64url } from '../../../crypto/bytes.ts';
import { CryptoError } from '../../../crypto/errors.ts';
import {
  type ManifestEntry,
  type ManifestHead,
  type ManifestTask,
  openHead,
  openManifest,
} from '../../../crypto/manifest.ts';
import { sha256 } from '../../../crypto/sha256.ts';
import type { Sheet } from '../../../crypto/sheet.ts';
import { sodiumReady } from '../../../crypto/sodium.ts';
import { dayWords } from '../shared/days.ts';
import { checkPins, type PinState } from './pins.ts';
import { Stop } from './stop.ts';

/** All that the survey needs, each part checked from the hash in the link down. */
export interface Opened {
  /** SHA-256 of the manifest's head: what the link names. */
  readonly manifestHash: string;
  readonly head: ManifestHead;
  readonly entry: ManifestEntry;
  readonly sheet: Sheet;
  readonly task: ManifestTask;
  /** What was found about the parties' keys. */
  readonly pins: PinState;
}

const HASH_SIZE = 32;

/** `#<group index>.<manifest hash>`. @throws Stop `bad_link` */
export function parseLink(fragment: string): { index: number; hash: Uint8Array } {
  const match = /^#(0|[1-9]\d{0,5})\.([\w-]+)$/.exec(fragment);
  if (match === null) throw new Stop('bad_link');
  try {
    const hash = fromBase64url(match[2] as string);
    if (hash.length === HASH_SIZE) return { index: Number(match[1]), hash };
  } catch {
    // Not canonical base64url: mistyped.
  }
  throw new Stop('bad_link');
}

async function get(path: string, unknown: 'unknown_round' | 'unknown_group'): Promise<Response> {
  let reply: Response;
  try {
    reply = await fetch(path, { cache: 'no-store', redirect: 'error' });
  } catch {
    throw new Stop('unreachable');
  }
  if (reply.status === 404 || reply.status === 400) throw new Stop(unknown);
  if (!reply.ok) throw new Stop('unreachable');
  return reply;
}

/** A field of a JSON reply as bytes. @throws CryptoError `decode` */
function bytesOf(value: unknown): Uint8Array {
  if (typeof value !== 'string') throw new CryptoError('decode', 'not a base64url field');
  return fromBase64url(value);
}

/**
 * The hash of the program that runs here. The page's script element carries an integrity value, so
 * the browser itself has compared the bytes it runs; they are fetched and hashed once more because
 * an element without that value would pass silently.
 */
async function ownScriptHash(): Promise<string> {
  let reply: Response;
  try {
    reply = await fetch(import.meta.url, { cache: 'force-cache' });
  } catch {
    throw new Stop('unreachable');
  }
  const hash = sha256(new Uint8Array(await reply.arrayBuffer()));
  const script = [...document.scripts].find((element) => element.src === import.meta.url);
  const plain = toBase64url(hash).replaceAll('-', '+').replaceAll('_', '/');
  return script?.integrity === `sha256-${plain}=` ? toBase64url(hash) : 'unlike';
}

async function open(fragment: string): Promise<Opened> {
  const { index, hash } = parseLink(fragment);
  const manifestHash = toBase64url(hash);
  const served = await (await get(`/manifests/${manifestHash}`, 'unknown_round')).json();
  await sodiumReady();
  const signed = {
    hash,
    head: bytesOf(served.head),
    guardianSignature: bytesOf(served.guardian_signature),
    employerSignature: bytesOf(served.employer_signature),
  };
  const head = openHead(signed);
  if (head.script_hash !== (await ownScriptHash())) throw new Stop('script_differs');
  if (index >= head.groups) throw new Stop('unknown_group');
  const pins = checkPins(head);
  if (served.state === 'closed') throw new Stop('closed');
  if (served.state !== 'open') throw new Stop('planned', dayWords(head.days.start));
  const [entryReply, sheetReply] = await Promise.all([
    get(`/manifests/${manifestHash}/entries/${index}`, 'unknown_group').then((r) => r.json()),
    get(`/sheets/${head.sheet_hash}`, 'unknown_round').then((reply) => reply.arrayBuffer()),
  ]);
  const opened = openManifest({
    ...signed,
    index,
    entry: bytesOf(entryReply.entry),
    path: Array.isArray(entryReply.path) ? entryReply.path.map(bytesOf) : [],
    sheet: new Uint8Array(sheetReply),
  });
  return { manifestHash, ...opened, pins };
}

/**
 * Everything that must be right before a person reads a question, in the order in which it can be
 * known. Fetches from this origin only and sends nothing.
 *
 * @throws Stop with the first reason found
 */
export async function startChecks(fragment: string): Promise<Opened> {
  try {
    return await open(fragment);
  } catch (error) {
    if (error instanceof Stop) throw error;
    // What does not parse was not what was signed, whoever garbled it.
    if (error instanceof CryptoError || error instanceof SyntaxError) throw new Stop('not_genuine');
    throw error;
  }
}
