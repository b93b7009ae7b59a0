import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { discreteGaussians } from '../../../crypto/noise.ts';
import { blockLengths, measurementOf, type Sheet } from '../../../crypto/sheet.ts';
import { Released } from '../../../server/domain/gate.ts';
import { companyTrends, groupTrends, type TrendRound } from '../../../server/domain/trends.ts';
import { answerOf, readSample, sampleSheet, teams } from '../../../server/evaluation/company.ts';
import { seededRandomness } from '../../../server/evaluation/seeded.ts';

/**
 * What the sample company shows: numbers, bands, "too noisy" and "not shown", each where the release
 * policy's formulas (§3, §4) say, written out here once more from σ², the noised counts and n.
 */

const ROUNDS = [4, 7];
/** σ² = Q/ρ: six questions and a score; the whole account of 4 in four rounds a year. */
const VARIANCE = 7;
const K = 10;

type State = 'number' | 'band' | 'too noisy to tell' | 'not shown: fewer than 10 answers';

/** One noised block of a group, or the sum over several. */
interface Block {
  readonly counts: readonly number[];
  readonly reports: number;
  readonly groups: number;
}

interface Expected {
  readonly share: State;
  /** Null for a score. */
  readonly mean: State | null;
}

function expected({ counts, reports, groups }: Block, scored: boolean): Expected {
  const everywhere = (state: State) => ({ share: state, mean: scored ? null : state });
  if (reports < K) return everywhere('not shown: fewer than 10 answers');
  const excess = (counts.reduce((sum, count) => sum + count, 0) - reports) / counts.length;
  const answered = counts.slice(0, -1).map((count) => count - excess);
  const a = answered.reduce((sum, count) => sum + count, 0);
  if (a < K) return everywhere('not shown: fewer than 10 answers');
  const sigma = Math.sqrt(VARIANCE * groups);
  const state = (error: number, number: number, band: number): State =>
    error <= number ? 'number' : error <= band ? 'band' : 'too noisy to tell';
  const mean = answered.reduce((sum, count, i) => sum + (i + 1) * count, 0) / a;
  return {
    // Two of five options: √1.5. One of a score's three levels, "not known" aside: |w|² − (Σw)²/4
    // is largest for w = (0, −1, −1): 1.
    share: state((sigma * Math.sqrt(scored ? 1 : 1.5)) / a, 0.05, 0.12),
    mean: scored ? null : state((sigma * Math.sqrt(10 + (5 / 6) * (3 - mean) ** 2)) / a, 0.15, 0.3),
  };
}

let sheet: Sheet;
let rounds: TrendRound[];
/** By round and group, the blocks of its noised totals. */
let blocks: Block[][][];

beforeAll(() => {
  const path = new URL('../../../server/evaluation/sample.json', import.meta.url);
  const sample = readSample(fileURLToPath(path));
  sheet = sampleSheet(sample, { version: 1, begun_day: 20_700, seed: '' });
  const lengths = blockLengths(sheet);
  blocks = ROUNDS.map((round) =>
    teams(sample).map((team) => {
      const totals = lengths.map((length) => Array.from({ length }, () => 0));
      let reports = 0;
      for (let person = 0; person < team.rosterSize; person++) {
        const answer = answerOf(sample, sheet, round, team, person);
        if (answer === undefined) continue;
        reports++;
        for (const [i, place] of measurementOf(sheet, answer).entries()) {
          const counts = totals[i] as number[];
          counts[place] = (counts[place] as number) + 1;
        }
      }
      const randomness = seededRandomness('noise', round, team.name);
      const variance = { numerator: BigInt(VARIANCE), denominator: 1n };
      return totals.map((counts) => {
        const noise = discreteGaussians(variance, counts.length, randomness);
        return { counts: counts.map((c, i) => c + Number(noise[i])), reports, groups: 1 };
      });
    }),
  );
  rounds = ROUNDS.map((number, r) => ({
    number,
    days: { start: 20_000 + 91 * r, duration: 14 },
    groups: teams(sample).map(({ name, department, rosterSize }, index) => {
      const own = blocks[r]?.[index] as Block[];
      const { reports: count } = own[0] as Block;
      const group = { index, name, department, rosterSize };
      if (count < K) return { ...group, state: 'withheld', reason: 'too-few' };
      const totals = own.flatMap(({ counts }) => counts);
      return {
        ...group,
        state: 'confirmed',
        released: new Released({ count, totals }, rosterSize),
      };
    }),
  }));
});

/** What the page of a scope shows of each item in each round, oldest first. */
function shown(group?: number): Expected[][] {
  const page =
    group === undefined ? companyTrends(sheet, rounds) : groupTrends(sheet, rounds, group);
  const items = page?.items ?? [];
  const stateOf = ({ state, words }: { state: string; words: string }) =>
    (state === 'gap' ? words : state) as State;
  return ROUNDS.map((number) =>
    items.map(({ rows }) => {
      const row = rows.find((candidate) => candidate.number === number);
      if (row === undefined) throw new Error('a round has no row');
      return { share: stateOf(row.share), mean: row.mean && stateOf(row.mean) };
    }),
  );
}

const due = (round: readonly Block[]) =>
  round.map((block, i) => expected(block, i >= sheet.questions.length));

test('the sample’s noise is what its preset, part and cadence give', () => {
  const { numerator, denominator } = sheet.noise.variance;
  expect([numerator / denominator, sheet.noise.by, sheet.k]).toEqual([VARIANCE, 'guardian', K]);
});

describe('every cell of the sample company', () => {
  test('is what the formulas say, in every group', () => {
    const groups = rounds[0]?.groups ?? [];
    for (const { index, name } of groups) {
      expect(shown(index), name).toEqual(blocks.map((round) => due(round[index] as Block[])));
    }
  });

  test('is a number in the company’s sum, which leaves out what is withheld', () => {
    const sums = blocks.map((round) => {
      const released = round.filter(([first]) => (first?.reports ?? 0) >= K);
      return (released[0] ?? []).map((first, i): Block => {
        const same = released.map((own) => own[i] as Block);
        return {
          counts: first.counts.map((_, at) => same.reduce((s, b) => s + (b.counts[at] ?? 0), 0)),
          reports: same.reduce((s, b) => s + b.reports, 0),
          groups: same.length,
        };
      });
    });
    expect(sums.map(([first]) => first?.groups)).toEqual([19, 20]);
    expect(shown()).toEqual(sums.map(due));
    expect(
      new Set(
        shown()
          .flat(2)
          .flatMap(({ share, mean }) => [share, mean ?? share]),
      ),
    ).toEqual(new Set(['number']));
  });

  test('has each of the four states somewhere, also a share without its mean’s number', () => {
    const all = (rounds[0]?.groups ?? []).flatMap(({ index }) => shown(index).flat());
    const states = new Set(all.flatMap(({ share, mean }) => [share, mean ?? share]));
    expect([...states].sort()).toEqual([
      'band',
      'not shown: fewer than 10 answers',
      'number',
      'too noisy to tell',
    ]);
    expect(all).toContainEqual({ share: 'band', mean: 'number' });
    // Claims once had eight answers, the Workshop seldom has twenty.
    const named = (name: string) => (rounds[0]?.groups ?? []).find((group) => group.name === name);
    const [early, late] = shown(named('Claims')?.index) as [Expected[], Expected[]];
    expect(new Set(early.map(({ share }) => share))).toEqual(
      new Set(['not shown: fewer than 10 answers']),
    );
    expect(late.map(({ share }) => share)).toContain('band');
    const workshop = shown(named('Workshop')?.index).flat();
    expect(workshop.map(({ share }) => share)).toContain('too noisy to tell');
    const inbound = shown(named('Inbound')?.index).flat();
    expect(new Set(inbound.map(({ share }) => share))).toEqual(new Set(['number']));
  });
});
