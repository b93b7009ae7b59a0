import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { requireIncreasing } from '../../../crypto/dap/types.ts';
import { codeOf } from '../support.ts';

const extensions = (...types: readonly number[]) =>
  types.map((extensionType) => ({ extensionType, extensionData: new Uint8Array(0) }));

describe('requireIncreasing', () => {
  it.each([[[]], [[0]], [[0, 1]], [[1, 2, 0xffff]]])('takes %j', (types) => {
    expect(codeOf(() => requireIncreasing(extensions(...types)))).toBeUndefined();
  });

  it.each([[[0, 0]], [[1, 0]], [[1, 2, 2]], [[1, 3, 2]], [[0xffff, 0]]])('refuses %j', (types) => {
    expect(codeOf(() => requireIncreasing(extensions(...types)))).toBe('decode');
  });

  it('takes exactly what sorting and dropping duplicates leaves as it is', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(6), { maxLength: 5 }), (types) => {
        const sorted = [...new Set(types)].sort((a, b) => a - b);
        const isSorted = JSON.stringify(sorted) === JSON.stringify(types);
        const code = codeOf(() => requireIncreasing(extensions(...types)));
        expect(code).toBe(isSorted ? undefined : 'decode');
      }),
    );
  });
});
