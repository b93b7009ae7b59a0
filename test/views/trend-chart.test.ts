import { describe, expect, it } from 'vitest';
import { type Chart, type ChartPoint, trendSvg } from '../../views/charts/trend.ts';

const POINTS: readonly ChartPoint[] = [
  { day: 100, label: 'Apr 1970', state: 'number', value: 0.4, low: 0.3, high: 0.55 },
  { day: 191, label: 'Jul 1970', state: 'number', value: 0.45, low: 0.35, high: 0.6 },
  { day: 282, label: 'Oct 1970', state: 'gap', words: 'not shown: fewer than 10 answers' },
  { day: 373, label: 'Jan 1971', state: 'number', value: 0.5, low: 0.4, high: 0.65 },
  { day: 464, label: 'Apr 1971', state: 'gap', words: 'open' },
];

function chart(points = POINTS, more: Partial<Chart> = {}): Chart {
  const text = { id: 'energy-share', title: 'Energy', description: 'Line with interval' };
  return { ...text, unit: 'share', top: 1, points, ...more };
}

const count = (svg: string, pattern: RegExp) => [...svg.matchAll(pattern)].length;

describe.each([720, 360] as const)('trendSvg, %i wide', (width) => {
  const svg = trendSvg(chart(), width);

  it('is an image with a title and a description of its own', () => {
    expect(svg).toMatch(/^<svg class="chart chart-\d+" role="img"/);
    expect(svg).toContain(`viewBox="0 0 ${width} `);
    expect(svg).toContain(`aria-labelledby="energy-share-${width}-title"`);
    expect(svg).toContain(`<title id="energy-share-${width}-title">Energy</title>`);
    expect(svg).toContain(`<desc id="energy-share-${width}-desc">Line with interval</desc>`);
  });

  it('draws the interval of every value', () => {
    expect(count(svg, /class="chart-whisker"/g)).toBe(3);
    expect(count(svg, /class="chart-point"/g)).toBe(3);
    expect(count(svg, /class="chart-band"/g)).toBe(1);
  });

  it('breaks line and band where nothing is shown, and marks the place', () => {
    const line = /class="chart-line" d="([^"]*)"/.exec(svg)?.[1] ?? '';
    expect(count(line, /M/g)).toBe(2);
    expect(count(svg, /class="chart-gap-sign"/g)).toBe(2);
  });

  it('draws a band as a box over all of it, with no point, whisker or line', () => {
    const band = { day: 282, label: 'Oct 1970', state: 'band' as const, low: 0.4, high: 0.7 };
    const points = POINTS.map((point) => (point.day === band.day ? band : point));
    const banded = trendSvg(chart(points), width);
    expect(count(banded, /class="chart-point"/g)).toBe(3);
    expect(count(banded, /class="chart-whisker"/g)).toBe(3);
    expect(count(banded, /class="chart-gap-sign"/g)).toBe(1);
    const line = /class="chart-line" d="([^"]*)"/.exec(banded)?.[1] ?? '';
    expect(count(line, /M/g)).toBe(2);
    const [, top, height] =
      /class="chart-range" x="[^"]*" y="([^"]*)" width="[^"]*" height="([^"]*)"/.exec(banded) ?? [];
    const level = (share: string) =>
      Number(new RegExp(`y="([\\d.]+)" dy="0.32em" text-anchor="end">${share}<`).exec(banded)?.[1]);
    const unit = level('0%') - level('100%');
    expect(Number(top)).toBeCloseTo(level('0%') - 0.7 * unit, 0);
    expect(Number(height)).toBeCloseTo(0.3 * unit, 0);
    // An older number is not written out as if it were the newest value.
    const later = trendSvg(chart([...POINTS.slice(0, 2), band]), width);
    expect(later).not.toContain('class="chart-value"');
  });

  it('writes the newest shown value beside the line', () => {
    expect(/class="chart-value"[^>]*>([^<]*)</.exec(svg)?.[1]).toBe('50%');
  });

  it('passes a Content-Security-Policy without inline style or script', () => {
    expect(svg).not.toMatch(/style=|<style|<script|javascript:|data:|url\(|\son\w+=/);
  });

  it('stays inside its box', () => {
    const [, height] = /viewBox="0 0 \d+ (\d+)"/.exec(svg) ?? [];
    for (const [, name, x] of svg.matchAll(/ (c?[xy]\d?)="(-?[\d.]+)"/g)) {
      const most = name?.includes('x') ? width : Number(height);
      expect(Number(x)).toBeGreaterThanOrEqual(0);
      expect(Number(x)).toBeLessThanOrEqual(most);
    }
  });

  it('leaves out labels that would touch', () => {
    const weekly = Array.from({ length: 52 }, (_, i) => ({
      ...{ day: 7 * i, label: `Week ${i}`, value: 0.5, low: 0.4, high: 0.6 },
      state: 'number' as const,
    }));
    const dense = trendSvg(chart(weekly), width);
    const places = [...dense.matchAll(/class="chart-tick" x="([\d.]+)"[^>]*middle/g)].map((m) =>
      Number(m[1]),
    );
    expect(places.length).toBeGreaterThan(2);
    for (const [i, place] of places.entries()) {
      if (i > 0) expect((places[i - 1] ?? 0) - place).toBeGreaterThanOrEqual(60);
    }
  });

  it('draws a single round, and rounds without any value', () => {
    for (const points of [POINTS.slice(0, 1), POINTS.slice(2, 3), POINTS.slice(4)]) {
      expect(trendSvg(chart(points), width)).not.toMatch(/NaN|undefined|Infinity/);
    }
  });

  it('treats every word as text', () => {
    const hostile = '</title><script>alert(1)</script>"\'&';
    const points = [{ day: 1, label: hostile, state: 'gap' as const, words: hostile }];
    const out = trendSvg(chart(points, { title: hostile, description: hostile }), width);
    expect(out).not.toContain('<script');
    expect(count(out, /<title/g)).toBe(1);
    expect(count(out, /<\/title>/g)).toBe(1);
  });
});

it('draws a mean on its scale', () => {
  const points = [
    { day: 1, label: 'Jan 1970', state: 'number' as const, value: 3.2, low: 2.9, high: 3.5 },
  ];
  const svg = trendSvg(chart(points, { unit: 'scale', top: 5 }), 720);
  const ticks = [...svg.matchAll(/text-anchor="end">([^<]*)</g)].map((match) => match[1]);
  expect(ticks).toEqual(['1', '2', '3', '4', '5']);
  expect(svg).toContain('>3.2<');
});
