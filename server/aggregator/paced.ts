import { setImmediate as nextTurn } from 'node:timers/promises';

/** The longest that one turn of long work may hold up other requests. */
const TURN_MS = 10;

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
