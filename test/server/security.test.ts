import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openStores } from '../../server/storage/stores.ts';
import { testFolder } from '../support/folder.ts';
import { MIGRATIONS } from '../support/parties.ts';

const SECURITY = readFileSync(join(MIGRATIONS, '..', 'SECURITY.md'), 'utf8');
/** What the rows under "Stores" are about: a party, or both, and its tables. */
const TOLD = (/\n## Stores\n(.*?)\n## /s.exec(SECURITY)?.[1] ?? '')
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .map((row) => row.split('|')[1] as string);

test.each(['guardian', 'employer'] as const)(
  'SECURITY.md tells of every table of the %s',
  (party) => {
    const { db } = openStores(party, testFolder(), MIGRATIONS, { now: () => 0 });
    const tables = db
      .prepare<[], string>("SELECT name FROM sqlite_schema WHERE type = 'table'")
      .pluck()
      .all();
    db.close();
    const told = TOLD.filter((cell) => cell.includes(party) || cell.includes('both'));
    const untold = tables.filter((table) => !told.some((cell) => cell.includes(`\`${table}\``)));
    expect(untold).toEqual([]);
  },
);
