import type { ManifestHead } from '../../crypto/manifest.ts';
import type { Sheet } from '../../crypto/sheet.ts';
import { type AccountEntry, shortageOf, shortageWords, WINDOW_DAYS } from '../domain/account.ts';
import { DAY_MS } from '../domain/days.ts';
import { roundCost } from '../domain/noise-presets.ts';
import type { Stores } from '../storage/stores.ts';
import type { Contexts } from './task-context.ts';

type AccountParts = Pick<Stores, 'db' | 'clock' | 'rounds' | 'tasks' | 'account'> & {
  readonly contexts: Contexts;
};

/** Two windows: a round that opened late is still looked at beside all that it shares one with. */
const KEPT_DAYS = 2 * WINDOW_DAYS;

/** What a round takes from the account. */
export function entryOf({
  head,
  sheet,
}: {
  readonly head: Pick<ManifestHead, 'round' | 'days'>;
  readonly sheet: Sheet;
}): AccountEntry {
  return {
    round: head.round,
    firstDay: head.days.start,
    cost: roundCost(sheet),
    preset: sheet.noise.preset,
  };
}

/**
 * Why a round has no room in the account, in words; undefined if it has, or took it already.
 * @param alsoTaken entries that are not in the account yet
 */
export function whyNoRoom(
  { account }: Pick<Stores, 'account'>,
  round: AccountEntry,
  alsoTaken: readonly AccountEntry[] = [],
): string | undefined {
  const others = [...account.entries(), ...alsoTaken].filter(
    (entry) => entry.round !== round.round,
  );
  const shortage = shortageOf(others, round);
  return shortage && shortageWords(shortage);
}

/**
 * Gives back what rounds cost that ended without noise: nothing of them was released. Forgets
 * entries that no window holds any more.
 */
export async function settleAccount(parts: AccountParts): Promise<boolean> {
  const { account, rounds, tasks } = parts;
  let progress = account.forgetUntil(Math.floor(parts.clock.now() / DAY_MS) - KEPT_DAYS) > 0;
  for (const number of account.unnoised()) {
    const round = rounds.withNumber(number);
    if (round === undefined || round.state === 'planned' || round.state === 'open') continue;
    const { boxed, counting, sealed, noised, confirmed } = tasks.states(round.manifestHash);
    if (boxed + counting + sealed + noised + confirmed > 0) continue;
    if (account.giveBack(number)) progress = true;
  }
  return progress;
}
