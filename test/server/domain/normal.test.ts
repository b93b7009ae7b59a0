import { expect, it } from 'vitest';
import { standardNormal } from '../../../server/domain/normal.ts';

// From tables of Φ (Abramowitz and Stegun, table 26.1).
it.each([
  [0, 0.5],
  [0.5, 0.691462461274013],
  [1, 0.841344746068543],
  [1.959963984540054, 0.975],
  [2.575829303548901, 0.995],
  [4, 0.999968328758167],
  [6.5, 1],
])('Φ(%d) = %d', (x, probability) => expect(standardNormal(x)).toBeCloseTo(probability, 9));

it('rises without a step where the series ends', () => {
  for (let x = 5.9; x < 6.1; x += 0.01) {
    expect(standardNormal(x + 0.01)).toBeGreaterThanOrEqual(standardNormal(x));
  }
});
