import { z } from 'zod';
import type { Sheet } from '../../crypto/sheet.ts';
import { dayOf } from './days.ts';
import { noiseWords, presetNoise, wholeAccount } from './noise-presets.ts';
import { parseSheet } from './sheets.ts';

/** What a sheet says where its file says nothing: the Standard preset, for quarterly rounds. */
const DEFAULTS = {
  version: 1,
  k: 10,
  cadence: 'quarterly',
  response_percent: 60,
  deadline_days: 7,
  derived: [],
};
const ROUND_DAYS = 14;
const TRENDS_DAYS = 730;

const NATURAL = z.int().min(0).max(1e6);
const CHOSEN = z.looseObject({
  preset: z.enum(['standard', 'strong', 'light']).default('standard'),
  part: z.object({ numerator: NATURAL, denominator: NATURAL.min(1) }).optional(),
});
const CADENCE = z.enum(['weekly', 'fortnightly', 'monthly', 'quarterly']);

/**
 * The sheet that a person wrote as JSON: what it does not say is taken from the Standard preset, and
 * a day may be a date like "2026-11-21".
 * @throws ZodError with the path and the reason of each fault
 */
export function parseSheetFile(value: unknown): Sheet {
  if (!isRecord(value)) return parseSheet(value);
  const file: Record<string, unknown> = { ...DEFAULTS, ...value };
  if (Array.isArray(file.questions)) {
    file.questions = file.questions.map((question) =>
      isRecord(question) ? { bands: defaultBands(question.options), ...question } : question,
    );
  }
  const schedule = over({ round_days: ROUND_DAYS }, file.schedule);
  return parseSheet({
    ...file,
    ...noised(file),
    schedule: isRecord(schedule) ? { ...schedule, first_day: asDay(schedule.first_day) } : schedule,
    retention: over({ trends_days: TRENDS_DAYS }, file.retention),
    end_day: asDay(file.end_day),
  });
}

/**
 * The noise that follows from the preset and its part of the account, unless the file says it too;
 * then it must be the same. And the notice with what that noise can and cannot do.
 */
function noised(file: Record<string, unknown>): { noise: unknown; notice: unknown } {
  const { noise = {}, notice, questions, derived } = file;
  const cadence = CADENCE.safeParse(file.cadence);
  const chosen = CHOSEN.safeParse(noise);
  const blocks = lengthOf(questions) + lengthOf(derived);
  // What cannot be worked out is refused with its place by the check of the whole sheet.
  if (!isRecord(noise) || !cadence.success || !chosen.success || blocks === 0) {
    return { noise, notice };
  }
  const { preset } = chosen.data;
  const part = chosen.data.part ?? wholeAccount(preset);
  if (part.numerator === 0 && preset !== 'light') return { noise, notice };
  const due = presetNoise(preset, part, blocks, cadence.data);
  const words = noiseWords({ noise: due, cadence: cadence.data });
  return { noise: { ...due, ...noise }, notice: withWords(notice, words) };
}

/** What the noise can and cannot do is part of what a person agrees to, whoever wrote the notice. */
function withWords(notice: unknown, words: readonly string[]): unknown {
  if (!isRecord(notice) || !Array.isArray(notice.points)) return notice;
  const said = notice.points.map((point) => (typeof point === 'string' ? point.trim() : point));
  return { ...notice, points: [...said, ...words.filter((point) => !said.includes(point))] };
}

function lengthOf(list: unknown): number {
  return Array.isArray(list) ? list.length : 0;
}

/** Two limits on a scale of these options, where those of five are 3.0 and 3.7. */
function defaultBands(options: unknown): number[] {
  const steps = Array.isArray(options) ? options.length - 1 : 0;
  return [100 + 50 * steps, 100 + Math.round(67.5 * steps)];
}

/** What is given over the defaults; what is no object stays, to be refused. */
function over(defaults: object, given: unknown): unknown {
  if (given === undefined) return defaults;
  return isRecord(given) ? { ...defaults, ...given } : given;
}

/** The day of a date; anything else stays as it is. */
function asDay(given: unknown): unknown {
  return (typeof given === 'string' ? dayOf(given) : undefined) ?? given;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
