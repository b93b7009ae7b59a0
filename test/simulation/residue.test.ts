import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { toBase64url, toHex } from '../../crypto/bytes.ts';
import { MEDIA_TYPE } from '../../crypto/dap/media-types.ts';
import { buildReport } from '../../crypto/dap/report.ts';
import { decodeReport, encodeUploadRequest } from '../../crypto/dap/upload.ts';
import { Secret } from '../../crypto/secret.ts';
import { blockLengths, type Sheet } from '../../crypto/sheet.ts';
import { Field128 } from '../../crypto/vdaf/field.ts';
import { systemRandomness } from '../../server/party.ts';
import { BoxStore } from '../../server/storage/box.ts';
import { type Database, truncateWal } from '../../server/storage/database.ts';
import { openStores } from '../../server/storage/stores.ts';
import { oneHot } from '../support/cheating-reports.ts';
import { findInFolder, Needles } from '../support/needles.ts';
import {
  closeTestRound,
  MIGRATIONS,
  openTestRound,
  standing,
  startTwoParties,
  TEST_NOISE,
  type TestRound,
  type TwoParties,
  testSheet,
  until,
} from '../support/parties.ts';
import { PARTIES, type PartyName } from '../support/rounds.ts';
import { entitled, type TestTask } from '../support/test-tokens.ts';

/*
 * What is deleted is in no file. After every truncating checkpoint of a party (each lot, each seal,
 * each draw of noise, each confirmation, each group withheld, each finished round), no file in its
 * folder, and no temporary file, holds
 *
 *  1. at the guardian: anything of a report that is not in the box any more, sealed or open;
 *     and never a share in the clear;
 *  2. at the employer: anything of any report, ever;
 *  3. the exact sum of a group's shares, once that party has added noise to it, confirmed it, or
 *     withheld the group; nor a sum that further lots were added to.
 *
 * And after every transaction, whatever states of a bucket can be read from the files (with the log,
 * or without what only the log holds): no two of them differ by fewer than k reports, none
 * counting as no report at all.
 */

const K = 8;
const PAGE = 4096;
const PIECE = 16;

/** Set by a test to see whether the check notices, and to be told what happens. */
const hooks = vi.hoisted(() => ({
  secureDelete: true,
  truncates: true,
  committed: (_db: Database): void => {},
  truncated: (_db: Database): void => {},
}));

vi.mock('../../server/storage/database.ts', async (original) => {
  const actual = await original<typeof import('../../server/storage/database.ts')>();
  return {
    ...actual,
    openDatabase: (...args: Parameters<typeof actual.openDatabase>) => {
      const db = actual.openDatabase(...args);
      if (!hooks.secureDelete) db.pragma('secure_delete = OFF');
      return db;
    },
    truncateWal: (db: Database) => {
      if (hooks.truncates) actual.truncateWal(db);
      hooks.truncated(db);
    },
  };
});

vi.mock('../../server/storage/stores.ts', async (original) => {
  const actual = await original<typeof import('../../server/storage/stores.ts')>();
  return {
    ...actual,
    transact: <T>(db: Database, work: () => T): T => {
      const result = actual.transact(db, work);
      hooks.committed(db);
      return result;
    },
  };
});

const partyOf = (db: Database): PartyName =>
  db.name.includes('guardian') ? 'guardian' : 'employer';

/** A share of every report in the clear, as each party gets it. */
interface OpenShares {
  readonly guardian: readonly bigint[];
  readonly employer: readonly bigint[];
}

/** One round whose every secret is known. */
class KnownRound {
  readonly needles = new Needles();
  readonly round: TestRound;
  readonly #shares = new Map<string, OpenShares>();
  readonly #parties: TwoParties;
  readonly #taskIds: readonly string[];
  /** Set with the shuffle, at the close. */
  #lots: readonly (readonly string[][])[] = [];

  constructor(parties: TwoParties, round: TestRound) {
    this.#parties = parties;
    this.round = round;
    this.#taskIds = round.tasks.map(({ taskId }) => toHex(taskId));
  }

  async answer(group: number, people: number): Promise<void> {
    const task = this.round.tasks[group] as TestTask;
    const reports: Uint8Array[] = [];
    for (let i = 0; i < people; i++) reports.push(this.#known(task, i));
    for (let at = 0; at < reports.length; at += 20) {
      const response = await fetch(
        `${this.#parties.urls.guardian}/tasks/${toBase64url(task.taskId)}/reports`,
        {
          method: 'POST',
          headers: { 'content-type': MEDIA_TYPE.uploadRequest },
          body: encodeUploadRequest(reports.slice(at, at + 20)) as Uint8Array<ArrayBuffer>,
        },
      );
      expect((await response.arrayBuffer()).byteLength).toBe(0);
    }
  }

  #known(task: TestTask, i: number): Uint8Array {
    const lengths = blockLengths(this.round.sheet);
    const answer = lengths.map((length, question) => (i + question) % length);
    let inputShares: readonly Secret<Uint8Array>[] = [];
    const spied: TestTask['vdaf'] = {
      randSize: task.vdaf.randSize,
      shard: (...args) => {
        const sharded = task.vdaf.shard(...args);
        inputShares = sharded.inputShares;
        return sharded;
      },
    };
    const seed = new Secret(systemRandomness(32));
    const { report, reportId } = buildReport(
      entitled({ ...task, vdaf: spied }, seed),
      answer,
      seed,
      systemRandomness,
    );
    const id = toHex(reportId);
    const [leader, helper] = inputShares.map((share) => share.reveal()) as [Uint8Array, Uint8Array];
    const vector = oneHot(answer, lengths[0]);
    const guardian = Field128.decodeVec(leader.subarray(0, 16 * vector.length));
    const employer = Field128.subVec(vector, guardian);
    this.#shares.set(id, { guardian, employer });
    const { leaderEncryptedInputShare, helperEncryptedInputShare } = decodeReport(report);
    for (const { enc, payload } of [leaderEncryptedInputShare, helperEncryptedInputShare]) {
      this.needles.add(`sealed ${id}`, enc);
      this.needles.add(`sealed ${id}`, payload);
    }
    for (const open of [leader, helper, Field128.encodeVec(employer)]) {
      this.needles.add(`open ${id}`, open);
    }
    return report;
  }

  /** Learns the shuffle, and with it every exact sum that a party may come to hold. */
  learnLots(db: Database): void {
    const rows = db.prepare<[Uint8Array], { lot: number; report_id: Buffer }>(
      'SELECT lot, report_id FROM lots WHERE task_id = ?',
    );
    this.#lots = this.round.tasks.map(({ taskId }) => {
      const lots: string[][] = [];
      for (const { lot, report_id } of rows.all(taskId)) {
        lots[lot] = [...(lots[lot] ?? []), toHex(report_id)];
      }
      return lots;
    });
    this.#lots.forEach((lots, group) => {
      for (const party of PARTIES) {
        lots.forEach((_, lot) => {
          const ids = lots.slice(0, lot + 1).flat();
          const shares = ids.map((id) => (this.#shares.get(id) as OpenShares)[party]);
          const sum = Field128.sumVecs(shares, shares[0]?.length as number);
          // Where draws of noise are zero, noised elements are the exact ones. One draw in six is;
          // eight in a row somewhere in 72 are seen once in 30,000 groups, twenty never.
          const length = 16 * Math.min(20, sum.length);
          this.needles.add(`sum ${party} ${group} ${lot}`, Field128.encodeVec(sum), length);
        });
      }
    });
  }

  /** The number of the last lot that a group was counted with, from the count of its bucket. */
  #lastLot(group: number, count: number): number {
    let sum = 0;
    return (this.#lots[group] ?? []).findIndex((ids) => {
      sum += ids.length;
      return sum === count;
    });
  }

  /** What may be in a party's files as its database stands now. */
  allowed(db: Database): Set<string> {
    const party = partyOf(db);
    const labels = new Set<string>();
    if (party === 'guardian') {
      const ids = db.prepare<[], Buffer>('SELECT report_id FROM box').pluck().all();
      for (const id of ids) labels.add(`sealed ${toHex(id)}`);
    }
    const exactIn: Readonly<Record<PartyName, readonly string[]>> = {
      guardian: ['counting', 'sealed'],
      employer:
        this.round.sheet.noise.by === 'both' ? ['counting'] : ['counting', 'sealed', 'noised'],
    };
    const buckets = db
      .prepare<[], { taskId: Buffer; count: number; state: string }>(
        'SELECT task_id AS taskId, count, state FROM buckets JOIN tasks USING (task_id)',
      )
      .all();
    for (const { taskId, count, state } of buckets) {
      const group = this.#taskIds.indexOf(toHex(taskId));
      if (exactIn[party].includes(state)) {
        labels.add(`sum ${party} ${group} ${this.#lastLot(group, count)}`);
      }
    }
    return labels;
  }
}

/** Everything that should not be there, over a whole round. */
async function residueOf(known: KnownRound, folder: string, temporary: string) {
  const residue: string[] = [];
  let checks = 0;
  hooks.truncated = (db) => {
    const party = partyOf(db);
    if (checks++ === 0) known.learnLots(db);
    const allowed = known.allowed(db);
    for (const label of findInFolder(known.needles, join(folder, party))) {
      if (!allowed.has(label)) residue.push(`${party}: ${label}`);
    }
  };
  return {
    residue,
    checks: () => checks,
    temporary: () => readdirSync(temporary).filter((name) => !name.startsWith('chorus-test-')),
  };
}

/** The states of the buckets that can be read from copies of a party's files. */
function bucketsIn(db: Database, withLog: boolean): { taskId: string; count: number }[] {
  const copy = mkdtempSync(join(tmpdir(), 'chorus-test-copy-'));
  try {
    const path = join(copy, 'copy.sqlite');
    cpSync(db.name, path);
    if (withLog) cpSync(`${db.name}-wal`, `${path}-wal`);
    const look = new Sqlite(path);
    try {
      return look
        .prepare<[], { taskId: Buffer; count: number }>(
          'SELECT task_id AS taskId, count FROM buckets',
        )
        .all()
        .map(({ taskId, count }) => ({ taskId: toHex(taskId), count }));
    } finally {
      look.close();
    }
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** A sheet whose shares fill pages: twelve questions of six options. */
function longSheet(): Partial<Sheet> {
  const [question] = testSheet().questions;
  return {
    questions: Array.from({ length: 12 }, (_, i) => ({
      ...(question as Sheet['questions'][number]),
      id: `q${i}`,
      options: ['1', '2', '3', '4', '5'],
    })),
  };
}

let temporary: string;
let parties: TwoParties;
let running = false;
let number = 0;

beforeAll(() => {
  // SQLite takes its temporary folder from here too.
  temporary = mkdtempSync(join(tmpdir(), 'chorus-residue-'));
  process.env.TMPDIR = temporary;
});

beforeEach(async () => {
  hooks.secureDelete = true;
  hooks.truncates = true;
  hooks.committed = () => {};
  hooks.truncated = () => {};
  return async () => {
    if (running) await parties.close();
    running = false;
  };
});

afterAll(() => rmSync(temporary, { recursive: true, force: true }));

async function startParties(): Promise<TwoParties> {
  const started = await startTwoParties();
  running = true;
  return started;
}

async function open(sizes: readonly number[], changes: Partial<Sheet>): Promise<KnownRound> {
  const roster = sizes.map((size) => size + 50);
  const known = new KnownRound(parties, await openTestRound(parties, roster, changes, ++number));
  for (const [group, people] of sizes.entries()) await known.answer(group, people);
  return known;
}

/** Looking into every file takes its time, and other tests run beside. */
const done = () =>
  until(() => standing(parties, number)?.round.listEmployerSignature != null, 50_000);

/** A small round to its end, under whatever the hooks do. @returns the residue found */
async function smallRound(): Promise<string[]> {
  parties = await startParties();
  const known = await open([10, 9], {});
  const { residue } = await residueOf(known, parties.folder, temporary);
  closeTestRound(parties, known.round);
  await done();
  return residue;
}

describe('what is deleted is in no file', () => {
  test.each([
    // Two lots, many buckets on few pages, and a group that is withheld.
    {
      by: 'guardian',
      sizes: [405, ...Array.from({ length: 8 }, () => 9), 5],
      changes: longSheet(),
    },
    { by: 'both', sizes: [30, 12, 3, 9], changes: {} },
  ] as const)(
    'with noise by $by',
    async ({ by, sizes, changes }) => {
      parties = await startParties();
      const known = await open(sizes, { ...changes, noise: TEST_NOISE[by] });
      const before = findInFolder(known.needles, join(parties.folder, 'guardian'));
      expect(before.size, 'the reports in the box are found').toBe(
        sizes.reduce((sum, size) => sum + size, 0),
      );

      const watched = await residueOf(known, parties.folder, temporary);
      const stored = new Map<string, Set<number>>();
      const last = new Map<PartyName, string>();
      hooks.committed = (db) => {
        // The files are copied only where this transaction changed a bucket.
        const rows = db.prepare('SELECT hex(task_id), count, hex(share) FROM buckets').raw().all();
        if (last.get(partyOf(db)) === String(rows)) return;
        last.set(partyOf(db), String(rows));
        for (const withLog of [true, false]) {
          for (const { taskId, count } of bucketsIn(db, withLog)) {
            const key = `${partyOf(db)} ${taskId}`;
            stored.set(key, (stored.get(key) ?? new Set([0])).add(count));
          }
        }
      };
      closeTestRound(parties, known.round);
      await done();
      await parties.stop('employer');
      await parties.stop('guardian');

      const small = sizes.filter((size) => size < K).length;
      expect(watched.residue).toEqual([]);
      expect(watched.checks()).toBeGreaterThan(3 * (sizes.length - small));
      expect(watched.temporary()).toEqual([]);
      for (const party of PARTIES) {
        expect([...findInFolder(known.needles, join(parties.folder, party))]).toEqual([]);
      }
      expect(stored.size).toBe(2 * (sizes.length - small));
      for (const counts of stored.values()) {
        const sorted = [...counts].sort((a, b) => a - b);
        sorted.forEach((count, i) => {
          if (i > 0) expect(count - (sorted[i - 1] as number)).toBeGreaterThanOrEqual(K);
        });
      }
      await parties.start('guardian');
      await parties.start('employer');
      expect(standing(parties, number)?.groups).toMatchObject({
        confirmed: sizes.length - small,
        withheld: small,
      });
    },
    40_000,
  );

  test('where SQLite moves the rows that stay: it does not move overflow pages', () => {
    const folder = mkdtempSync(join(temporary, 'chorus-test-rows-'));
    const { db, buckets } = openStores('guardian', folder, MIGRATIONS, { now: () => 0 });
    const box = new BoxStore(db);
    db.pragma('foreign_keys = OFF');
    const secrets: Uint8Array[] = [];
    const lengths = [100, 128, 500, 1152, 2700, 4000, 4042, 4091, 4092, 4093, 8184, 9000];
    for (const length of lengths) {
      for (const publicLength of [0, 130, 194, 552, 3000, 4090, 5000]) {
        const report = systemRandomness(publicLength + length);
        secrets.push(report.subarray(publicLength));
        box.insert(systemRandomness(32), systemRandomness(16), report, publicLength);
      }
      const share = systemRandomness(length);
      secrets.push(share);
      buckets.put(systemRandomness(32), { share, count: length, checksum: systemRandomness(32) });
    }
    truncateWal(db);
    const file = readFileSync(db.name);
    for (const secret of secrets) {
      for (let at = 0; at + PIECE <= secret.length; at += at < 128 ? PIECE : 500) {
        const piece = secret.subarray(at, at + PIECE);
        const found = file.indexOf(piece);
        // One that lies across the end of a page is not found; its neighbours are.
        if (found < 0) continue;
        // An overflow page begins with a page number, so with a zero; a leaf with its kind.
        expect(file[found - (found % PAGE)], `${at} of ${secret.length} bytes`).toBe(0);
      }
    }
    db.close();
  });

  test('after a crash between the noise and its truncation, before anything is answered', async () => {
    parties = await startParties();
    const known = await open([10], {});
    const { residue } = await residueOf(known, parties.folder, temporary);
    const crashed = join(temporary, 'chorus-test-crashed');
    let copied = false;
    hooks.committed = (db) => {
      const noised = db.prepare(`SELECT 1 FROM tasks WHERE state = 'noised'`).get() !== undefined;
      if (copied || partyOf(db) !== 'guardian' || !noised) return;
      copied = true;
      cpSync(dirname(db.name), crashed, { recursive: true });
    };
    closeTestRound(parties, known.round);
    await done();
    expect(residue).toEqual([]);
    expect([...findInFolder(known.needles, crashed)]).toEqual(['sum guardian 0 0']);
    hooks.truncated = () => {};
    openStores('guardian', crashed, MIGRATIONS, parties.clock).db.close();
    expect([...findInFolder(known.needles, crashed)]).toEqual([]);
    // Not through the close of the last connection, which truncates too.
    rmSync(crashed, { recursive: true });
  });
});

describe('the check finds', () => {
  test('nothing in a round as it should be', async () => {
    expect(await smallRound()).toEqual([]);
  });

  test('what a database without secure_delete leaves', async () => {
    hooks.secureDelete = false;
    expect(await smallRound()).not.toEqual([]);
  });

  test('what a log that is not truncated holds', async () => {
    hooks.truncates = false;
    const residue = await smallRound();
    expect(residue.some((line) => line.startsWith('guardian: sealed'))).toBe(true);
    expect(residue.some((line) => line.startsWith('guardian: sum'))).toBe(true);
    expect(residue.some((line) => line.startsWith('employer: sum'))).toBe(true);
  });

  test('what is planted in a log, a key file or a file beside them, as bytes or as text', async () => {
    parties = await startParties();
    const needles = new Needles();
    const secret = systemRandomness(200);
    needles.add('secret', secret);
    const folder = join(parties.folder, 'employer');
    expect(findInFolder(needles, folder).size).toBe(0);
    const planted: readonly [string, string | Uint8Array][] = [
      ['employer.log', JSON.stringify({ share: toBase64url(secret) })],
      ['keys/planted.json', JSON.stringify({ share: toHex(secret) })],
      ['employer.sqlite-journal', Buffer.concat([Buffer.alloc(77), secret.subarray(50, 100)])],
    ];
    for (const [name, content] of planted) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content, { flag: 'a' });
      expect([...findInFolder(needles, folder)], name).toEqual(['secret']);
      rmSync(join(folder, name));
    }
  });
});
