import { describe, expect, it } from 'vitest';
import { type DistributionChart, distributionSvg } from '../../views/charts/distribution.ts';

const CHART: DistributionChart = {
  ...{ id: 'energy-spread', title: 'Energy', description: 'Bars with intervals' },
  bars: [
    { name: 'None', value: 0.05, low: 0.05, high: 0.1, written: { words: '5% or less' } },
    { name: 'Some', value: 0.6, low: 0.5, high: 0.7, written: { words: '60%' } },
    { name: 'Plenty', value: 0.4, low: 0.3, high: 0.5, written: { words: '40%' } },
  ],
};

const numbers = (svg: string, pattern: RegExp) =>
  [...svg.matchAll(pattern)].map((match) => match.slice(1).map(Number));

describe.each([720, 360] as const)('distributionSvg, %i wide', (width) => {
  const svg = distributionSvg(CHART, width);

  it('is an image with a title and a description of its own', () => {
    expect(svg).toContain('role="img"');
    expect(svg).toContain(`<title id="energy-spread-${width}-title">Energy</title>`);
    expect(svg).toContain(`<desc id="energy-spread-${width}-desc">Bars with intervals</desc>`);
  });

  it('draws each share as long as it is, and its interval from end to end', () => {
    const bars = numbers(svg, /class="chart-bar" x="([\d.]+)"[^>]* width="([\d.]+)"/g);
    const unit = (bars[1]?.[1] ?? 0) / 0.6;
    expect(bars.map(([, length = 0]) => length / unit)).toEqual([
      expect.closeTo(0.05, 2),
      expect.closeTo(0.6, 2),
      expect.closeTo(0.4, 2),
    ]);
    const zero = bars[0]?.[0] ?? 0;
    const spreads = numbers(svg, /class="chart-spread" d="M([\d.]+) [\d.]+H([\d.]+)/g);
    expect(spreads[1]?.map((at) => (at - zero) / unit)).toEqual([
      expect.closeTo(0.5, 2),
      expect.closeTo(0.7, 2),
    ]);
  });

  it('writes each share as the table does', () => {
    const written = [...svg.matchAll(/class="chart-share"[^>]*>([^<]*)</g)].map(
      (match) => match[1],
    );
    expect(written).toEqual(['5% or less', '60%', '40%']);
  });

  it('treats every word as text, and passes a Content-Security-Policy', () => {
    const name = '</text><script>alert(1)</script>';
    const bars = CHART.bars.map((bar) => ({ ...bar, name }));
    const hostile = distributionSvg({ ...CHART, title: name, description: name, bars }, width);
    expect(hostile).not.toContain('<script');
    expect(svg).not.toMatch(/style=|<style|<script|javascript:|data:|url\(|\son\w+=/);
  });
});
