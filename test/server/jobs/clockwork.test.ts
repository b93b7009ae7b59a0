import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Clockwork, type Step } from '../../../server/jobs/clockwork.ts';

const INTERVAL = 1000;

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A step that says how often it ran and does what it is told next. */
function step(name: string, run: (times: number) => Promise<boolean> | boolean = () => false) {
  const made = {
    name,
    times: 0,
    async run() {
      made.times++;
      return run(made.times);
    },
  };
  return made satisfies Step;
}

/** Something to wait for, in the hands of the test. */
function gate() {
  let open: () => void = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { passed, open };
}

const settle = () => vi.advanceTimersByTimeAsync(0);

describe('clockwork', () => {
  test('runs every step at the start, and again after each interval', async () => {
    const steps = [step('a'), step('b')] as const;
    const work = new Clockwork(steps, INTERVAL, () => {});
    await settle();
    expect(steps.map(({ times }) => times)).toEqual([0, 0]);
    work.start();
    await settle();
    expect(steps.map(({ times }) => times)).toEqual([1, 1]);
    await vi.advanceTimersByTimeAsync(INTERVAL - 1);
    expect(steps.map(({ times }) => times)).toEqual([1, 1]);
    await vi.advanceTimersByTimeAsync(1);
    expect(steps.map(({ times }) => times)).toEqual([2, 2]);
    await work.stop();
  });

  test('runs all steps, one after the other, until none gets anything done', async () => {
    const order: string[] = [];
    const a = step('a', (times) => {
      order.push('a');
      return times < 3;
    });
    const b = step('b', () => {
      order.push('b');
      return false;
    });
    const work = new Clockwork([a, b], INTERVAL, () => {});
    work.start();
    await settle();
    expect(order.join('')).toBe('ababab');
    await work.stop();
  });

  test('a failing step stops neither the others nor the next turn', async () => {
    const errors: [string, unknown][] = [];
    const fault = new Error('fault');
    const bad = step('bad', () => {
      throw fault;
    });
    const good = step('good');
    const work = new Clockwork([bad, good], INTERVAL, (name, error) => errors.push([name, error]));
    work.start();
    await settle();
    expect(errors).toEqual([['bad', fault]]);
    expect(good.times).toBe(1);
    await vi.advanceTimersByTimeAsync(INTERVAL);
    expect([bad.times, good.times]).toEqual([2, 2]);
    await work.stop();
  });

  test('nudges while it runs lead to one more turn, at once', async () => {
    const held = gate();
    const slow = step('slow', async (times) => {
      if (times === 1) await held.passed;
      return false;
    });
    const work = new Clockwork([slow], INTERVAL, () => {});
    work.start();
    await settle();
    for (let i = 0; i < 5; i++) work.nudge();
    await settle();
    expect(slow.times).toBe(1);
    held.open();
    await settle();
    expect(slow.times).toBe(2);
    await work.stop();
  });

  test('a nudge between turns runs at once and puts off the next interval', async () => {
    const only = step('only');
    const work = new Clockwork([only], INTERVAL, () => {});
    work.start();
    await settle();
    await vi.advanceTimersByTimeAsync(INTERVAL - 1);
    work.nudge();
    await settle();
    expect(only.times).toBe(2);
    await vi.advanceTimersByTimeAsync(INTERVAL - 1);
    expect(only.times).toBe(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(only.times).toBe(3);
    await work.stop();
  });

  test('stop waits for what is under way, and takes up nothing after it', async () => {
    const held = gate();
    const slow = step('slow', async () => {
      await held.passed;
      return true;
    });
    const next = step('next');
    const work = new Clockwork([slow, next], INTERVAL, () => {});
    work.start();
    await settle();
    let stopped = false;
    const stopping = work.stop().then(() => {
      stopped = true;
    });
    await settle();
    expect(stopped).toBe(false);
    held.open();
    await stopping;
    work.nudge();
    await vi.advanceTimersByTimeAsync(10 * INTERVAL);
    expect([slow.times, next.times]).toEqual([1, 0]);
  });

  test('one that was never started does nothing', async () => {
    const only = step('only');
    const work = new Clockwork([only], INTERVAL, () => {});
    work.nudge();
    await vi.advanceTimersByTimeAsync(INTERVAL);
    await work.stop();
    expect(only.times).toBe(0);
  });
});
