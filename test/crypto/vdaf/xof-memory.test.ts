import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { sodium, sodiumReady } from '../../../crypto/sodium.ts';
import { Field64 } from '../../../crypto/vdaf/field.ts';
import { deriveSeed, expandIntoVec } from '../../../crypto/vdaf/xof.ts';
import { testBytes } from '../../support/vdaf-reports.ts';

beforeAll(sodiumReady);
afterEach(() => {
  vi.restoreAllMocks();
});

/** The part of libsodium's raw module that is watched. */
interface RawSodium {
  HEAPU8: Uint8Array;
  _malloc(length: number): number;
  _free(address: number): void;
}
const raw = () => (sodium as unknown as { libsodium: RawSodium }).libsodium;

/** Where libsodium would put blocks of some sizes now: elsewhere, once something has been kept. */
function placesOfNextBlocks(): number[] {
  const places = [16, 256, 4096, 1 << 16].map((size) => raw()._malloc(size));
  for (const place of places) raw()._free(place);
  return places;
}

/** At the 256 bytes a call that libsodium's wrappers lose, this would take 512 MB. */
const CALLS = 2_000_000;

test('two million calls leave libsodium’s memory as it was', { timeout: 60_000 }, () => {
  const seed = testBytes(32, 1);
  const dst = testBytes(46, 2);
  deriveSeed(seed, dst); // the first one allocates the block that all of them use
  const before = { size: raw().HEAPU8.length, places: placesOfNextBlocks() };
  const allocations = vi.spyOn(raw(), '_malloc');
  for (let i = 0; i < CALLS - 1000; i++) deriveSeed(seed, dst);
  for (let i = 0; i < 1000; i++) expandIntoVec(Field64, 600, seed, dst, seed);
  expect(allocations).not.toHaveBeenCalled();
  vi.restoreAllMocks();
  expect({ size: raw().HEAPU8.length, places: placesOfNextBlocks() }).toEqual(before);
});
