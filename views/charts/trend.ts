import { scaleLinear } from 'd3-scale';
import { area, line } from 'd3-shape';
import { escaped, px } from './svg.ts';

/** One round: a rounded value with its 90 % interval, a band, or words in its place. */
export type ChartPoint = {
  /** Days since 1970-01-01: the place on the axis. */
  readonly day: number;
  readonly label: string;
} & (
  | {
      readonly state: 'number';
      readonly value: number;
      readonly low: number;
      readonly high: number;
    }
  | { readonly state: 'band'; readonly low: number; readonly high: number }
  | { readonly state: 'gap'; readonly words: string }
);

/** What one trend chart shows. */
export interface Chart {
  /** Unique in the page; the ids of title and description are made from it. */
  readonly id: string;
  readonly title: string;
  readonly description: string;
  /** `share`: 0 … 1, drawn as percent; `scale`: 1 … `top`. */
  readonly unit: 'share' | 'scale';
  readonly top: number;
  readonly points: readonly ChartPoint[];
}

type Shown = Extract<ChartPoint, { state: 'number' }>;

const LAYOUT = {
  720: { height: 260, left: 52, right: 58, top: 18, bottom: 40, label: 64, beside: true },
  360: { height: 230, left: 46, right: 34, top: 18, bottom: 38, label: 64, beside: false },
} as const;

/** Pixels between two rounds from which the words of a gap fit. */
const WORD_ROOM = 32;

/** Half the width of a band, in pixels, where rounds stand apart. */
const BAND_REACH = 11;

/**
 * One trend as an SVG element: the line, and the 90 % interval of every point as a band and as
 * whiskers. A round without a number breaks the line: a band is a box from one of its ends to the
 * other, with nothing inside that could be read as a value; a gap has its own sign and words. It has
 * no style and no script: everything is told by class, so that it passes a strict
 * Content-Security-Policy and follows light, dark and print.
 *
 * @param width of the view box, in pixels: 720 for wide pages, 360 for phones
 */
export function trendSvg(chart: Chart, width: 720 | 360): string {
  const { height, left, right, top, bottom, label, beside } = LAYOUT[width];
  const share = chart.unit === 'share';
  const format = share ? (x: number) => `${Math.round(x * 100)}%` : (x: number) => x.toFixed(1);
  const days = chart.points.map((point) => point.day);
  const inset = beside ? 34 : 16;
  const x = scaleLinear()
    .domain([Math.min(...days), Math.max(...days)])
    .range([left + inset, width - right]);
  const y = scaleLinear()
    .domain(share ? [0, 1] : [1, chart.top])
    .range([height - bottom, top]);
  const ticks = share
    ? [0, 0.25, 0.5, 0.75, 1]
    : Array.from({ length: chart.top }, (_, i) => i + 1);
  const at = (point: ChartPoint) => px(x(point.day));
  const shown = (point: ChartPoint): point is Shown => point.state === 'number';

  const apart = (width - left - inset - right) / Math.max(1, days.length - 1);
  const reach = Math.min(BAND_REACH, apart / 3);
  const mark = (point: ChartPoint): string => {
    if (point.state === 'number') return whisker(point, at(point), y);
    if (point.state === 'band') return box(x(point.day), reach, y(point.high), y(point.low));
    return gapMark(point.words, at(point), top, height - bottom, apart >= WORD_ROOM);
  };

  const parts: string[] = [];
  for (const tick of ticks) {
    const level = px(y(tick));
    parts.push(
      `<line class="chart-grid" x1="${left}" x2="${width - right + 14}" y1="${level}" y2="${level}"/>`,
      `<text class="chart-tick" x="${left - 8}" y="${level}" dy="0.32em" text-anchor="end">${share ? format(tick) : tick}</text>`,
    );
  }
  const band = area<ChartPoint>()
    .defined(shown)
    .x((point) => x(point.day))
    .y0((point) => (shown(point) ? y(point.low) : 0))
    .y1((point) => (shown(point) ? y(point.high) : 0))
    .digits(1);
  const curve = line<ChartPoint>()
    .defined(shown)
    .x((point) => x(point.day))
    .y((point) => (shown(point) ? y(point.value) : 0))
    .digits(1);
  parts.push(
    `<path class="chart-band" d="${band(chart.points) ?? ''}"/>`,
    `<path class="chart-line" d="${curve(chart.points) ?? ''}"/>`,
  );
  parts.push(...chart.points.map(mark));
  parts.push(...axisLabels(chart.points, x, height - bottom, label));
  const last = chart.points.filter(({ state }) => state !== 'gap').at(-1);
  if (last !== undefined && shown(last))
    parts.push(valueLabel(last, x(last.day), y, format(last.value), beside));
  const id = `${chart.id}-${width}`;
  return (
    `<svg class="chart chart-${width}" role="img" viewBox="0 0 ${width} ${height}" ` +
    `width="${width}" height="${height}" aria-labelledby="${id}-title" aria-describedby="${id}-desc">` +
    `<title id="${id}-title">${escaped(chart.title)}</title>` +
    `<desc id="${id}-desc">${escaped(chart.description)}</desc>${parts.join('')}</svg>`
  );
}

type Scale = (x: number) => number;

function whisker(point: Shown, x: string, y: Scale): string {
  const low = px(y(point.low));
  const high = px(y(point.high));
  const caps = [low, high].map((end) => `M${Number(x) - 5} ${end}h10`).join('');
  return (
    `<path class="chart-whisker" d="M${x} ${low}V${high}${caps}"/>` +
    `<circle class="chart-point" cx="${x}" cy="${px(y(point.value))}" r="4.5"/>`
  );
}

/** A band: all of it may be the value, so all of it is drawn alike. */
function box(x: number, reach: number, top: number, base: number): string {
  return `<rect class="chart-range" x="${px(x - reach)}" y="${px(top)}" width="${px(2 * reach)}" height="${px(base - top)}"/>`;
}

/** The newest value in words, if it is a number: beside its point where there is room, above its interval if not. */
function valueLabel(point: Shown, x: number, y: Scale, text: string, beside: boolean): string {
  const place = beside
    ? `x="${px(x + 11)}" y="${px(y(point.value))}" dy="0.35em"`
    : `x="${px(x)}" y="${px(y(point.high) - 8)}" text-anchor="middle"`;
  return `<text class="chart-value" ${place}>${text}</text>`;
}

/** A round without a number: a dotted line from `top` to a cross on the axis at `base`, in pixels. */
function gapMark(gap: string, x: string, top: number, base: number, words: boolean): string {
  const [short = ''] = gap.split(':');
  const text = short
    .split(' ')
    .map((word, i) => `<tspan x="${x}" y="${top + 10 + 14 * i}">${escaped(word)}</tspan>`)
    .join('');
  return (
    `<path class="chart-gap" d="M${x} ${top}V${base}"/>` +
    `<path class="chart-gap-sign" d="M${px(Number(x) - 5)} ${base - 5}l10 10m0 -10l-10 10"/>` +
    (words ? `<text class="chart-gap-words" text-anchor="middle">${text}</text>` : '')
  );
}

/** Labels from the newest round backwards, leaving out those that would touch the next one. */
function axisLabels(
  points: readonly ChartPoint[],
  x: Scale,
  base: number,
  least: number,
): string[] {
  const out: string[] = [];
  let next = Number.POSITIVE_INFINITY;
  for (const point of [...points].reverse()) {
    const place = x(point.day);
    out.push(`<path class="chart-axis-tick" d="M${px(place)} ${px(base)}v5"/>`);
    if (next - place < least) continue;
    next = place;
    out.push(
      `<text class="chart-tick" x="${px(place)}" y="${px(base + 20)}" text-anchor="middle">${escaped(point.label)}</text>`,
    );
  }
  return out;
}
