import { equalBytes, fromBase64url } from '../../../crypto/bytes.ts';
import { CryptoError } from '../../../crypto/errors.ts';
import { decodeIdSlice, type Ending, idListRoot, SLICES } from '../../../crypto/id-list.ts';
import { verifySignature } from '../../../crypto/signing.ts';
import {
  bodyOf,
  bytesOf,
  genuine,
  get,
  jsonOf,
  PLAIN,
  type ServedRound,
} from '../shared/served.ts';
import { Stop } from '../shared/stop.ts';
import type { OpenedReceipt } from './open.ts';

/** How a receipt's answer ended, in a round that is over. */
export type Fate =
  | Ending
  | { readonly outcome: 'withheld'; readonly reason: string }
  | { readonly outcome: 'missing' }
  /** The round is still being counted, or its list is not signed yet. */
  | { readonly outcome: 'counting' };

/** A fate, and how many answers of the round were counted in all. */
export interface Found {
  readonly fate: Fate;
  readonly counted: number;
}

/** Slices fetched at once: what browsers open connections for. */
const AT_ONCE = 6;

/** The list's signatures: undefined while there is no list. */
async function listHead(round: ServedRound): Promise<Record<string, unknown> | undefined> {
  let reply: Response;
  try {
    reply = await fetch(`/manifests/${round.manifestHash}/list`, PLAIN);
  } catch {
    throw new Stop('unreachable');
  }
  if (reply.status === 409) return undefined;
  if (reply.status === 410) throw new Stop('retention_over');
  if (!reply.ok) throw new Stop('unreachable');
  return jsonOf(reply);
}

/**
 * All slices of the round's list. A receipt needs only its own, but in a small round that one alone
 * would tell the guardian whose receipt is asking; and the signed root is over all of them.
 */
async function allSlices(
  round: ServedRound,
  progress: (done: number) => void,
): Promise<Uint8Array[]> {
  const slices: Uint8Array[] = [];
  for (let at = 0; at < SLICES; at += AT_ONCE) {
    const numbers = Array.from({ length: Math.min(AT_ONCE, SLICES - at) }, (_, i) => at + i);
    const path = (slice: number) => `/manifests/${round.manifestHash}/list/${slice}`;
    slices.push(
      ...(await Promise.all(
        numbers.map(async (slice) => bodyOf(await get(path(slice), 'unreachable'))),
      )),
    );
    progress(slices.length / SLICES);
  }
  return slices;
}

function checkList(round: ServedRound, list: Record<string, unknown>, slices: Uint8Array[]): void {
  const root = bytesOf(list.root);
  if (!equalBytes(idListRoot(slices), root)) {
    throw new CryptoError('manifest', 'the slices do not have the root of the list');
  }
  const { guardian, employer } = round.head;
  for (const [party, signature] of [
    [guardian, list.guardian_signature],
    [employer, list.employer_signature],
  ] as const) {
    verifySignature(
      fromBase64url(party.signing_key),
      bytesOf(signature),
      'chorus list v1',
      round.signed.hash,
      root,
    );
  }
}

/** What the guardian says of the group: the reason why it is withheld, if it is. */
async function withheldReason({ round, receipt }: OpenedReceipt): Promise<string | undefined> {
  const path = `/manifests/${round.manifestHash}/groups`;
  const { groups } = await jsonOf(await get(path, 'unreachable'));
  const group = (Array.isArray(groups) ? groups : []).find(
    ({ index }) => index === receipt.groupIndex,
  );
  return group?.state === 'withheld' ? String(group.reason) : undefined;
}

/**
 * Looks the receipt's number up in the list that both parties signed.
 * @param progress from 0 to 1
 * @throws Stop `not_genuine` if the list is not what both signed, `unreachable`
 */
export function lookUp(opened: OpenedReceipt, progress: (done: number) => void): Promise<Found> {
  return genuine(async () => {
    const { round, receipt } = opened;
    const list = await listHead(round);
    if (list === undefined) return { fate: { outcome: 'counting' }, counted: 0 };
    const slices = await allSlices(round, progress);
    checkList(round, list, slices);
    const listed = slices.flatMap((slice, i) => decodeIdSlice(slice, i));
    const counted = listed.filter(({ outcome }) => outcome === 'counted').length;
    const own = listed.find(({ reportId }) => equalBytes(reportId, receipt.reportId));
    // A withheld group's answers may have been counted before it was withheld: none of them is shown.
    const reason = await withheldReason(opened);
    if (reason !== undefined && (own === undefined || own.outcome === 'counted')) {
      return { fate: { outcome: 'withheld', reason }, counted };
    }
    return { fate: own ?? { outcome: 'missing' }, counted };
  });
}
