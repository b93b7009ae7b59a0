import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { type KeptParts, keeping } from '../../../server/cli/keeping.ts';
import { DAY_MS, isoDate } from '../../../server/domain/days.ts';
import { systemRandomness } from '../../../server/party.ts';
import { truncateWal } from '../../../server/storage/database.ts';
import { InvitationStore } from '../../../server/storage/invitations.ts';
import { openStores } from '../../../server/storage/stores.ts';
import { refusal, type TestIo, testIo } from '../../support/cli.ts';
import { testFolder } from '../../support/folder.ts';
import { findInFolder, Needles } from '../../support/needles.ts';
import { MIGRATIONS } from '../../support/parties.ts';
import { insertFinished } from '../../support/retained.ts';
import { PARTIES, type PartyName } from '../../support/rounds.ts';

const CLOSES = 20_000;

let folder: string;
let now: number;
let needles: Needles;

beforeEach(() => {
  folder = join(testFolder(), 'data');
  now = CLOSES * DAY_MS;
  needles = new Needles();
});

function open(party: PartyName): KeptParts {
  const stores = openStores(party, folder, MIGRATIONS, { now: () => now });
  onTestFinished(() => {
    if (stores.db.open) stores.db.close();
  });
  return { ...stores, party, folder, logPath: join(folder, `${party}.log`) };
}

/** A party with everything in it: rounds 1 to 3, people, keys, a log. */
function filled(party: PartyName): KeptParts {
  const parts = open(party);
  const secret = (label: string) => {
    const bytes = systemRandomness(48);
    needles.add(label, bytes);
    return Buffer.from(bytes);
  };
  insertFinished(parts, { number: 1, closes: CLOSES - 300, trendsDays: 200 }, needles);
  insertFinished(parts, { number: 2, closes: CLOSES - 100, trendsDays: 200 }, needles);
  insertFinished(parts, { number: 3, closes: CLOSES - 1, trendsDays: 300 }, needles);
  parts.staff.put(
    { email: `${secret('staff').toString('hex')}@x.y`, role: 'auditor', units: [] },
    0,
  );
  parts.events.add({
    atMs: now,
    round: null,
    groupIndex: null,
    kind: 'x',
    sentence: secret('event').toString('hex'),
  });
  for (const name of ['identity', 'round-3']) {
    parts.keyFiles.write(name, { key: secret('key').toString('hex') });
  }
  const line = { time: now, msg: secret('log').toString('hex') };
  writeFileSync(parts.logPath, `${JSON.stringify(line)}\n`);
  truncateWal(parts.db);
  return parts;
}

/** As it would be typed. `answer` is what is typed at the question. */
async function run(parts: KeptParts, line: string, answer?: boolean): Promise<TestIo> {
  const io = testIo(answer);
  const [command, ...args] = line.split(' ') as ['sweep', ...string[]];
  await keeping(command, args, async () => parts, io);
  return io;
}

/** What is looked for is in text too. */
const labels = () => [...findInFolder(needles, folder)].sort();
const rows = (parts: KeptParts, table: string) =>
  parts.db.prepare<[], number>(`SELECT COUNT(*) FROM ${table}`).pluck().get();

describe('sweep', () => {
  test('--dry-run says what the sweep then deletes', async () => {
    const parts = filled('guardian');
    const dry = await run(parts, 'sweep --dry-run');
    expect(dry.text()).toContain('would be deleted:\n  6 released totals of round 1\n');
    expect(labels()).toContain('totals 1');
    const done = await run(parts, 'sweep');
    expect(done.lines.slice(1)).toEqual(dry.lines.slice(1));
    expect(labels()).not.toContain('totals 1');
    expect(labels()).toContain('totals 2');
    expect((await run(parts, 'sweep')).text()).toBe('Nothing is past its retention.\n');
    expect(parts.events.recent(1)[0]?.sentence).toContain('6 released totals of round 1');
  });

  test('takes old lines out of the log, and lines that are none', async () => {
    const parts = filled('guardian');
    const { logPath } = parts;
    const young = JSON.stringify({ time: now - 1000, msg: 'young' });
    const old = JSON.stringify({ time: now - 365 * DAY_MS, msg: 'old' });
    writeFileSync(logPath, `${old}\n${young}\n","msg":"half"}\n${old}\n${young}\n{"ti`);
    expect((await run(parts, 'sweep')).text()).toContain('  3 lines of the log\n');
    expect(readFileSync(logPath, 'utf8')).toBe(`${young}\n${young}\n{"ti`);
  });

  test('goes by a clock that never goes back', async () => {
    const parts = filled('guardian');
    now += 150 * DAY_MS;
    expect((await run(parts, 'sweep --dry-run')).text()).toContain('round 2');
    now -= 150 * DAY_MS;
    expect((await run(parts, 'sweep --dry-run')).text()).toContain('round 2');
  });

  test.each(['sweep --dry', 'sweep now', 'inventory all', 'decommission --yes'])(
    '%s is no command',
    async (line) => {
      const parts = open('guardian');
      expect((await refusal(() => run(parts, line))).message).toContain('chorus');
    },
  );
});

test('inventory says how many there are of everything, and when it goes', async () => {
  const parts = filled('employer');
  const text = (await run(parts, 'inventory')).text();
  expect(text).toMatch(/^results +18 +\S+ +\S+ +released totals/m);
  expect(text).toMatch(/^keys\/identity +1 /m);
  expect(text).toMatch(/^log +1 /m);
  expect(text).not.toContain('?');
});

describe.each(PARTIES)('decommission of the %s', (party) => {
  test('keeps released totals within their retention, and removes all else from every file', async () => {
    const parts = filled(party);
    const io = await run(parts, 'decommission', true);
    expect(io.questions).toEqual([`Decommission this ${party}?`]);
    const stays = (round: number, closes: number, days: number) =>
      `Stays until ${isoDate(closes + days)}: the totals of round ${round}`;
    expect(io.text()).toContain(stays(2, CLOSES - 100, 200));
    expect(io.text()).toContain(stays(3, CLOSES - 1, 300));
    expect(io.text()).toContain('  the key file identity\n');
    expect(io.text()).toMatch(/ {2}768 of list_slices\n/);
    expect(labels()).toEqual(['groups 2', 'groups 3', 'totals 2', 'totals 3']);
    expect(readdirSync(join(folder, 'keys'))).toEqual([]);
    // What proves them is there: sheet, manifest, both signatures.
    expect([rows(parts, 'rounds'), rows(parts, 'sheets'), rows(parts, 'results')]).toEqual([
      2, 2, 12,
    ]);
    expect(parts.rounds.withNumber(2)?.employerSignature).not.toBeNull();
    expect(parts.db.pragma('integrity_check', { simple: true })).toBe('ok');
  });

  test('the rest goes when it is due, by sweep or by another run, and with the last the files', async () => {
    let parts = filled(party);
    await run(parts, 'decommission', true);
    parts.db.close();
    now = (CLOSES + 100) * DAY_MS;
    parts = open(party);
    expect((await run(parts, 'sweep')).text()).toContain('totals of round 3');
    expect(labels()).toEqual(['groups 3', 'totals 3']);
    parts.db.close();
    now = (CLOSES - 1 + 300) * DAY_MS;
    parts = open(party);
    expect((await run(parts, 'decommission')).text()).toContain('the database is removed too');
    expect(existsSync(folder)).toBe(false);
  });

  test('removes the folder at once if nothing is to be kept', async () => {
    const parts = filled(party);
    now = (CLOSES + 400) * DAY_MS;
    expect((await run(parts, 'decommission', true)).text()).toContain('Nothing stays');
    expect(existsSync(folder)).toBe(false);
  });

  test('removes nothing unless the word is typed', async () => {
    const parts = filled(party);
    const before = labels();
    for (const answer of [false, undefined]) {
      expect((await refusal(() => run(parts, 'decommission', answer))).message).toBe(
        'nothing was removed',
      );
    }
    expect(labels()).toEqual(before);
  });

  test('is refused while the service has the database open', async () => {
    const parts = filled(party);
    const service = open(party);
    expect((await refusal(() => run(parts, 'decommission', true))).message).toContain('is running');
    service.db.close();
    await run(parts, 'decommission', true);
  });

  test('is refused while a round is open that somebody answered, or is not counted to its end', async () => {
    const parts = filled(party);
    const message = async () => (await refusal(() => run(parts, 'decommission', true))).message;
    const set = (sql: string) => parts.db.prepare(sql).run();
    set("UPDATE tasks SET state = 'sealed' WHERE group_index = 2");
    expect(await message()).toContain('round 2 is being counted; 1 of its groups');
    set("UPDATE tasks SET state = 'confirmed'");
    set('UPDATE rounds SET list_employer_signature = NULL WHERE number = 3');
    expect(await message()).toBe('the list of round 3, for receipts, is not signed yet');
    set("UPDATE rounds SET state = 'open' WHERE number = 3");
    set('DELETE FROM results');
    if (party === 'employer') {
      const invitations = new InvitationStore(parts.db);
      invitations.insertCode(3, new Uint8Array(32).fill(1), 0, true);
      invitations.use(1, new Uint8Array(32).fill(2));
    }
    expect(await message()).toBe('round 3 is open; close it, and wait for its count');
    // Nobody answered: nothing is lost.
    set('UPDATE tasks SET accepted = 0');
    if (party === 'employer') set('DELETE FROM codes');
    await run(parts, 'decommission', true);
    expect(existsSync(folder)).toBe(false);
  });

  test('that was cut off is finished by the next run', async () => {
    const parts = filled(party);
    // The database is emptied; the process is killed before the files are removed.
    const { keyFiles } = parts;
    const cut = {
      ...parts,
      keyFiles: new Proxy(keyFiles, {
        get: (target, name) => {
          if (name === 'delete') throw new Error('cut');
          const value = Reflect.get(target, name);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      }),
    };
    await expect(run(cut, 'decommission', true)).rejects.toThrow('cut');
    expect(labels()).toContain('key');
    await run(parts, 'sweep');
    expect(labels()).toEqual(['groups 2', 'groups 3', 'totals 2', 'totals 3']);
  });
});
