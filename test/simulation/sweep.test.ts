import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { DAY_MS } from '../../server/domain/days.ts';
import { truncateWal } from '../../server/storage/database.ts';
import { openStores } from '../../server/storage/stores.ts';
import { testFolder } from '../support/folder.ts';
import { findInFolder, Needles } from '../support/needles.ts';
import { freePort, MIGRATIONS } from '../support/parties.ts';
import { insertFinished } from '../support/retained.ts';
import { root } from '../views/sample.ts';

/*
 * `npx chorus sweep` as people start it, in processes of its own: killed with kill -9 while it writes
 * and run twice at once. Whenever it is killed, it has deleted everything that is due or nothing of
 * it; whatever is cut off, the next run leaves nothing in any file of what is due, and keeps the rest.
 */

const PROGRAM = join(root, 'dist/server/cli/main.js');
/** What the transaction writes does not fit into SQLite's cache of 2 MB: the log grows before its end. */
const ROUNDS = 48;
const GROUPS = 24;
const DUE = 20;
const KILLS = 5;
/** From one kill to the next, in bytes of the log. */
const STEP = 400_000;
const TOTALS = ROUNDS * GROUPS;
const LEFT = (ROUNDS - DUE) * GROUPS;

let filled: string;
let settings: object;
const needles = new Needles();

beforeAll(async () => {
  expect(existsSync(PROGRAM), 'npm run build').toBe(true);
  filled = mkdtempSync(join(tmpdir(), 'chorus-test-'));
  const stores = openStores('employer', filled, MIGRATIONS, { now: () => 0 });
  const today = Math.floor(Date.now() / DAY_MS);
  for (let i = 0; i < ROUNDS; i++) {
    // In an order that makes SQLite move rows between pages.
    const number = 1 + ((i * 7) % ROUNDS);
    const age = number <= DUE ? 600 : 300;
    insertFinished(stores, { number, closes: today - age, groups: GROUPS }, needles);
  }
  truncateWal(stores.db);
  stores.db.close();
  settings = {
    ...{ party: 'employer', name: 'The employer', other_name: 'The guardian' },
    ...{ url: 'http://127.0.0.1:1', port: await freePort(), data: 'data' },
  };
}, 60_000);

afterAll(() => rmSync(filled, { recursive: true, force: true }));

/** A folder with settings and a copy of the filled database. */
function copied(): { folder: string; database: string } {
  const folder = testFolder();
  cpSync(filled, join(folder, 'data'), { recursive: true });
  writeFileSync(join(folder, 'chorus.json'), JSON.stringify(settings));
  return { folder, database: join(folder, 'data', 'employer.sqlite') };
}

interface Ended {
  readonly code: number | null;
  readonly text: string;
}

function sweep(folder: string): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [PROGRAM, 'sweep'], {
    cwd: folder,
    env: { PATH: process.env.PATH },
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (text += data));
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code) => resolve({ code, text }));
  });
  onTestFinished(async () => {
    if (child.exitCode === null) child.kill('SIGKILL');
    await ended;
  });
  return { child, ended };
}

const sizeOf = (file: string) => statSync(file, { throwIfNoEntry: false })?.size ?? 0;

/** Kills the process once the log holds so many bytes, unless it ends before. */
async function killAt(folder: string, log: string, bytes: number): Promise<void> {
  const { child, ended } = sweep(folder);
  while (child.exitCode === null && sizeOf(log) < bytes) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  child.kill('SIGKILL');
  await ended;
}

/** What another process sees, which ends what was cut off. */
function look(database: string): { results: number; check: unknown } {
  const db = new Sqlite(database);
  try {
    const results = db.prepare<[], number>('SELECT COUNT(*) FROM results').pluck().get() ?? 0;
    return { results, check: db.pragma('integrity_check', { simple: true }) };
  } finally {
    db.close();
  }
}

/** The rounds of which there is anything in any file. */
function found(folder: string, what: string): number[] {
  return [...findInFolder(needles, join(folder, 'data'))]
    .filter((label) => label.startsWith(what))
    .map((label) => Number(label.split(' ')[1]))
    .sort((a, b) => a - b);
}

const KEPT = Array.from({ length: ROUNDS - DUE }, (_, i) => DUE + 1 + i);

function expectSwept(folder: string, database: string): void {
  expect(look(database)).toEqual({ results: LEFT, check: 'ok' });
  for (const what of ['totals', 'list', 'groups']) expect(found(folder, what), what).toEqual(KEPT);
}

test('killed at any time, it has deleted everything or nothing, and the next run leaves nothing', {
  timeout: 60_000,
}, async () => {
  const { folder, database } = copied();
  const log = `${database}-wal`;
  expect(found(folder, 'totals')).toHaveLength(ROUNDS);
  const seen: number[] = [];
  for (let kill = 1; kill <= KILLS; kill++) {
    await killAt(folder, log, kill * STEP);
    const { results, check } = look(database);
    expect(check).toBe('ok');
    seen.push(results);
  }
  // The first bytes are written long before the transaction ends, the last ones behind it.
  expect(seen[0]).toBe(TOTALS);
  expect([TOTALS, LEFT]).toEqual(expect.arrayContaining(seen));
  expect(await sweep(folder).ended).toMatchObject({ code: 0 });
  expectSwept(folder, database);
});

test('run twice at once, everything is deleted, and told, once', { timeout: 60_000 }, async () => {
  const { folder, database } = copied();
  const both = await Promise.all([sweep(folder).ended, sweep(folder).ended]);
  expect(
    both.map(({ code }) => code),
    both.map(({ text }) => text).join(),
  ).toEqual([0, 0]);
  const told = both.map(({ text }) => text.match(/released totals of round/g)?.length ?? 0);
  expect(told.sort((a, b) => a - b)).toEqual([0, DUE]);
  expectSwept(folder, database);
});
