import { DAY_MS } from '../domain/days.ts';
import {
  type InventoryItem,
  inventoryOf,
  itemOfKeyFile,
  type PartyName,
} from '../domain/inventory.ts';
import { retentionOf } from '../domain/retention.ts';
import { lookAtLogFile } from './log-file.ts';
import { tablesOf, tablesWith } from './rewrite.ts';
import type { Stores } from './stores.ts';
import { roundDays } from './sweep.ts';

/** One kind of record as it is now. */
export interface Counted extends InventoryItem {
  readonly count: number;
  /**
   * When the oldest came, or when its round opened, in milliseconds since 1970; null if there is
   * none or nobody knows.
   */
  readonly oldestMs: number | null;
  /** When the next of it goes by its setting, at the latest. */
  readonly dueMs: number | null;
}

/** The column that tells how old a row is; a table without one is as old as its rounds, or nobody knows. */
const TIMES: Readonly<Record<string, string>> = {
  events: 'at_ms',
  sheets: 'changed_ms',
  rounds: 'opens_ms',
  retention_changes: 'changed_ms',
  staff: 'added_ms',
  staff_sessions: 'began_ms',
  mail_queue: 'queued_ms',
  ending: 'decommissioned_ms',
  clock: 'latest_ms',
};

/**
 * Everything that a party stores now: every table of its database, every kind of key file, its log.
 * What the list does not know is counted all the same, as unknown.
 */
export function takeInventory(stores: Stores, party: PartyName, logPath: string): Counted[] {
  const tables = tablesOf(stores.db);
  const keys = stores.keyFiles.names();
  const items = inventoryOf(party);
  const known = new Set(items.map(({ store }) => store));
  const unknown = [
    ...tables.filter((table) => !known.has(table)),
    ...keys.filter((name) => itemOfKeyFile(name) === undefined).map((name) => `keys/${name}`),
  ].map((store): InventoryItem => ({ store, parties: [party], holds: '?', why: '?', goes: '?' }));
  const withColumn = (column: string) => new Set(tablesWith(stores.db, column));
  const [byHash, byTask, byNumber] = ['manifest_hash', 'task_id', 'round'].map(withColumn) as [
    Set<string>,
    Set<string>,
    Set<string>,
  ];
  /** A table with its rounds beside it, if it is of rounds. */
  const withRounds = (table: string): string | undefined => {
    if (byHash.has(table)) return `${table} LEFT JOIN rounds USING (manifest_hash)`;
    if (byTask.has(table)) {
      return `${table} LEFT JOIN tasks USING (task_id) LEFT JOIN rounds USING (manifest_hash)`;
    }
    return byNumber.has(table)
      ? `${table} LEFT JOIN rounds ON rounds.number = ${table}.round`
      : undefined;
  };
  const age = (table: string): string => {
    const own = TIMES[table];
    if (own !== undefined) return `SELECT COUNT(*) AS count, MIN(${own}) AS oldestMs FROM ${table}`;
    const joined = withRounds(table);
    return joined === undefined
      ? `SELECT COUNT(*) AS count, NULL AS oldestMs FROM ${table}`
      : `SELECT COUNT(*) AS count, MIN(rounds.opens_ms) AS oldestMs FROM ${joined}`;
  };
  const look = (store: string): { count: number; oldestMs: number | null } => {
    if (store === 'log') {
      const { lines, oldestMs } = lookAtLogFile(logPath);
      return { count: lines, oldestMs };
    }
    if (store.startsWith('keys/')) {
      const files = keys.filter((name) => (itemOfKeyFile(name)?.store ?? `keys/${name}`) === store);
      const times = files.map((name) => stores.keyFiles.writtenMs(name));
      return { count: files.length, oldestMs: times.length === 0 ? null : Math.min(...times) };
    }
    return stores.db.prepare(age(store)).get() as { count: number; oldestMs: number | null };
  };
  const due = ({ store, kind }: InventoryItem, oldestMs: number | null): number | null => {
    if (kind === undefined || oldestMs === null) return null;
    if (!retentionOf(kind).perSurvey) {
      return oldestMs + stores.retention.days({ kind, sheet: null }) * DAY_MS;
    }
    const numbers = stores.db
      .prepare<[], number>(`SELECT DISTINCT rounds.number FROM ${withRounds(store)}`)
      .pluck()
      .all();
    const dues = numbers.flatMap((number) => {
      const round = stores.rounds.withNumber(number);
      return round === undefined ? [] : [round.closesMs + roundDays(stores, round, kind) * DAY_MS];
    });
    return dues.length === 0 ? null : Math.min(...dues);
  };
  return [...items, ...unknown].map((item) => {
    const { count, oldestMs } = look(item.store);
    return { ...item, count, oldestMs, dueMs: due(item, oldestMs) };
  });
}
