import { describe, expect, test } from 'vitest';
import { ZodError } from 'zod';
import type { Question } from '../../../crypto/sheet.ts';
import { dayOf } from '../../../server/domain/days.ts';
import { guessSentence, LIGHT_WORDS } from '../../../server/domain/noise-presets.ts';
import { parseSheetFile } from '../../../server/domain/sheet-file.ts';
import { encodeSheet, parseSheet } from '../../../server/domain/sheets.ts';
import { TEST_NOISE, testSheet } from '../../support/parties.ts';

const whole = testSheet();
const notice = { ...whole.notice, points: ['It is a test.'] };
/** What has no default. */
const least = {
  title: whole.title,
  purpose: whole.purpose,
  notice,
  recipients: whole.recipients,
  schedule: { first_day: '2027-01-11' },
  end_day: '2028-12-31',
  questions: whole.questions,
};

const variance = (questions: number, cadence: string) =>
  parseSheetFile({
    ...least,
    cadence,
    questions: Array.from({ length: questions }, (_, i) => ({
      ...whole.questions[0],
      id: `q${i}`,
    })),
  }).noise.variance;

test('what a file does not say is the Standard preset', () => {
  const sheet = parseSheetFile(least);
  expect(sheet).toMatchObject({
    version: 1,
    k: 10,
    noise: {
      preset: 'standard',
      part: { numerator: 4, denominator: 1 },
      variance: { numerator: 5, denominator: 1 },
      by: 'guardian',
    },
    derived: [],
    cadence: 'quarterly',
    schedule: { first_day: dayOf('2027-01-11'), round_days: 14 },
    response_percent: 60,
    retention: { trends_days: 730 },
    deadline_days: 7,
    end_day: dayOf('2028-12-31'),
  });
  expect(parseSheet(sheet)).toEqual(sheet);
  expect(encodeSheet(sheet)).toEqual(encodeSheet(parseSheetFile(least)));
});

test('what it says stays; the chance of being guessed joins the notice, once', () => {
  const points = ['It is a test.', guessSentence(whole), LIGHT_WORDS];
  expect(parseSheetFile({ ...whole, notice })).toEqual({ ...whole, notice: { ...notice, points } });
  for (const said of [points, [...points].reverse(), points.map((point) => ` ${point} `)]) {
    const stays = { ...notice, points: said.map((point) => point.trim()) };
    const sheet = { ...whole, notice: { ...notice, points: said } };
    expect(parseSheetFile(sheet)).toEqual({ ...whole, notice: stays });
  }
});

test('a preset and a part of its account are enough', () => {
  const noise = (given: object) => parseSheetFile({ ...least, noise: given }).noise;
  expect(noise({ preset: 'strong' })).toEqual(TEST_NOISE.both);
  expect(noise({ preset: 'light' })).toEqual(TEST_NOISE.guardian);
  const part = { numerator: 1, denominator: 2 };
  expect(noise({ part })).toEqual({
    preset: 'standard',
    part,
    variance: { numerator: 16, denominator: 1 },
    by: 'guardian',
  });
});

test('limits of a mean’s bands follow from the number of options', () => {
  const bands = (options: number) => {
    const { bands: _given, ...question } = whole.questions[0] as Question;
    const names = Array.from({ length: options }, (_, i) => `Option ${i}`);
    return parseSheetFile({ ...least, questions: [{ ...question, options: names }] }).questions[0]
      ?.bands;
  };
  expect([2, 3, 5, 10].map(bands)).toEqual([
    [150, 168],
    [200, 235],
    [300, 370],
    [550, 708],
  ]);
});

test.each([
  [5, 'quarterly', 5, 1],
  [6, 'quarterly', 6, 1],
  [1, 'monthly', 5, 1],
  [6, 'monthly', 18, 1],
  [6, 'weekly', 78, 1],
  [6, 'fortnightly', 39, 1],
  [3, 'fortnightly', 39, 2],
])('the noise of %i questions asked %s has variance %i/%i', (questions, cadence, n, d) => {
  expect(variance(questions, cadence)).toEqual({ numerator: n, denominator: d });
});

describe('refused, with the place of each fault:', () => {
  test.each<[string, unknown]>([
    ['', null],
    ['', []],
    ['', 'sheet'],
    ['more', { ...least, more: 1 }],
    ['title', { ...least, title: undefined }],
    ['schedule', { ...least, schedule: 5 }],
    ['schedule.first_day', { ...least, schedule: undefined }],
    ['schedule.first_day', { ...least, schedule: { first_day: '2027-02-30' } }],
    ['schedule.first_day', { ...least, schedule: { first_day: 1e12 } }],
    ['schedule.round_days', { ...least, schedule: { ...least.schedule, round_days: 61 } }],
    ['end_day', { ...least, end_day: 'never' }],
    ['end_day', { ...least, end_day: undefined }],
    ['notice', { ...least, notice: 5 }],
    ['notice.points', { ...least, notice: { ...notice, points: 5 } }],
    ['notice.points.2', { ...least, notice: whole.notice }],
    ['noise', { ...least, noise: null }],
    ['noise.variance', { ...least, noise: { variance: { numerator: 4, denominator: 1 } } }],
    ['retention.trends_days', { ...least, retention: { trends_days: 0 } }],
    ['response_percent', { ...least, response_percent: 4 }],
    ['cadence', { ...least, cadence: 'daily' }],
    ['questions', { ...least, questions: 'many' }],
  ])('%s', (where, value) => {
    try {
      parseSheetFile(value);
    } catch (error) {
      expect(error).toBeInstanceOf(ZodError);
      const { issues } = error as ZodError;
      const places = issues.flatMap((issue) => [
        issue.path.join('.'),
        ...(issue.code === 'unrecognized_keys' ? issue.keys : []),
      ]);
      expect(places).toContain(where);
      return;
    }
    throw new Error('it was not refused');
  });
});
