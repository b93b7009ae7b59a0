import { isEmail, isTooLongEmail, tidyEmail } from './email.ts';
import { PlanError } from './plan-error.ts';
import { COLUMN_WORDS, COLUMNS_ARE, type Column, columnsOf } from './roster-columns.ts';
import { type CsvRow, csvRows, csvText, UnreadableFile } from './roster-csv.ts';
import { type Refusal, type RefusalCode, Refusals } from './roster-refusals.ts';
import { UnitNames } from './unit-names.ts';
import { isUnprintable, tidy } from './unit-path.ts';

/** Someone who may be asked. The roster stays at the employer; the guardian gets sizes of units. */
export interface Person {
  /** In small letters: two that differ in capitals are one. */
  readonly email: string;
  readonly name: string;
  /** Path of the one unit that the person stands directly at. */
  readonly unit: string;
  /** Paths of the units that the person manages, in order. */
  readonly managerOf: readonly string[];
  /** BCP 47, or null for the company's own. */
  readonly language: string | null;
}

/** A person as a row of a file has it. */
export interface RosterRow extends Person {
  /** Counted from 1, the header and blank rows too: as a spreadsheet numbers them. */
  readonly row: number;
}

/** What a file says. With any refusal, nothing of it is taken. */
export interface RosterReading {
  readonly rows: readonly RosterRow[];
  /** By row; the first hundred. */
  readonly refusals: readonly Refusal[];
  /** How many there are. */
  readonly refused: number;
}

const ROWS_A_REPORT = 5000;
/** A row's longest readable field, in UTF-16 code units. */
const MAX_FIELD = 4000;
const MAX_NAME = 200;

/**
 * Reads a roster from CSV: UTF-8 with or without byte order mark, comma or semicolon, a header in
 * any order and spelling of "e-mail, name, unit, manager of, language". Units that a person manages
 * are separated by semicolons and must have people at or under them.
 *
 * @param progress called every 5,000 rows, and at the end, with the rows read so far
 */
export function parseRoster(
  input: Uint8Array | string,
  progress: (rows: number) => void = () => {},
): RosterReading {
  const refusals = new Refusals();
  const rows: RosterRow[] = [];
  try {
    const lines = csvRows(typeof input === 'string' ? input : csvText(input));
    const header = lines.next();
    if (header.done === true) throw new UnreadableFile(1, `The file is empty. ${COLUMNS_ARE}`);
    const columns = columnsOf(header.value, refusals);
    if (columns !== undefined) readRows(lines, columns, rows, refusals, progress);
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    refusals.add(error.row, 'unreadable', error.message);
  }
  if (refusals.count > 0) return { rows: [], refusals: refusals.shown(), refused: refusals.count };
  return { rows, refusals: [], refused: 0 };
}

function readRows(
  lines: Iterable<CsvRow>,
  columns: readonly Column[],
  rows: RosterRow[],
  refusals: Refusals,
  progress: (rows: number) => void,
): void {
  const units = new UnitNames();
  const people = new Map<string, { row: number; unit: string }>();
  let read = 0;
  for (const { row, fields } of lines) {
    if (++read % ROWS_A_REPORT === 0) progress(read);
    const person = personOf(row, fields, columns, units, refusals);
    if (person === undefined) continue;
    const { email, unit } = person;
    const earlier = people.get(email);
    if (earlier === undefined) {
      people.set(email, { row, unit });
      rows.push(person);
    } else if (units.same(earlier.unit, unit)) {
      refusals.add(row, 'duplicate-person', `This person is already in row ${earlier.row}.`);
    } else {
      const sentence = `This person is already in row ${earlier.row}, in another unit. A person is in one unit.`;
      refusals.add(row, 'two-units', sentence);
    }
  }
  if (read === 0) refusals.add(1, 'empty', 'The file has a header and no people.');
  rows.forEach((person, i) => {
    for (const unit of person.managerOf) {
      if (units.isKnown(unit)) continue;
      const sentence = `Nobody is in the unit “${unit}” that this person manages.`;
      refusals.add(person.row, 'unknown-unit', sentence);
    }
    const managerOf = [...new Set(person.managerOf.map((unit) => units.spelled(unit)))].sort();
    rows[i] = { ...person, unit: units.spelled(person.unit), managerOf };
  });
  progress(read);
}

/** The person in one row, or undefined and each reason why not. */
function personOf(
  row: number,
  fields: readonly string[] | undefined,
  columns: readonly Column[],
  units: UnitNames,
  refusals: Refusals,
): RosterRow | undefined {
  if (fields === undefined) {
    const sentence =
      'A quotation mark is in the wrong place. A field that holds one stands in quotation marks, with it doubled, and has no line break.';
    refusals.add(row, 'broken-row', sentence);
    return undefined;
  }
  if (fields.length !== columns.length) {
    const sentence = `The row has ${fields.length} fields, and the header ${columns.length}.`;
    refusals.add(row, 'broken-row', sentence);
    return undefined;
  }
  const before = refusals.count;
  const field = (column: Column) => fields[columns.indexOf(column)] ?? '';
  const refuse = (code: RefusalCode, sentence: string) => refusals.add(row, code, sentence);
  columns.forEach((column, i) => {
    const text = fields[i] as string;
    const words = COLUMN_WORDS[column];
    if (text.length > MAX_FIELD) refuse('too-long', `The field ${words} is too long.`);
    else if (isUnprintable(text)) {
      refuse('control-character', `The field ${words} holds a character that cannot be printed.`);
    }
  });
  if (refusals.count > before) return undefined;

  const email = tidyEmail(field('email'));
  if (isTooLongEmail(email)) {
    refuse('too-long', 'The e-mail address is too long.');
  } else if (!isEmail(email)) {
    refuse('email', email === '' ? 'The e-mail address is empty.' : 'This is no e-mail address.');
  }
  const name = tidy(field('name'));
  if (name === '') refuse('name', 'The name is empty.');
  if (name.length > MAX_NAME) {
    refuse('too-long', `The name has more than ${MAX_NAME} characters.`);
  }
  const unit = units.read(field('unit'));
  if (field('unit').trim() === '') refuse('unit', 'The unit is empty.');
  else if (unit instanceof PlanError) refuse('unit', `${capital(unit.message)}.`);
  else units.add(unit);
  const managerOf: string[] = [];
  for (const part of field('managerOf').split(';')) {
    if (part.trim() === '') continue;
    const managed = units.read(part);
    if (managed instanceof PlanError) refuse('unit', `Manager of: ${managed.message}.`);
    else managerOf.push(managed);
  }
  const language = languageOf(field('language').trim());
  if (language === undefined) {
    refuse('language', 'The language is no code such as “en” or “de-AT”.');
  }
  if (refusals.count > before || language === undefined || unit instanceof PlanError) {
    return undefined;
  }
  return { row, email, name, unit, managerOf, language };
}

function capital(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

function languageOf(code: string): string | null | undefined {
  if (code === '') return null;
  if (!/^[a-z]{2,3}(-[a-z0-9]{1,8}){0,4}$/i.test(code)) return undefined;
  try {
    return Intl.getCanonicalLocales(code)[0];
  } catch {
    return undefined;
  }
}
