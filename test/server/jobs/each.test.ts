import { expect, test } from 'vitest';
import { each } from '../../../server/jobs/each.ts';

const PRESENT = { answered: true };

test('does all in turn, and tells whether anything got done', async () => {
  const done: number[] = [];
  const work = async (item: number) => {
    done.push(item);
    return item === 2;
  };
  expect(await each([1, 2, 3], PRESENT, work)).toBe(true);
  expect(done).toEqual([1, 2, 3]);
  expect(await each([1, 3], PRESENT, work)).toBe(false);
  expect(await each([], PRESENT, work)).toBe(false);
});

test('so many at once, begun in their order', async () => {
  const events: string[] = [];
  const work = async (item: number) => {
    events.push(`begin ${item}`);
    await new Promise((resolve) => setTimeout(resolve, item === 1 ? 20 : 1));
    events.push(`end ${item}`);
    return true;
  };
  expect(await each([1, 2, 3, 4], PRESENT, work, 2)).toBe(true);
  expect(events.slice(0, 2)).toEqual(['begin 1', 'begin 2']);
  expect(events.at(-1)).toBe('end 1');
  expect(events).toHaveLength(8);
});

test('one that fails keeps no other from being done; the first failure is thrown', async () => {
  const done: number[] = [];
  const work = async (item: number) => {
    done.push(item);
    if (item % 2 === 1) throw new Error(`fault ${item}`);
    return true;
  };
  await expect(each([1, 2, 3, 4], PRESENT, work)).rejects.toThrow('fault 1');
  expect(done).toEqual([1, 2, 3, 4]);
});

test('where the other party does not answer at all, the rest is not tried', async () => {
  const peer = { answered: true };
  const done: number[] = [];
  const work = async (item: number) => {
    done.push(item);
    if (item < 2) return true;
    peer.answered = false;
    throw new Error('away');
  };
  await expect(each([1, 2, 3], peer, work)).rejects.toThrow('away');
  expect(done).toEqual([1, 2]);
  peer.answered = true;
  done.length = 0;
  await expect(each([1, 2, 3, 4, 5], peer, work, 2)).rejects.toThrow('away');
  expect(done).toEqual([1, 2, 3]);
});
