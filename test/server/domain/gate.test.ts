import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { blockLengths, measurementOf, type Sheet } from '../../../crypto/sheet.ts';
import {
  type Cell,
  type ItemCells,
  Released,
  type Rounded,
  tenPercentBand,
} from '../../../server/domain/gate.ts';
import { encodePublished } from '../../../server/domain/published.ts';
import { companyTrends, type TrendPage } from '../../../server/domain/trends.ts';
import { sheet } from '../../views/sample.ts';

/** σ of one count of the sample sheet. */
const SIGMA = Math.sqrt(sheet.noise.variance.numerator);
const PLACES = blockLengths(sheet);
const TOTALS = PLACES.reduce((sum, length) => sum + length, 0);

/** What is shown of these answers to every question, without "prefer not to say". */
function shown(counts: readonly number[], silent = 0, more: Partial<Sheet> = {}): ItemCells {
  const count = counts.reduce((sum, each) => sum + each, silent);
  const totals = PLACES.flatMap((length) =>
    length === counts.length + 1 ? [...counts, silent] : Array.from({ length }, () => 0),
  );
  const [cells] = new Released({ count, totals }, 2 * count).cells({ ...sheet, ...more });
  return cells ?? expect.fail();
}

/** As many answers, spread evenly over five options: mean 3, share of the top two 40 %. */
const even = (answers: number) => shown(Array.from({ length: 5 }, () => answers / 5));

/** So many answers that the favourable share's error is this. */
const forShare = (error: number) => (SIGMA * Math.sqrt(1.5)) / error;
/** So many answers that the error of a mean of 3 is this. */
const forMean = (error: number) => (SIGMA * Math.sqrt(10)) / error;

describe('which state a cell has', () => {
  it.each([
    ['a share', 'share', forShare, 0.05, 0.12],
    ['a mean', 'mean', forMean, 0.15, 0.3],
  ] as const)('%s: a number, a band, words, by its error', (_, cell, answers, number, band) => {
    expect(even(answers(number) * 1.0001)[cell]).toMatchObject({ state: 'number' });
    expect(even(answers(number) * 0.9999)[cell]).toMatchObject({ state: 'band' });
    expect(even(answers(band) * 1.0001)[cell]).toMatchObject({ state: 'band' });
    expect(even(answers(band) * 0.9999)[cell]).toEqual({
      state: 'gap',
      words: 'too noisy to tell',
    });
  });

  it('may show the share of a group and not its mean', () => {
    // The limits of both bands: 27.0 answers for a share, 27.9 for a mean.
    const cells = even(27.5);
    expect(cells.share).toMatchObject({ state: 'band' });
    expect(cells.mean).toMatchObject({ state: 'gap' });
  });

  it('needs k answers to the question itself, as the noised totals tell them', () => {
    const words = 'not shown: fewer than 10 answers';
    const noise = { ...sheet.noise, variance: { numerator: 1, denominator: 1_000 } };
    expect(shown([2, 2, 2, 2, 1.99], 90, { noise }).share).toEqual({ state: 'gap', words });
    expect(shown([2, 2, 2, 2, 1.99], 90, { noise }).mean).toEqual({ state: 'gap', words });
    expect(shown([2, 2, 2, 2, 1.99], 90, { noise }).distribution).toEqual({ state: 'gap', words });
    expect(shown([2, 2, 2, 2, 2.01], 90, { noise }).share).toMatchObject({ state: 'number' });
  });

  it('takes √2 for noise by both and √G for a sum of groups into account', () => {
    const answers = forShare(0.05) * 1.01;
    const totals = PLACES.flatMap((length) =>
      Array.from({ length }, (_, i) => (i < length - 1 ? answers / (length - 1) : 0)),
    );
    const group = new Released({ count: answers, totals }, 2 * answers);
    const both = { ...sheet, noise: { ...sheet.noise, by: 'both' as const } };
    expect(group.cells(sheet)[0]?.share.state).toBe('number');
    expect(group.cells(both)[0]?.share.state).toBe('band');
    // Two groups: √2 the noise on twice the answers.
    const sum = Released.together([group, group]).cells(both)[0]?.share;
    expect(sum).toMatchObject({ state: 'number', error: 0.05 });
    const half = new Released({ count: answers / 2, totals: totals.map((x) => x / 2) }, answers);
    expect(Released.together([half, half]).cells(sheet)[0]?.share.state).toBe('band');
  });

  it('scales the limits of a mean with its scale', () => {
    const question = { ...sheet.questions[0], options: ['No', 'Yes'], bands: [150, 168] };
    const two = { ...sheet, questions: [question], derived: [] } as unknown as Sheet;
    const cells = (answers: number) => {
      const totals = [answers / 2, answers / 2, 0];
      return new Released({ count: answers, totals }, 2 * answers).cells(two)[0];
    };
    // The weights ±½ give an error of σ·√½/a: a number up to 0.15/4.
    const enough = (SIGMA * Math.sqrt(0.5)) / (0.15 / 4);
    expect(cells(enough * 1.001)?.mean?.state).toBe('number');
    expect(cells(enough * 0.999)?.mean?.state).toBe('band');
  });
});

describe('how a number is rounded', () => {
  /** Nearly even answers with this mean; their error is that of a mean of 3 but for 0.5 %. */
  const around = (answers: number, mean: number) => {
    const moved = (mean - 3) / 4;
    return shown([0.2 - moved, 0.2, 0.2, 0.2, 0.2 + moved].map((part) => part * answers));
  };
  const onGrid = (cell: Cell | null, perUnit: number) => {
    if (cell?.state !== 'number') return expect.fail();
    for (const value of [cell.value, cell.low, cell.high]) {
      expect(value * perUnit).toBeCloseTo(Math.round(value * perUnit), 9);
    }
    return cell.value;
  };

  it.each([
    [3.14, 0.049, 10, 3.1],
    [3.14, 0.051, 5, 3.2],
    [3.14, 0.098, 5, 3.2],
    [3.2, 0.102, 2, 3],
    [3.3, 0.102, 2, 3.5],
  ])('a mean of %d with an error of %d: in 1/%i, as %d', (mean, error, perUnit, value) => {
    expect(onGrid(around(forMean(error), mean).mean, perUnit)).toBeCloseTo(value, 9);
  });

  it.each([
    [0.43, 0.0245, 20, 0.45],
    [0.43, 0.0255, 10, 0.4],
    [0.46, 0.0255, 10, 0.5],
  ])('a share of %d with an error of %d: in 1/%i, as %d', (share, error, perUnit, value) => {
    const mean = 3 + 4 * (share - 0.4);
    expect(onGrid(around(forShare(error), mean).share, perUnit)).toBeCloseTo(value, 9);
  });

  it('rounds the ends of an interval outwards', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(120), { minLength: 5, maxLength: 5 }), (counts) => {
        const cell = shown(counts).mean;
        if (cell?.state !== 'number') return;
        const total = counts.reduce((sum, count) => sum + count, 0);
        const mean = counts.reduce((sum, count, i) => sum + count * (i + 1), 0) / total;
        const narrowest = (1.645 * SIGMA * Math.sqrt(10)) / total;
        expect(cell.low).toBeLessThanOrEqual(Math.max(1, mean - narrowest) + 1e-9);
        expect(cell.high).toBeGreaterThanOrEqual(Math.min(5, mean + narrowest) - 1e-9);
      }),
    );
  });

  it('writes the error of the noise to one significant digit', () => {
    expect(even(forShare(0.0234)).share).toMatchObject({ error: 0.02 });
    expect(even(forMean(0.127)).mean).toMatchObject({ error: 0.1 });
  });

  it.each([
    [
      [0, 0, 0, 0, 200],
      [0.95, 0.95, 0.95],
    ],
    [
      [200, 0, 0, 0, 0],
      [0.05, 0.05, 0.05],
    ],
    [
      [0, 0, 0, -9, 209],
      [0.95, 0.9, 0.95],
    ],
  ])('never shows unanimity: %j', (counts, [value, low, high]) => {
    const { share, distribution } = shown(counts);
    if (share.state !== 'number' || !('length' in distribution)) return expect.fail();
    expect([share.value, share.high]).toEqual([value, high]);
    expect(share.low).toBeLessThanOrEqual(Math.max(low ?? 0, share.value));
    for (const bar of distribution) {
      expect(bar.low).toBeGreaterThanOrEqual(0.05);
      expect(bar.high).toBeLessThanOrEqual(0.95);
    }
  });
});

describe('bands', () => {
  const banded = (mean: number) => {
    // 35 answers: a band for both; two neighbouring options give any mean.
    const low = Math.floor(mean);
    const counts = [0, 0, 0, 0, 0];
    counts[low - 1] = 35 * (low + 1 - mean);
    counts[low] = 35 * (mean - low);
    return shown(counts).mean;
  };
  it.each([
    [2.99, 'under', 1, 3],
    [3.01, 'between', 3, 3.7],
    [3.69, 'between', 3, 3.7],
    [3.71, 'over', 3.7, 5],
  ] as const)('a mean of %d is %s', (mean, side, low, high) => {
    expect(banded(mean)).toEqual({ state: 'band', side, low, high });
  });

  it.each([
    [0.39, 'under', 0, 0.4],
    [0.41, 'between', 0.4, 0.7],
    [0.69, 'between', 0.4, 0.7],
    [0.71, 'over', 0.7, 1],
  ] as const)('a share of %d is %s', (share, side, low, high) => {
    const counts = [0, 35 * (1 - share), 0, 35 * share, 0];
    expect(shown(counts).share).toEqual({ state: 'band', side, low, high });
  });

  it('are the question’s own for a mean', () => {
    const questions = sheet.questions.map((question) => ({ ...question, bands: [200, 250] }));
    const counts = [0, 30, 5, 0, 0];
    expect(shown(counts, 0, { questions }).mean).toMatchObject({ side: 'between', low: 2 });
  });
});

describe('the distribution', () => {
  it('stands only where every share of it, and the favourable one, is a number', () => {
    expect(even(forShare(0.05) * 1.001).distribution).toHaveLength(5);
    // Here each option alone would pass: its bound is smaller, σ·√(4/3)/a.
    expect(even(forShare(0.05) * 0.999).distribution).toEqual({
      state: 'gap',
      words: 'too noisy to tell',
    });
  });
});

describe('what is said of how many answered', () => {
  it.each([
    [10, 46, 10, '20 to 30%'],
    [29, 46, 25, '50 to 60%'],
    [46, 46, 45, '90 to 100%'],
  ])('%i of %i: at least %i, %s', (count, roster, atLeast, part) => {
    expect(new Released({ count, totals: [] }, roster).response()).toEqual({ atLeast, part });
  });

  it('is the same for five counts in a row', () => {
    const said = (count: number) => new Released({ count, totals: [] }, 60).response();
    for (const count of [25, 26, 27, 28, 29]) expect(said(count)).toEqual(said(25));
  });

  it('is a band of ten percent', () => {
    expect([0, 5, 9, 10].map((part) => tenPercentBand(part, 10))).toEqual([
      '0 to 10%',
      '50 to 60%',
      '90 to 100%',
      '90 to 100%',
    ]);
  });
});

/** Somebody's chosen places, one for each question. */
const answer = fc.tuple(...sheet.questions.map(({ options }) => fc.nat(options.length)));
const noise = fc.array(fc.integer({ min: -12, max: 12 }), {
  minLength: TOTALS,
  maxLength: TOTALS,
});

/** Noised totals of these people. */
function noised(answers: readonly (readonly number[])[], noise: readonly number[]): number[] {
  const totals = [...noise];
  for (const places of answers) {
    let from = 0;
    for (const [block, place] of measurementOf(sheet, places).entries()) {
      totals[from + place] = (totals[from + place] as number) + 1;
      from += PLACES[block] as number;
    }
  }
  return totals;
}

const stateOf = ({ distribution }: ItemCells) => 'length' in distribution;

describe('what is shown where depends only on n ≥ k and on noised values', () => {
  const groups = fc.record({
    answers: fc.array(answer, { minLength: 10, maxLength: 110, size: 'max' }),
    noise,
    who: fc.nat(),
    other: answer,
  });

  it('one replaced answer, the noise fixed, shows nothing that was withheld but by its values', () => {
    let changed = 0;
    fc.assert(
      fc.property(groups, ({ answers, noise, who, other }) => {
        const person = who % answers.length;
        const totals = noised(answers, noise);
        const replaced = answers.map((own, i) => (i === person ? other : own));
        const after = noised(replaced, noise);
        const cellsOf = (totals: readonly number[]) =>
          new Released({ count: answers.length, totals }, 150).cells(sheet);
        const [before, now] = [cellsOf(totals), cellsOf(after)];
        let from = 0;
        for (const [block, length] of PLACES.entries()) {
          const [was, is] = [before[block] as ItemCells, now[block] as ItemCells];
          const values = (of: readonly number[]) => of.slice(from, from + length);
          if (values(totals).every((value, i) => value === values(after)[i])) {
            expect(is).toEqual(was);
          } else if (totals[from + length - 1] === after[from + length - 1]) {
            // Neither answer was "prefer not to say": the noised number of answers is the same,
            // and it alone decides on shares. A mean's error follows from the noised values too.
            expect(is.share.state).toBe(was.share.state);
            expect(stateOf(is)).toBe(stateOf(was));
            changed++;
          }
          from += length;
        }
      }),
      { numRuns: 300 },
    );
    expect(changed).toBeGreaterThan(300);
  });

  it('other answers under other noise with the same sum show the same page', () => {
    fc.assert(
      fc.property(
        groups,
        fc.array(answer, { maxLength: 110, size: 'max' }),
        ({ answers, noise }, others) => {
          const totals = noised(answers, noise);
          const instead = answers.map((own, i) => others[i] ?? own);
          const difference = noised(
            instead,
            noise.map(() => 0),
          ).map((value, i) => (totals[i] as number) - value);
          const page = (totals: readonly number[]) =>
            companyTrends(sheet, [
              {
                ...{ number: 1, days: { start: 20_500, duration: 14 } },
                groups: [
                  {
                    ...{ index: 0, name: 'A', department: 'B', rosterSize: 150 },
                    ...{ state: 'confirmed' },
                    released: new Released({ count: answers.length, totals }, 150),
                  },
                ],
              },
            ]);
          expect(page(noised(instead, difference))).toEqual(page(totals));
        },
      ),
      { numRuns: 30 },
    );
  });

  it('whatever the totals, everything shown is on its grid and inside its limits', () => {
    const wild = fc.array(fc.integer({ min: -60, max: 400 }), {
      minLength: TOTALS,
      maxLength: TOTALS,
    });
    fc.assert(
      fc.property(fc.integer({ min: 10, max: 1_500 }), wild, (count, totals) => {
        const released = new Released({ count, totals }, 2_000);
        for (const { share, mean, distribution } of released.cells(sheet)) {
          const bars = 'length' in distribution ? distribution : [];
          for (const cell of [share, ...bars]) {
            if (cell.state !== 'number') continue;
            for (const value of [cell.low, cell.value, cell.high]) {
              expect(value * 20).toBeCloseTo(Math.round(value * 20), 9);
              expect(value).toBeGreaterThanOrEqual(0.05);
              expect(value).toBeLessThanOrEqual(0.95);
            }
            expect(cell.low <= cell.value && cell.value <= cell.high).toBe(true);
          }
          if (mean?.state !== 'number') continue;
          for (const value of [mean.low, mean.value, mean.high]) {
            expect(value * 10).toBeCloseTo(Math.round(value * 10), 9);
            expect(value >= 1 && value <= 5).toBe(true);
          }
        }
      }),
    );
  });
});

describe('nothing raw comes out', () => {
  const totals = PLACES.flatMap((length) => Array.from({ length }, () => 1234567));
  const released = new Released({ count: 7654321, totals }, 9_000_000);

  it('by printing, listing or serializing what was released', () => {
    expect(JSON.stringify(released)).toBe('{}');
    expect(Reflect.ownKeys(released)).toEqual([]);
    expect(inspect(released, { depth: 9, showHidden: true })).not.toMatch(/1234567|7654321/);
  });

  it('by the page that is made from it', () => {
    const groups = [
      {
        ...{ index: 0, name: 'A', department: 'B', rosterSize: 9_000_000 },
        ...{ state: 'confirmed' as const, released },
      },
    ];
    const page = companyTrends(sheet, [
      { number: 1, days: { start: 20_500, duration: 14 }, groups },
    ]);
    expect(page.items[0]?.latest?.share.state).toBe('number');
    expect(JSON.stringify(page)).not.toMatch(/1234567|7654321|"released"/);
  });

  it('by its type: a number that was not rounded here is no shown one', () => {
    expectTypeOf<number>().not.toExtend<Rounded>();
    type Point = TrendPage['items'][number]['share']['points'][number];
    expectTypeOf<Extract<Point, { state: 'number' }>['value']>().toEqualTypeOf<Rounded>();
    expectTypeOf<keyof Released>().toEqualTypeOf<'cells' | 'response'>();
  });
});

it('reads the bytes that both parties signed', () => {
  const totals = PLACES.flatMap((length) => Array.from({ length }, () => 20));
  const bytes = encodePublished(new Uint8Array(32), { count: 120, totals });
  const cells = Released.decode(bytes, 200).cells(sheet);
  expect(cells).toEqual(new Released({ count: 120, totals }, 200).cells(sheet));
});
