/**
 * Does `work` for each item in turn. One that fails does not keep the others from being done, unless
 * the other party does not answer at all.
 * @returns whether anything got done
 * @throws what the first failure threw, once all were tried
 */
export async function each<T>(
  items: readonly T[],
  peer: { readonly answered: boolean },
  work: (item: T) => Promise<boolean>,
): Promise<boolean> {
  let progress = false;
  const failures: unknown[] = [];
  for (const item of items) {
    try {
      if (await work(item)) progress = true;
    } catch (error) {
      failures.push(error);
      if (!peer.answered) break;
    }
  }
  if (failures.length > 0) throw failures[0];
  return progress;
}
