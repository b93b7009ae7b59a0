import { blockLengths, type Question, type Sheet } from '../../crypto/sheet.ts';
import { type BlockEstimate, estimateBlock, favourableOptions, roundedDown } from './estimate.ts';
import { band, dayWords, percent, percentWords, shortDay, shownMean, shownShare } from './shown.ts';
import { WITHHELD, type WithheldReason } from './withheld.ts';

/**
 * The trend pages as data: what may be shown of the released totals, in words and in rounded
 * numbers. Exact values stay here; nothing finer than 5 % or 0.1 leaves this file.
 */

/** One round as the server's storage knows it. */
export interface TrendRound {
  readonly number: number;
  /** Days since 1970-01-01 (UTC). */
  readonly days: { readonly start: number; readonly duration: number };
  readonly groups: readonly TrendGroup[];
}

/** One group of a round; totals only where both parties signed them. */
export type TrendGroup = {
  readonly index: number;
  readonly name: string;
  readonly department: string;
  readonly rosterSize: number;
} & (
  | {
      readonly state: 'confirmed';
      /** Exact number of reports. */
      readonly count: number;
      /** Noised and signed; the blocks of all questions, one after the other. */
      readonly totals: readonly number[];
    }
  | { readonly state: 'withheld'; readonly reason: string }
  | { readonly state: 'open' | 'counting' }
);

/** One round in a chart: rounded numbers, or the words that stand in their place. */
export type TrendPoint = { readonly day: number; readonly label: string } & (
  | { readonly value: number; readonly low: number; readonly high: number }
  | { readonly gap: string }
);

/** One line chart. `views/charts/trend.ts` draws it. */
export interface TrendSeries {
  /** Unique in the page: lower-case letters, digits and hyphens. */
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly unit: 'share' | 'scale';
  /** The top of the scale; 1 for a share. */
  readonly top: number;
  readonly points: readonly TrendPoint[];
}

/** One row of the table beside the charts. */
export type TrendRow = { readonly number: number; readonly label: string } & (
  | {
      readonly gap: null;
      readonly share: string;
      readonly shareInterval: string;
      readonly mean: string;
      readonly meanInterval: string;
    }
  | { readonly gap: string }
);

export interface TrendItem {
  readonly id: string;
  readonly name: string;
  readonly question: string;
  /** The finding of the newest finished round, as a sentence. */
  readonly sentence: string;
  /** The newest finished round in short, for the overview. */
  readonly latest: TrendRow | null;
  readonly shareCaption: string;
  readonly meanCaption: string;
  readonly share: TrendSeries;
  readonly mean: TrendSeries;
  readonly rows: readonly TrendRow[];
}

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

/** One round of the chosen scope, summed over what was released. */
type Cell = {
  readonly round: TrendRound;
  readonly label: string;
} & (
  | {
      readonly state: 'shown';
      readonly totals: readonly number[];
      readonly count: number;
      readonly roster: number;
      readonly released: number;
      readonly all: number;
      readonly allRoster: number;
    }
  | { readonly state: 'gap'; readonly words: string; readonly pending: boolean }
);

/** Why nothing is shown; groups that were withheld for several reasons have no common words. */
function withheldWords(sheet: Sheet, reasons: readonly string[]): string {
  const [reason, ...others] = new Set(reasons);
  if (others.length > 0) return 'not shown';
  if (reason === 'too-few') return tooFew(sheet);
  return reason !== undefined && reason in WITHHELD
    ? `not shown: ${WITHHELD[reason as WithheldReason]}`
    : 'not shown';
}

function tooFew(sheet: Sheet): string {
  return `not shown: fewer than ${sheet.k} answers`;
}

function cellOf(sheet: Sheet, round: TrendRound, groups: readonly TrendGroup[]): Cell {
  const base = { round, label: roundLabel(round, sheet.cadence) };
  const gap = (words: string, pending = false): Cell => ({ ...base, state: 'gap', words, pending });
  if (groups.length === 0) return gap('no round');
  if (groups.some((group) => group.state === 'open')) return gap('open', true);
  if (groups.some((group) => group.state === 'counting')) return gap('being counted', true);
  const released = groups.filter((group) => group.state === 'confirmed');
  if (released.length === 0) {
    const reasons = groups.map((group) => (group.state === 'withheld' ? group.reason : ''));
    return gap(withheldWords(sheet, reasons));
  }
  const length = blockLengths(sheet).reduce((sum, block) => sum + block, 0);
  const totals = Array.from({ length }, (_, i) =>
    released.reduce((sum, group) => sum + (group.totals[i] ?? 0), 0),
  );
  return {
    ...base,
    state: 'shown',
    totals,
    count: released.reduce((sum, group) => sum + group.count, 0),
    roster: released.reduce((sum, group) => sum + group.rosterSize, 0),
    released: released.length,
    all: groups.length,
    allRoster: groups.reduce((sum, group) => sum + group.rosterSize, 0),
  };
}

function estimateOf(
  sheet: Sheet,
  cell: Cell & { state: 'shown' },
  at: number,
  question: Question,
): BlockEstimate | undefined {
  const { numerator, denominator } = sheet.noise.variance;
  const estimate = estimateBlock(
    {
      counts: cell.totals.slice(at, at + question.options.length + 1),
      reports: cell.count,
      roster: cell.roster,
      groups: cell.released,
      favourable: question.favourable,
    },
    { variance: numerator / denominator, by: sheet.noise.by },
  );
  // Policy §4: a question needs k answers of its own, "prefer not to say" aside.
  return estimate !== undefined && estimate.answers >= sheet.k ? estimate : undefined;
}

function itemOf(sheet: Sheet, cells: readonly Cell[], at: number, question: Question): TrendItem {
  const top = question.options.length;
  const sharePoints: TrendPoint[] = [];
  const meanPoints: TrendPoint[] = [];
  const rows: TrendRow[] = [];
  let latest: TrendRow | null = null;
  for (const cell of cells) {
    const point = { day: cell.round.days.start, label: cell.label };
    const row = { number: cell.round.number, label: cell.label };
    const estimate = cell.state === 'shown' ? estimateOf(sheet, cell, at, question) : undefined;
    if (estimate === undefined) {
      const gap = cell.state === 'gap' ? cell.words : tooFew(sheet);
      sharePoints.push({ ...point, gap });
      meanPoints.push({ ...point, gap });
      rows.push({ ...row, gap });
    } else {
      const share = shownShare(estimate.share);
      const mean = shownMean(estimate.mean, top);
      sharePoints.push({ ...point, ...share });
      meanPoints.push({ ...point, ...mean });
      rows.push({
        ...row,
        gap: null,
        share: percentWords(share.value),
        shareInterval: `${percent(share.low)} to ${percent(share.high)}`,
        mean: mean.value.toFixed(1),
        meanInterval: `${mean.low.toFixed(1)} to ${mean.high.toFixed(1)}`,
      });
    }
    if (!(cell.state === 'gap' && cell.pending)) latest = rows.at(-1) ?? null;
  }
  const [first, last] = [question.options[0], question.options.at(-1)];
  const counted =
    question.favourable === 'high'
      ? question.options.slice(-favourableOptions(question.options.length))
      : question.options.slice(0, favourableOptions(question.options.length));
  const chosen = counted.map((option) => `“${option}”`).join(' or ');
  return {
    id: question.id,
    name: question.name,
    question: question.text,
    sentence: sentenceOf(question.name, chosen, latest),
    latest,
    shareCaption: `Share who chose ${chosen}. Higher is better.`,
    meanCaption: `Mean answer from 1 (“${first}”) to ${top} (“${last}”). ${
      question.favourable === 'high' ? 'Higher' : 'Lower'
    } is better.`,
    share: {
      id: `${question.id}-share`,
      title: `${question.name}: share who chose ${chosen}`,
      description: describe(sharePoints, percent),
      unit: 'share',
      top: 1,
      points: sharePoints,
    },
    mean: {
      id: `${question.id}-mean`,
      title: `${question.name}: mean answer, 1 to ${top}`,
      description: describe(meanPoints, (x) => x.toFixed(1)),
      unit: 'scale',
      top,
      points: meanPoints,
    },
    rows: rows.reverse(),
  };
}

function sentenceOf(name: string, chosen: string, latest: TrendRow | null): string {
  if (latest === null) return `${name}: no round is finished yet.`;
  if (latest.gap !== null) return `${name} in ${latest.label}: ${latest.gap}.`;
  const about = latest.share.includes('or') ? '' : 'about ';
  return (
    `${name} in ${latest.label}: ${about}${latest.share} chose ${chosen} ` +
    `(90% interval ${latest.shareInterval}).`
  );
}

function describe(points: readonly TrendPoint[], words: (x: number) => string): string {
  const parts = points.map((point) =>
    'gap' in point
      ? `${point.label}: ${point.gap}`
      : `${point.label}: ${words(point.value)}, interval ${words(point.low)} to ${words(point.high)}`,
  );
  return `Line over the rounds with its 90% interval. ${parts.join('. ')}.`;
}

function pendingWords(cell: Cell, groups: readonly TrendGroup[]): string {
  const { number, days } = cell.round;
  if (groups.some((group) => group.state === 'open')) {
    const closes = dayWords(days.start + days.duration - 1);
    return `Round ${number} is open until the end of ${closes}. Its answers rest sealed; nobody sees anything of it before.`;
  }
  const done = groups.filter((g) => g.state === 'confirmed' || g.state === 'withheld').length;
  return groups.length === 1
    ? `Round ${number} is closed and this group is being counted.`
    : `Round ${number} is closed and being counted: ${done} of ${groups.length} groups are done.`;
}

function basisOf(cell: Cell & { state: 'shown' }, company: boolean): string[] {
  const { round, label, count, roster, released, all, allRoster } = cell;
  const answered = roundedDown(count);
  const out = [
    `Newest finished round: round ${round.number}, ${label}.`,
    `At least ${answered} answers of ${roster} people (${band(answered, roster)}).`,
  ];
  if (company) {
    const missing = all - released;
    out.push(
      missing === 0
        ? `All ${all} groups are in this figure.`
        : `This figure adds up ${released} of ${all} groups, ${band(roster, allRoster)} of the ${allRoster} people on the roster. ` +
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
  const finished = cells.filter((cell) => cell.state === 'shown' || !cell.pending);
  const newest = cells.filter((cell) => cell.state === 'shown').at(-1);
  let at = 0;
  const items = sheet.questions.map((question) => {
    const item = itemOf(sheet, cells, at, question);
    at += question.options.length + 1;
    return item;
  });
  return {
    scope: chosen === null ? 'company' : 'group',
    heading,
    department: chosen?.department ?? null,
    basis: newest !== undefined ? basisOf(newest, chosen === null) : [],
    pending: cells.flatMap((cell) =>
      cell.state === 'gap' && cell.pending
        ? [pendingWords(cell, cell.round.groups.filter(inScope))]
        : [],
    ),
    hasResults: finished.length > 0,
    items,
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
