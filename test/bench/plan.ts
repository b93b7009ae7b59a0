import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { orgTree, type UnitSize } from '../../server/domain/org.ts';
import { planMin } from '../../server/domain/plan-size.ts';
import { planGroups } from '../../server/domain/planner.ts';
import { parseRoster } from '../../server/domain/roster.ts';
import { diffRoster } from '../../server/domain/roster-diff.ts';
import { openDatabase, truncateWal } from '../../server/storage/database.ts';
import { RosterStore } from '../../server/storage/roster.ts';
import type { BenchResult } from './result.ts';

const MIGRATIONS = fileURLToPath(new URL('../../../migrations/', import.meta.url));
const UNITS = 12_000;
const PEOPLE = 185_000;
const ROWS = 200_000;
const RUNS = 5;

/**
 * `plan`: from unit paths and sizes to named groups, 12,000 units and 185,000 people, the median
 * of five runs. `import`: a CSV file of 200,000 rows parsed, compared with an empty roster and
 * written to disk in one transaction, WAL truncated.
 */
export async function benchPlan(): Promise<BenchResult[]> {
  const units = company(UNITS, PEOPLE);
  const smallest = planMin({
    k: 10,
    response: 0.6,
    variance: { numerator: 6, denominator: 1 },
    by: 'guardian',
  });
  const times: number[] = [];
  let groups = 0;
  for (let run = 0; run < RUNS; run++) {
    const started = performance.now();
    groups = planGroups(orgTree(units), smallest).groups.length;
    times.push(performance.now() - started);
  }
  const median = times.sort((a, b) => a - b)[RUNS >> 1] as number;
  return [
    { name: 'plan', unit: `ms for ${UNITS} units, ${PEOPLE} people`, value: median },
    { name: 'plan.groups', unit: 'groups', value: groups },
    { name: 'import', unit: `s for ${ROWS} rows`, value: importSeconds() },
  ];
}

/** Six levels, five units under each, people spread unevenly and the same every time. */
function company(units: number, people: number): UnitSize[] {
  const paths = ['Company'];
  for (let i = 1; i < units; i++) {
    paths.push(`${paths[Math.floor((i - 1) / 5)]} / Unit ${i}`);
  }
  let left = people;
  return paths.map((path, i) => {
    const mean = left / (units - i);
    const here = i === units - 1 ? left : Math.floor(2 * mean * fraction(i));
    left -= here;
    return { path, people: here };
  });
}

/** 0 ≤ x < 1, scattered by the golden ratio. */
function fraction(i: number): number {
  return (i * 0.6180339887498949) % 1;
}

function importSeconds(): number {
  const lines = ['e-mail,name,unit,manager of,language'];
  for (const { path, people } of company(UNITS, ROWS)) {
    for (let i = 0; i < people; i++) {
      const n = lines.length;
      const manages = i === 0 ? `"${path}"` : '';
      lines.push(`person.${n}@example.com,Person ${n},${path},${manages},en`);
    }
  }
  const file = Buffer.from(lines.join('\r\n'));
  const folder = mkdtempSync(join(tmpdir(), 'chorus-bench-'));
  try {
    const db = openDatabase(join(folder, 'employer.sqlite'), [
      join(MIGRATIONS, 'common'),
      join(MIGRATIONS, 'employer'),
    ]);
    const roster = new RosterStore(db);
    const started = performance.now();
    const { rows, refused } = parseRoster(file);
    const diff = diffRoster(roster.people(), rows);
    if (refused > 0 || diff.added.length !== ROWS) throw new Error('the roster was not read');
    roster.replace(rows, roster.version());
    truncateWal(db);
    const seconds = (performance.now() - started) / 1000;
    db.close();
    return seconds;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
