import { expect, test } from 'vitest';
import { WITHHELD, WITHHELD_REASONS } from '../../../server/domain/withheld.ts';

test('every reason has words that end a sentence without saying who or how many', () => {
  expect(WITHHELD_REASONS).toHaveLength(8);
  for (const reason of WITHHELD_REASONS) {
    const words = WITHHELD[reason];
    expect(words).toMatch(/^[a-z]/);
    expect(words).not.toMatch(/[.\d]/);
  }
  expect(new Set(Object.values(WITHHELD)).size).toBe(WITHHELD_REASONS.length);
});
