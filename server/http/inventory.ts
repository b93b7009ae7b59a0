import { Router } from 'express';
import { DAY_MS } from '../domain/days.ts';
import { recordsWords } from '../domain/inventory.ts';
import { dayWords } from '../domain/shown.ts';
import { type Counted, takeInventory } from '../storage/inventory.ts';
import { pageHeaders } from './app.ts';
import { frame, type PageSource } from './pages.ts';
import type { InventoryPage } from './views.ts';

/** The page of everything that a party stores. */
export function inventoryRoutes(source: PageSource, logPath: string): Router {
  const router = Router();
  router.get('/inventory', pageHeaders('none'), (_request, response) => {
    const items = takeInventory(source.stores, source.party, logPath);
    const known = items.filter(({ holds }) => holds !== '?');
    const page: InventoryPage = {
      unknown: items.filter(({ holds }) => holds === '?').map(shown),
      stored: known.filter(({ count }) => count > 0).map(shown),
      empty: known.filter(({ count }) => count === 0).map(shown),
    };
    response.render('inventory', { ...frame(source, 'What is stored', '/inventory'), ...page });
  });
  return router;
}

function shown(item: Counted) {
  const { store, holds, why, goes, count, oldestMs, dueMs } = item;
  const day = (ms: number | null) => (ms === null ? null : dayWords(Math.floor(ms / DAY_MS)));
  const records = `${recordsWords(item, count)} ${count === 1 && !item.ofReports ? 'record' : 'records'}`;
  return { store, holds, why, goes, records, oldest: day(oldestMs), due: day(dueMs) };
}
