import type { Randomness } from '../../crypto/random.ts';

/** Reports of one lot, in units of the sheet's k; the last lot may have nearly twice as many. */
const LOT_SIZE_IN_K = 25;
/** The most reports of a lot where that is not fewer than k: twice as many still fit one request. */
const LOT_SIZE_MAX = 4_000;

/** A uniform integer in 0 … bound − 1, for 1 ≤ bound ≤ 2^32, by rejection. */
function uniform(bound: number, randomness: Randomness): number {
  const limit = 2 ** 32 - (2 ** 32 % bound);
  for (;;) {
    const bytes = randomness(4);
    const draw = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
    if (draw < limit) return draw % bound;
  }
}

/** The items in a uniformly random order, in a new array (Fisher and Yates). */
export function shuffle<T>(items: readonly T[], randomness: Randomness): T[] {
  const out = [...items];
  for (let i = out.length - 1; i > 0; i--) {
    const j = uniform(i + 1, randomness);
    [out[i], out[j]] = [out[j] as T, out[i] as T];
  }
  return out;
}

/**
 * The lots that a group is counted in: the reports shuffled once and cut into lots of 25·k (4,000
 * at most), the rest merged into the last, so that no lot of a group with k reports or more holds
 * fewer than k.
 */
export function planLots<T>(reports: readonly T[], k: number, randomness: Randomness): T[][] {
  const shuffled = shuffle(reports, randomness);
  const size = Math.max(k, Math.min(LOT_SIZE_IN_K * k, LOT_SIZE_MAX));
  const lots = Math.max(1, Math.floor(shuffled.length / size));
  return Array.from({ length: lots }, (_, lot) =>
    shuffled.slice(lot * size, lot === lots - 1 ? undefined : (lot + 1) * size),
  );
}

/**
 * How many of a group's `sent` reports the employer may refuse before the group is withheld: more
 * would let it choose who counts, fewer would let two employees veto a group.
 */
export function refusalCap(sent: number): number {
  return Math.max(3, Math.floor(sent * 0.05));
}
