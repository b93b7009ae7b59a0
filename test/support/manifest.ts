import {
  type ManifestHead,
  type PlannedGroup,
  planEntry,
  planHead,
} from '../../crypto/manifest.ts';
import type { Sheet } from '../../crypto/sheet.ts';

/** Head and entries of a whole manifest, as a guardian plans them. */
export function planManifest(
  shared: Omit<ManifestHead, 'groups' | 'root'>,
  sheet: Sheet,
  groups: readonly PlannedGroup[],
): { head: Uint8Array; entries: readonly Uint8Array[] } {
  const entries = groups.map((group, index) => planEntry(shared, sheet, group, index));
  return { head: planHead(shared, entries), entries };
}
