import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Turns } from '../domain/turns.ts';

/** The longest that one turn of long work may hold up other requests. */
const TURN_MS = 10;

/** Lets waiting requests through, between two things that each take a while. */
export function pause(): Promise<void> {
  return nextTurn();
}

/** Runs work that comes in steps, letting waiting requests through about every 10 ms. */
export async function inTurns<T>(work: Turns<T>): Promise<T> {
  let turnStarted = performance.now();
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
    if (performance.now() - turnStarted > TURN_MS) {
      await nextTurn();
      turnStarted = performance.now();
    }
  }
}

/** Maps items in order, letting waiting requests through about every 10 ms. */
export async function paced<T, R>(
  items: readonly T[],
  work: (item: T, index: number) => R,
): Promise<R[]> {
  const out: R[] = [];
  let turnStarted = performance.now();
  for (const [index, item] of items.entries()) {
    if (performance.now() - turnStarted > TURN_MS) {
      await nextTurn();
      turnStarted = performance.now();
    }
    out.push(work(item, index));
  }
  return out;
}
