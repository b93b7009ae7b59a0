import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { Sheet } from '../../crypto/sheet.ts';
import { DAY_MS } from '../domain/days.ts';
import type { Person } from '../domain/roster.ts';
import { parseSheetFile } from '../domain/sheet-file.ts';
import type { Role } from '../domain/staff.ts';
import { PATH_SEPARATOR } from '../domain/unit-path.ts';
import { chance, spread } from './seeded.ts';
import type { SampleState } from './settings.ts';

const FRACTION = z.number().min(0).max(1);
const SAMPLE = z.strictObject({
  sheet: z.record(z.string(), z.unknown()),
  departments: z.array(
    z.strictObject({
      name: z.string(),
      teams: z.array(z.strictObject({ name: z.string(), people: z.int().min(1) })),
    }),
  ),
  exceptions: z.array(
    z.union([
      z.strictObject({ team: z.string(), round: z.int(), answers: z.int() }),
      z.strictObject({ team: z.string(), response: FRACTION }),
    ]),
  ),
  /** From a round on, the whole company answers higher or lower, by parts of a scale point. */
  shifts: z.array(z.strictObject({ question: z.string(), round: z.int(), by: z.number() })),
  response: FRACTION,
  /** Where the sample people's choices come from: the same in every evaluation. */
  opinions: z.string(),
  pastRounds: z.int().min(0),
});

export type Sample = z.infer<typeof SAMPLE>;

/** One reporting group of the sample company. */
export interface Team {
  readonly name: string;
  readonly department: string;
  readonly rosterSize: number;
}

export const ROUND_DAYS = 14;
/** How many have answered in the round that is left open. */
const OPEN_ROUND_SHARE = 0.8;
/** The sample manager's department: one of its teams was too small to show once. */
const MANAGED = 'Customers';

/** @throws ZodError if the checked-in definition is damaged */
export function readSample(path: string): Sample {
  return SAMPLE.parse(JSON.parse(readFileSync(path, 'utf8')));
}

/**
 * The sample's sheet. Its rounds are quarterly, and the one after the past ones begins on the day the
 * sample was begun (or up to three days before, where a month is too short).
 */
export function sampleSheet(sample: Sample, state: SampleState): Sheet {
  const begun = new Date(state.begun_day * DAY_MS);
  const months = begun.getUTCFullYear() * 12 + begun.getUTCMonth() - 3 * sample.pastRounds;
  const [year, month] = [Math.floor(months / 12), months % 12];
  const last = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const first = Date.UTC(year, month, Math.min(begun.getUTCDate(), last));
  return parseSheetFile({
    ...sample.sheet,
    schedule: { first_day: first / DAY_MS, round_days: ROUND_DAYS },
    end_day: state.begun_day + 730,
  });
}

/** The reporting groups of the sample company: its teams, as the planner finds them. */
export function teams(sample: Sample): Team[] {
  return sample.departments.flatMap((department) =>
    department.teams.map(({ name, people }) => ({
      name,
      department: department.name,
      rosterSize: people,
    })),
  );
}

/** Everybody of the sample company. */
export function people(sample: Sample): Person[] {
  const company = (sample.sheet.notice as { employer: string }).employer;
  return teams(sample).flatMap((team) =>
    Array.from({ length: team.rosterSize }, (_, i) => ({
      email: emailOf(sample, team, i),
      name: `Person ${i + 1} of ${team.name}`,
      unit: [company, team.department, team.name].join(PATH_SEPARATOR),
      managerOf: [],
      language: null,
    })),
  );
}

/** A sample person's address: by team and place in it. */
export function emailOf(sample: Sample, team: Team, person: number): string {
  const number = teams(sample).findIndex(({ name }) => name === team.name);
  return `person-${number + 1}-${person + 1}@northlight.example`;
}

/** People with a role at the sample's parties; the manager has one department. */
export function sampleStaff(sample: Sample) {
  const company = (sample.sheet.notice as { employer: string }).employer;
  const person = (name: string, role: Role, units: readonly string[] = []) => ({
    email: `${name}@northlight.example`,
    role,
    units,
  });
  const department = sample.departments.find(({ name }) => name === MANAGED)?.name ?? '';
  return {
    manager: person('manager', 'manager', [[company, department].join(PATH_SEPARATOR)]),
    admin: person('admin', 'admin'),
    guardian: person('works-council', 'guardian'),
  };
}

/** A sample person's answer: an option index for each question, or undefined for no answer. */
export function answerOf(
  sample: Sample,
  sheet: Sheet,
  round: number,
  team: Team,
  person: number,
): number[] | undefined {
  const seed = sample.opinions;
  const name = `${team.name}/${person}`;
  if (!takesPart(sample, round, team, person)) return undefined;
  return sheet.questions.map((question) => {
    const last = question.options.length;
    if (chance(seed, 'silent', round, name, question.id) < 0.04) return last;
    const good = question.favourable === 'high' ? 1 : -1;
    const mood =
      0.55 * spread(seed, 'team', team.name, question.id) +
      0.25 * spread(seed, 'department', team.department, question.id) +
      0.85 * spread(seed, 'person', name, question.id) +
      0.35 * spread(seed, 'day', round, name, question.id) +
      drift(seed, team, question.id, round);
    const shift = sample.shifts.reduce(
      (sum, { question: of, round: from, by }) =>
        of === question.id && round >= from ? sum + by : sum,
      0,
    );
    const middle = (last - 1) / 2 + shift;
    return Math.max(0, Math.min(last - 1, Math.round(middle + good * (0.35 + mood))));
  });
}

/** Opinions move slowly: a wave and a slope of each team's own. */
function drift(seed: string, team: Team, question: string, round: number): number {
  const slope = 0.08 * spread(seed, 'slope', team.department, question);
  const wave = 0.2 * Math.sin(round / 2 + 3 * spread(seed, 'phase', question));
  return slope * (round - 4) + wave;
}

function takesPart(sample: Sample, round: number, team: Team, person: number): boolean {
  let response = sample.response * (round > sample.pastRounds ? OPEN_ROUND_SHARE : 1);
  for (const exception of sample.exceptions) {
    if (exception.team !== team.name) continue;
    if ('response' in exception) response *= exception.response / sample.response;
    else if (exception.round === round) return person < exception.answers;
  }
  return chance(sample.opinions, 'response', round, team.name, person) < response;
}
