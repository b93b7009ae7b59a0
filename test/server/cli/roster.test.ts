import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CommandRefused, UsageError } from '../../../server/cli/io.ts';
import { roster } from '../../../server/cli/roster.ts';
import { openEmployer } from '../../../server/employer/employer.ts';
import type { EmployerParts } from '../../../server/employer/parts.ts';
import { draftSheet } from '../../../server/employer/sheets.ts';
import { pairParties } from '../../../server/evaluation/pairing.ts';
import { systemRandomness } from '../../../server/party.ts';
import { refusal, testIo } from '../../support/cli.ts';
import { testFolder } from '../../support/folder.ts';
import { MIGRATIONS, testPeople, testSheet } from '../../support/parties.ts';

let parts: EmployerParts;

beforeEach(async () => {
  const folder = testFolder();
  const urls = { guardian: 'http://127.0.0.1:1', employer: 'http://127.0.0.1:2' };
  pairParties(folder, urls);
  parts = await openEmployer({
    folder: join(folder, 'employer'),
    url: urls.employer,
    host: '127.0.0.1',
    port: 2,
    names: { guardian: 'G', employer: 'E' },
    evaluation: false,
    timeZone: 'UTC',
    planDaysAhead: 7,
    clock: { now: () => 1_800_000_000_000 },
    randomness: systemRandomness,
    fetch,
    migrations: MIGRATIONS,
    pages: { views: '', assets: '' },
    intervalMs: 1000,
  });
});

afterEach(() => {
  parts.db.close();
});

const HEADER = 'e-mail,name,unit,manager of';

function file(...rows: string[]): string {
  const path = join(testFolder(), 'people.csv');
  writeFileSync(path, [HEADER, ...rows].join('\n'));
  return path;
}

const row = (n: number, name = `Person ${n}`, unit = 'C / A', of = '') =>
  `p${n}@example.com,${name},${unit},${of}`;
const rows = (count: number) => Array.from({ length: count }, (_, i) => row(i));

async function command(args: string[], answer?: boolean) {
  const io = testIo(answer);
  await roster(args, async () => parts, io);
  return io;
}

const names = () => parts.roster.people().map(({ email }) => email);

describe('import', () => {
  test('shows by row what is added, changed and removed, and then applies it', async () => {
    const first = await command(['import', file(...rows(20))]);
    expect(first.lines).toContain('20 added');
    expect(first.lines).toContain('  row 2: p0@example.com, C / A');
    expect(first.lines.at(-1)).toBe(
      'The roster has 20 people now. Rounds that are planned already keep theirs.',
    );
    const next = file(
      row(0, 'Another name'),
      row(1, 'Person 1', 'C / B', 'C'),
      ...rows(19).slice(2),
      row(99),
    );
    const { lines } = await command(['import', next]);
    expect(lines).toEqual([
      '1 added',
      '  row 21: p99@example.com, C / A',
      '2 changed',
      '  row 2: p0@example.com (name)',
      '  row 3: p1@example.com (unit, manager of)',
      '1 removed',
      '  p19@example.com, C / A',
      '17 unchanged',
      'The roster has 20 people now. Rounds that are planned already keep theirs.',
    ]);
    expect(names()).not.toContain('p19@example.com');
    expect(names()).toContain('p99@example.com');
  });

  test('names the first twenty of each kind, and counts the others', async () => {
    const { lines } = await command(['import', file(...rows(25))]);
    expect(lines.filter((line) => line.startsWith('  row'))).toHaveLength(20);
    expect(lines).toContain('  … and 5 more');
  });

  test('only shows with --dry-run', async () => {
    const { lines } = await command(['import', file(...rows(3)), '--dry-run']);
    expect([lines[0], lines.at(-1)]).toEqual(['3 added', 'Nothing was changed.']);
    expect([names(), parts.roster.version()]).toEqual([[], 0]);
  });

  test('of a file with faults changes nothing, and says each by its row', async () => {
    await command(['import', file(...rows(3))]);
    const io = testIo();
    const bad = file(row(0), 'x,Name,C,', 'a@example.com,,C,', row(0), `${row(5)},more`);
    const refused = await refusal(() => roster(['import', bad], async () => parts, io));
    expect(refused).toBeInstanceOf(CommandRefused);
    expect(refused.message).toContain('has 4 faults; nothing was changed');
    expect(io.errors.map((line) => line.slice(0, 6))).toEqual([
      'Row 3:',
      'Row 4:',
      'Row 5:',
      'Row 6:',
    ]);
    expect(names()).toHaveLength(3);
  });

  test('of a file that is not there, or of a folder', async () => {
    for (const path of [join(testFolder(), 'none.csv'), testFolder()]) {
      const refused = await refusal(() => command(['import', path]));
      expect(refused.message).toContain('cannot be read');
    }
  });
});

describe('a file that removes more than a tenth', () => {
  beforeEach(async () => {
    await command(['import', file(...rows(20))]);
  });

  test('is asked about again; with yes it is applied', async () => {
    const io = await command(['import', file(...rows(17))], true);
    expect(io.questions).toEqual(['Remove them?']);
    expect(io.lines).toContain('This removes 3 people, more than a tenth of the roster.');
    expect(names()).toHaveLength(17);
  });

  test('with no changes nothing', async () => {
    const refused = await refusal(() => command(['import', file(...rows(17))], false));
    expect(refused.message).toBe('nothing was changed');
    expect(names()).toHaveLength(20);
  });

  test('where nobody can be asked it is no', async () => {
    expect(await refusal(() => command(['import', file(...rows(17))]))).toBeInstanceOf(
      CommandRefused,
    );
    expect(names()).toHaveLength(20);
  });

  test('a tenth exactly is not more', async () => {
    const io = await command(['import', file(...rows(18))]);
    expect(io.questions).toEqual([]);
    expect(names()).toHaveLength(18);
  });

  test('with --dry-run nobody is asked', async () => {
    const io = await command(['import', file(...rows(2)), '--dry-run'], true);
    expect(io.questions).toEqual([]);
    expect(names()).toHaveLength(20);
  });

  test('while somebody else changes the roster is applied by neither question nor answer', async () => {
    const io = {
      ...testIo(true),
      async confirm() {
        parts.roster.replace(testPeople([5]), parts.roster.version());
        return true;
      },
    };
    const refused = await refusal(() =>
      roster(['import', file(...rows(2))], async () => parts, io),
    );
    expect(refused.message).toBe('the roster was changed in the meantime; look again');
    expect(names()).toHaveLength(5);
  });
});

describe('groups', () => {
  test('are shown for every survey that has not ended', async () => {
    parts.roster.replace(testPeople([30, 40]), 0);
    expect((await command(['groups'])).lines).toEqual([
      'No survey is submitted yet; groups follow from a survey’s minimum and noise.',
    ]);
    draftSheet(parts, testSheet({ title: 'First' }));
    draftSheet(parts, testSheet({ title: 'Second', k: 100 }));
    const text = (await command(['groups'])).text();
    expect(text).toContain('“First”: groups of at least 23 people');
    expect(text).toContain('30  Group 0 (Group 0)');
    expect(text).toContain('“Second”: groups of at least 100 people');
    expect(text).toContain('  none: 70 people are on the roster, and a group takes 100');
  });
});

test.each([
  [],
  ['import'],
  ['import', 'f', '--force'],
  ['import', 'f', '--dry-run', 'x'],
  ['groups', 'x'],
  ['show'],
])('there is no command %s %s %s', async (...args) => {
  const given = args.filter((arg) => typeof arg === 'string');
  expect(await refusal(() => command(given))).toBeInstanceOf(UsageError);
});
