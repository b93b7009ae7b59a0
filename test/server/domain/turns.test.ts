import { describe, expect, test } from 'vitest';
import { inTurns, paced } from '../../../server/aggregator/paced.ts';
import { atOnce, type Turns } from '../../../server/domain/turns.ts';

function* counting(to: number, spendMs = 0): Turns<number> {
  for (let i = 0; i < to; i++) {
    const end = performance.now() + spendMs;
    while (performance.now() < end);
    yield;
  }
  return to;
}

function* failing(): Turns<number> {
  yield;
  throw new RangeError('no');
}

/** How often others had a turn while this ran. */
async function turnsDuring(work: Promise<unknown>): Promise<number> {
  let turns = 0;
  let done = false;
  const other = (): void => {
    turns++;
    if (!done) setImmediate(other);
  };
  setImmediate(other);
  await work;
  done = true;
  return turns;
}

describe('work in turns', () => {
  test('comes to the same, at once or with pauses', async () => {
    expect(atOnce(counting(3))).toBe(3);
    expect(await inTurns(counting(3))).toBe(3);
    expect(atOnce(counting(0))).toBe(0);
  });

  test('throws what it throws', async () => {
    expect(() => atOnce(failing())).toThrow(RangeError);
    await expect(inTurns(failing())).rejects.toThrow(RangeError);
  });

  test('lets others have a turn when it takes long, and does not when it is short', async () => {
    expect(await turnsDuring(inTurns(counting(40, 2)))).toBeGreaterThanOrEqual(4);
    expect(
      await turnsDuring(paced(Array(40).fill(2), () => atOnce(counting(1, 2)))),
    ).toBeGreaterThanOrEqual(4);
    expect(await turnsDuring(inTurns(counting(40)))).toBeLessThanOrEqual(2);
  });

  test('keeps the order and the places of a list', async () => {
    expect(await paced(['a', 'b', 'c'], (item, i) => `${item}${i}`)).toEqual(['a0', 'b1', 'c2']);
    expect(await paced([], () => 1)).toEqual([]);
  });
});
