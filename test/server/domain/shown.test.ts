import { describe, expect, it } from 'vitest';
import type { Cell } from '../../../server/domain/gate.ts';
import { cellWords, dayWords, shortDay } from '../../../server/domain/shown.ts';

const number = (value: number, low: number, high: number, error: number) =>
  ({ state: 'number', value, low, high, error }) as Cell;
const band = (side: string, low: number, high: number) =>
  ({ state: 'band', side, low, high }) as Cell;

describe('cellWords', () => {
  it.each([
    ['share', number(0.4, 0.3, 0.5, 0.04), '40%', '30% to 50%', '4%'],
    ['share', number(0.05, 0.05, 0.1, 0.006), '5% or less', '5% to 10%', '0.6%'],
    ['share', number(0.95, 0.85, 0.95, 0.02), '95% or more', '85% to 95%', '2%'],
    ['scale', number(3, 2.8, 3.2, 0.05), '3.0', '2.8 to 3.2', '0.05'],
    ['share', band('under', 0, 0.4), 'under 40%', null, null],
    ['share', band('between', 0.4, 0.7), '40% to 70%', null, null],
    ['share', band('over', 0.7, 1), 'over 70%', null, null],
    ['scale', band('between', 3, 3.7), '3.0 to 3.7', null, null],
    ['scale', band('over', 3.7, 5), 'over 3.7', null, null],
    [
      'scale',
      { state: 'gap', words: 'too noisy to tell' } as Cell,
      'too noisy to tell',
      null,
      null,
    ],
  ] as const)('%s: %j is “%s”', (unit, cell, words, interval, error) => {
    expect(cellWords(cell, unit)).toEqual({ state: cell.state, words, interval, error });
  });
});

it('writes days out, and short', () => {
  expect(dayWords(20_515)).toBe('3 March 2026');
  expect(shortDay(20_515)).toBe('3 Mar 2026');
});
