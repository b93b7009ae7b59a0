import type { RoundStore } from '../storage/rounds.ts';
import type { Contexts } from './task-context.ts';

/** First day of the newest round of a sheet, or undefined if it has none. */
export function lastStart(
  parts: { readonly rounds: RoundStore; readonly contexts: Contexts },
  sheetHash: Uint8Array,
): number | undefined {
  const last = parts.rounds.ofSheet(sheetHash).at(-1);
  return last && parts.contexts.round(last.manifestHash).head.days.start;
}
