/**
 * Does `work` for each item, begun in their order. One that fails does not keep the others from being
 * done, unless the other party does not answer at all.
 * @param atOnce how many are under way at a time
 * @returns whether anything got done
 * @throws what the first failure threw, once all were tried
 */
export async function each<T>(
  items: readonly T[],
  peer: { readonly answered: boolean },
  work: (item: T) => Promise<boolean>,
  atOnce = 1,
): Promise<boolean> {
  const waiting = items.values();
  const failures: unknown[] = [];
  let progress = false;
  let away = false;
  const inTurn = async () => {
    for (const item of waiting) {
      try {
        if (await work(item)) progress = true;
      } catch (error) {
        failures.push(error);
        away ||= !peer.answered;
      }
      if (away) return;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, inTurn));
  if (failures.length > 0) throw failures[0];
  return progress;
}
