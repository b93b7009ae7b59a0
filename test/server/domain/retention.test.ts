import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { utf8 } from '../../../crypto/bytes.ts';
import {
  checkDays,
  decodeChange,
  encodeChange,
  RETENTIONS,
  RetentionRefused,
  retentionKind,
  scopeWords,
} from '../../../server/domain/retention.ts';

describe.each(RETENTIONS)('$kind', ({ kind, days, least, most, ...words }) => {
  test('has a default within its bounds, and words', () => {
    expect(least).toBeGreaterThanOrEqual(1);
    expect(days).toBeGreaterThanOrEqual(least);
    expect(days).toBeLessThanOrEqual(most);
    for (const text of [words.label, words.holds, words.from, words.consequence]) {
      expect(text).not.toBe('');
    }
    expect(retentionKind(kind)).toBe(kind);
  });

  test('takes exactly the whole days within its bounds', () => {
    for (const good of [least, days, most]) checkDays(kind, good);
    for (const bad of [least - 1, most + 1, 0, -1, least + 0.5, Number.NaN, Infinity, 10_000]) {
      expect(() => checkDays(kind, bad)).toThrow(RetentionRefused);
    }
  });

  test('takes no more than its scope allows', () => {
    checkDays(kind, least, least);
    if (most > least) expect(() => checkDays(kind, least + 1, least)).toThrow(RetentionRefused);
  });
});

test('a change is read back as it was written, and as nothing else', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...RETENTIONS.map(({ kind }) => kind)),
      fc.integer({ min: 1 }),
      fc.integer({ min: 1, max: 3650 }),
      fc.option(fc.uint8Array({ minLength: 32, maxLength: 32 })),
      fc.nat(),
      (kind, number, days, sheet, place) => {
        const change = { kind, number, days, sheet };
        const bytes = encodeChange(change);
        expect(decodeChange(bytes)).toEqual(change);
        const at = place % bytes.length;
        expect(decodeChange(bytes.subarray(0, at))).toBeUndefined();
        const altered = bytes.map((byte, i) => (i === at ? byte ^ 1 : byte));
        const other = decodeChange(altered);
        if (other !== undefined) expect(encodeChange(other)).toEqual(altered);
      },
    ),
  );
});

test.each(['', 'null', '[]', '7', '{"kind":"constructor"}', '\u0000'])(
  '“%s” is no change',
  (text) => {
    expect(decodeChange(utf8(text))).toBeUndefined();
  },
);

test('a setting is named with its survey', () => {
  expect(scopeWords('mail', null)).toBe('Mail queue');
  expect(scopeWords('trends', 'How are you?')).toBe('Published trends of “How are you?”');
});
