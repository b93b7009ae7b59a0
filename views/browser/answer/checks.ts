import { toBase64url } from '../../../crypto/bytes.ts';
import { sha256 } from '../../../crypto/sha256.ts';
import { dayWords } from '../shared/days.ts';
import { checkPins, type PinState } from '../shared/pins.ts';
import { bodyOf, genuine, openGroup, openRound, type ServedGroup } from '../shared/served.ts';
import { Stop } from '../shared/stop.ts';
import { wayKey } from '../shared/ways.ts';
import { holdAlone } from './alone.ts';
import { parseLink } from './link.ts';

/** All that the survey needs, each part checked from the hash in the link down. */
export interface Opened extends ServedGroup {
  /** SHA-256 of the manifest's head: what the link names. */
  readonly manifestHash: string;
  /** The invitation's code; undefined where a receipt's token answers anew. */
  readonly code: string | undefined;
  /** Under what this browser keeps how far it has come. */
  readonly key: string;
  /** What was found about the parties' keys. */
  readonly pins: PinState;
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
  const hash = sha256(await bodyOf(reply));
  const script = [...document.scripts].find((element) => element.src === import.meta.url);
  const plain = toBase64url(hash).replaceAll('-', '+').replaceAll('_', '/');
  return script?.integrity === `sha256-${plain}=` ? toBase64url(hash) : 'unlike';
}

async function open(fragment: string): Promise<Opened> {
  const { code, index, hash } = parseLink(fragment);
  const key = wayKey(fragment);
  await holdAlone(key);
  const round = await openRound(hash, 'unknown_round');
  const { head, state, manifestHash } = round;
  if (head.script_hash !== (await ownScriptHash())) throw new Stop('script_differs');
  if (index >= head.groups) throw new Stop('unknown_group');
  const pins = checkPins(head);
  if (state === 'closed') throw new Stop('closed');
  if (state !== 'open') throw new Stop('planned', dayWords(head.days.start));
  const group = await openGroup(round, index, 'unknown_group');
  return { manifestHash, ...group, code, key, pins };
}

/**
 * Everything that must be right before a person reads a question, in the order in which it can be
 * known. Fetches from this origin only and sends nothing.
 *
 * @throws Stop with the first reason found
 */
export function startChecks(fragment: string): Promise<Opened> {
  return genuine(() => open(fragment));
}
