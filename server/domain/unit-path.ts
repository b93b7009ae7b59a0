import { PlanError } from './plan-error.ts';

/**
 * Where a unit stands, written as people write it: "Northlight / Operations / Logistics", from the
 * company down. Every slash separates, with or without blanks around it, so a name holds none; nor
 * a semicolon, which separates paths where a manager has several units. Names are kept in Unicode
 * NFC with single blanks; two that differ in capitals alone are the same unit.
 */
export const PATH_SEPARATOR = ' / ';

/** UTF-16 code units of one name. */
const MAX_NAME = 100;
/** Levels from the company down. */
export const MAX_LEVELS = 32;

/** Control and format characters, line ends, private use, lone halves: never part of a text. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/u;
/** The same, but for the two joiners that some scripts need within a word. */
const UNPRINTABLE_BUT_JOINERS = /(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}]/u;

/** Whether a person's name holds something that no page can show. */
export function isUnprintable(name: string): boolean {
  return UNPRINTABLE_BUT_JOINERS.test(name);
}

/** In NFC, with single blanks and none at the ends. */
export function tidy(text: string): string {
  return text
    .normalize('NFC')
    .replace(/\p{Zs}+/gu, ' ')
    .trim();
}

/** One unit's own name. @throws PlanError `unit-path` */
export function unitName(text: string): string {
  if (UNPRINTABLE.test(text)) throw refuse('it holds a character that cannot be printed');
  const name = tidy(text);
  if (name === '') throw refuse('a name in it is empty');
  if (name.length > MAX_NAME) throw refuse(`a name in it has more than ${MAX_NAME} characters`);
  if (/[/;]/.test(name)) throw refuse('a name holds no slash and no semicolon');
  return name;
}

/**
 * The names from the company down to the unit.
 * @throws PlanError `unit-path` with the reason in words
 */
export function unitPath(text: string): string[] {
  const parts = text.split('/', MAX_LEVELS + 1);
  if (parts.length > MAX_LEVELS) throw refuse(`it has more than ${MAX_LEVELS} levels`);
  return parts.map(unitName);
}

/** Equal for names that mean the same unit. */
export function nameKey(name: string): string {
  return name.toLowerCase();
}

/** Equal for paths that mean the same unit. */
export function pathKey(path: readonly string[]): string {
  return path.map(nameKey).join('/');
}

export function showPath(path: readonly string[]): string {
  return path.join(PATH_SEPARATOR);
}

function refuse(why: string): PlanError {
  return new PlanError('unit-path', `the unit’s path cannot be read: ${why}`);
}
