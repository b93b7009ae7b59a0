import { readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import Sqlite from 'better-sqlite3';
import type { MailMessage } from '../../server/mail/mailer.ts';
import { filesBelow } from './needles.ts';
import { PARTIES } from './rounds.ts';

/*
 * What an attacker holds who has copied the disks of both parties at one moment: every file but the
 * keys, and every mail that ever left. The files are read as they lie, with what is in the log and in
 * the shared memory beside a database.
 */

export const PAGE = 4096;

/** SQLite file format §4: headers of the log and of each of its frames. */
const WAL_HEADER = 32;
const FRAME_HEADER = 24;
/** Where the wal-index names the pages of the log's frames: its first block holds so many. */
const INDEX_HEADER = 136;
const INDEX_PAGES = 4062;

export interface Evidence {
  /** By name, such as `employer/employer.sqlite-wal`. */
  readonly files: ReadonlyMap<string, Buffer>;
  /** In the order in which the mail server took them. */
  readonly mails: readonly MailMessage[];
}

/** @param folder of both parties */
export function seize(folder: string, mails: readonly MailMessage[]): Evidence {
  const files = new Map<string, Buffer>();
  for (const party of PARTIES) {
    for (const path of filesBelow(join(folder, party))) {
      const name = relative(folder, path);
      if (!name.startsWith(join(party, 'keys'))) files.set(name, readFileSync(path));
    }
  }
  return { files, mails: [...mails] };
}

/** The page that each frame of a log holds, also of frames that were left from before. */
export function framePages(wal: Buffer): number[] {
  const pages: number[] = [];
  for (let at = WAL_HEADER; at + FRAME_HEADER + PAGE <= wal.length; at += FRAME_HEADER + PAGE) {
    pages.push(wal.readUInt32BE(at));
  }
  return pages;
}

/** The pages that the shared memory beside a log names, in the order of their frames. */
export function indexedPages(shm: Buffer): number[] {
  const pages: number[] = [];
  for (let i = 0; i < INDEX_PAGES && INDEX_HEADER + 4 * i + 4 <= shm.length; i++) {
    pages.push(shm.readUInt32LE(INDEX_HEADER + 4 * i));
  }
  return pages;
}

export interface Table {
  readonly columns: readonly string[];
  /** In the order in which SQLite walks them. */
  readonly rows: readonly (readonly unknown[])[];
}

/** Every table of a party's database, by name. */
export function tablesOf(evidence: Evidence, party: string): Map<string, Table> {
  const name = `${party}/${party}.sqlite`;
  const db = new Sqlite(merged(bytesOf(evidence, name), bytesOf(evidence, `${name}-wal`)));
  try {
    const tables = db
      .prepare<[], string>(`SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name`)
      .pluck()
      .all();
    return new Map(
      tables.map((table) => {
        const all = db.prepare<[], unknown[]>(`SELECT * FROM "${table}"`).raw();
        return [table, { columns: all.columns().map((column) => column.name), rows: all.all() }];
      }),
    );
  } finally {
    db.close();
  }
}

export function bytesOf({ files }: Evidence, name: string): Buffer {
  return files.get(name) ?? Buffer.alloc(0);
}

/** The database with what is committed in its log, as a file that needs no log. */
function merged(main: Buffer, wal: Buffer): Buffer {
  const frames: { readonly page: number; readonly size: number; readonly bytes: Buffer }[] = [];
  let committed = 0;
  const salts = wal.subarray(16, 24);
  for (let at = WAL_HEADER; at + FRAME_HEADER + PAGE <= wal.length; at += FRAME_HEADER + PAGE) {
    if (!wal.subarray(at + 8, at + 16).equals(salts)) break;
    const bytes = wal.subarray(at + FRAME_HEADER, at + FRAME_HEADER + PAGE);
    const size = wal.readUInt32BE(at + 4);
    frames.push({ page: wal.readUInt32BE(at), size, bytes });
    if (size > 0) committed = frames.length;
  }
  const last = frames[committed - 1];
  const whole = Buffer.alloc(last === undefined ? main.length : last.size * PAGE);
  main.copy(whole);
  for (const { page, bytes } of frames.slice(0, committed)) bytes.copy(whole, (page - 1) * PAGE);
  // Read and write version 1: no log.
  whole.fill(1, 18, 20);
  return whole;
}
