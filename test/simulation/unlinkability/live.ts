import { DAY_MS } from '../../../server/domain/days.ts';

/*
 * When people go on from an invitation and when they submit. Most answer within hours of the mail,
 * the rest over days; the questions take three minutes, more or less.
 */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const ARRIVAL = { medianMs: 6 * HOUR_MS, sigma: 1.2 };
const ANSWERING = { medianMs: 3 * MINUTE_MS, sigma: 0.5 };
/** Before half time, when everyone is reminded. */
const LATEST_MS = 3.4 * DAY_MS;

/** Milliseconds after the round opened. */
export interface Visit {
  readonly fetchedMs: number;
  readonly submittedMs: number;
}

export function drawVisit(): Visit {
  for (;;) {
    const fetchedMs = Math.round(logNormal(ARRIVAL));
    const submittedMs = fetchedMs + Math.round(logNormal(ANSWERING));
    if (submittedMs < LATEST_MS) return { fetchedMs, submittedMs };
  }
}

function logNormal({ medianMs, sigma }: typeof ARRIVAL): number {
  const [u, v] = [1 - Math.random(), Math.random()];
  const normal = Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v);
  return medianMs * Math.exp(sigma * normal);
}

/**
 * Who sent which report, by the times alone: the pairs whose delay is the likeliest first. The
 * attacker is taken to know how long people take.
 * @param fetchedMs when each person fetched their token, as the employer's server saw it
 * @param submittedMs when each report came, as the guardian's saw it
 * @returns the person of each report; −1 for a report that nobody is left for
 */
export function guessByTimes(
  fetchedMs: readonly number[],
  submittedMs: readonly number[],
): number[] {
  const pairs: { person: number; report: number; unlikely: number }[] = [];
  submittedMs.forEach((submitted, report) => {
    fetchedMs.forEach((fetched, person) => {
      if (fetched >= submitted) return;
      const unlikely = Math.abs(Math.log((submitted - fetched) / ANSWERING.medianMs));
      pairs.push({ person, report, unlikely });
    });
  });
  pairs.sort((a, b) => a.unlikely - b.unlikely);
  const guesses = submittedMs.map(() => -1);
  const taken = new Set<number>();
  for (const { person, report } of pairs) {
    if (guesses[report] !== -1 || taken.has(person)) continue;
    guesses[report] = person;
    taken.add(person);
  }
  return guesses;
}

/** The share of right guesses by times in groups of so many people who answer, over many of them. */
export function liveSuccess(answering: number, rounds: number): number {
  let right = 0;
  for (let round = 0; round < rounds; round++) {
    const visits = Array.from({ length: answering }, drawVisit);
    const guesses = guessByTimes(
      visits.map(({ fetchedMs }) => fetchedMs),
      visits.map(({ submittedMs }) => submittedMs),
    );
    right += guesses.filter((person, report) => person === report).length;
  }
  return right / (answering * rounds);
}
