import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { invitationSheet } from '../../../server/cli/invite-sheet.ts';
import { axe, launchBrowser } from '../../support/browser.ts';
import { root, sheet } from '../sample.ts';

let browser: Browser;
let html: string;

beforeAll(async () => {
  const { employer, guardian, contact } = sheet.notice;
  html = await invitationSheet(
    `${root}views`,
    { title: sheet.title, employer, guardian, contact, closes: '5 December 2026' },
    ['Person 1', 'A person with a name as long as that of a whole department'].map((name, i) => ({
      name,
      unit: 'Northlight Logistics / Warehouse / Night shift',
      link: `https://guardian.example/answer#${'A'.repeat(22)}.${i}.${'B'.repeat(43)}`,
    })),
  );
  browser = await launchBrowser();
});

afterAll(() => browser?.close());

it.each([360, 1280])('holds at %i pixels, and says what to do with it', async (width) => {
  const page = await browser.newPage({ viewport: { width, height: 800 } });
  await page.setContent(html);
  expect(await axe(page)).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(
    width,
  );
  expect(await page.getByText('delete this file').isVisible()).toBe(true);
  expect(await page.getByRole('img', { name: 'QR code of the link' }).count()).toBe(2);
  // On paper there are people's pieces and nothing else.
  await page.emulateMedia({ media: 'print' });
  expect(await page.getByText('delete this file').isVisible()).toBe(false);
  expect(await page.getByRole('heading', { name: 'Person 1' }).isVisible()).toBe(true);
  await page.close();
});
