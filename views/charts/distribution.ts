import { scaleLinear } from 'd3-scale';
import { escaped, px } from './svg.ts';

/** How the answers of one round spread over the options. */
export interface DistributionChart {
  /** Unique in the page; the ids of title and description are made from it. */
  readonly id: string;
  readonly title: string;
  readonly description: string;
  /** From the lowest option up: rounded shares, 0 … 1, with their 90 % intervals. */
  readonly bars: readonly {
    readonly name: string;
    readonly value: number;
    readonly low: number;
    readonly high: number;
    /** The share in words, as it stands in the table. */
    readonly written: { readonly words: string };
  }[];
}

const LAYOUT = {
  720: { left: 210, right: 130, row: 34 },
  360: { left: 12, right: 112, row: 52 },
} as const;

const BAR_HEIGHT = 16;
const AXIS_HEIGHT = 30;

/**
 * A bar for each option, from 0 on, with the 90 % interval as a whisker. Each bar stands by itself:
 * rounded shares need not make 100 %, so they are not stacked. Like `trendSvg` it has no style and
 * no script.
 *
 * @param width of the view box, in pixels: 720 for wide pages, 360 for phones
 */
export function distributionSvg(chart: DistributionChart, width: 720 | 360): string {
  const { left, right, row } = LAYOUT[width];
  const beside = width === 720;
  const base = chart.bars.length * row + 4;
  const x = scaleLinear()
    .domain([0, 1])
    .range([left, width - right]);
  const parts = [0, 0.25, 0.5, 0.75, 1].map((tick) => {
    const at = px(x(tick));
    const anchor = tick === 0 && !beside ? 'start' : 'middle';
    return (
      `<line class="chart-grid" x1="${at}" x2="${at}" y1="2" y2="${base}"/>` +
      `<text class="chart-tick" x="${at}" y="${base + 18}" text-anchor="${anchor}">${tick * 100}%</text>`
    );
  });
  for (const [i, { name, value, low, high, written }] of chart.bars.entries()) {
    // On a phone the name stands above its bar.
    const middle = beside ? i * row + row / 2 : i * row + row - BAR_HEIGHT / 2 - 6;
    const label = beside
      ? `x="${left - 10}" y="${px(middle)}" dy="0.32em" text-anchor="end"`
      : `x="${left}" y="${px(middle - BAR_HEIGHT / 2 - 7)}"`;
    const caps = [low, high].map((end) => `M${px(x(end))} ${px(middle - 5)}v10`).join('');
    parts.push(
      `<text class="chart-name" ${label}>${escaped(name)}</text>`,
      `<rect class="chart-bar" x="${px(x(0))}" y="${px(middle - BAR_HEIGHT / 2)}" width="${px(x(value) - x(0))}" height="${BAR_HEIGHT}"/>`,
      `<path class="chart-spread" d="M${px(x(low))} ${px(middle)}H${px(x(high))}${caps}"/>`,
      `<text class="chart-share" x="${px(x(1) + 14)}" y="${px(middle)}" dy="0.35em">${escaped(written.words)}</text>`,
    );
  }
  const id = `${chart.id}-${width}`;
  const height = base + AXIS_HEIGHT;
  return (
    `<svg class="chart chart-${width}" role="img" viewBox="0 0 ${width} ${height}" ` +
    `width="${width}" height="${height}" aria-labelledby="${id}-title" aria-describedby="${id}-desc">` +
    `<title id="${id}-title">${escaped(chart.title)}</title>` +
    `<desc id="${id}-desc">${escaped(chart.description)}</desc>${parts.join('')}</svg>`
  );
}
