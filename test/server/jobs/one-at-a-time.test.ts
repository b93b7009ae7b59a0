import { expect, test } from 'vitest';
import { OneAtATime } from '../../../server/jobs/one-at-a-time.ts';

test('work begins when the work before it has ended, in the order in which it came', async () => {
  const turns = new OneAtATime();
  const said: string[] = [];
  const work = (name: string, ms: number) =>
    turns.run(async () => {
      said.push(`${name} begins`);
      await new Promise((resolve) => setTimeout(resolve, ms));
      said.push(`${name} ends`);
      return name;
    });
  expect(await Promise.all([work('a', 20), work('b', 1), work('c', 5)])).toEqual(['a', 'b', 'c']);
  expect(said).toEqual(['a', 'b', 'c'].flatMap((name) => [`${name} begins`, `${name} ends`]));
});

test('what one throws is its caller’s alone', async () => {
  const turns = new OneAtATime();
  const bad = turns.run(() => Promise.reject(new Error('on purpose')));
  const good = turns.run(async () => 'good');
  await expect(bad).rejects.toThrow('on purpose');
  expect(await good).toBe('good');
});
