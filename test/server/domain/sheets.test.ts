import { describe, expect, test } from 'vitest';
import { ZodError } from 'zod';
import { parseCanonicalJson } from '../../../crypto/canonical.ts';
import { sha256 } from '../../../crypto/sha256.ts';
import { blockLengths, sheetWithHash } from '../../../crypto/sheet.ts';
import { encodeSheet, parseSheet } from '../../../server/domain/sheets.ts';
import { testSheet } from '../../support/parties.ts';

const good = testSheet();
const question = good.questions[0] as (typeof good.questions)[number];
const questions = (change: object) => ({ ...good, questions: [{ ...question, ...change }] });
const noise = (numerator: unknown, denominator: unknown, by: unknown = 'guardian') => ({
  ...good,
  noise: { variance: { numerator, denominator }, by },
});

test('a good sheet is itself, and has one canonical encoding', () => {
  expect(parseSheet(good)).toEqual(good);
  const bytes = encodeSheet(good);
  expect(parseCanonicalJson(bytes)).toEqual(good);
  expect(encodeSheet(parseSheet(parseCanonicalJson(bytes)))).toEqual(bytes);
  expect(sheetWithHash(bytes, sha256(bytes))).toEqual(good);
  expect(sheetWithHash(bytes, new Uint8Array(32))).toBe(undefined);
  expect(blockLengths(good)).toEqual([4, 4]);
});

test('the bounds themselves are allowed', () => {
  const options = Array.from({ length: 10 }, (_, i) => `Option ${i}`);
  for (const sheet of [
    { ...good, k: 8 },
    { ...good, k: 4000 },
    noise(5, 1, 'both'),
    noise(10, 2),
    { ...good, deadline_days: 1 },
    { ...good, deadline_days: 60 },
    questions({ options: ['No', 'Yes'] }),
    questions({ options }),
    {
      ...good,
      questions: Array.from({ length: 50 }, (_, i) => ({ ...question, id: `q${i}` })),
    },
  ]) {
    expect(parseSheet(sheet)).toEqual(sheet);
  }
});

describe('refused, with the place of the fault', () => {
  const long = 'x'.repeat(1001);
  test.each<[string, unknown]>([
    ['', null],
    ['', []],
    ['', 'sheet'],
    ['', { ...good, more: 1 }],
    ['version', { ...good, version: 2 }],
    ['title', { ...good, title: '' }],
    ['title', { ...good, title: '   ' }],
    ['title', { ...good, title: 'x'.repeat(61) }],
    ['purpose', { ...good, purpose: long }],
    ['purpose', { ...good, purpose: undefined }],
    ['notice', { ...good, notice: { ...good.notice, more: 1 } }],
    ['notice.employer', { ...good, notice: { ...good.notice, employer: '' } }],
    ['notice.guardian', { ...good, notice: { ...good.notice, guardian: 1 } }],
    ['notice.contact', { ...good, notice: { ...good.notice, contact: undefined } }],
    ['notice.points', { ...good, notice: { ...good.notice, points: [] } }],
    ['notice.points', { ...good, notice: { ...good.notice, points: Array(21).fill('x') } }],
    ['recipients', { ...good, recipients: [] }],
    ['recipients.0', { ...good, recipients: [''] }],
    ['k', { ...good, k: 7 }],
    ['k', { ...good, k: 4001 }],
    ['k', { ...good, k: 8.5 }],
    ['k', { ...good, k: '8' }],
    ['noise.variance', noise(4, 1)],
    ['noise.variance', noise(9, 2)],
    ['noise.variance.numerator', noise(0, 1)],
    ['noise.variance.numerator', noise(5.5, 1)],
    ['noise.variance.numerator', noise(1e10, 1)],
    ['noise.variance.denominator', noise(5, 0)],
    ['noise.variance.denominator', noise(-5, -1)],
    ['noise.by', noise(5, 1, 'nobody')],
    ['noise.by', noise(5, 1, 'employer')],
    ['cadence', { ...good, cadence: 'daily' }],
    ['retention.trends_days', { ...good, retention: { trends_days: 0 } }],
    ['retention.trends_days', { ...good, retention: { trends_days: 3651 } }],
    ['deadline_days', { ...good, deadline_days: 0 }],
    ['deadline_days', { ...good, deadline_days: 61 }],
    ['end_day', { ...good, end_day: -1 }],
    ['questions', { ...good, questions: [] }],
    ['questions', { ...good, questions: Array(51).fill(question) }],
    ['questions', { ...good, questions: [question, question] }],
    ['questions.0', questions({ more: 1 })],
    ['questions.0.id', questions({ id: 'Energy' })],
    ['questions.0.id', questions({ id: '1st' })],
    ['questions.0.id', questions({ id: 'x'.repeat(33) })],
    ['questions.0.id', questions({ id: '' })],
    ['questions.0.name', questions({ name: 'x'.repeat(61) })],
    ['questions.0.text', questions({ text: '' })],
    ['questions.0.why', questions({ why: undefined })],
    ['questions.0.options', questions({ options: ['only'] })],
    ['questions.0.options', questions({ options: Array(11).fill('x') })],
    ['questions.0.options.1', questions({ options: ['Low', ''] })],
    ['questions.0.favourable', questions({ favourable: 'middle' })],
  ])('%s', (path, sheet) => {
    let error: unknown;
    try {
      parseSheet(sheet);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ZodError);
    const paths = (error as ZodError).issues.map((issue) => issue.path.join('.'));
    expect(paths).toContain(path);
  });
});
