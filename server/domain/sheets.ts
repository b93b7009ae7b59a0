import { z } from 'zod';
import { canonicalJson, parseCanonicalJson } from '../../crypto/canonical.ts';
import type { DerivedItem, Question, Sheet } from '../../crypto/sheet.ts';
import { compare, exactly } from './fraction.ts';
import { isNoiseWords, noiseWords, presetNoise, TERMS } from './noise-presets.ts';

const sentence = z.string().trim().min(1).max(1000);
const name = z.string().trim().min(1).max(60);
const id = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/);
const naturals = z.int().min(1);
/** In the year 9909: every day of a round, and of what follows it, has a date. */
const LATEST_DAY = 2_900_000;
const day = z.int('a date such as 2026-11-21 is expected').min(1).max(LATEST_DAY);

/** What a sheet may hold; both parties check it before they sign anything that names it. */
const SHEET = z
  .strictObject({
    version: z.literal(1),
    title: name,
    purpose: sentence,
    notice: z.strictObject({
      employer: name,
      guardian: name,
      contact: name,
      points: z.array(sentence).min(1).max(20),
    }),
    recipients: z.array(name).min(1).max(20),
    k: z.int().min(8).max(4_000),
    noise: z
      .strictObject({
        preset: z.enum(['standard', 'strong', 'light']),
        part: z
          .strictObject({ numerator: z.int().min(0).max(1e6), denominator: naturals.max(1e6) })
          .refine(isLowest, 'a fraction in lowest terms is expected'),
        variance: z.strictObject({ numerator: naturals.max(1e12), denominator: naturals.max(1e6) }),
        by: z.enum(['guardian', 'both']),
      })
      .superRefine(({ preset, part }, context) => {
        const { cap, name: presetName } = TERMS[preset];
        const refuse = (message: string) =>
          context.addIssue({ code: 'custom', path: ['part'], message });
        if (cap === undefined) {
          if (part.numerator !== 0) refuse(`${presetName} takes no part of the account: 0/1`);
        } else if (part.numerator === 0) {
          refuse('a part of the account is more than 0');
        } else if (compare(exactly(part), cap) > 0) {
          refuse(`the whole account of ${presetName} is ${cap.numerator}`);
        }
      }),
    cadence: z.enum(['weekly', 'fortnightly', 'monthly', 'quarterly']),
    schedule: z.strictObject({ first_day: day, round_days: z.int().min(1).max(60) }),
    response_percent: z.int().min(5).max(100),
    retention: z.strictObject({ trends_days: z.int().min(1).max(3650) }),
    deadline_days: z.int().min(1).max(60),
    end_day: day,
    questions: z
      .array(
        z
          .strictObject({
            id,
            name,
            text: sentence,
            why: sentence,
            options: z.array(name).min(2).max(10),
            favourable: z.enum(['high', 'low']),
            bands: z.array(z.int().min(101).max(999)).length(2),
          })
          .refine(
            ({ options, bands: [low = 0, high = 0] }) => low < high && high < 100 * options.length,
            { path: ['bands'], error: 'two limits between 1 and the number of options, rising' },
          ),
      )
      .min(1)
      .max(50),
    derived: z
      .array(
        z.strictObject({
          id,
          name,
          why: sentence,
          from: z.array(id).min(1).max(50),
          reversed: z.array(id).max(50),
          levels: z
            .array(z.strictObject({ name, least: z.int().min(1).max(1000) }))
            .min(2)
            .max(10),
          favourable: z.enum(['high', 'low']),
        }),
      )
      .max(10),
  })
  .superRefine((sheet, context) => {
    const refuse = (path: (string | number)[], message: string) =>
      context.addIssue({ code: 'custom', path, message });
    const ids = [...sheet.questions, ...sheet.derived].map((item) => item.id);
    if (new Set(ids).size !== ids.length) {
      refuse(['questions'], 'each question and each derived item has an id of its own');
    }
    for (const [index, item] of sheet.derived.entries()) {
      const fault = faultOf(item, sheet.questions);
      if (fault !== undefined) refuse(['derived', index], fault);
    }
    const { preset, part, variance, by } = sheet.noise;
    // Said already, and nothing follows from it.
    if (part.numerator === 0 && preset !== 'light') return;
    const blocks = sheet.questions.length + sheet.derived.length;
    const due = presetNoise(preset, part, blocks, sheet.cadence);
    if (by !== due.by) refuse(['noise', 'by'], `${TERMS[preset].name} is noised by: ${due.by}`);
    const { numerator, denominator } = due.variance;
    if (variance.numerator !== numerator || variance.denominator !== denominator) {
      refuse(
        ['noise', 'variance'],
        `with this preset, part and cadence the variance is ${numerator}/${denominator}`,
      );
      return;
    }
    const { points } = sheet.notice;
    const words = noiseWords(sheet);
    for (const expected of words.filter((sentence) => !points.includes(sentence))) {
      refuse(['notice', 'points'], `this sentence is expected: ${expected}`);
    }
    for (const [index, point] of points.entries()) {
      if (!isNoiseWords(point) || words.includes(point)) continue;
      refuse(
        ['notice', 'points', index],
        `not of this noise and cadence; expected: ${words.join(' ')}`,
      );
    }
  });

function isLowest({ numerator, denominator }: { numerator: number; denominator: number }): boolean {
  return exactly({ numerator, denominator }).denominator === BigInt(denominator);
}

/** What is wrong with a derived item, in words; undefined if nothing is. */
function faultOf(
  item: DerivedItem,
  questions: readonly Omit<Question, 'bands'>[],
): string | undefined {
  const asked = questions.filter(({ id: of }) => item.from.includes(of));
  if (asked.length !== item.from.length) return 'it is worked out from questions, each once';
  if (
    new Set(item.reversed).size !== item.reversed.length ||
    item.reversed.some((of) => !item.from.includes(of))
  ) {
    return 'only its own questions are reversed, each once';
  }
  const most = asked.reduce((sum, { options }) => sum + options.length, 0);
  const least = item.levels.map((level) => level.least);
  const isRising = least.every((value, i) => i === 0 || value > (least[i - 1] as number));
  // Every level can be reached, and every sum has one.
  if (least[0] !== asked.length || !isRising || (least.at(-1) as number) > most) {
    return `its levels begin at ${asked.length}, rise, and end by ${most}`;
  }
  return undefined;
}

/**
 * The sheet in this JSON value. Its notice has to say what its noise can and cannot do, in the words
 * of `noiseWords` and in no others. This is the law at submission, receipt and approval; a sheet that
 * was approved before a law came is planned on.
 * @throws ZodError with the path and the reason of each fault
 */
export function parseSheet(value: unknown): Sheet {
  return SHEET.parse(value);
}

/** The sheet in bytes that this party checked before it stored them. */
export function storedSheet(bytes: Uint8Array): Sheet {
  return parseCanonicalJson(bytes) as unknown as Sheet;
}

/** The bytes whose hash is signed. */
export function encodeSheet(sheet: Sheet): Uint8Array {
  return canonicalJson(sheet);
}
