import { campaign } from '../simulation/unlinkability/campaign.ts';
import { liveSuccess } from '../simulation/unlinkability/live.ts';
import type { Score } from '../simulation/unlinkability/score.ts';
import type { BenchResult } from './result.ts';

/** 1,000 rounds: see test/simulation/unlinkability/rounds.ts for what a round is here. */
const SIMULATION = { manifests: 40, groups: 25, closed: true };

/** People who answer in groups larger than the simulated ones, for live times alone. */
const LARGER_GROUPS = [50, 200, 1000];
/** So many answers of each size. */
const LARGER_ANSWERS = 10_000;

/**
 * `unlinkability`: how often an attacker is right who guesses who sent which report, in 1,000 rounds,
 * with all that both parties store, log and mail, at four moments; and with the live times at both
 * parties. `learnt` is the way to guess that was best in one half of the rounds, used in the other;
 * `best` the best of all ways in the rounds it was looked for in, which is above chance by that alone.
 */
export async function benchUnlinkability(): Promise<BenchResult[]> {
  const { findings, live } = await campaign(SIMULATION);
  return [
    ...findings.flatMap(({ moment, ways, best, probability, alarms, learnt }): BenchResult[] => [
      ...(learnt === undefined
        ? []
        : [guessed(`unlinkability.${moment}`, learnt, `learnt in the other half: ${learnt.way}`)]),
      guessed(
        `unlinkability.${moment}.best`,
        best,
        `of ${ways} ways, p < ${probability.toPrecision(1)}: ${best.way}`,
      ),
      {
        name: `unlinkability.${moment}.alarms`,
        unit: 'ways better than chance',
        value: alarms.length,
      },
    ]),
    guessed('unlinkability.live', live, 'with live times at both parties'),
    ...LARGER_GROUPS.map((people) => ({
      name: `unlinkability.live.${people}`,
      unit: '% right',
      value: 100 * liveSuccess(people, LARGER_ANSWERS / people),
      note: `with live times, ${people} people answering in the group, chance ${percent(1 / people)}`,
    })),
  ];
}

function guessed(name: string, { right, guesses, rounds, expected }: Score, note: string) {
  const chance = percent(expected / guesses);
  return {
    name,
    unit: '% right',
    value: (100 * right) / guesses,
    note: `${right} of ${guesses} in ${rounds} rounds, chance ${chance}; ${note}`,
  };
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
