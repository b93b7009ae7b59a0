import { describe, expect, test } from 'vitest';
import { chance, seededRandomness, spread } from '../../../server/evaluation/seeded.ts';

describe('seeded randomness', () => {
  test('is the same for the same seed and label, and goes on where it was', () => {
    const draw = () => {
      const randomness = seededRandomness('seed', 'report', 1, 'Team');
      return [randomness(32), randomness(100), randomness(1)];
    };
    expect(draw()).toEqual(draw());
    const [first, second] = draw() as [Uint8Array, Uint8Array];
    expect(second.subarray(0, 32)).not.toEqual(first);
  });

  test.each([0, 1, 63, 64, 65, 1000])('gives %i bytes', (length) => {
    expect(seededRandomness('seed')(length)).toHaveLength(length);
  });

  test('differs with the seed and with every part of the label', () => {
    const all = [
      seededRandomness('a', 'b', 'c'),
      seededRandomness('a', 'b', 'd'),
      seededRandomness('b', 'b', 'c'),
      seededRandomness('a', 'bc'),
      seededRandomness('a', 'b', 'c', 1),
    ].map((randomness) => Buffer.from(randomness(32)).toString('hex'));
    expect(new Set(all).size).toBe(all.length);
  });
});

test('a chance is in [0, 1) and even; a spread is around 0 with deviation 1', () => {
  const n = 4000;
  const chances = Array.from({ length: n }, (_, i) => chance('seed', 'x', i));
  const spreads = Array.from({ length: n }, (_, i) => spread('seed', 'y', i));
  expect(Math.min(...chances)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...chances)).toBeLessThan(1);
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / n;
  expect(Math.abs(mean(chances) - 0.5)).toBeLessThan(0.03);
  expect(Math.abs(mean(spreads))).toBeLessThan(0.1);
  expect(Math.abs(mean(spreads.map((value) => value ** 2)) - 1)).toBeLessThan(0.15);
  expect(chance('seed', 'x', 1)).toBe(chance('seed', 'x', 1));
});
