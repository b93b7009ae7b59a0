import { toBase64url } from '../../crypto/bytes.ts';
import { canonicalJson, parseCanonicalJson } from '../../crypto/canonical.ts';
import type { Sheet } from '../../crypto/sheet.ts';

/** One group's released totals: what both parties sign and keep. */
export interface Published {
  /** The exact number of reports counted. */
  readonly count: number;
  /** Noised, signed; one for each option of each question in the sheet's order. */
  readonly totals: readonly number[];
}

/** Noise further out than this many standard deviations means a false share, not bad luck. */
const NOISE_BOUND_SDS = 11;

/** A result that cannot be true: the halves do not belong together, or one of them is false. */
export class ImplausibleResult extends Error {
  override readonly name = 'ImplausibleResult';
}

/**
 * The totals in a sum of both halves, read as signed integers.
 * @throws ImplausibleResult if one is further from 0 … count than noise can be
 */
export function plausibleTotals(
  sum: readonly bigint[],
  count: number,
  noise: Pick<Sheet['noise'], 'variance'>,
): number[] {
  const { numerator, denominator } = noise.variance;
  // √2 for two independent draws; taken always, as the bound has room to spare.
  const bound = count + Math.ceil(NOISE_BOUND_SDS * Math.sqrt((2 * numerator) / denominator));
  return sum.map((total) => {
    if (total > bound || total < -bound) {
      throw new ImplausibleResult(`a total outside ±${bound}`);
    }
    return Number(total);
  });
}

/** The bytes that both parties sign. */
export function encodePublished(taskId: Uint8Array, published: Published): Uint8Array {
  return canonicalJson({
    version: 1,
    task_id: toBase64url(taskId),
    count: published.count,
    totals: published.totals,
  });
}

/** Stored bytes that this program wrote itself. */
export function decodePublished(bytes: Uint8Array): Published {
  const { count, totals } = parseCanonicalJson(bytes) as unknown as Published;
  return { count, totals };
}
