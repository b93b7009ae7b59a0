import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Sheet } from '../../crypto/sheet.ts';
import { Released } from '../../server/domain/gate.ts';
import type { TrendGroup, TrendRound } from '../../server/domain/trends.ts';

const file = new URL('../../server/evaluation/sample.json', import.meta.url);

/** The checked-in sample sheet, with its days. */
export const sheet: Sheet = {
  ...JSON.parse(readFileSync(file, 'utf8')).sheet,
  schedule: { first_day: 20_500, round_days: 14 },
  end_day: 21_000,
};

/** The root of this repository. */
export const root = fileURLToPath(new URL('../../', import.meta.url));

/** Days since 1970-01-01 (UTC) of 1 March 2026; quarters are 91 days. */
const FIRST_DAY = 20_513;

const NAMES = [
  ['Warehouse', 'Inbound', 144],
  ['Warehouse', 'Outbound', 160],
  ['Transport', 'Dispatch', 104],
] as const;

/** What becomes of one group in a made-up round. */
export type Fate =
  | { count: number; block: readonly number[]; scores?: readonly number[] }
  | 'too-few'
  | 'open'
  | 'counting';

/** As many scores as answers, alike over the levels unless it says otherwise. */
function scoresOf({ count, block, scores }: Fate & object, levels: number): readonly number[] {
  if (scores !== undefined) return scores;
  const silent = block.at(-1) ?? 0;
  return [...Array.from({ length: levels }, () => (count - silent) / levels), silent];
}

function groupOf(fate: Fate, index: number): TrendGroup {
  const [department, name, rosterSize] = NAMES[index] ?? ['Other', `Group ${index}`, 50];
  const base = { index, name, department, rosterSize };
  if (fate === 'open' || fate === 'counting') return { ...base, state: fate };
  if (fate === 'too-few') return { ...base, state: 'withheld', reason: fate };
  // Every question is answered alike: what differs between questions is tested by their direction.
  const totals = [
    ...sheet.questions.flatMap(() => fate.block),
    ...sheet.derived.flatMap(({ levels }) => scoresOf(fate, levels.length)),
  ];
  const released = new Released({ count: fate.count, totals }, rosterSize);
  return { ...base, state: 'confirmed', released };
}

/** Rounds 1, 2, … with these fates of their groups. */
export function roundsOf(...fates: readonly (readonly Fate[])[]): TrendRound[] {
  return fates.map((groups, i) => ({
    number: i + 1,
    days: { start: FIRST_DAY + 91 * i, duration: 14 },
    groups: groups.map(groupOf),
  }));
}

/** 100 answers, of which 40 in the top two and 30 in the lowest two: enough for numbers. */
export const HUNDRED: Fate = { count: 100, block: [10, 20, 28, 24, 16, 2] };

/** As many as a band needs, and too few for a number. */
export const FORTY: Fate = { count: 40, block: [4, 8, 12, 10, 6, 0] };

/** Too few for a band. */
export const TWENTY: Fate = { count: 20, block: [2, 4, 6, 5, 3, 0] };
