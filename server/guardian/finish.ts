import { z } from 'zod';
import { fromBase64url, toBase64url } from '../../crypto/bytes.ts';
import type { ReportError } from '../../crypto/dap/types.ts';
import { CryptoError } from '../../crypto/errors.ts';
import { encodeIdList, idListRoot, type ListedReport } from '../../crypto/id-list.ts';
import { sign, verifySignature } from '../../crypto/signing.ts';
import { roundFinished } from '../domain/withheld.ts';
import { bytesField } from '../http/schema.ts';
import { each } from '../jobs/each.ts';
import { PeerAway } from '../peer/client.ts';
import { truncateWal } from '../storage/database.ts';
import type { Round } from '../storage/rounds.ts';
import { transact } from '../storage/stores.ts';
import type { GuardianParts } from './parts.ts';

const LIST_REPLY = z.strictObject({ signature: bytesField(64) });

/** Ends closed rounds: keys deleted once nothing is left to open, the list signed once all is done. */
export async function finishRounds(parts: GuardianParts): Promise<boolean> {
  let progress = false;
  const done: Round[] = [];
  for (const round of parts.rounds.unlisted()) {
    const states = parts.tasks.states(round.manifestHash);
    if (states.boxed + states.counting > 0) continue;
    if (parts.roundKeys.read(round.number) !== undefined) {
      parts.roundKeys.delete(round.number);
      progress = true;
    }
    if (states.sealed + states.noised === 0) done.push(round);
  }
  // After all keys: a list that is not signed yet keeps no later round's keys.
  const listed = await each(done, parts.peer, async (round) => {
    await signList(parts, round);
    return true;
  });
  return progress || listed;
}

/** One list for the round, signed by both, for receipts; after it nothing knows a group's ids. */
async function signList(parts: GuardianParts, round: Round): Promise<void> {
  const { manifestHash } = round;
  const slices = encodeIdList(parts.buckets.outcomesOfRound(manifestHash).map(listed));
  const root = idListRoot(slices);
  const signature = sign(parts.signingSeed, 'chorus list v1', manifestHash, root);
  const answer = await parts.peer.postJson(`/peer/rounds/${round.number}/list`, {
    slices: slices.map(toBase64url),
    signature: toBase64url(signature),
  });
  const parsed = LIST_REPLY.safeParse(answer);
  if (!parsed.success) throw new PeerAway('the employer did not sign the list');
  try {
    verifySignature(
      parts.pairing.signingKey,
      parsed.data.signature,
      'chorus list v1',
      manifestHash,
      root,
    );
  } catch (error) {
    if (error instanceof CryptoError) throw new PeerAway('the employer’s signature is not its own');
    throw error;
  }
  transact(parts.db, () => {
    parts.rounds.insertSlices(manifestHash, slices);
    parts.rounds.setList(manifestHash, root, signature, parsed.data.signature);
    for (const task of parts.tasks.ofRound(manifestHash)) {
      parts.buckets.forgetOutcomes(task.taskId);
      parts.results.deleteSeal(task.taskId);
    }
    parts.box.forgetSpent(manifestHash);
    forgetScript(parts, round);
    parts.events.add({
      atMs: parts.clock.now(),
      round: round.number,
      groupIndex: null,
      kind: 'finished',
      sentence: roundFinished(round.number, parts.tasks.states(manifestHash)),
    });
  });
  truncateWal(parts.db);
}

/** A script that no other unfinished round was signed with is of no use any more. */
function forgetScript(parts: GuardianParts, round: Round): void {
  const scriptOf = (of: Round) => parts.contexts.round(of.manifestHash).head.script_hash;
  const hash = scriptOf(round);
  const others = [...parts.rounds.inState('planned'), ...parts.rounds.inState('open')];
  if (others.every((other) => scriptOf(other) !== hash)) parts.scripts.delete(fromBase64url(hash));
}

/** Refusals are stored as `party:error`; the list names the error alone. */
function listed(row: {
  reportId: Uint8Array;
  outcome: 'counted' | 'refused' | 'withdrawn';
  reason: string | null;
}): ListedReport {
  const { reportId, outcome, reason } = row;
  if (outcome !== 'refused') return { reportId, outcome };
  return { reportId, outcome, error: reason?.split(':')[1] as ReportError };
}
