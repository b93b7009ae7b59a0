import type { Sheet } from '../../crypto/sheet.ts';
import { type Cell, type Change, type ItemCells, type NumberCell, Released } from './gate.ts';
import { countedOptions, type Item, itemsOf } from './items.ts';
import { type CellWords, cellWords, type Unit } from './shown.ts';

/** One item of a sheet over the rounds: its finding in a sentence, its charts and its table. */

/** Where a round stands in the chosen scope. */
export interface Standing {
  readonly number: number;
  /** First day since 1970-01-01 (UTC). */
  readonly day: number;
  readonly label: string;
  /** The totals that are shown of it. */
  readonly released: Released | undefined;
  /** Why nothing is released; null where something is. */
  readonly gap: string | null;
  /** Whether it is open or being counted. */
  readonly pending: boolean;
}

/** One round in a chart. */
export type TrendPoint = { readonly day: number; readonly label: string } & Cell;

/** One line chart. `views/charts/trend.ts` draws it. */
export interface TrendSeries {
  /** Unique in the page: lower-case letters, digits and hyphens. */
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly unit: Unit;
  /** The top of the scale; 1 for a share. */
  readonly top: number;
  readonly points: readonly TrendPoint[];
}

/** How the answers of one round spread over the options. `views/charts/distribution.ts` draws it. */
export interface Distribution {
  /** As that of a line chart. */
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly caption: string;
  /** Of the options, in the table. */
  readonly heading: string;
  readonly bars: readonly (NumberCell & { readonly name: string; readonly written: CellWords })[];
}

/** One row of the table beside the charts. */
export interface TrendRow {
  readonly number: number;
  readonly label: string;
  /** The words that stand in all its cells alike; null if they differ. */
  readonly gap: string | null;
  readonly share: CellWords;
  /** Null for a score. */
  readonly mean: CellWords | null;
}

export interface TrendItem {
  readonly id: string;
  readonly name: string;
  /** What was asked, or how the score is made. */
  readonly asked: string;
  /** What changed and what the newest finished round says, in sentences. */
  readonly sentence: string;
  /** The change in a word for the overview; null where there is nothing to compare. */
  readonly change: string | null;
  /** The newest finished round in short, for the overview. */
  readonly latest: TrendRow | null;
  readonly shareCaption: string;
  readonly share: TrendSeries;
  readonly meanCaption: string;
  /** Null for a score. */
  readonly mean: TrendSeries | null;
  /** Of the newest finished round; null where it may not be drawn. */
  readonly distribution: Distribution | null;
  readonly rows: readonly TrendRow[];
}

/**
 * Every item of the sheet over these rounds.
 * @param rounds oldest first, of one scope
 * @param scope as sentences name it: "Inbound"
 */
export function trendItems(sheet: Sheet, rounds: readonly Standing[], scope: string): TrendItem[] {
  const cells = rounds.map(({ released }) => released?.cells(sheet));
  const finished = rounds.filter(({ pending }) => !pending);
  const changes = Released.changes(
    sheet,
    finished.map(({ released }) => released),
  );
  return itemsOf(sheet).map((item, i) =>
    itemOf({
      ...{ item, rounds, finished, scope },
      cells: cells.map((round) => round?.[i]),
      change: changes[i] ?? null,
    }),
  );
}

/** What one item is told from. */
interface Told {
  readonly item: Item;
  readonly rounds: readonly Standing[];
  /** Those of them that are neither open nor being counted. */
  readonly finished: readonly Standing[];
  /** One for each round; undefined where nothing is released. */
  readonly cells: readonly (ItemCells | undefined)[];
  readonly change: Change | null;
  readonly scope: string;
}

function itemOf(told: Told): TrendItem {
  const { item, rounds, finished, cells, change } = told;
  const { id, name, options, meanBands } = item;
  const rows = rounds.map((round, i) => rowOf(item, round, cells[i]));
  const newest = finished.at(-1);
  const at = newest === undefined ? -1 : rounds.indexOf(newest);
  const latest = rows[at] ?? null;
  const counted = countedWords(item);
  const changed = changeSentence(told);
  const line = (what: string, unit: Unit, top: number, cell: (cells: ItemCells) => Cell) => {
    const points = rounds.map(({ day, label, gap }, i): TrendPoint => {
      const here = cells[i];
      const shown: Cell = here === undefined ? { state: 'gap', words: gap ?? '' } : cell(here);
      return { day, label, ...shown };
    });
    const description = describe(points, unit);
    return {
      ...{ id: `${id}-${unit}`, title: `${name}: ${what}` },
      description,
      unit,
      top,
      points,
    };
  };
  const top = options.length;
  return {
    ...{ id, name, latest, rows: [...rows].reverse() },
    asked: item.kind === 'question' ? `Asked: ${item.text}` : `A score, ${item.text}.`,
    sentence: `${changed}${finding(item, latest, changed !== '')}`,
    change: change && changeWords(item, change),
    shareCaption: `Share who ${counted}. Higher is better.`,
    share: line(`share who ${counted}`, 'share', 1, ({ share }) => share),
    meanCaption: `Mean answer from 1 (“${options[0]}”) to ${top} (“${options.at(-1)}”). ${
      item.favourable === 'high' ? 'Higher' : 'Lower'
    } is better.`,
    mean:
      meanBands &&
      line(`mean answer, 1 to ${top}`, 'scale', top, ({ mean, share }) => mean ?? share),
    distribution: distributionOf(item, latest, cells[at]),
  };
}

/** “chose “A” or “B””: what the share of an item counts. */
function countedWords(item: Item): string {
  const options = countedOptions(item).map((option) => `“${option}”`);
  return `${item.kind === 'question' ? 'chose' : 'had'} ${options.join(' or ')}`;
}

function rowOf({ meanBands }: Item, round: Standing, cells: ItemCells | undefined): TrendRow {
  const { number, label } = round;
  const none = cellWords({ state: 'gap', words: round.gap ?? '' }, 'share');
  const share = cells === undefined ? none : cellWords(cells.share, 'share');
  const own = cells?.mean ? cellWords(cells.mean, 'scale') : none;
  const mean = meanBands && own;
  const isAlike = share.state === 'gap' && (mean === null || mean.words === share.words);
  return { number, label, gap: isAlike ? share.words : null, share, mean };
}

/** What the newest finished round says. @param named whether a sentence before it names the item */
function finding(item: Item, latest: TrendRow | null, named: boolean): string {
  const { name } = item;
  if (latest === null) return `${name}: no round is finished yet.`;
  const { label, gap, share, mean } = latest;
  if (gap !== null) return `${name} in ${label}: ${gap}.`;
  const start = named ? `In ${label},` : `${name} in ${label}:`;
  const counted = countedWords(item);
  if (share.state === 'number') {
    const about = share.words.includes('or') ? '' : 'about ';
    return `${start} ${about}${share.words} ${counted} (90% interval ${share.interval}).`;
  }
  if (share.state === 'band') {
    const range = share.words.replace(/^(.*) to /, 'between $1 and ');
    return `${start} ${range} ${counted}. That is a range: for a number, the noise is too large.`;
  }
  return `${start} the share who ${counted} is ${share.words}; the mean answer is ${mean?.words}.`;
}

/** A change in a word. Of a score the share is meant, so that "Strain rose" is not read from it. */
function changeWords({ kind }: Item, { direction }: Change): string {
  if (direction === 'unclear') return 'no reliable change';
  return `${kind === 'score' ? 'share ' : ''}probably ${direction}`;
}

/** What changed, and a space; nothing where there is nothing to compare. */
function changeSentence({ item, finished, change, scope }: Told): string {
  if (change === null) return '';
  const { name, kind } = item;
  const since = finished[change.since]?.label;
  if (change.direction === 'unclear') {
    return `${name} in ${scope}: no reliable change since ${since}. `;
  }
  const what = kind === 'question' ? '' : `: the share who ${countedWords(item)}`;
  return `${name} in ${scope}${what} probably ${change.direction} since ${since}. `;
}

function distributionOf(
  item: Item,
  latest: TrendRow | null,
  cells: ItemCells | undefined,
): Distribution | null {
  if (latest === null || cells === undefined || 'state' in cells.distribution) return null;
  const bars = cells.distribution.map((cell, i) => ({
    ...cell,
    name: item.options[i] as string,
    written: cellWords(cell, 'share'),
  }));
  const heading = item.kind === 'question' ? 'Answer' : 'Level';
  const what = `${heading}s`;
  return {
    ...{ id: `${item.id}-spread`, heading, bars },
    title: `${item.name}: ${what.toLowerCase()} in ${latest.label}`,
    description: `A bar for each with its 90% interval. ${bars
      .map(({ name, written }) => `${name}: ${written.words}, interval ${written.interval}`)
      .join('. ')}.`,
    caption: `${what} in ${latest.label}. Each share is rounded by itself; together they need not make 100%.`,
  };
}

function describe(points: readonly TrendPoint[], unit: Unit): string {
  const parts = points.map((point) => {
    const { words, interval } = cellWords(point, unit);
    return `${point.label}: ${words}${interval === null ? '' : `, interval ${interval}`}`;
  });
  return `Line over the rounds with its 90% interval. ${parts.join('. ')}.`;
}
