import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { toBase64url } from '../../crypto/bytes.ts';
import type { ReportError } from '../../crypto/dap/types.ts';
import type { Ending, ListedReport } from '../../crypto/id-list.ts';
import { decodeReceipt, encodeReceipt, type Receipt } from '../../crypto/receipt.ts';
import { Secret } from '../../crypto/secret.ts';
import { WITHHELD_REASONS } from '../../server/domain/withheld.ts';
import { REFUSED_WORDS, WITHHELD_WORDS } from '../../views/browser/receipt/words.ts';
import { STOP_WORDS } from '../../views/browser/shared/stop.ts';
import { answerElsewhere } from './answer-elsewhere.ts';
import { sheet } from './sample.ts';
import type { StubGuardian } from './stub-guardian.ts';
import { Scene, type Visit } from './visit.ts';

let scene: Scene;
let guardian: StubGuardian;
let visit: Visit;

beforeAll(async () => {
  scene = await Scene.start();
  guardian = scene.guardian;
});
afterAll(() => scene?.stop());
beforeEach(async () => {
  guardian.reset();
  visit = await scene.visit();
});
afterEach(() => visit.context.close());

/** Another device answers; the receipt, base64url. */
const answered = (): Promise<string> => answerElsewhere(guardian);

const parsed = (receipt: string): Receipt =>
  decodeReceipt(new Uint8Array(Buffer.from(receipt, 'base64url')));

/** A receipt with some parts changed and a check that fits, as only a forger writes it. */
function forged(receipt: string, parts: Partial<Receipt>): string {
  return toBase64url(encodeReceipt({ ...parsed(receipt), ...parts }));
}

/** Closes the round: this receipt's answer ended so, among others. */
function closeWith(receipt: string, ending: Ending | undefined): void {
  const others: ListedReport[] = Array.from({ length: 40 }, (_, i) => ({
    outcome: i % 10 === 9 ? 'withdrawn' : 'counted',
    reportId: new Uint8Array(16).fill(i),
  }));
  const own = ending && { ...ending, reportId: parsed(receipt).reportId };
  guardian.close(own === undefined ? others : [...others, own]);
}

async function stopped(code: keyof typeof STOP_WORDS): Promise<void> {
  await visit.heading(STOP_WORDS[code][0]);
  await visit.see('Nothing was sent.');
  expect(await visit.faults()).toEqual([]);
}

describe('opening a receipt', () => {
  it('from a link takes it out of the address at once and sends it to nobody', async () => {
    await visit.submit();
    const receipt = await visit.receipt();
    await visit.press('I am done: clear this tab');
    visit.requests.length = 0;
    await visit.openReceipt(receipt);
    await visit.heading('The round is still open');
    expect(await visit.focused()).toBe('The round is still open');
    expect(visit.page.url()).toBe(`${guardian.origin}/receipt`);
    expect(await visit.text()).toContain('Night shift, Warehouse');
    expect(await visit.faults()).toEqual([]);
    expect(visit.posts).toEqual([]);
    const id = toBase64url(parsed(receipt).reportId);
    for (const request of visit.requests.slice(1)) expect(request).not.toContain(id);
    expect(visit.complaints).toEqual([]);
    // A reload keeps it; clearing the tab does not.
    await visit.page.reload();
    await visit.heading('The round is still open');
    await visit.press('I am done: clear this tab');
    await visit.heading('Your receipt');
    expect((await visit.kept()).tab).toEqual([]);
    await visit.page.reload();
    await visit.heading('Your receipt');
  });

  it('from the device, where it can be removed', async () => {
    await visit.submit();
    await visit.unfold('Keep the receipt on this device');
    await visit.press('It is mine: keep the receipt here');
    await visit.see('The receipt is kept on this device.');
    await visit.press('I am done: clear this tab');
    await visit.page.getByRole('link', { name: 'Open a receipt' }).click();
    await visit.heading('Your receipt');
    expect(await visit.faults()).toEqual([]);
    await visit.page.getByRole('button', { name: /^Open [0-9a-f]{4} / }).click();
    await visit.heading('The round is still open');
    await visit.press('Remove it from this device');
    await visit.heading('Your receipt');
    expect(await visit.kept()).toEqual({ device: ['chorus.keys'], tab: [] });
    expect(await visit.page.getByRole('button', { name: /^Open / }).count()).toBe(0);
  });

  it('from a file, and says at the field what is wrong with another one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'chorus-receipt-'));
    const file = (fields: unknown) => {
      const path = join(folder, 'receipt.json');
      writeFileSync(path, typeof fields === 'string' ? fields : JSON.stringify(fields));
      return path;
    };
    try {
      const receipt = await answered();
      const good = { type: 'chorus receipt', guardian: guardian.origin, receipt };
      await visit.page.goto(`${guardian.origin}/receipt`);
      const choose = (path: string) =>
        visit.page.getByLabel('The file that you downloaded').setInputFiles(path);
      const damaged = `${receipt.slice(0, 100)}${receipt[100] === 'A' ? 'B' : 'A'}${receipt.slice(101)}`;
      for (const bad of [
        'no JSON',
        'null',
        '{}',
        { ...good, receipt: damaged },
        { ...good, receipt: receipt.slice(0, -4) },
        { ...good, guardian: 'nowhere' },
        'x'.repeat(20_000),
      ]) {
        await choose(file(bad));
        await visit.see(STOP_WORDS.bad_receipt[1]);
        await choose(file({ ...good, guardian: 'https://other.example' }));
        await visit.see('It belongs to https://other.example');
      }
      expect(await visit.page.evaluate(() => document.activeElement?.id)).toBe('receipt-file');
      expect(await visit.faults()).toEqual([]);
      await choose(file(good));
      await visit.heading('The round is still open');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('stops at one that is damaged, of an unknown round, or altered', async () => {
    const receipt = await answered();
    await visit.openReceipt(receipt.slice(1));
    await stopped('bad_receipt');
    // The one that was saved can be opened from here.
    await visit.page.locator('main').getByRole('link', { name: 'Open a receipt' }).click();
    await visit.heading('Your receipt');
    await visit.openReceipt(forged(receipt, { manifestHash: new Uint8Array(32) }));
    await stopped('unknown_receipt');
    for (const parts of [
      { groupIndex: 0 },
      { groupIndex: 7 },
      { seed: new Secret(new Uint8Array(32)) },
      { authenticator: new Uint8Array(256) },
    ]) {
      await visit.openReceipt(forged(receipt, parts));
      await stopped('altered_receipt');
    }
  });

  it('stops where the guardian shows what was not signed, other keys, or nothing', async () => {
    const receipt = await answered();
    guardian.lie = 'signature';
    await visit.openReceipt(receipt);
    await stopped('not_genuine');
    guardian.lie = undefined;
    await visit.page.evaluate(() => localStorage.setItem('chorus.keys', 'other.keys'));
    await visit.openReceipt(receipt);
    await stopped('keys_changed');
    await visit.press('Forget the old keys');
    await visit.page.route('**/manifests/**', (route) => route.abort());
    await visit.openReceipt(receipt);
    await stopped('unreachable');
    await visit.page.unroute('**/manifests/**');
    // The link is out of the address bar, so the receipt must have stayed in the tab.
    await visit.press('Try again');
    await visit.heading('The round is still open');
  });

  it('says so without JavaScript, and where the browser lacks what it needs', async () => {
    const bare = await scene.visit({ javaScriptEnabled: false });
    try {
      await bare.page.goto(`${guardian.origin}/receipt`);
      const words = await bare.page.locator('noscript').innerText();
      expect(words).toContain('This page needs JavaScript');
      expect(words).toContain(
        'Please allow it for this page, or open your receipt in another browser',
      );
    } finally {
      await bare.context.close();
    }
    await visit.page.addInitScript('delete globalThis.WebAssembly');
    await visit.page.goto(`${guardian.origin}/receipt`);
    await visit.heading(STOP_WORDS.no_webassembly[0]);
  });
});

describe('before the close', () => {
  it('withdraws after a warning, with the keyboard alone', async () => {
    const { page } = visit;
    await visit.openReceipt(await answered());
    await visit.heading('The round is still open');
    await visit.tabTo('Withdraw the answer');
    await page.keyboard.press('Enter');
    await visit.heading('Withdraw the answer?');
    expect(await visit.focused()).toBe('Withdraw the answer?');
    await visit.see('is deleted and cannot be brought back');
    expect(await visit.faults()).toEqual([]);
    expect(guardian.box.reports.size).toBe(1);
    await visit.tabTo('Keep the answer');
    await page.keyboard.press('Enter');
    await visit.heading('The round is still open');
    await visit.tabTo('Withdraw the answer');
    await page.keyboard.press('Enter');
    await visit.tabTo('Yes, withdraw it');
    await page.keyboard.press('Enter');
    await visit.heading('Your answer is withdrawn');
    expect(await visit.faults()).toEqual([]);
    expect(guardian.box.reports.size).toBe(0);
    expect(guardian.box.withdrawn.size).toBe(1);
  });

  it('answers anew with the freed token, on another device, asking nobody for one', async () => {
    const first = await answered();
    const other = await scene.visit();
    try {
      await other.openReceipt(first);
      await other.press('Answer anew');
      await other.heading('Withdraw the first answer?');
      expect(await other.faults()).toEqual([]);
      await other.press('Withdraw it and answer anew');
      await other.heading(sheet.title);
      await other.page.reload();
      await other.see('This browser has your token already');
      await other.press('Continue');
      await other.heading('Do you want to take part?');
      expect(await other.page.getByRole('button', { name: 'Decide later' }).count()).toBe(0);
      await other.press('Yes, take part');
      await other.answerAll();
      await other.press('Submit');
      await other.heading('Your answer was received');
      const second = parsed(await other.receipt());
      expect(second.reportId).not.toEqual(parsed(first).reportId);
      expect(second.seed.reveal()).toEqual(parsed(first).seed.reveal());
      expect(guardian.employer.asked).toHaveLength(1);
      expect([...guardian.box.reports.keys()]).toEqual([
        Buffer.from(second.reportId).toString('hex'),
      ]);
    } finally {
      await other.context.close();
    }

    // The first receipt, used twice: withdrawing changes nothing, and its token is spent again.
    await visit.openReceipt(first);
    await visit.press('Answer anew');
    await visit.press('Withdraw it and answer anew');
    await visit.heading(sheet.title);
    await visit.press('Continue');
    await visit.press('Yes, take part');
    await visit.answerAll();
    await visit.press('Submit');
    await visit.heading('Your answer was not taken');
    await visit.see('takes no second one');
    expect(guardian.box.reports.size).toBe(1);
  });

  it('gives the token back to the invitation in the tab that answered', async () => {
    await visit.submit();
    await visit.page.getByRole('link', { name: 'Open the receipt now' }).click();
    await visit.press('Withdraw the answer');
    await visit.press('Yes, withdraw it');
    await visit.heading('Your answer is withdrawn');
    await visit.arrive();
    await visit.see('This browser has your token already');
    await visit.press('Continue');
    await visit.press('Yes, take part');
    await visit.answerAll();
    await visit.press('Submit');
    await visit.heading('Your answer was received');
  });

  it('may be repeated after a lost connection', async () => {
    await visit.openReceipt(await answered());
    guardian.withdrawal = 'drop';
    await visit.press('Withdraw the answer');
    await visit.press('Yes, withdraw it');
    await visit.heading('Nobody knows whether it was withdrawn');
    expect(await visit.faults()).toEqual([]);
    guardian.withdrawal = 'busy';
    await visit.press('Try again');
    await visit.heading('The answer is not withdrawn yet');
    guardian.withdrawal = 'honest';
    await visit.press('Try again');
    await visit.heading('Your answer is withdrawn');
  });

  it('in the second of closing says that it came too late, and how the answer ended', async () => {
    const receipt = await answered();
    await visit.openReceipt(receipt);
    guardian.withdrawal = 'tooLate';
    await visit.press('Withdraw the answer');
    await visit.press('Yes, withdraw it');
    await visit.heading('The round has just closed');
    expect(await visit.faults()).toEqual([]);
    guardian.state = 'closed';
    await visit.press('Open the receipt again');
    await visit.heading('The round is being counted');
    expect(await visit.text()).toContain('Why nothing can be withdrawn now');
    // There is no list yet that it could have been looked up in.
    expect(await visit.text()).not.toContain('looked the number up');
    expect(await visit.faults()).toEqual([]);
    closeWith(receipt, { outcome: 'counted' });
    await visit.page.reload();
    await visit.heading('Your answer was counted');
  });

  it('says so where the guardian calls the key another one', async () => {
    await visit.openReceipt(await answered());
    guardian.withdrawal = 'unauthorized';
    await visit.press('Withdraw the answer');
    await visit.press('Yes, withdraw it');
    await visit.heading('The answer was not withdrawn');
    expect(await visit.text()).toContain(sheet.notice.contact);
  });
});

describe('after the close', () => {
  it.each([
    [{ outcome: 'counted' }, 'Your answer was counted', 'one of the 37 answers'],
    [{ outcome: 'withdrawn' }, 'Your answer was withdrawn', 'not counted'],
    [
      { outcome: 'refused', error: 'vdaf_verify_error' },
      'Your answer was refused',
      REFUSED_WORDS.vdaf_verify_error,
    ],
    [undefined, 'Your answer is missing', 'Please tell your representative'],
  ] as const)('looks itself up: %o', async (ending, heading, words) => {
    const receipt = await answered();
    closeWith(receipt, ending);
    visit.requests.length = 0;
    await visit.openReceipt(receipt);
    await visit.heading(heading);
    expect(await visit.focused()).toBe(heading);
    expect(await visit.text()).toContain(words);
    // Only of what is in a total is there something to explain.
    const why = await visit.page.getByText('Why nothing can be withdrawn now').count();
    expect(why).toBe(ending?.outcome === 'counted' ? 1 : 0);
    expect(await visit.text()).toContain('looked the number up by itself');
    expect(await visit.page.getByRole('button', { name: /Withdraw|anew/ }).count()).toBe(0);
    expect(await visit.faults()).toEqual([]);
    // The whole list is fetched: which part of it matters is nobody's business.
    const slices = visit.requests.filter((request) => /\/list\/\d+$/.test(request));
    expect(slices).toHaveLength(256);
  });

  it.each(['too-few', 'deadline', 'a new reason'])(
    'says when its group is withheld: %s',
    async (reason) => {
      const receipt = await answered();
      closeWith(receipt, undefined);
      guardian.groups[1] = { state: 'withheld', reason };
      await visit.openReceipt(receipt);
      await visit.heading('Your group is not shown');
      expect(await visit.text()).toContain(WITHHELD_WORDS[reason] ?? 'gives no reason');
      expect(await visit.text()).not.toContain('added up');
      expect(await visit.faults()).toEqual([]);
      // Withdrawn stays withdrawn, whatever became of the group.
      closeWith(receipt, { outcome: 'withdrawn' });
      guardian.groups[1] = { state: 'withheld', reason };
      await visit.page.reload();
      await visit.heading('Your answer was withdrawn');
    },
  );

  it('does not believe a list that differs from what both signed', async () => {
    const receipt = await answered();
    closeWith(receipt, { outcome: 'counted' });
    guardian.lie = 'list';
    await visit.openReceipt(receipt);
    await stopped('not_genuine');
    guardian.lie = undefined;
    await visit.page.route('**/list/99', (route) => route.abort());
    await visit.openReceipt(receipt);
    await stopped('unreachable');
  });

  it('says that the list is deleted once its retention is over', async () => {
    const receipt = await answered();
    closeWith(receipt, { outcome: 'counted' });
    await visit.page.route('**/list', (route) => route.fulfill({ status: 410 }));
    await visit.openReceipt(receipt);
    await stopped('retention_over');
  });

  it('has words for every reason that the two parties know', () => {
    expect(Object.keys(WITHHELD_WORDS).sort()).toEqual([...WITHHELD_REASONS].sort());
    const errors = Object.keys(REFUSED_WORDS) as ReportError[];
    expect(errors).toHaveLength(11);
  });

  it.each([
    [320, 'dark'],
    [1280, 'light'],
  ] as const)('fits %i pixels, %s', async (width, colorScheme) => {
    const receipt = await answered();
    const other = await scene.visit({ viewport: { width, height: 640 }, colorScheme });
    try {
      const fits = async () => expect(await other.faults()).toEqual([]);
      await other.page.goto(`${guardian.origin}/receipt`);
      await other.heading('Your receipt');
      await fits();
      await other.openReceipt(receipt);
      await other.heading('The round is still open');
      await fits();
      await other.press('Withdraw the answer');
      await fits();
      await other.press('Yes, withdraw it');
      await other.heading('Your answer is withdrawn');
      await fits();
      closeWith(receipt, undefined);
      await other.openReceipt(receipt);
      await other.heading('Your answer is missing');
      await fits();
    } finally {
      await other.context.close();
    }
  });
});
