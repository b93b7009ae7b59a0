import { z } from 'zod';
import { canonicalJson } from '../../crypto/canonical.ts';
import type { Sheet } from '../../crypto/sheet.ts';

const sentence = z.string().trim().min(1).max(1000);
const name = z.string().trim().min(1).max(60);
const naturals = z.int().min(1);
/** In the year 9909: every day of a round, and of what follows it, has a date. */
const LATEST_DAY = 2_900_000;
const day = z.int('a date such as 2026-11-21 is expected').min(1).max(LATEST_DAY);

/** What a sheet may hold; both parties check it before they sign anything that names it. */
const SHEET = z.strictObject({
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
  noise: z.strictObject({
    variance: z
      .strictObject({ numerator: naturals.max(1e9), denominator: naturals.max(1e6) })
      .refine((v) => v.numerator >= 5 * v.denominator, 'the variance is at least 5'),
    by: z.enum(['guardian', 'both']),
  }),
  cadence: z.enum(['weekly', 'fortnightly', 'monthly', 'quarterly']),
  schedule: z.strictObject({ first_day: day, round_days: z.int().min(1).max(60) }),
  response_percent: z.int().min(5).max(100),
  retention: z.strictObject({ trends_days: z.int().min(1).max(3650) }),
  deadline_days: z.int().min(1).max(60),
  end_day: day,
  questions: z
    .array(
      z.strictObject({
        id: z.string().regex(/^[a-z][a-z0-9-]{0,31}$/),
        name,
        text: sentence,
        why: sentence,
        options: z.array(name).min(2).max(10),
        favourable: z.enum(['high', 'low']),
      }),
    )
    .min(1)
    .max(50)
    .refine((questions) => new Set(questions.map((q) => q.id)).size === questions.length, {
      error: 'each question has an id of its own',
    }),
});

/** The sheet in this JSON value. @throws ZodError with the path and the reason of each fault */
export function parseSheet(value: unknown): Sheet {
  return SHEET.parse(value);
}

/** The bytes whose hash is signed. */
export function encodeSheet(sheet: Sheet): Uint8Array {
  return canonicalJson(sheet);
}
