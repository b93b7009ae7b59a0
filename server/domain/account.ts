import { compare, type Exact, plus, toNumber, ZERO } from './fraction.ts';
import { type Preset, TERMS } from './noise-presets.ts';
import { dayWords } from './shown.ts';

/**
 * The one account of an installation (disclosure policy §3): what the rounds of twelve months cost
 * each person together, in ρ of zCDP. A round costs everyone alike, since a person is in one of its
 * disjoint groups. All sums are exact.
 */

/** Days over which the costs are added up: those of a round that began on day d count before d + 364. */
export const WINDOW_DAYS = 364;

/** What one round costs. */
export interface AccountEntry {
  /** The round's number. */
  readonly round: number;
  /** The round's first day, since 1970-01-01. */
  readonly firstDay: number;
  /** ρ′ = Q/σ². */
  readonly cost: Exact;
  /** Of the round's sheet; its cap holds for all rounds that share a window with it. */
  readonly preset: Preset;
}

/** The sum of the entries that count on a day, and the smallest cap among their sheets. */
export interface Standing {
  readonly sum: Exact;
  /** Undefined where only `light` sheets had a round. */
  readonly cap: Exact | undefined;
  readonly entries: readonly AccountEntry[];
}

/** What counts on this day: the rounds that began in the 364 days up to it. */
export function standingOn(entries: readonly AccountEntry[], day: number): Standing {
  const counting = entries.filter(
    ({ firstDay }) => firstDay <= day && firstDay > day - WINDOW_DAYS,
  );
  let cap: Exact | undefined;
  let sum = ZERO;
  for (const { cost, preset } of counting) {
    sum = plus(sum, cost);
    const own = TERMS[preset].cap;
    if (own !== undefined && (cap === undefined || compare(own, cap) < 0)) cap = own;
  }
  return { sum, cap, entries: counting };
}

/** Why a round has no room: the sum that there would be, and the cap that it passes. */
export interface Shortage {
  readonly sum: Exact;
  readonly cap: Exact;
  /** From this day on a round of the same cost has room, if no other one takes it. */
  readonly roomFrom: number;
}

/**
 * Whether a round has room beside the others, in every window that it is in.
 * @param entries without the round itself
 * @returns undefined if it has
 */
export function shortageOf(
  entries: readonly AccountEntry[],
  round: AccountEntry,
): Shortage | undefined {
  const passed = passedBy(entries, round);
  if (passed === undefined) return undefined;
  const days = entries.map(({ firstDay }) => firstDay + WINDOW_DAYS).sort((a, b) => a - b);
  const roomFrom = days.find(
    (day) => day > round.firstDay && passedBy(entries, { ...round, firstDay: day }) === undefined,
  );
  // Behind every window of another round, only a round that alone costs more than its cap has none.
  return { ...passed, roomFrom: roomFrom ?? Number.POSITIVE_INFINITY };
}

/** Windows are looked at on the days on which a round begins: sums only grow there. */
function passedBy(
  entries: readonly AccountEntry[],
  round: AccountEntry,
): Pick<Shortage, 'sum' | 'cap'> | undefined {
  const all = [...entries, round];
  for (const { firstDay } of all) {
    if (firstDay < round.firstDay || firstDay >= round.firstDay + WINDOW_DAYS) continue;
    const { sum, cap } = standingOn(all, firstDay);
    if (cap !== undefined && compare(sum, cap) > 0) return { sum, cap };
  }
  return undefined;
}

export function shortageWords({ sum, cap, roomFrom }: Shortage): string {
  const room = Number.isFinite(roomFrom)
    ? `there is room from ${dayWords(roomFrom)} on`
    : 'it would never have room';
  return `with it the account of twelve months would be ${rhoWords(sum)} of ${rhoWords(cap)}; ${room}`;
}

/** ρ to two places: "1.25". Rounded up, so that nothing looks smaller than it is. */
export function rhoWords(rho: Exact): string {
  return (Math.ceil(toNumber(rho) * 100 - 1e-9) / 100).toFixed(2).replace(/\.?0+$/, '');
}
