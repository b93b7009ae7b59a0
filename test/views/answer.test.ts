import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ReportError } from '../../crypto/dap/types.ts';
import { decodeReport } from '../../crypto/dap/upload.ts';
import { type AssetsManifest, buildAssets } from '../../server/build.ts';
import { REFUSAL_WORDS, STOP_WORDS } from '../../views/browser/answer/words.ts';
import { axe, launchBrowser } from '../support/browser.ts';
import { root, sheet } from './sample.ts';
import { StubGuardian } from './stub-guardian.ts';

let browser: Browser;
let context: BrowserContext;
let page: Page;
let folder: string;
let assets: AssetsManifest;
let guardian: StubGuardian;
/** Every request of a test's page, and every complaint of the browser. */
let requests: string[];
let complaints: string[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'chorus-assets-'));
  assets = await buildAssets(root, folder);
  guardian = await StubGuardian.start(assets, folder);
  browser = await launchBrowser();
});

afterAll(async () => {
  await browser?.close();
  await guardian?.stop();
  rmSync(folder, { recursive: true });
});

async function open(options: Parameters<Browser['newContext']>[0] = {}): Promise<void> {
  await context?.close();
  context = await browser.newContext({ viewport: { width: 360, height: 740 }, ...options });
  page = await context.newPage();
  requests = [];
  complaints = [];
  page.on('request', (request) => requests.push(`${request.method()} ${request.url()}`));
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.text().includes('Content Security Policy')) complaints.push(message.text());
  });
}

beforeEach(async () => {
  guardian.state = 'open';
  guardian.upload = 'accept';
  guardian.lie = undefined;
  guardian.received.length = 0;
  await open();
});
afterEach(() => context.close());

const press = (name: string) => page.getByRole('button', { name, exact: true }).click();
const heading = () => page.locator('h1').textContent();
const focused = () => page.evaluate(() => document.activeElement?.textContent);

async function begin(): Promise<void> {
  await page.goto(guardian.link);
  await press('Yes, take part');
}

/** Chooses place i % 6 for question i and goes on to the review. */
async function answerAll(): Promise<void> {
  for (let i = 0; i < sheet.questions.length; i++) {
    await page
      .getByRole('radio')
      .nth(i % 6)
      .check();
    await press('Continue');
  }
  await page.getByRole('heading', { name: 'Check your answers' }).waitFor();
}

async function stopped(): Promise<string> {
  await page.getByText('Nothing was sent.', { exact: true }).waitFor();
  expect(requests.filter((request) => request.startsWith('POST'))).toEqual([]);
  return (await heading()) ?? '';
}

describe('answering', () => {
  it('goes from the start to the receipt without a violation, keeping nothing', async () => {
    await page.goto(guardian.link);
    await page.getByText('Do you want to take part?').waitFor();
    const text = await page.locator('main').innerText();
    expect(text).toContain(sheet.purpose);
    expect(text).toContain('Night shift, Warehouse: 64 people');
    for (const point of sheet.notice.points) expect(text).toContain(point);
    expect(await axe(page)).toEqual([]);

    await press('Yes, take part');
    expect(await focused()).toBe(sheet.questions[0]?.text);
    expect(await page.title()).toMatch(/^Question 1 of 6 –/);
    expect(await page.locator('main').innerText()).toContain(sheet.questions[0]?.why);
    expect(await axe(page)).toEqual([]);

    await answerAll();
    expect(await page.locator('.review-answer').allTextContents()).toEqual([
      ...sheet.questions.slice(0, 5).map((question, i) => question.options[i]),
      'Prefer not to say',
    ]);
    await page.getByText('What leaves this device').click();
    expect(await axe(page)).toEqual([]);
    const shown = (await page.locator('.half .mono').allTextContents()).map(
      (hex) => hex.replaceAll(' ', '').split('…')[0],
    );

    await press('Submit');
    await page.getByRole('heading', { name: 'Your answer was received' }).waitFor();
    expect(await focused()).toBe('Your answer was received');
    expect(await axe(page)).toEqual([]);

    // One message, the very bytes that were shown, and no other word to anybody.
    expect(guardian.received).toHaveLength(1);
    const report = decodeReport(new Uint8Array(guardian.received[0] ?? []));
    const halves = [report.leaderEncryptedInputShare, report.helperEncryptedInputShare];
    expect(
      halves.map(({ payload }) => Buffer.from(payload.subarray(0, 64)).toString('hex')),
    ).toEqual(shown);
    expect(report.metadata.time).toBe(20_500);
    expect(requests.every((request) => request.includes(` ${guardian.origin}/`))).toBe(true);
    expect(requests.filter((request) => request.startsWith('POST'))).toHaveLength(1);

    expect(page.url()).toBe(guardian.link);
    expect(await context.cookies()).toEqual([]);
    expect(await page.evaluate(() => [Object.keys(localStorage), sessionStorage.length])).toEqual([
      ['chorus.keys'],
      0,
    ]);
    expect(complaints).toEqual([]);
  });

  it('gives a receipt that names the report and holds no answer', async () => {
    await begin();
    await answerAll();
    await press('Submit');
    const waiting = page.waitForEvent('download');
    await press('Download the receipt');
    const download = await waiting;
    expect(download.suggestedFilename()).toBe('chorus-receipt-round-8.json');
    const text = readFileSync(await download.path(), 'utf8');
    expect(text.length).toBeLessThan(350);
    const receipt = JSON.parse(text);
    const report = decodeReport(new Uint8Array(guardian.received[0] ?? []));
    expect(receipt).toMatchObject({
      manifest: guardian.link.split('.').at(-1),
      group: 1,
      report_id: Buffer.from(report.metadata.reportId).toString('base64url'),
    });
    expect(Object.keys(receipt)).toHaveLength(7);
  });

  it('can be done with the keyboard alone', async () => {
    await page.goto(guardian.link);
    await page.getByText('Do you want to take part?').waitFor();
    const tabTo = async (name: string) => {
      for (let i = 0; i < 25; i++) {
        if ((await focused())?.trim() === name) return;
        await page.keyboard.press('Tab');
      }
      expect.fail(`${name} is not reached by Tab`);
    };
    await tabTo('Yes, take part');
    await page.keyboard.press('Enter');
    for (const _ of sheet.questions) {
      await page.keyboard.press('Tab');
      await page.keyboard.press('Space');
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
    }
    expect(await heading()).toBe('Check your answers');
    expect(await page.locator('.review-answer').allTextContents()).toEqual(
      sheet.questions.map((question) => question.options[1]),
    );
    await tabTo('Submit');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Your answer was received' }).waitFor();
  });

  it('asks for an answer at the field and in a summary, and leads to the field', async () => {
    await begin();
    await press('Continue');
    expect(await focused()).toContain('There is a problem');
    expect(await page.title()).toMatch(/^Error: Question 1 of 6/);
    expect(await page.locator('#answer-error').textContent()).toMatch(/^Error: Choose an answer/);
    expect(await page.locator('fieldset').getAttribute('aria-describedby')).toContain(
      'answer-error',
    );
    expect(await axe(page)).toEqual([]);
    await page.getByRole('link', { name: /Choose an answer/ }).click();
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('answer-0');
    expect(page.url()).toBe(guardian.link);
  });

  it('keeps answers on the way back, by its own Back and by the browser’s', async () => {
    await begin();
    await page.getByRole('radio').nth(3).check();
    await press('Continue');
    await page.getByRole('radio').nth(1).check();
    await press('Back');
    await page.getByText('Question 1 of 6').waitFor();
    expect(await page.getByRole('radio').nth(3).isChecked()).toBe(true);
    await page.goForward();
    await page.getByText('Question 2 of 6').waitFor();
    expect(await page.getByRole('radio').nth(1).isChecked()).toBe(true);
    await page.goBack();
    await page.getByText('Question 1 of 6').waitFor();
  });

  it('leads from the review to one question and back', async () => {
    await begin();
    await answerAll();
    await page.getByRole('button', { name: 'Change the answer on Stress' }).click();
    expect(await page.title()).toMatch(/^Question 2 of 6/);
    await page.getByRole('radio').nth(4).check();
    await press('Continue');
    await page.getByRole('heading', { name: 'Check your answers' }).waitFor();
    expect(await page.locator('.review-answer').nth(1).textContent()).toBe('Very much');
    await press('Back');
    await page.getByText('Question 6 of 6').waitFor();
  });

  it('thanks for declining, and sends nothing', async () => {
    await page.goto(guardian.link);
    await press('Not now');
    expect(await focused()).toBe('Thank you');
    expect(await axe(page)).toEqual([]);
    expect(requests.filter((request) => request.startsWith('POST'))).toEqual([]);
  });

  it('starts over after a reload, and says so', async () => {
    page.on('dialog', (dialog) => dialog.accept());
    await begin();
    await page.getByRole('radio').nth(3).check();
    await page.reload();
    await page.getByText('loaded again and starts over').waitFor();
    await press('Yes, take part');
    expect(await page.locator('input:checked').count()).toBe(0);
  });

  it('warns before leaving while answers are unsent, and not after', async () => {
    const dialogs: string[] = [];
    page.on('dialog', (dialog) => {
      dialogs.push(dialog.type());
      void dialog.accept();
    });
    await begin();
    await answerAll();
    await page.reload();
    expect(dialogs).toEqual(['beforeunload']);
    await press('Yes, take part');
    await answerAll();
    await press('Submit');
    await page.getByRole('heading', { name: 'Your answer was received' }).waitFor();
    await page.reload();
    expect(dialogs).toHaveLength(1);
  });

  it('warns after 14 idle minutes and clears the answers after 15', async () => {
    await page.clock.install();
    await begin();
    await page.getByRole('radio').nth(3).check();
    await page.clock.runFor('14:01');
    await page.getByRole('dialog', { name: 'Are you still there?' }).waitFor();
    expect(await axe(page)).toEqual([]);
    await press('Keep my answers');
    expect(await page.getByRole('radio').nth(3).isChecked()).toBe(true);
    await page.clock.runFor('14:01');
    await page.getByRole('dialog').waitFor();
    await page.clock.runFor('01:00');
    await page.getByText('so your answers were cleared').waitFor();
    expect(await page.getByRole('dialog').count()).toBe(0);
    await press('Yes, take part');
    expect(await page.locator('input:checked').count()).toBe(0);
  });

  it.each(['light', 'dark'] as const)('fits 320 pixels without violations: %s', async (scheme) => {
    await open({ viewport: { width: 320, height: 600 }, colorScheme: scheme });
    const fits = async () => {
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
      expect(await axe(page)).toEqual([]);
    };
    await page.goto(guardian.link);
    await page.getByText('Do you want to take part?').waitFor();
    await fits();
    await press('Yes, take part');
    await press('Continue');
    await fits();
    await answerAll();
    await page.getByText('What leaves this device').click();
    await fits();
    await press('Submit');
    await page.getByRole('heading', { name: 'Your answer was received' }).waitFor();
    await fits();
  });
});

describe('sending', () => {
  it('keeps the identical bytes when the connection is lost', async () => {
    await begin();
    await answerAll();
    guardian.upload = 'drop';
    await press('Submit');
    await page.getByRole('heading', { name: 'Your answer is not sent yet' }).waitFor();
    expect(await axe(page)).toEqual([]);
    guardian.upload = 'busy';
    await press('Try again');
    await page.getByText('too busy just now').waitFor();
    guardian.upload = 'accept';
    await press('Try again');
    await page.getByRole('heading', { name: 'Your answer was received' }).waitFor();
    expect(new Set(guardian.received.map((body) => body.toString('hex'))).size).toBe(1);
  });

  it('says what a refusal means and what to do', async () => {
    // The words of all codes are one exhaustive table; three stand for the way there.
    const codes: ReportError[] = ['report_replayed', 'report_dropped', 'task_expired'];
    await page.goto(guardian.link);
    for (const code of codes) {
      guardian.upload = code;
      await press('Yes, take part');
      await answerAll();
      await press('Submit');
      await page.getByRole('heading', { name: 'Your answer was not taken' }).waitFor();
      const sentence = REFUSAL_WORDS[code].replace('%', sheet.notice.contact);
      expect(await page.locator('.lead').textContent()).toBe(sentence);
      await press('Start again');
    }
    guardian.upload = 'problem';
    await press('Yes, take part');
    await answerAll();
    await press('Submit');
    await page.getByText(`or ask ${sheet.notice.contact}`).waitFor();
    expect(await axe(page)).toEqual([]);
  });
});

describe('the checks before anything is shown', () => {
  const bare = () => guardian.link.split('#')[0] ?? '';
  const otherHash = 'A'.repeat(43);

  it.each([
    ['no fragment', () => bare(), 'bad_link'],
    ['a shortened one', () => guardian.link.slice(0, -1), 'bad_link'],
    ['one that is no base64url', () => `${guardian.link.slice(0, -1)}!`, 'bad_link'],
    ['no group', () => `${bare()}#${guardian.link.split('.').at(-1)}`, 'bad_link'],
    ['another manifest', () => `${bare()}#1.${otherHash}`, 'unknown_round'],
    ['another group', () => guardian.link.replace('#1.', '#2.'), 'unknown_group'],
  ] as const)('stops at a link with %s', async (_name, link, code) => {
    await page.goto(link());
    expect(await stopped()).toBe(STOP_WORDS[code][0]);
    expect(await axe(page)).toEqual([]);
  });

  it.each(['signature', 'entry', 'sheet', 'garbage'] as const)(
    'stops at what is not signed: %s',
    async (lie) => {
      guardian.lie = lie;
      await page.goto(guardian.link);
      expect(await stopped()).toBe(STOP_WORDS.not_genuine[0]);
    },
  );

  it('says when a round is not open yet', async () => {
    guardian.state = 'planned';
    await page.goto(guardian.link);
    expect(await stopped()).toBe(STOP_WORDS.planned[0]);
    expect(await page.locator('.lead').textContent()).toContain('It opens on 16 February 2026');
  });

  it('says when a round is closed', async () => {
    guardian.state = 'closed';
    await page.goto(guardian.link);
    expect(await stopped()).toBe(STOP_WORDS.closed[0]);
  });

  it('offers to try again when the guardian does not answer', async () => {
    await page.route('**/manifests/**', (route) => route.abort());
    await page.goto(guardian.link);
    expect(await stopped()).toBe(STOP_WORDS.unreachable[0]);
    await page.unroute('**/manifests/**');
    await press('Try again');
    await page.getByText('Do you want to take part?').waitFor();
  });

  it('stops when the remembered keys differ, and forgets them on the own machine only', async () => {
    await page.goto(guardian.link);
    await page.getByText('Do you want to take part?').waitFor();
    await page.evaluate(() => localStorage.setItem('chorus.keys', 'other.keys'));
    await page.reload();
    expect(await stopped()).toBe(STOP_WORDS.keys_changed[0]);
    await press('Forget the old keys');
    await page.getByText('Do you want to take part?').waitFor();
  });

  it('stops when it is not the program that was signed', async () => {
    const other = await StubGuardian.start(assets, folder, otherHash);
    try {
      await page.goto(other.link);
      expect(await stopped()).toBe(STOP_WORDS.script_differs[0]);
    } finally {
      await other.stop();
    }
  });

  it.each([
    ['WebAssembly', 'delete globalThis.WebAssembly', 'no_webassembly'],
    [
      'secure randomness',
      'Object.defineProperty(globalThis, "crypto", { value: undefined })',
      'no_webcrypto',
    ],
  ] as const)('says so in one sentence without %s', async (_name, script, code) => {
    await page.addInitScript(script);
    await page.goto(guardian.link);
    expect(await stopped()).toBe(STOP_WORDS[code][0]);
    expect(requests.filter((request) => request.includes('/manifests/'))).toEqual([]);
  });

  it('says so in one sentence without JavaScript', async () => {
    await open({ javaScriptEnabled: false });
    await page.goto(guardian.link);
    expect(await page.locator('noscript').innerText()).toContain('This page needs JavaScript');
    expect(await page.locator('.starting').isVisible()).toBe(false);
  });
});
