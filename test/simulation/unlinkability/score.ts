/*
 * A guess is right by chance as often as a random injection of reports into people: in a group of u
 * people who have tokens and r reports that is r/u on average. The number of right ones in a round
 * has the factorial moments (r)ⱼ/(u)ⱼ ≤ (r/u)ʲ, so E[(1 + x)ᴺ] is at most that of a Poisson number
 * of mean r/u, for every x ≥ 0. Rounds are independent; hence Chernoff's bound for Poisson numbers
 * holds for the sum over them exactly, whatever n is: no approximation by a normal distribution.
 */

/** Of all ways to guess together: how seldom a rightful system is accused. */
export const FALSE_ALARM = 1e-6;

/** How one way to guess did, over all rounds that it could be played in. */
export interface Score {
  readonly way: string;
  readonly rounds: number;
  readonly guesses: number;
  readonly right: number;
  /** How many would be right by chance. */
  readonly expected: number;
}

export class Tally {
  readonly #scores = new Map<string, { -readonly [K in keyof Score]: Score[K] }>();

  /** One round of one way to guess. */
  add(way: string, guesses: number, right: number, expected: number): void {
    const score = this.#scores.get(way);
    if (score === undefined) {
      this.#scores.set(way, { way, rounds: 1, guesses, right, expected });
      return;
    }
    score.rounds++;
    score.guesses += guesses;
    score.right += right;
    score.expected += expected;
  }

  /** The most surprising first. */
  get scores(): Score[] {
    return [...this.#scores.values()].sort((a, b) => surprise(a) - surprise(b));
  }

  /** Ways that guess better than chance, with the probability of a false alarm over all of them. */
  get alarms(): Score[] {
    return this.scores.filter((score) => surprise(score) * this.#scores.size < FALSE_ALARM);
  }
}

/** An upper bound of the probability that chance alone gives as many right guesses, or more. */
export function surprise({ right, expected }: Pick<Score, 'right' | 'expected'>): number {
  if (right <= expected) return 1;
  return Math.exp(right - expected - right * Math.log(right / expected));
}

/** `12 of 80 right, 10.0 by chance`. */
export function inWords({ way, rounds, guesses, right, expected }: Score): string {
  return `${way}: ${right} of ${guesses} right, ${expected.toFixed(1)} by chance, in ${rounds} rounds`;
}
