import { describe, expect, test } from 'vitest';
import { ZodError } from 'zod';
import { dayOf } from '../../../server/domain/days.ts';
import { parseSheetFile } from '../../../server/domain/sheet-file.ts';
import { encodeSheet, parseSheet } from '../../../server/domain/sheets.ts';
import { testSheet } from '../../support/parties.ts';

const whole = testSheet();
/** What has no default. */
const least = {
  title: whole.title,
  purpose: whole.purpose,
  notice: whole.notice,
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
    noise: { variance: { numerator: 5, denominator: 1 }, by: 'guardian' },
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

test('what it says stays: a whole sheet is itself', () => {
  expect(parseSheetFile(whole)).toEqual(whole);
  const noise = parseSheetFile({ ...least, noise: { by: 'both' } }).noise;
  expect(noise).toEqual({ variance: { numerator: 5, denominator: 1 }, by: 'both' });
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
