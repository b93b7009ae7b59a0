import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { DAY_MS } from '../../../server/domain/days.ts';
import { INVENTORY, inventoryOf, recordsWords } from '../../../server/domain/inventory.ts';
import { takeInventory } from '../../../server/storage/inventory.ts';
import { tablesOf, tablesWith } from '../../../server/storage/rewrite.ts';
import { openStores, type Stores } from '../../../server/storage/stores.ts';
import { testFolder } from '../../support/folder.ts';
import { MIGRATIONS } from '../../support/parties.ts';
import { insertFinished } from '../../support/retained.ts';
import { PARTIES, type PartyName } from '../../support/rounds.ts';

function open(party: PartyName): { stores: Stores; logPath: string } {
  const folder = testFolder();
  const stores = openStores(party, folder, MIGRATIONS, { now: () => 0 });
  onTestFinished(() => void stores.db.close());
  return { stores, logPath: join(folder, `${party}.log`) };
}

describe.each(PARTIES)('the inventory of the %s', (party) => {
  test('has every table of the database, and no other', () => {
    const { stores } = open(party);
    const listed = inventoryOf(party)
      .map(({ store }) => store)
      .filter((store) => store !== 'log' && !store.startsWith('keys/'));
    expect(listed.sort()).toEqual(tablesOf(stores.db));
  });

  test('shows the number of people’s reports nowhere as it is', () => {
    const { stores } = open(party);
    const ofReports = new Set(
      ['report_id', 'nonce'].flatMap((column) => tablesWith(stores.db, column)),
    );
    for (const item of inventoryOf(party)) {
      const shown = [0, 4, 37].map((count) => recordsWords(item, count));
      expect(shown, item.store).toEqual(
        ofReports.has(item.store) ? ['0', 'fewer than 5', 'at least 35'] : ['0', '4', '37'],
      );
    }
  });

  test('counts what nobody has listed', () => {
    const { stores, logPath } = open(party);
    stores.db.exec('CREATE TABLE diaries (id INTEGER PRIMARY KEY) STRICT');
    stores.keyFiles.write('spare', {});
    const unknown = takeInventory(stores, party, logPath).filter(({ holds }) => holds === '?');
    expect(unknown.map(({ store, count }) => [store, count])).toEqual([
      ['diaries', 0],
      ['keys/spare', 1],
    ]);
  });

  test('says how many, how old, and when the next goes', () => {
    const { stores, logPath } = open(party);
    insertFinished(stores, { number: 1, closes: 20_000, trendsDays: 100 });
    insertFinished(stores, { number: 2, closes: 20_050, trendsDays: 40 });
    stores.keyFiles.write('round-3', {});
    stores.events.add({ atMs: 5, round: null, groupIndex: null, kind: 'x', sentence: 'x' });
    const items = new Map(takeInventory(stores, party, logPath).map((item) => [item.store, item]));
    expect(items.get('results')).toMatchObject({
      count: 12,
      oldestMs: 19_993 * DAY_MS,
      dueMs: 20_090 * DAY_MS,
    });
    expect(items.get('list_slices')).toMatchObject({ count: 512, dueMs: 20_365 * DAY_MS });
    expect(items.get('events')).toMatchObject({ count: 1, oldestMs: 5, dueMs: 365 * DAY_MS + 5 });
    expect(items.get('keys/round-*')?.count).toBe(1);
    expect(items.get('staff_sessions')).toMatchObject({ count: 0, oldestMs: null, dueMs: null });
  });
});

test('every item says what it holds, why, and when it goes', () => {
  for (const { holds, why, goes } of INVENTORY) {
    for (const words of [holds, why, goes]) expect(words.length).toBeGreaterThan(5);
  }
});
