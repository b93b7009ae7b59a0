import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AccountStore } from './account.ts';
import { BucketStore } from './buckets.ts';
import { type Clock, ClockStore, forwardClock } from './clock.ts';
import { type Database, openDatabase, truncateWal } from './database.ts';
import { EventStore } from './events.ts';
import { KeyFiles } from './key-files.ts';
import { ResultStore } from './results.ts';
import { RetentionStore } from './retention.ts';
import { RoundStore } from './rounds.ts';
import { SheetStore } from './sheets.ts';
import { SignInStore } from './sign-ins.ts';
import { StaffStore } from './staff.ts';
import { TaskStore } from './tasks.ts';

/** What both parties keep alike, in one database and one key folder of their own. */
export interface Stores {
  readonly db: Database;
  readonly clock: Clock;
  readonly sheets: SheetStore;
  readonly rounds: RoundStore;
  readonly tasks: TaskStore;
  readonly buckets: BucketStore;
  readonly results: ResultStore;
  readonly account: AccountStore;
  readonly events: EventStore;
  readonly staff: StaffStore;
  readonly signIns: SignInStore;
  readonly retention: RetentionStore;
  readonly keyFiles: KeyFiles;
}

/**
 * Opens a party's data folder, making it if needed.
 * @param migrations the project's migrations folder
 * @param source where time comes from
 */
export function openStores(
  party: 'guardian' | 'employer',
  folder: string,
  migrations: string,
  source: Clock,
): Stores {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const db = openDatabase(join(folder, `${party}.sqlite`), [
    join(migrations, 'common'),
    join(migrations, party),
  ]);
  // A crash may have come between a write and its truncation; no reply may leave before that.
  truncateWal(db);
  return {
    db,
    clock: forwardClock(source, new ClockStore(db)),
    sheets: new SheetStore(db),
    rounds: new RoundStore(db),
    tasks: new TaskStore(db),
    buckets: new BucketStore(db),
    results: new ResultStore(db),
    account: new AccountStore(db),
    events: new EventStore(db),
    staff: new StaffStore(db),
    signIns: new SignInStore(db),
    retention: new RetentionStore(db),
    keyFiles: new KeyFiles(join(folder, 'keys')),
  };
}

/** Runs `work` as one transaction that holds the write lock from its start. */
export function transact<T>(db: Database, work: () => T): T {
  return db.transaction(work).immediate();
}
