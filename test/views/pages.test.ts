import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import express from 'express';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LIGHT_WORDS } from '../../server/domain/noise-presets.ts';
import { previewing } from '../../server/domain/preview.ts';
import { sheetFacts } from '../../server/domain/sheet-facts.ts';
import { companyTrends, groupTrends } from '../../server/domain/trends.ts';
import { atOnce } from '../../server/domain/turns.ts';
import { createApp, pageHeaders } from '../../server/http/app.ts';
import { type AccountPage, type StatusPage, viewEngine } from '../../server/http/views.ts';
import { axe, launchBrowser } from '../support/browser.ts';
import { ASSETS, builtAssets } from '../support/project.ts';
import { FORTY, HUNDRED, root, roundsOf, sheet, TWENTY } from './sample.ts';

const NONE = { boxed: 0, counting: 0, sealed: 0, noised: 0, confirmed: 0, withheld: 0 };
const ROUND = { opens: '1 May 2026', closes: '14 May 2026', state: 'open', stateLabel: 'Open' };

const OPEN: StatusPage = {
  preparing: { done: 3, total: 7, sentence: 'Making the past rounds.' },
  rounds: [{ number: 1, ...ROUND, progress: null, groups: { ...NONE, boxed: 3 } }],
  openRound: { number: 1, closes: '14 May 2026', canClose: true, answerLinkExample: '/answer#0.a' },
  waitingFor: 'employer',
  next: ['The next round of “How are you?” begins on 1 August 2026.'],
  failures: ['Could not plan rounds: the roster has nobody on it.'],
  events: [{ at: '2026-05-01T08:00:00.000Z', sentence: 'Round 1 opened.' }],
};

const COUNTING: StatusPage = {
  preparing: null,
  rounds: [
    { number: 2, ...ROUND, progress: null, groups: { ...NONE, boxed: 3 } },
    {
      ...{ number: 1, ...ROUND, state: 'closed', stateLabel: 'Counting' },
      ...{ progress: { done: 2, total: 3 }, groups: { ...NONE, counting: 1, confirmed: 2 } },
    },
  ],
  openRound: null,
  waitingFor: null,
  next: [],
  failures: [],
  events: [
    { at: '2026-05-15T08:00:00.000Z', sentence: 'Round 1 closed.' },
    { at: '2026-05-01T08:00:00.000Z', sentence: 'Round 1 opened.' },
  ],
};

const ACCOUNT: AccountPage = {
  ...{ sum: '2.4', cap: '4', part: 0.6, epsilon: '12.3' },
  rounds: [
    {
      ...{ number: 7, survey: 'How work feels', preset: 'Standard', began: '1 May 2026' },
      ...{ cost: '1', until: '29 April 2027', counts: true },
    },
    {
      ...{ number: 1, survey: null, preset: 'Light', began: '1 May 2025' },
      ...{ cost: '1.2', until: '29 April 2026', counts: false },
    },
  ],
};

let browser: Browser;
let server: Server;
let origin: string;
let status: StatusPage = OPEN;

beforeAll(async () => {
  const app = createApp();
  app.engine('hbs', viewEngine(join(root, 'views'), builtAssets()));
  app.set('view engine', 'hbs');
  app.set('views', join(root, 'views/pages'));
  app.use('/assets', express.static(ASSETS));
  app.use(pageHeaders('self'));
  const page = (path: string, view: string, data: () => object) =>
    app.get(path, (_request, response) => {
      response.render(view, {
        ...{ title: view, party: 'employer', partyName: 'Northlight Logistics' },
        ...{ organisation: 'Northlight Logistics', evaluation: true, light: LIGHT_WORDS },
        nav: [{ href: '/trends', label: 'Trends', current: path === '/trends' }],
        ...data(),
      });
    });
  const rounds = roundsOf(
    [HUNDRED, HUNDRED],
    ['too-few', HUNDRED],
    [FORTY, HUNDRED],
    [TWENTY, HUNDRED],
    [HUNDRED, HUNDRED],
    ['open', 'open'],
  );
  page('/trends', 'trends', () => ({ trends: companyTrends(sheet, rounds) }));
  page('/trends/groups/0', 'trends', () => ({ trends: groupTrends(sheet, rounds, 0) }));
  page('/empty', 'trends', () => ({ trends: companyTrends(sheet, []) }));
  page('/', 'status', () => ({ status }));
  page('/how', 'how', () => ({}));
  page('/message', 'message', () => ({
    ...{ heading: 'Not found', sentence: 'There is no such group.' },
    action: { href: '/', label: 'To the rounds' },
  }));
  page('/account', 'account', () => ({ account: ACCOUNT }));
  page('/account/empty', 'account', () => ({
    account: {
      ...ACCOUNT,
      sum: '0',
      cap: null,
      part: null,
      epsilon: null,
      rounds: [],
    },
  }));
  const units = Array.from({ length: 9 }, (_, i) => ({
    path: `Northlight / Department ${i % 3} / Team ${i}`,
    people: 20 + 15 * i,
  }));
  const preview = atOnce(previewing(sheet, units, [], sheet.schedule.first_day));
  const survey = { title: sheet.title, stateLabel: 'Draft', reason: null, more: 3 };
  page('/surveys/one', 'own-survey', () => ({
    survey: { ...survey, facts: sheetFacts(sheet), preview },
  }));
  page('/surveys/none', 'own-survey', () => ({
    survey: {
      ...survey,
      ...{ facts: sheetFacts(sheet), more: 0 },
      preview: atOnce(previewing(sheet, [], [], 0)),
    },
  }));
  page('/surveys', 'own-surveys', () => ({
    surveys: [{ ...survey, href: '/surveys/one', since: '2026-11-21' }],
  }));
  page('/evaluation/close-round', 'close-round', () => ({
    closing: { number: 8, closes: '14 May 2026', k: 10 },
  }));
  app.get('/status.json', (_request, response) => void response.json(status));
  server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
});

async function withPage(
  options: Parameters<Browser['newContext']>[0],
  use: (page: Page) => Promise<void>,
): Promise<void> {
  const context = await browser.newContext(options);
  try {
    await use(await context.newPage());
  } finally {
    await context.close();
  }
}

const PATHS = [
  ...['/', '/trends', '/trends/groups/0', '/empty', '/how', '/message'],
  ...['/account', '/account/empty', '/surveys', '/surveys/one', '/surveys/none'],
  '/evaluation/close-round',
];

describe.each([
  [320, 'light'],
  [320, 'dark'],
  [1280, 'light'],
  [1280, 'dark'],
] as const)('at %i pixels, %s', (width, colorScheme) => {
  it('no page has a violation, overflows, or breaks the Content-Security-Policy', () =>
    withPage({ viewport: { width, height: 800 }, colorScheme }, async (page) => {
      const complaints: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text());
      });
      page.on('pageerror', (error) => complaints.push(error.message));
      status = OPEN;
      for (const path of PATHS) {
        await page.goto(origin + path);
        expect(await axe(page), path).toEqual([]);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth);
        expect(wide, path).toBeLessThanOrEqual(width);
      }
      expect(complaints).toEqual([]);
    }));
});

it('shows the wide charts on wide pages and on paper, the narrow ones on phones', () =>
  withPage({ viewport: { width: 1280, height: 800 } }, async (page) => {
    await page.goto(`${origin}/trends`);
    const seen = async () => [
      await page.locator('.chart-720').first().isVisible(),
      await page.locator('.chart-360').first().isVisible(),
    ];
    expect(await seen()).toEqual([true, false]);
    await page.setViewportSize({ width: 360, height: 800 });
    expect(await seen()).toEqual([false, true]);
    await page.emulateMedia({ media: 'print' });
    expect(await seen()).toEqual([true, false]);
    // What is folded away on a screen is printed.
    expect(await page.locator('.trend-item table').first().isVisible()).toBe(true);
  }));

it('keeps a day in one piece on a phone', () =>
  withPage({ viewport: { width: 320, height: 800 } }, async (page) => {
    await page.goto(`${origin}/surveys`);
    const lines = await page.getByText('2026-11-21', { exact: true }).evaluate((node) => {
      const range = document.createRange();
      range.selectNodeContents(node);
      return range.getClientRects().length;
    });
    expect(lines).toBe(1);
  }));

it('prints alike whether screens are light or dark', () =>
  withPage({}, async (page) => {
    await page.goto(`${origin}/trends`);
    const printed = async (colorScheme: 'light' | 'dark') => {
      await page.emulateMedia({ media: 'print', colorScheme });
      return page.evaluate(() => {
        const names = [...document.styleSheets]
          .flatMap(({ cssRules }) => [...cssRules])
          .flatMap((rule) => (rule instanceof CSSStyleRule ? [...rule.style] : []))
          .filter((name) => name.startsWith('--'));
        const style = getComputedStyle(document.documentElement);
        return names.map((name) => `${name}: ${style.getPropertyValue(name)}`);
      });
    };
    const light = await printed('light');
    expect(light.join()).toContain('--accent-soft');
    expect(await printed('dark')).toEqual(light);
  }));

it('leads through groups and tables without JavaScript', () =>
  withPage({ javaScriptEnabled: false }, async (page) => {
    await page.goto(`${origin}/trends`);
    await page.getByText('Choose a group').click();
    await page.getByRole('link', { name: 'Inbound' }).click();
    expect(await page.locator('h1').textContent()).toBe('Inbound');
    await page.getByText('Table: Energy, round by round').click();
    const table = page.getByRole('table').filter({ hasText: 'Round' }).nth(1);
    expect(await table.innerText()).toContain('not shown: fewer than 10 answers');
    for (const words of ['40%', '40% to 70%', 'too noisy to tell', 'noise ±']) {
      expect(await table.innerText()).toContain(words);
    }
    await page.goto(origin);
    await page.getByRole('link', { name: 'Refresh this page' }).click();
  }));

it('shows no way to what somebody may not do: neither to the eye nor to the keyboard', () =>
  withPage({}, async (page) => {
    const openRound = { number: 1, closes: '14 May 2026' };
    const ways = page.locator('.card .actions a');
    status = { ...OPEN, openRound: { ...openRound, canClose: false, answerLinkExample: null } };
    await page.goto(origin);
    expect(await page.getByRole('heading', { name: 'Round 1 is open' }).isVisible()).toBe(true);
    for (const way of await ways.all()) expect(await way.isVisible()).toBe(false);
    status = OPEN;
    await page.goto(origin);
    expect(await ways.count()).toBe(2);
    for (const way of await ways.all()) expect(await way.isVisible()).toBe(true);
  }));

it('shows what each group would show on a phone too, with nothing to push aside', () =>
  withPage({ viewport: { width: 360, height: 800 } }, async (page) => {
    await page.goto(`${origin}/surveys/one`);
    // Its column heads are not seen here.
    expect(await page.getByText('The preset of this survey is Standard.').isVisible()).toBe(true);
    for (const table of await page.getByRole('table').all()) {
      const wide = await table.evaluate((node) => {
        const { right } = node.getBoundingClientRect();
        return [node, ...node.querySelectorAll('td, th, caption')].filter(
          (part) => part.getBoundingClientRect().right > Math.min(right, innerWidth) + 1,
        ).length;
      });
      expect(wide).toBe(0);
    }
    const row = page.getByRole('row', { name: /Team 8/ });
    expect(await row.getByRole('cell').count()).toBe(5);
    expect(await row.getByRole('cell').nth(2).innerText()).toContain('share:');
    const label = await row
      .getByRole('cell')
      .nth(2)
      .evaluate((node) => getComputedStyle(node, '::before').content);
    expect(label).toBe('"Standard"');
  }));

it('keeps the status page current, new rounds included, and announces it politely', () =>
  withPage({}, async (page) => {
    await page.clock.install();
    status = OPEN;
    await page.goto(origin);
    await page.getByText('This page also refreshes itself.').waitFor();
    expect(await page.getByText('Waiting for the employer').isVisible()).toBe(true);
    status = COUNTING;
    await page.clock.runFor('00:02');
    await page.getByText('2 of 3 groups finished', { exact: true }).waitFor();
    const rows = await page.locator('tbody tr').allInnerTexts();
    expect(rows.map((row) => row.trim().split(/\s/)[0])).toEqual(['2', '1']);
    expect(await page.getByText('Waiting for the employer').isVisible()).toBe(false);
    expect(await page.getByText('Round 1 closed.').isVisible()).toBe(true);
    await page.clock.runFor('00:10');
    await page
      .locator('[role=status]')
      .filter({ hasText: 'Round 1: 2 of 3 groups finished.' })
      .waitFor({ state: 'attached' });
    expect(await axe(page)).toEqual([]);
  }));
