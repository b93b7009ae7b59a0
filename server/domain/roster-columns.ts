import type { CsvRow } from './roster-csv.ts';
import type { Refusals } from './roster-refusals.ts';
import { isUnprintable, tidy } from './unit-path.ts';

/** Headers in small letters, without blanks, hyphens and underscores. */
const COLUMNS = {
  email: { key: 'email', needed: true },
  mail: { key: 'email', needed: true },
  name: { key: 'name', needed: true },
  unit: { key: 'unit', needed: true },
  unitpath: { key: 'unit', needed: true },
  managerof: { key: 'managerOf', needed: false },
  language: { key: 'language', needed: false },
} as const;
export type Column = (typeof COLUMNS)[keyof typeof COLUMNS]['key'];

export const COLUMN_WORDS: Record<Column, string> = {
  email: 'e-mail',
  name: 'name',
  unit: 'unit',
  managerOf: 'manager of',
  language: 'language',
};

/** For people. */
export const COLUMNS_ARE =
  'The columns are e-mail, name, unit and, if wanted, manager of and language.';

/** Where each column is. @returns undefined if one is missing or none of ours */
export function columnsOf(header: CsvRow, refusals: Refusals): readonly Column[] | undefined {
  const before = refusals.count;
  const columns: Column[] = [];
  for (const field of header.fields ?? []) {
    const column = columnNamed(field);
    if (column === undefined) {
      const name = field.length > 40 || isUnprintable(field) ? '' : ` called “${field.trim()}”`;
      refusals.add(
        header.row,
        'unknown-column',
        `There is an unknown column${name}. ${COLUMNS_ARE}`,
      );
    } else if (columns.includes(column)) {
      const sentence = `The column ${COLUMN_WORDS[column]} is there twice.`;
      refusals.add(header.row, 'repeated-column', sentence);
    } else {
      columns.push(column);
    }
  }
  for (const { key, needed } of new Set(Object.values(COLUMNS))) {
    if (!needed || columns.includes(key)) continue;
    columns.push(key);
    const sentence = `The column ${COLUMN_WORDS[key]} is missing. ${COLUMNS_ARE}`;
    refusals.add(header.row, 'missing-column', sentence);
  }
  return refusals.count === before ? columns : undefined;
}

function columnNamed(field: string): Column | undefined {
  const plain = tidy(field).toLowerCase().replace(/[ _-]/g, '');
  return Object.hasOwn(COLUMNS, plain) ? COLUMNS[plain as keyof typeof COLUMNS].key : undefined;
}
