import { lastStart } from '../aggregator/last-start.ts';
import { changeWords } from '../aggregator/retention-scope.ts';
import { type Days, today } from '../domain/days.ts';
import { nextRound } from '../domain/schedule.ts';
import { storedSheet } from '../domain/sheets.ts';
import { dayWords } from '../domain/shown.ts';
import { each } from '../jobs/each.ts';
import { PeerRefusal } from '../peer/client.ts';
import type { StoredSheet } from '../storage/sheets.ts';
import type { GuardianParts } from './parts.ts';
import { isNeverPlanned, type RoundPlan, whyNotPlanned } from './plan.ts';
import { whyNotOpen } from './rounds.ts';
import { titleOf } from './sheets.ts';

/** The next round of an approved sheet that is not planned yet, or undefined if there is none. */
export function nextRoundOf(parts: GuardianParts, stored: StoredSheet): Days | undefined {
  return nextRound(
    storedSheet(stored.bytes),
    lastStart(parts, stored.hash),
    today(parts.clock.now(), parts.timeZone),
  );
}

/** What this party does or waits for next, in sentences for people. */
export function whatIsNext(parts: GuardianParts): string[] {
  const sentences = parts.sheets
    .inState('submitted')
    .map(({ hash }) => `“${titleOf(parts, hash)}” waits for this party to approve or refuse it.`);
  for (const change of parts.retention.waiting()) {
    sentences.push(`${changeWords(parts, change)} waits for this party’s consent.`);
  }
  for (const round of parts.rounds.inState('planned')) {
    const { head } = parts.contexts.round(round.manifestHash);
    const reason = whyNotOpen(parts, round);
    sentences.push(
      `Round ${round.number} is planned for ${dayWords(head.days.start)}` +
        `${reason === undefined ? ' and opens at once.' : `. It is not open: ${reason}.`}`,
    );
  }
  for (const stored of parts.sheets.inState('approved')) {
    const days = nextRoundOf(parts, stored);
    const title = titleOf(parts, stored.hash);
    const shortage =
      days &&
      whyNotPlanned(
        parts,
        { number: parts.rounds.lastNumber() + 1, days },
        storedSheet(stored.bytes),
      );
    sentences.push(
      days === undefined
        ? `“${title}” has no further round; to go on it needs a newly approved sheet.`
        : shortage !== undefined
          ? `The next round of “${title}”, from ${dayWords(days.start)} on, is not planned: ${shortage}.`
          : `The next round of “${title}” begins on ${dayWords(days.start)} and is planned ` +
            `${parts.planDaysAhead} ${parts.planDaysAhead === 1 ? 'day' : 'days'} before.`,
    );
  }
  return sentences;
}

/**
 * Plans what opens soon, and goes on with plans that the employer has not signed yet.
 * @param plan plans one round
 * @throws PeerAway, PeerRefusal
 */
export async function planDueRounds(
  parts: GuardianParts,
  plan: (plan: RoundPlan) => Promise<unknown>,
): Promise<boolean> {
  const now = today(parts.clock.now(), parts.timeZone);
  const due: RoundPlan[] = [];
  for (const round of parts.rounds.inState('planned')) {
    if (round.employerSignature !== null) continue;
    const { head } = parts.contexts.round(round.manifestHash);
    due.push({ number: round.number, sheetHash: round.sheetHash, days: head.days });
  }
  if (due.length > 0) {
    return each(due, parts.peer, async (round) => {
      await planFree(round, plan);
      return true;
    });
  }
  const number = parts.rounds.lastNumber() + 1;
  let failure: unknown;
  for (const stored of parts.sheets.inState('approved')) {
    const days = nextRoundOf(parts, stored);
    if (days === undefined || now < days.start - parts.planDaysAhead) continue;
    if (whyNotPlanned(parts, { number, days }, storedSheet(stored.bytes)) !== undefined) continue;
    try {
      await planFree({ number, sheetHash: stored.hash, days }, plan);
      // One at a time: each takes the next number.
      return true;
    } catch (error) {
      failure ??= error;
      // A survey that can have no round now keeps none of the others from having one.
      if (!isNeverPlanned(error)) break;
    }
  }
  if (failure !== undefined) throw failure;
  return false;
}

/** Numbers that are tried for one round. */
const TRIES = 100;

/**
 * Plans a round under the first number that the employer has not signed yet: after a restored backup
 * this party may not know of rounds that were signed.
 */
async function planFree(
  round: RoundPlan,
  plan: (plan: RoundPlan) => Promise<unknown>,
): Promise<void> {
  for (let number = round.number; ; number++) {
    try {
      await plan({ ...round, number });
      return;
    } catch (error) {
      const taken = error instanceof PeerRefusal && error.code === 'roundTaken';
      if (!taken || number + 1 >= round.number + TRIES) throw error;
    }
  }
}
