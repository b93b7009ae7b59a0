import { attack } from './attacker.ts';
import { guessByTimes } from './live.ts';
import { type Moment, type Simulation, simulate } from './rounds.ts';
import { type Score, surprise, Tally } from './score.ts';

/** How the attacker did with the evidence of one moment. */
export interface Findings {
  readonly moment: Moment;
  /** How many ways to guess there were. */
  readonly ways: number;
  /** The best of them, looked for where it is judged: better than chance by the search alone. */
  readonly best: Score;
  /** How likely a best one as good as this is by chance, at most. */
  readonly probability: number;
  /** Ways that are better than chance. */
  readonly alarms: readonly Score[];
  /** The way that was best in the odd manifests, and how it did in the even ones. */
  readonly learnt: Score | undefined;
}

/** Simulates rounds and attacks each at every moment, and once with the live times at both parties. */
export async function campaign(
  simulation: Omit<Simulation, 'onShot' | 'onTimes'>,
): Promise<{ readonly findings: readonly Findings[]; readonly live: Score }> {
  const tallies = new Map<Moment, { all: Tally; odd: Tally; even: Tally }>();
  const live = new Tally();
  await simulate({
    ...simulation,
    onShot({ moment, manifest, evidence, games }) {
      const tally = tallies.get(moment) ?? {
        all: new Tally(),
        odd: new Tally(),
        even: new Tally(),
      };
      tallies.set(moment, tally);
      attack(evidence, games, [tally.all, manifest % 2 === 1 ? tally.odd : tally.even]);
    },
    onTimes({ fetchedMs, submittedMs, senders }) {
      const guesses = guessByTimes(fetchedMs, submittedMs);
      const right = guesses.filter((person, report) => person === senders[report]).length;
      live.add('live times', guesses.length, right, guesses.length / fetchedMs.length);
    },
  });
  return {
    findings: [...tallies].map(([moment, { all, odd, even }]) => {
      const best = all.scores[0] as Score;
      const ways = all.scores.length;
      return {
        moment,
        ways,
        best,
        probability: Math.min(1, ways * surprise(best)),
        alarms: all.alarms,
        learnt: even.scores.find(({ way }) => way === odd.scores[0]?.way),
      };
    }),
    live: live.scores[0] as Score,
  };
}
