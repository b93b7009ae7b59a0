import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, utf8 } from '../../crypto/bytes.ts';
import { canonicalJson } from '../../crypto/canonical.ts';
import { sha256 } from '../../crypto/sha256.ts';
import {
  blockLengths,
  type DerivedItem,
  levelOf,
  measurementOf,
  type Question,
  type Sheet,
  sheetWithHash,
} from '../../crypto/sheet.ts';
import { codeOf, expectCode } from './support.ts';

const question = (...options: readonly string[]): Question => ({
  id: 'energy',
  name: 'Energy',
  text: 'How?',
  why: 'So.',
  options,
  favourable: 'high',
  bands: [200, 235],
});
const sheet: Sheet = {
  version: 1,
  title: 'A test',
  purpose: 'To test.',
  notice: { employer: 'E', guardian: 'G', contact: 'C', points: ['One.', 'Two.'] },
  recipients: ['R'],
  k: 10,
  noise: {
    preset: 'light',
    part: { numerator: 0, denominator: 1 },
    variance: { numerator: 5, denominator: 1 },
    by: 'guardian',
  },
  cadence: 'quarterly',
  schedule: { first_day: 20_000, round_days: 14 },
  response_percent: 60,
  retention: { trends_days: 100 },
  deadline_days: 7,
  end_day: 30_000,
  questions: [question('a', 'b'), question('a', 'b', 'c', 'd', 'e')],
  derived: [],
};
const open = (value: unknown) => {
  const bytes = canonicalJson(value);
  return sheetWithHash(bytes, sha256(bytes));
};

/** Paths to every value in a JSON value, the value itself as an empty path. */
function pathsIn(value: unknown): string[][] {
  if (typeof value !== 'object' || value === null) return [[]];
  return [
    [],
    ...Object.entries(value).flatMap(([key, inner]) =>
      pathsIn(inner).map((path) => [key, ...path]),
    ),
  ];
}

/** A copy with another value at a path; without it if that is undefined. */
function changed(value: unknown, path: readonly string[], to: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return to;
  const copy = structuredClone(value) as Record<string, unknown>;
  const inner = changed(copy[key], rest, to);
  if (inner === undefined && !Array.isArray(copy)) delete copy[key];
  else copy[key] = inner;
  return copy;
}

describe('a sheet', () => {
  it('has one place more for each question than it has options', () => {
    expect(blockLengths(sheet)).toEqual([3, 6]);
    expect(blockLengths({ ...sheet, questions: [] })).toEqual([]);
  });

  it('is taken only with its whole hash', () => {
    const bytes = canonicalJson(sheet);
    const hash = sha256(bytes);
    expect(sheetWithHash(bytes, hash)).toEqual(sheet);
    const others = [
      new Uint8Array(0),
      hash.slice(1),
      hash.slice(0, 31),
      concat(hash, Uint8Array.of(0)),
      hash.map((byte, i) => (i === 31 ? byte ^ 1 : byte)),
    ];
    for (const other of others) expect(sheetWithHash(bytes, other)).toBeUndefined();
    expect(sheetWithHash(concat(bytes, utf8(' ')), hash)).toBeUndefined();
  });

  it('is canonical JSON, whatever was signed', () => {
    for (const text of ['{"b":1,"a":1}', '{', '']) {
      expectCode('decode', () => sheetWithHash(utf8(text), sha256(utf8(text))));
    }
  });

  it('has every field, of its kind, and no other', () => {
    for (const path of pathsIn(sheet)) {
      const where = path.join('.');
      // No field takes two of these; a list takes an empty one.
      const taken = [7, 'seven', [], {}, null].filter(
        (value) => codeOf(() => open(changed(sheet, path, value))) === undefined,
      );
      expect(taken.length, where).toBeLessThanOrEqual(1);
      for (const value of [-1, true]) {
        expect(
          codeOf(() => open(changed(sheet, path, value))),
          where,
        ).toBe('manifest');
      }
      const isElement = /^\d+$/.test(path.at(-1) ?? '0');
      if (!isElement) {
        expect(
          codeOf(() => open(changed(sheet, path, undefined))),
          where,
        ).toBe('manifest');
      }
    }
    for (const path of ['more', 'notice.more', 'noise.variance.more', 'questions.0.more']) {
      expect(codeOf(() => open(changed(sheet, path.split('.'), 1)))).toBe('manifest');
    }
  });

  it.each<[string, unknown]>([
    ['version', 2],
    ['cadence', 'daily'],
    ['noise.by', 'employer'],
    ['questions.0.favourable', 'middle'],
    ['k', 'ten'],
  ])('is refused with %s = %s', (path, value) => {
    expectCode('manifest', () => open(changed(sheet, path.split('.'), value)));
  });

  it.each([
    ['cadence', ['weekly', 'fortnightly', 'monthly', 'quarterly']],
    ['noise.by', ['guardian', 'both']],
    ['questions.1.favourable', ['high', 'low']],
  ])('takes every %s there is', (path, values) => {
    for (const value of values) expect(open(changed(sheet, path.split('.'), value))).toBeDefined();
  });

  it('is taken or refused as `manifest`, whatever JSON was signed', () => {
    const json = fc.jsonValue({ noUnicodeString: false }).filter((value) => {
      return codeOf(() => canonicalJson(value)) === undefined;
    });
    fc.assert(
      fc.property(fc.constantFrom(...pathsIn(sheet)), json, (path, value) => {
        expect([undefined, 'manifest']).toContain(codeOf(() => open(changed(sheet, path, value))));
      }),
      { numRuns: 150 },
    );
  });
});

describe('a derived item', () => {
  const item: DerivedItem = {
    id: 'score',
    name: 'Score',
    why: 'Y',
    from: ['q0', 'q1'],
    reversed: ['q1'],
    levels: [
      { name: 'low', least: 2 },
      { name: 'middle', least: 4 },
      { name: 'high', least: 7 },
    ],
    favourable: 'low',
  };
  const scored: Sheet = {
    ...sheet,
    questions: [2, 5, 3].map((options, i) => ({
      ...question(...Array.from({ length: options }, (_, o) => `o${o}`)),
      id: `q${i}`,
    })),
    derived: [item],
  };

  it('is one more block behind the questions, with a place for "not known"', () => {
    expect(blockLengths(scored)).toEqual([3, 6, 4, 4]);
  });

  it.each([
    // 1 + (5 − 4) = 2, the smallest sum; 2 + 5 = 7, the largest
    [[0, 4, 0], 0],
    [[0, 2, 2], 1],
    [[1, 4, 1], 0],
    [[1, 3, 3], 1],
    [[1, 1, 0], 1],
    [[1, 0, 0], 2],
    // "prefer not to say" to one of its questions, and to another
    [[2, 0, 0], 3],
    [[1, 5, 0], 3],
    [[1, 0, 3], 2],
  ])('of the places %j is level %i', (places, level) => {
    expect(levelOf(scored, item, places)).toBe(level);
    expect(measurementOf(scored, places)).toEqual([...places, level]);
  });
});
