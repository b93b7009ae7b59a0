import {
  daysWords,
  type RetentionChange,
  type RetentionScope,
  scopeWords,
} from '../domain/retention.ts';
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

type ScopeParts = { readonly sheets: SheetStore; readonly retention: RetentionStore };

/** @returns undefined if there is no such sheet, or it was never approved */
export function scopeFacts(parts: ScopeParts, scope: RetentionScope): ScopeFacts | undefined {
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

/** "Mail queue: 14 days → 20 days", of a change that is not in force. */
export function changeWords(parts: ScopeParts, change: RetentionChange): string {
  const facts = scopeFacts(parts, change);
  const before = facts === undefined ? '' : `${daysWords(facts.days)} → `;
  return `${scopeWords(change.kind, facts?.title ?? null)}: ${before}${daysWords(change.days)}`;
}
