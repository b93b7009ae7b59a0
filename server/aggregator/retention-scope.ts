import type { RetentionScope } from '../domain/retention.ts';
import { storedSheet } from '../domain/sheets.ts';
import type { RetentionStore } from '../storage/retention.ts';
import type { SheetStore } from '../storage/sheets.ts';

/** What is said of a setting: for a survey, its title and its sheet's own days. */
export interface ScopeFacts {
  /** null for the installation. */
  readonly title: string | null;
  /** Days in force. */
  readonly days: number;
  /** The most that the scope allows, if it is less than the kind does. */
  readonly most: number | undefined;
}

/** @returns undefined if there is no such sheet, or it was never approved */
export function scopeFacts(
  parts: { readonly sheets: SheetStore; readonly retention: RetentionStore },
  scope: RetentionScope,
): ScopeFacts | undefined {
  const { retention } = parts;
  if (scope.sheet === null) return { title: null, days: retention.days(scope), most: undefined };
  const stored = parts.sheets.withHash(scope.sheet);
  if (stored?.state !== 'approved' && stored?.state !== 'retired') return undefined;
  const sheet = storedSheet(stored.bytes);
  const { trends_days } = sheet.retention;
  return {
    title: sheet.title,
    days: retention.days(scope, trends_days),
    most: retention.most(scope, trends_days),
  };
}
