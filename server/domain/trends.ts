import type { Sheet } from '../../crypto/sheet.ts';
import { Released, tenPercentBand, tooFewWords } from './gate.ts';
import { dayWords, shortDay } from './shown.ts';
import { type Standing, type TrendItem, trendItems } from './trend-items.ts';
import { WITHHELD, type WithheldReason } from './withheld.ts';

/** The trend pages as data: what the gate lets through of each round, in sentences and tables. */

/** One round as the server's storage knows it. */
export interface TrendRound {
  readonly number: number;
  /** Days since 1970-01-01 (UTC). */
  readonly days: { readonly start: number; readonly duration: number };
  readonly groups: readonly TrendGroup[];
}

/** One group of a round. */
export type TrendGroup = {
  readonly index: number;
  readonly name: string;
  readonly department: string;
  readonly rosterSize: number;
} /** Both parties signed its totals. */ & (
  | { readonly state: 'confirmed'; readonly released: Released }
  | { readonly state: 'withheld'; readonly reason: string }
  | { readonly state: 'open' | 'counting' }
);

export interface TrendPage {
  readonly scope: 'company' | 'group';
  readonly heading: string;
  readonly department: string | null;
  /** What the newest finished round rests on. */
  readonly basis: readonly string[];
  /** Rounds that are open or being counted, in words. */
  readonly pending: readonly string[];
  /** Whether any round is finished, shown or not. */
  readonly hasResults: boolean;
  readonly items: readonly TrendItem[];
  readonly departments: readonly {
    readonly name: string;
    readonly groups: readonly { href: string; name: string; current: boolean; note: string }[];
  }[];
  readonly companyHref: string;
  /** Whether groups are left out of the list because the reader has none of their people. */
  readonly limited: boolean;
}

/** Whether somebody may look at a group of a round by itself. */
export type GroupFilter = (round: number, groupIndex: number) => boolean;

/** The label of a round on an axis: the month for slow cadences, the day for fast ones. */
function roundLabel(round: TrendRound, cadence: Sheet['cadence']): string {
  const label = shortDay(round.days.start);
  return cadence === 'weekly' || cadence === 'fortnightly' ? label : label.replace(/^\d+ /, '');
}

/** One round of the chosen scope: its released groups together, or why there is nothing. */
type Cell = Standing & {
  readonly round: TrendRound;
  /** What was added up, where something is released. */
  readonly sum: {
    readonly groups: number;
    readonly allGroups: number;
    readonly roster: number;
    readonly allRoster: number;
  } | null;
};

/** Why nothing is shown; groups that were withheld for several reasons have no common words. */
function withheldWords(sheet: Sheet, reasons: readonly string[]): string {
  const [reason, ...others] = new Set(reasons);
  if (others.length > 0) return 'not shown';
  if (reason === 'too-few') return tooFewWords(sheet.k);
  return reason !== undefined && reason in WITHHELD
    ? `not shown: ${WITHHELD[reason as WithheldReason]}`
    : 'not shown';
}

function cellOf(sheet: Sheet, round: TrendRound, groups: readonly TrendGroup[]): Cell {
  const { number, days } = round;
  const base = { round, number, day: days.start, label: roundLabel(round, sheet.cadence) };
  const gap = (words: string, pending = false): Cell => ({
    ...base,
    ...{ gap: words, pending, released: undefined, sum: null },
  });
  if (groups.length === 0) return gap('no round');
  if (groups.some((group) => group.state === 'open')) return gap('open', true);
  if (groups.some((group) => group.state === 'counting')) return gap('being counted', true);
  const confirmed = groups.filter((group) => group.state === 'confirmed');
  if (confirmed.length === 0) {
    const reasons = groups.map((group) => (group.state === 'withheld' ? group.reason : ''));
    return gap(withheldWords(sheet, reasons));
  }
  const people = (some: readonly TrendGroup[]) =>
    some.reduce((sum, { rosterSize }) => sum + rosterSize, 0);
  return {
    ...{ ...base, gap: null, pending: false },
    released: Released.together(confirmed.map(({ released }) => released)),
    sum: {
      ...{ groups: confirmed.length, allGroups: groups.length },
      ...{ roster: people(confirmed), allRoster: people(groups) },
    },
  };
}

function pendingWords({ number, days }: TrendRound, groups: readonly TrendGroup[]): string {
  if (groups.some((group) => group.state === 'open')) {
    const closes = dayWords(days.start + days.duration - 1);
    return `Round ${number} is open until the end of ${closes}. Its answers rest sealed; nobody sees anything of it before.`;
  }
  const done = groups.filter((g) => g.state === 'confirmed' || g.state === 'withheld').length;
  return groups.length === 1
    ? `Round ${number} is closed and this group is being counted.`
    : `Round ${number} is closed and being counted: ${done} of ${groups.length} groups are done.`;
}

/** What the newest released round rests on. */
function basisOf({ round, label, released, sum }: Cell, company: boolean): string[] {
  if (released === undefined || sum === null) return [];
  const { atLeast, part } = released.response();
  const out = [
    `Newest finished round: round ${round.number}, ${label}.`,
    `At least ${atLeast} answers of ${sum.roster} people (${part}).`,
  ];
  if (company) {
    const missing = sum.allGroups - sum.groups;
    const covered = tenPercentBand(sum.roster, sum.allRoster);
    out.push(
      missing === 0
        ? `All ${sum.allGroups} groups are in this figure.`
        : `This figure adds up ${sum.groups} of ${sum.allGroups} groups, ${covered} of the ${sum.allRoster} people on the roster. ` +
            `${missing === 1 ? 'One group is' : `${missing} groups are`} not shown.`,
    );
  }
  return out;
}

function pageOf(
  sheet: Sheet,
  rounds: readonly TrendRound[],
  heading: string,
  chosen: { name: string; department: string } | null,
  maySee: GroupFilter | undefined,
): TrendPage {
  const ordered = [...rounds].sort((a, b) => a.number - b.number);
  const inScope = (group: TrendGroup) =>
    chosen === null || (group.name === chosen.name && group.department === chosen.department);
  const cells = ordered.map((round) => cellOf(sheet, round, round.groups.filter(inScope)));
  const finished = cells.filter(({ pending }) => !pending);
  const newest = cells.filter(({ released }) => released !== undefined).at(-1);
  return {
    scope: chosen === null ? 'company' : 'group',
    heading,
    department: chosen?.department ?? null,
    basis: newest !== undefined ? basisOf(newest, chosen === null) : [],
    pending: cells
      .filter(({ pending }) => pending)
      .map(({ round }) => pendingWords(round, round.groups.filter(inScope))),
    hasResults: finished.length > 0,
    items: trendItems(sheet, cells, chosen?.name ?? 'the whole company'),
    departments: chooserOf(ownGroups(ordered.at(-1), maySee), inScope, chosen !== null),
    companyHref: '/trends',
    limited: maySee !== undefined,
  };
}

function ownGroups(
  newest: TrendRound | undefined,
  maySee: GroupFilter | undefined,
): readonly TrendGroup[] {
  if (newest === undefined) return [];
  return newest.groups.filter(({ index }) => maySee?.(newest.number, index) ?? true);
}

function chooserOf(
  groups: readonly TrendGroup[],
  inScope: (group: TrendGroup) => boolean,
  marked: boolean,
): TrendPage['departments'] {
  const departments = new Map<string, TrendPage['departments'][number]['groups'][number][]>();
  for (const group of groups) {
    const list = departments.get(group.department) ?? [];
    departments.set(group.department, list);
    list.push({
      href: `/trends/groups/${group.index}`,
      name: group.name,
      current: marked && inScope(group),
      note: `${group.rosterSize} people`,
    });
  }
  return [...departments].map(([name, list]) => ({ name, groups: list }));
}

/**
 * The trends of all released groups together. Groups that were withheld are left out, and said.
 * @param maySee which groups the reader may choose; without it all
 */
export function companyTrends(
  sheet: Sheet,
  rounds: readonly TrendRound[],
  maySee?: GroupFilter,
): TrendPage {
  return pageOf(sheet, rounds, 'The whole company', null, maySee);
}

/**
 * The trends of one group. `groupIndex` is that of the newest round; older rounds are matched by
 * name and department, since a new plan may number the groups anew.
 * @param maySee which groups the reader may look at, of the newest round that has them
 * @returns undefined if no round has such a group, or the reader may not look at it
 */
export function groupTrends(
  sheet: Sheet,
  rounds: readonly TrendRound[],
  groupIndex: number,
  maySee?: GroupFilter,
): TrendPage | undefined {
  const newestFirst = [...rounds].sort((a, b) => b.number - a.number);
  for (const round of newestFirst) {
    const group = round.groups.find((candidate) => candidate.index === groupIndex);
    if (group === undefined) continue;
    if (maySee?.(round.number, groupIndex) === false) return undefined;
    return pageOf(sheet, rounds, group.name, group, maySee);
  }
  return undefined;
}
