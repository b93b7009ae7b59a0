import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DAY_MS } from '../../server/domain/days.ts';
import { openEmployer } from '../../server/employer/employer.ts';
import { changeRetention } from '../../server/employer/retention.ts';
import { RetentionStore } from '../../server/storage/retention.ts';
import { axe, launchBrowser } from '../support/browser.ts';
import { approveTestSheet, testSheet, until } from '../support/parties.ts';
import { insertFinished } from '../support/retained.ts';
import { type Desks, startDesks } from '../support/sign-in.ts';
import { staffCookie } from '../support/staff.ts';

/** The pages of retention and of what is stored, as they are served, without a script. */

let desks: Desks;
let browser: Browser;
let request: string;

beforeAll(async () => {
  desks = await startDesks();
  desks.nowMs = Date.now();
  await approveTestSheet(desks.parties, testSheet({ title: 'How are you?' }));
  const parts = await openEmployer(desks.parties.config('employer'));
  insertFinished(parts, { number: 5, closes: 10_000, trendsDays: 3000 });
  desks.parties.clock.advance(10_040 * DAY_MS);
  const change = changeRetention(parts, { kind: 'counts', sheet: null }, 200);
  changeRetention(parts, { kind: 'mail', sheet: null }, 10);
  request = change.hash.toString('base64url');
  parts.db.close();
  desks.parties.employer.nudge();
  const look = desks.parties.database('guardian');
  await until(() => new RetentionStore(look).waiting().length === 1);
  look.close();
  browser = await launchBrowser();
}, 60_000);

afterAll(async () => {
  await browser?.close();
  await desks.parties.close();
});

const PAGES = [
  ['employer', '/retention', undefined],
  ['employer', '/retention/lists/installation', undefined],
  ['employer', '/retention/lists/installation', 'See what that would do', '5'],
  ['employer', '/retention/lists/installation', 'See what that would do', '30'],
  ['employer', '/retention/lists/installation', 'See what that would do', '500'],
  ['employer', '/inventory', undefined],
  ['guardian', '/surveys', undefined],
  ['guardian', () => `/retention/${request}`, undefined],
  ['guardian', () => `/retention/${request}`, 'Refuse the longer time'],
  ['guardian', '/inventory', undefined],
] as const;

describe.each([
  [320, 'light'],
  [360, 'dark'],
  [1280, 'light'],
  [1280, 'dark'],
] as const)('at %i pixels, %s', (width, colorScheme) => {
  it('no page has a violation or overflows, and forms work by keyboard', async () => {
    const context = await browser.newContext({
      viewport: { width, height: 800 },
      colorScheme,
    });
    for (const party of ['employer', 'guardian'] as const) {
      const role = party === 'employer' ? 'admin' : 'guardian';
      const [name, value] = staffCookie(desks.parties, party, role).split('=') as [string, string];
      await context.addCookies([{ name, value, url: desks.parties.urls[party] }]);
    }
    const page = await context.newPage();
    for (const [i, [party, path, button, days]] of PAGES.entries()) {
      await page.goto(desks.parties.urls[party] + (typeof path === 'string' ? path : path()));
      if (days !== undefined) {
        await page.focus('#days');
        await page.keyboard.type(days);
      }
      if (button !== undefined) {
        await page.focus(`button:text-is("${button}")`);
        await page.keyboard.press('Enter');
        await page.waitForSelector(
          days === '30' || days === '500' ? 'text=Step 2' : '#error-heading',
        );
      }
      const where = `${party} ${path} ${days ?? ''}`;
      expect(await axe(page), where).toEqual([]);
      const overflow = await page.evaluate(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      );
      expect(overflow, where).toBe(0);
      if (process.env.SHOTS) {
        await page.screenshot({
          path: `${process.env.SHOTS}/${i}-${width}-${colorScheme}.png`,
          fullPage: true,
        });
      }
    }
    await context.close();
  }, 60_000);
});
