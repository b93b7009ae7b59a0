import type { Person, RosterRow } from './roster.ts';

/** What a file would change, for people to look at before it is applied. */
export interface RosterDiff {
  readonly added: readonly RosterRow[];
  readonly changed: readonly {
    readonly row: RosterRow;
    readonly before: Person;
    readonly fields: readonly ChangedField[];
  }[];
  readonly removed: readonly Person[];
  readonly unchanged: number;
  /** A file that loses so many is more often cut short than meant: it is asked about again. */
  readonly removesMoreThanATenth: boolean;
}

export type ChangedField = 'name' | 'unit' | 'managerOf' | 'language';

/**
 * What becomes of the roster `before` if `after` takes its place; people are told apart by their
 * addresses alone. Added and changed are in the order of the file, removed in that of `before`.
 */
export function diffRoster(before: readonly Person[], after: readonly RosterRow[]): RosterDiff {
  const gone = new Map(before.map((person) => [person.email, person]));
  const added: RosterRow[] = [];
  const changed: { row: RosterRow; before: Person; fields: ChangedField[] }[] = [];
  for (const row of after) {
    const person = gone.get(row.email);
    if (person === undefined) {
      added.push(row);
      continue;
    }
    gone.delete(row.email);
    const fields = changedFields(person, row);
    if (fields.length > 0) changed.push({ row, before: person, fields });
  }
  const removed = [...gone.values()];
  return {
    added,
    changed,
    removed,
    unchanged: after.length - added.length - changed.length,
    removesMoreThanATenth: 10 * removed.length > before.length,
  };
}

function changedFields(a: Person, b: Person): ChangedField[] {
  const fields: ChangedField[] = [];
  if (a.name !== b.name) fields.push('name');
  if (a.unit !== b.unit) fields.push('unit');
  if (a.managerOf.join(';') !== b.managerOf.join(';')) fields.push('managerOf');
  if (a.language !== b.language) fields.push('language');
  return fields;
}
