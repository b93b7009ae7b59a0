import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { toBase64url } from '../../crypto/bytes.ts';
import { axe, launchBrowser } from '../support/browser.ts';
import { testSheet, until } from '../support/parties.ts';
import { type Desks, startDesks } from '../support/sign-in.ts';

/** Signing in and deciding as people do it: by keyboard, without JavaScript, every page looked at. */

const EVA = 'eva@works-council.example';

let desks: Desks;
let browser: Browser;

beforeAll(async () => {
  [desks, browser] = await Promise.all([startDesks(), launchBrowser()]);
  desks.give('guardian', EVA, 'guardian');
});

beforeEach(() => {
  desks.nowMs += 3_600_000;
});

afterAll(async () => {
  await browser.close();
  await desks.parties.close();
});

async function withPage(
  options: BrowserContextOptions,
  use: (page: Page, look: () => Promise<void>) => Promise<void>,
): Promise<void> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const trouble: string[] = [];
  page.on('console', (message) => {
    // What a person typed wrong is answered with 400, and a link that is over with 410.
    if (message.type() === 'error' && !/status of 4(00|10)/.test(message.text()))
      trouble.push(message.text());
  });
  try {
    await use(page, async () => {
      expect(await axe(page), page.url()).toEqual([]);
      const width = options.viewport?.width ?? 1280;
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(wide, page.url()).toBeLessThanOrEqual(width);
    });
    expect(trouble).toEqual([]);
  } finally {
    await context.close();
  }
}

test.each([
  [320, 'light'],
  [320, 'dark'],
  [1280, 'light'],
  [1280, 'dark'],
] as const)('every page of it holds at %i pixels, %s', { timeout: 90_000 }, (width, colorScheme) =>
  withPage({ viewport: { width, height: 800 }, colorScheme }, async (page, look) => {
    const { guardian } = desks.parties.urls;
    const title = `Survey for ${width} pixels, ${colorScheme}`;
    const hash = toBase64url(desks.parties.employer.submit(testSheet({ title })));
    await page.goto(`${guardian}/surveys`);
    await look();
    await page.getByRole('button', { name: 'Send the link' }).click();
    await page.getByRole('link', { name: 'Enter your e-mail address' }).click();
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('email');
    await look();
    await page.getByLabel('E-mail address').fill(EVA);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Look into your mail' }).waitFor();
    await look();
    const link = await desks.link('guardian', EVA);
    await page.goto(guardian + link);
    await look();
    await page.getByRole('button', { name: 'Sign in' }).press('Enter');
    await page.getByRole('heading', { name: 'Surveys', exact: true }).waitFor();
    await look();
    await page.goto(`${guardian}/surveys/${hash}`);
    await page.getByRole('heading', { name: title }).waitFor();
    await look();
    await page.getByRole('button', { name: 'Approve this survey' }).click();
    await page.getByRole('link', { name: 'Tick the box' }).click();
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('confirmed');
    await look();
    await page.getByRole('button', { name: 'Refuse this survey' }).click();
    await page.getByRole('link', { name: 'Say why it is refused' }).waitFor();
    await look();
    await page.getByLabel('Why is it refused?').fill('It asks for too much.');
    await page.getByRole('button', { name: 'Refuse this survey' }).click();
    await page.getByText('Refused because: It asks for too much.').waitFor();
    await look();
    await page.goto(guardian + link);
    await page.getByRole('heading', { name: 'does not work any more' }).waitFor();
    await look();
    // Who is in already need not ask for another link.
    expect(await page.getByRole('link', { name: 'have a new link sent' }).count()).toBe(0);
    await page.locator('main').getByRole('link', { name: 'go on' }).click();
    await page.waitForURL(`${guardian}/surveys`);
    await page.goto(`${guardian}/`);
    await look();
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    await page.getByText('You are signed out.').waitFor();
    await look();
    expect(await page.context().cookies()).toEqual([]);
    // Back shows nothing of what was there: the page is asked for again.
    await page.goBack();
    expect(await page.getByText(EVA).count()).toBe(0);
    await page.goto(guardian + link);
    await page.getByRole('link', { name: 'have a new link sent' }).waitFor();
    await look();
  }),
);

test('all of it works without JavaScript, and with the keyboard alone', { timeout: 90_000 }, () =>
  withPage({ javaScriptEnabled: false }, async (page) => {
    const { guardian } = desks.parties.urls;
    const title = 'Survey without a script';
    const hash = toBase64url(desks.parties.employer.submit(testSheet({ title })));
    await page.goto(guardian + (await desks.link('guardian', EVA)));
    const press = async (
      name: string,
      role: 'button' | 'checkbox' | 'link' | 'textbox',
      key: string,
    ) => {
      for (let i = 0; i < 40; i++) {
        await page.keyboard.press('Tab');
        const target = page.getByRole(role, { name, exact: true });
        const focused = await target.evaluate((node) => node === document.activeElement);
        if (focused) return page.keyboard.press(key);
      }
      throw new Error(`the keyboard does not reach ${name}`);
    };
    await press('Sign in', 'button', 'Enter');
    await page.waitForURL(`${guardian}/surveys`);
    await until(async () => {
      await page.reload();
      return (await page.getByRole('link', { name: title }).count()) === 1;
    });
    await press(title, 'link', 'Enter');
    await page.waitForURL(`${guardian}/surveys/${hash}`);
    await press('Write the word Light to agree to it by name', 'textbox', 'L');
    await page.keyboard.type('ight');
    await press('I have read all of it, and approve it for the guardian', 'checkbox', 'Space');
    await press('Approve this survey', 'button', 'Enter');
    await page.getByText('Approved', { exact: true }).waitFor();
    await press('Sign out everywhere', 'button', 'Enter');
    await page.waitForURL(`${guardian}/sign-in?everywhere`);
    await page.getByText('You are signed out in every browser').waitFor();
    await page.goto(`${guardian}/surveys`);
    expect(page.url()).toBe(`${guardian}/sign-in`);
  }),
);

test('the evaluation’s links open in a fresh browser, again and again', async () => {
  const person = { email: 'sample@example.com', role: 'admin', units: [] } as const;
  const link = desks.parties.employer.evaluationLink(person);
  for (let i = 0; i < 2; i++) {
    await withPage({}, async (page) => {
      await page.goto(link);
      expect(page.url()).toBe(`${desks.parties.urls.employer}/`);
      await page.getByText('sample@example.com').waitFor();
    });
  }
});
