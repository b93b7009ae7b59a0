import { parseCanonicalJson } from '../../crypto/canonical.ts';
import type { Sheet } from '../../crypto/sheet.ts';
import { type Days, today } from '../domain/days.ts';
import { nextRound } from '../domain/schedule.ts';
import { each } from '../jobs/each.ts';
import type { StoredSheet } from '../storage/sheets.ts';
import type { GuardianParts } from './parts.ts';
import type { RoundPlan } from './plan.ts';

/** The next round of an approved sheet that is not planned yet, or undefined if there is none. */
export function nextRoundOf(parts: GuardianParts, stored: StoredSheet): Days | undefined {
  const sheet = parseCanonicalJson(stored.bytes) as unknown as Sheet;
  const last = parts.rounds.ofSheet(stored.hash).at(-1);
  const lastStart = last && parts.contexts.round(last.manifestHash).head.days.start;
  return nextRound(sheet, lastStart, today(parts.clock.now(), parts.timeZone));
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
  if (due.length === 0) {
    const number = parts.rounds.lastNumber() + 1;
    for (const stored of parts.sheets.inState('approved')) {
      const days = nextRoundOf(parts, stored);
      if (days === undefined || now < days.start - parts.planDaysAhead) continue;
      due.push({ number, sheetHash: stored.hash, days });
      // One at a time: each takes the next number.
      break;
    }
  }
  return each(due, parts.peer, async (round) => {
    await plan(round);
    return true;
  });
}
