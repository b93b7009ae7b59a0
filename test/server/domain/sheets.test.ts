import { describe, expect, test } from 'vitest';
import { ZodError } from 'zod';
import { parseCanonicalJson } from '../../../crypto/canonical.ts';
import { sha256 } from '../../../crypto/sha256.ts';
import { blockLengths, type DerivedItem, sheetWithHash } from '../../../crypto/sheet.ts';
import { guessSentence, LIGHT_WORDS } from '../../../server/domain/noise-presets.ts';
import { encodeSheet, parseSheet, storedSheet } from '../../../server/domain/sheets.ts';
import { TEST_NOISE, testSheet } from '../../support/parties.ts';

const good = testSheet();
const strong = testSheet({ noise: TEST_NOISE.both });
const question = good.questions[0] as (typeof good.questions)[number];
const questions = (change: object) => ({ ...good, questions: [{ ...question, ...change }] });
const noise = (change: object) => testSheet({ noise: { ...good.noise, ...change } });
const points = (...said: string[]) => ({ ...good, notice: { ...good.notice, points: said } });
const part = (numerator: unknown, denominator: unknown) =>
  noise({ preset: 'standard', part: { numerator, denominator } });
const score: DerivedItem = {
  id: 'strain',
  name: 'Strain',
  why: 'To test.',
  from: ['energy', 'stress'],
  reversed: ['energy'],
  levels: [
    { name: 'Low', least: 2 },
    { name: 'High', least: 5 },
  ],
  favourable: 'low',
};
const derived = (change: object) => ({ ...good, derived: [{ ...score, ...change }] });
const levels = (...least: unknown[]) =>
  derived({ levels: least.map((from, i) => ({ name: `Level ${i}`, least: from })) });

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
    testSheet({ noise: TEST_NOISE.both }),
    testSheet({ cadence: 'weekly' }),
    points(LIGHT_WORDS, guessSentence(good)),
    noise({ preset: 'standard', part: { numerator: 4, denominator: 1 } }),
    noise({
      preset: 'standard',
      part: { numerator: 1, denominator: 1_000_000 },
      variance: { numerator: 8_000_000, denominator: 1 },
    }),
    derived({}),
    derived({
      from: ['energy'],
      reversed: [],
      levels: score.levels.map((l, i) => ({ ...l, least: 1 + 2 * i })),
    }),
    { ...good, deadline_days: 1 },
    { ...good, deadline_days: 60 },
    questions({ options: ['No', 'Yes'], bands: [150, 168] }),
    questions({ options }),
    {
      ...good,
      questions: Array.from({ length: 50 }, (_, i) => ({ ...question, id: `q${i}` })),
    },
  ]) {
    expect(parseSheet(sheet)).toEqual(sheet);
  }
});

test('a notice without what its noise can and cannot do is refused with the sentences', () => {
  const silent = points('It is a test.');
  expect(() => parseSheet(silent)).toThrow(guessSentence(good));
  expect(() => parseSheet(silent)).toThrow(LIGHT_WORDS);
  expect(() => parseSheet({ ...strong, notice: silent.notice })).toThrow(guessSentence(strong));
  expect(() => parseSheet({ ...strong, notice: good.notice })).toThrow('expected');
  // What was approved before the notice had to say it is read all the same.
  expect(storedSheet(encodeSheet(silent))).toEqual(silent);
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
    ['notice.points', points('It is a test.', LIGHT_WORDS)],
    ['notice.points', points('It is a test.', guessSentence(good))],
    ['notice.points', points('It is a test.', `${guessSentence(good)} Or less.`, LIGHT_WORDS)],
    ['notice.points.3', points(...good.notice.points, guessSentence(strong))],
    ['notice.points.2', { ...strong, notice: good.notice }],
    ['notice.points.1', { ...good, cadence: 'weekly' }],
    ['recipients', { ...good, recipients: [] }],
    ['recipients.0', { ...good, recipients: [''] }],
    ['k', { ...good, k: 7 }],
    ['k', { ...good, k: 4001 }],
    ['k', { ...good, k: 0 }],
    ['k', { ...good, k: -8 }],
    ['k', { ...good, k: 10.5 }],
    ['k', { ...good, k: '8' }],
    ['noise.preset', noise({ preset: 'weak' })],
    ['noise.part', part(0, 1)],
    ['noise.part.numerator', part(-1, 1)],
    ['noise.part.denominator', part(1, 1e9)],
    ['noise.part.denominator', part(1, 0)],
    ['noise.part', part(2, 4)],
    ['noise.part', part(41, 10)],
    ['noise.part', noise({ preset: 'strong', part: { numerator: 3, denominator: 2 }, by: 'both' })],
    ['noise.part', noise({ part: { numerator: 1, denominator: 1 } })],
    ['noise.variance', noise({ variance: { numerator: 4, denominator: 1 } })],
    ['noise.variance', noise({ variance: { numerator: 6, denominator: 1 } })],
    ['noise.variance', noise({ variance: { numerator: 10, denominator: 2 } })],
    ['noise.variance.numerator', noise({ variance: { numerator: 5.5, denominator: 1 } })],
    ['noise.variance.denominator', noise({ variance: { numerator: 5, denominator: 0 } })],
    ['noise.variance.denominator', noise({ variance: { numerator: 5e9, denominator: 1e9 } })],
    ['noise.variance.numerator', noise({ variance: { numerator: -5, denominator: 1 } })],
    // The whole account, quarterly: 8 and not 5.
    ['noise.variance', noise({ ...TEST_NOISE.both, variance: good.noise.variance })],
    ['noise.by', noise({ by: 'both' })],
    ['noise.by', noise({ by: 'nobody' })],
    ['noise.by', noise({ ...TEST_NOISE.both, by: 'guardian' })],
    ['questions.0.bands', questions({ bands: [200] })],
    ['questions.0.bands', questions({ bands: [235, 200] })],
    ['questions.0.bands', questions({ bands: [200, 300] })],
    ['questions.0.bands.0', questions({ bands: [100, 200] })],
    ['questions', derived({ id: 'energy' })],
    ['derived.0', derived({ from: ['energy', 'mood'] })],
    ['derived.0', derived({ from: ['energy', 'energy'], reversed: [] })],
    ['derived.0', derived({ from: ['stress'] })],
    ['derived.0', derived({ reversed: ['energy', 'energy'] })],
    ['derived.0', levels(1, 5)],
    ['derived.0', levels(3, 5)],
    ['derived.0', levels(2, 2)],
    ['derived.0', levels(2, 7)],
    ['derived.0.levels', levels(2)],
    ['derived.0.levels.1.least', levels(2, 4.5)],
    ['derived.0.name', derived({ name: '' })],
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
