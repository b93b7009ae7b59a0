import { CryptoError } from '../../errors.ts';

/**
 * An aggregate of which each element counts measurements, as numbers.
 * @throws CryptoError `invalid_argument` if one is above `measurementCount`: the shares do not
 * belong together, or noise was added to them
 */
export function decodeCounts(aggregate: readonly bigint[], measurementCount: number): number[] {
  return aggregate.map((count) => {
    if (count > BigInt(measurementCount)) {
      throw new CryptoError('invalid_argument', 'a count exceeds the number of measurements');
    }
    return Number(count);
  });
}
