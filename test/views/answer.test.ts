import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ReportError } from '../../crypto/dap/types.ts';
import { decodeReport } from '../../crypto/dap/upload.ts';
import { decodeReceipt } from '../../crypto/receipt.ts';
import { REFUSAL_WORDS } from '../../views/browser/answer/words.ts';
import { VISIBLE } from '../../views/browser/shared/visible.ts';
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

/** Another visitor in place of the one that every test begins with. */
async function anotherVisit(options: Parameters<Scene['visit']>[0]): Promise<void> {
  await visit.context.close();
  visit = await scene.visit(options);
}

describe('answering', () => {
  it('goes from the start to the receipt without a violation', async () => {
    await visit.arrive();
    const text = await visit.text();
    expect(text).toContain(sheet.purpose);
    expect(text).toContain('Night shift, Warehouse: 64 people');
    for (const point of sheet.notice.points) expect(text).toContain(point);
    await visit.unfold('What remains visible');
    for (const sentence of VISIBLE) expect(await visit.text()).toContain(sentence);
    expect(await visit.faults()).toEqual([]);
    // Opening a link, as a mail scanner does, asks nobody for anything.
    expect(guardian.employer.asked).toEqual([]);
    expect(await visit.kept()).toEqual({ device: ['chorus.keys'], tab: [] });

    await visit.press('Continue');
    await visit.heading('Do you want to take part?');
    expect(await visit.focused()).toBe('Do you want to take part?');
    await visit.unfold('What you agree to');
    expect(await visit.faults()).toEqual([]);

    await visit.press('Yes, take part');
    expect(await visit.focused()).toBe(sheet.questions[0]?.text);
    expect(await visit.page.title()).toMatch(/^Question 1 of 6 –/);
    expect(await visit.text()).toContain(sheet.questions[0]?.why);
    expect(await visit.faults()).toEqual([]);

    await visit.answerByMouse();
    expect(await visit.page.locator('.review-answer').allTextContents()).toEqual([
      ...sheet.questions.slice(0, 5).map((question, i) => question.options[i]),
      'Prefer not to say',
    ]);
    await visit.unfold('What leaves this device');
    expect(await visit.faults()).toEqual([]);
    const shown = (await visit.page.locator('.half .mono').allTextContents()).map(
      (hex) => hex.replaceAll(' ', '').split('…')[0],
    );

    await visit.press('Submit');
    await visit.heading('Your answer was received');
    expect(await visit.focused()).toBe('Your answer was received');
    expect(await visit.faults()).toEqual([]);

    // One message, the very bytes that were shown.
    expect(guardian.received).toHaveLength(1);
    const report = decodeReport(new Uint8Array(guardian.received[0] ?? []));
    const halves = [report.leaderEncryptedInputShare, report.helperEncryptedInputShare];
    expect(
      halves.map(({ payload }) => Buffer.from(payload.subarray(0, 64)).toString('hex')),
    ).toEqual(shown);
    expect(report.metadata.time).toBe(20_500);
    // The box has checked token, consent and signature by itself.
    expect(guardian.box.reports.size).toBe(1);
    expect(visit.complaints).toEqual([]);
  });

  it('talks to the guardian, and once to the employer without a cookie or an address', async () => {
    await visit.context.addCookies([{ name: 'staff', value: 'x', url: guardian.employer.origin }]);
    await visit.submit();
    const others = visit.requests.filter((request) => !request.includes(` ${guardian.origin}/`));
    expect(others).toEqual([`POST ${guardian.employer.origin}/tokens`]);
    expect(visit.posts).toHaveLength(2);
    const { headers } = guardian.employer;
    expect(headers).not.toHaveProperty('cookie');
    expect(headers).not.toHaveProperty('referer');
    // What was asked for is not what is spent.
    const [asked] = guardian.employer.asked;
    const sent = guardian.received[0]?.toString('hex') ?? '';
    const request = Buffer.from(asked?.request ?? '', 'base64url').toString('hex');
    expect(sent).not.toContain(request.slice(6, 70));
    expect(sent).not.toContain(Buffer.from(asked?.code ?? '', 'base64url').toString('hex'));
  });

  it('sends no cookie of the guardian either, in case a member of staff answers', async () => {
    await visit.context.addCookies([{ name: 'staff', value: 'x', url: guardian.origin }]);
    const cookies: (string | undefined)[] = [];
    visit.page.on('request', async (request) => {
      if (request.method() === 'POST') cookies.push((await request.allHeaders()).cookie);
    });
    await visit.submit();
    expect(cookies).toEqual([undefined, undefined]);
  });

  it('keeps the receipt in this tab until it is cleared, and nothing on the device', async () => {
    await visit.submit();
    expect(visit.page.url()).toBe(visit.link);
    expect(await visit.context.cookies()).toEqual([]);
    expect(await visit.kept()).toEqual({ device: ['chorus.keys'], tab: ['chorus.receipt'] });
    await visit.press('I am done: clear this tab');
    await visit.heading('This tab is cleared');
    expect(await visit.faults()).toEqual([]);
    expect(await visit.kept()).toEqual({ device: ['chorus.keys'], tab: [] });
    expect(visit.page.url()).toBe(`${guardian.origin}/answer`);
  });

  it('can be done with the keyboard alone', async () => {
    const { page } = visit;
    await visit.arrive();
    await visit.tabTo('Continue');
    await page.keyboard.press('Enter');
    await visit.heading('Do you want to take part?');
    await visit.tabTo('Yes, take part');
    await page.keyboard.press('Enter');
    for (const _ of sheet.questions) {
      await page.keyboard.press('Tab');
      await page.keyboard.press('Space');
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
    }
    await visit.heading('Check your answers');
    expect(await page.locator('.review-answer').allTextContents()).toEqual(
      sheet.questions.map((question) => question.options[1]),
    );
    await visit.tabTo('Submit');
    await page.keyboard.press('Enter');
    await visit.heading('Your answer was received');
    await visit.tabTo('Keep the receipt on this device');
    await page.keyboard.press('Enter');
    await visit.tabTo('It is mine: keep the receipt here');
    await page.keyboard.press('Enter');
    await visit.see('The receipt is kept on this device.');
    expect((await visit.kept()).device).toEqual(['chorus.keys', 'chorus.receipts']);
  });

  it('asks for an answer at the field and in a summary, and leads to the field', async () => {
    const { page } = visit;
    await visit.begin();
    await visit.press('Continue');
    expect(await visit.focused()).toContain('There is a problem');
    expect(await page.title()).toMatch(/^Error: Question 1 of 6/);
    expect(await page.locator('#answer-error').textContent()).toMatch(/^Error: Choose an answer/);
    expect(await page.locator('fieldset').getAttribute('aria-describedby')).toContain(
      'answer-error',
    );
    expect(await visit.faults()).toEqual([]);
    await page.getByRole('link', { name: /Choose an answer/ }).click();
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('answer-0');
    expect(page.url()).toBe(visit.link);
  });

  it('keeps answers on the way back, by its own Back and by the browser’s', async () => {
    const { page } = visit;
    await visit.begin();
    await page.getByRole('radio').nth(3).check();
    await visit.press('Continue');
    await page.getByRole('radio').nth(1).check();
    await visit.press('Back');
    await visit.see('Question 1 of 6');
    expect(await page.getByRole('radio').nth(3).isChecked()).toBe(true);
    await page.goForward();
    await visit.see('Question 2 of 6');
    expect(await page.getByRole('radio').nth(1).isChecked()).toBe(true);
    await page.goBack();
    await visit.see('Question 1 of 6');
    await page.goBack();
    await visit.heading('Do you want to take part?');
    await page.goBack();
    await visit.heading(sheet.title);
    await visit.see('This browser has your token already');
    await page.goForward();
    await visit.heading('Do you want to take part?');
    expect(guardian.employer.asked).toHaveLength(1);
  });

  it('leads from the review to one question and back', async () => {
    const { page } = visit;
    await visit.begin();
    await visit.answerAll();
    await page.getByRole('button', { name: 'Change the answer on Stress' }).click();
    expect(await page.title()).toMatch(/^Question 2 of 6/);
    await page.getByRole('radio').nth(4).check();
    await visit.press('Continue');
    await visit.heading('Check your answers');
    expect(await page.locator('.review-answer').nth(1).textContent()).toBe('Very much');
    await visit.press('Back');
    await visit.see('Question 6 of 6');
  });

  it('tells what is worked out from the answers, and that it is sent as one more', async () => {
    const { page } = visit;
    await visit.arrive();
    expect(await visit.text()).toContain('Strain, in this browser from your answers.');
    await visit.begin();
    await visit.answerAll();
    const worked = () => page.locator('.worked-out').allTextContents();
    const change = async (name: string, place: number) => {
      await page.getByRole('button', { name: `Change the answer on ${name}` }).click();
      await page.getByRole('radio').nth(place).check();
      await visit.press('Continue');
      await visit.heading('Check your answers');
    };
    expect(await visit.text()).toContain('Worked out from your answers');
    expect(await visit.text()).toContain('it is sent as one more answer');
    // Recovery was left out.
    expect(await worked()).toEqual(['Not known, as one of its questions is not answered']);
    // Stress 2, workload 3, recovery 4 counted from the other end: 2 + 3 + 2 = 7.
    await change('Recovery', 3);
    expect(await worked()).toEqual(['Low']);
    expect(await visit.text()).toContain('From: Stress, Workload, Recovery.');
    await change('Stress', 4);
    expect(await worked()).toEqual(['Moderate']);
    await change('Workload', 4);
    expect(await worked()).toEqual(['High']);
    expect(await visit.faults()).toEqual([]);
    await visit.press('Submit');
    await visit.heading('Your answer was received');
  });

  it('warns before leaving while answers are unsent, and not after', async () => {
    const dialogs: string[] = [];
    visit.page.on('dialog', (dialog) => {
      dialogs.push(dialog.type());
      void dialog.accept();
    });
    await visit.begin();
    await visit.answerAll();
    await visit.page.reload();
    expect(dialogs).toEqual(['beforeunload']);
    await visit.heading(sheet.title);
    await visit.see('loaded again and starts over');
    await visit.press('Continue');
    await visit.press('Yes, take part');
    expect(await visit.page.locator('input:checked').count()).toBe(0);
    await visit.answerAll();
    await visit.press('Submit');
    await visit.heading('Your answer was received');
    await visit.page.reload();
    expect(dialogs).toHaveLength(1);
    await visit.heading('Your answer was received');
    expect(await visit.faults()).toEqual([]);
  });

  it('warns after 14 idle minutes and clears the answers after 15, but not the token', async () => {
    const { page } = visit;
    await page.clock.install();
    await visit.begin();
    await page.getByRole('radio').nth(3).check();
    await page.clock.runFor('14:01');
    await page.getByRole('dialog', { name: 'Are you still there?' }).waitFor();
    expect(await visit.faults()).toEqual([]);
    await visit.press('Keep my answers');
    expect(await page.getByRole('radio').nth(3).isChecked()).toBe(true);
    await page.clock.runFor('14:01');
    await page.getByRole('dialog').waitFor();
    await page.clock.runFor('01:00');
    await visit.see('so your answers were cleared');
    expect(await page.getByRole('dialog').count()).toBe(0);
    // The notice stands before the heading that has the focus: it is said as well.
    expect(await page.getByRole('status').textContent()).toContain('your answers were cleared');
    expect(await visit.faults()).toEqual([]);
    await visit.press('Continue');
    await visit.press('Yes, take part');
    expect(await page.locator('input:checked').count()).toBe(0);
    expect(guardian.employer.asked).toHaveLength(1);
  });

  it.each([
    [320, 'light'],
    [320, 'dark'],
    [360, 'dark'],
    [1280, 'light'],
  ] as const)('has no violation on any step at %i pixels, %s', async (width, colorScheme) => {
    await anotherVisit({ viewport: { width, height: 640 }, colorScheme });
    const fits = async () => expect(await visit.faults()).toEqual([]);
    await visit.arrive();
    await visit.unfold('What remains visible');
    await visit.unfold('Go on with another device');
    await fits();
    guardian.employer.mode = 'lose the reply';
    await visit.press('Continue');
    await visit.heading('You have no token yet');
    await fits();
    guardian.employer.mode = 'give';
    await visit.press('Try again');
    await visit.heading('Do you want to take part?');
    await fits();
    await visit.press('Decide later');
    await fits();
    await visit.press('It is not: leave it in this tab');
    await fits();
    await visit.press('Back to the start');
    await visit.press('Continue');
    guardian.upload = 'drop';
    await visit.press('No, decline');
    await visit.heading('You declined');
    await fits();
    guardian.upload = 'accept';
    await visit.press('Try again');
    await visit.heading('Thank you');
    await fits();
    await visit.press('Back to the start');
    await visit.press('Continue');
    await visit.press('Yes, take part');
    await visit.press('Continue');
    await fits();
    await visit.answerByMouse();
    await visit.unfold('What leaves this device');
    await fits();
    await visit.press('Submit');
    await visit.heading('Your answer was received');
    await visit.unfold('The receipt as a QR code');
    await visit.unfold('Keep the receipt on this device');
    await fits();
  });
});

describe('the receipt', () => {
  it('is a small file that names the report and holds no answer', async () => {
    await visit.submit();
    const waiting = visit.page.waitForEvent('download');
    await visit.press('Download the receipt');
    const download = await waiting;
    expect(download.suggestedFilename()).toBe('chorus-receipt-round-8.json');
    const file = JSON.parse(readFileSync(await download.path(), 'utf8'));
    expect(file).toMatchObject({ type: 'chorus receipt', guardian: guardian.origin, round: 8 });
    const receipt = decodeReceipt(new Uint8Array(Buffer.from(file.receipt, 'base64url')));
    const [name] = guardian.box.reports.keys();
    expect(Buffer.from(receipt.reportId).toString('hex')).toBe(name);
    expect(Buffer.from(receipt.manifestHash).toString('base64url')).toBe(guardian.hash);
    expect(receipt.groupIndex).toBe(1);
    expect(await visit.text()).toContain(name?.replace(/.{4}(?=.)/g, '$& '));
  });

  it('comes with a consent receipt that the guardian signed, if the person wants one', async () => {
    await visit.submit();
    expect(visit.posts.filter((request) => request.includes('consent'))).toEqual([]);
    const waiting = visit.page.waitForEvent('download');
    await visit.press('Download the consent receipt');
    const file = JSON.parse(readFileSync(await (await waiting).path(), 'utf8'));
    expect(Object.keys(file)).toEqual(['receipt', 'signature']);
    expect(file.receipt.notice.points).toEqual(sheet.notice.points);
    await visit.see('Nobody else keeps one.');
    guardian.lie = 'consent';
    await visit.press('Download the consent receipt');
    await visit.see('no valid consent receipt just now');
    await visit.page.route('**/consent-receipts', (route) => route.abort());
    await visit.press('Download the consent receipt');
    await visit.see('no valid consent receipt just now');
  });

  it('is kept on the device only after a yes, and not after a no', async () => {
    await visit.submit();
    await visit.unfold('Keep the receipt on this device');
    await visit.press('It is not');
    await visit.see('Nothing is kept on this device.');
    expect((await visit.kept()).device).toEqual(['chorus.keys']);
  });
});

describe('declining', () => {
  it('is one press, sends exactly the size of an answer, and leaves no trace', async () => {
    await visit.goOn();
    await visit.press('No, decline');
    await visit.heading('Thank you');
    expect(await visit.focused()).toBe('Thank you');
    expect(guardian.box.declined).toBe(1);
    expect(guardian.box.reports.size).toBe(0);
    const asDeclined = visit.posts.map((request) => request.replace(/\w+$/, ''));
    await visit.press('I am done: clear this tab');
    await visit.heading('This tab is cleared');
    expect(await visit.kept()).toEqual({ device: ['chorus.keys'], tab: [] });

    const other = await scene.visit();
    try {
      await other.submit();
      // The same requests to the same places, and bodies of the same length.
      expect(other.posts.map((request) => request.replace(/\w+$/, ''))).toEqual(asDeclined);
      const [declined, answered] = guardian.received;
      expect(declined?.length).toBe(answered?.length);
      expect(declined?.subarray(0, 16).equals(Buffer.alloc(16))).toBe(true);
      expect(new Set(declined?.subarray(16)).size).toBeGreaterThan(250);
    } finally {
      await other.context.close();
    }
  });

  it('may be followed by a change of mind in the same tab', async () => {
    await visit.goOn();
    await visit.press('No, decline');
    await visit.press('Back to the start');
    await visit.press('Continue');
    await visit.press('Yes, take part');
    await visit.answerAll();
    await visit.press('Submit');
    await visit.heading('Your answer was received');
    expect(guardian.employer.asked).toHaveLength(1);
  });

  it('stands even if its message gets lost', async () => {
    await visit.goOn();
    guardian.upload = 'drop';
    await visit.press('No, decline');
    await visit.heading('You declined');
    await visit.press('Leave it');
    await visit.heading('This tab is cleared');
  });
});

describe('sending', () => {
  it('keeps the identical bytes when the connection is lost', async () => {
    await visit.begin();
    await visit.answerAll();
    guardian.upload = 'drop';
    await visit.press('Submit');
    await visit.heading('Your answer is not sent yet');
    expect(await visit.faults()).toEqual([]);
    guardian.upload = 'busy';
    await visit.press('Try again');
    await visit.see('too busy just now');
    guardian.upload = 'accept';
    await visit.press('Try again');
    await visit.heading('Your answer was received');
    expect(new Set(guardian.received.map((body) => body.toString('hex'))).size).toBe(1);
  });

  it('says after a reload that the answer may have arrived, and has its receipt', async () => {
    visit.page.on('dialog', (dialog) => void dialog.accept());
    await visit.begin();
    await visit.answerAll();
    guardian.upload = 'lose the reply';
    await visit.press('Submit');
    await visit.heading('Your answer is not sent yet');
    await visit.page.reload();
    await visit.heading('Your answer may have arrived');
    expect(await visit.faults()).toEqual([]);
    guardian.upload = 'accept';
    await visit.page.getByRole('link', { name: 'Open the receipt now' }).click();
    await visit.press('Answer anew');
    await visit.press('Withdraw it and answer anew');
    await visit.heading(sheet.title);
    expect(guardian.box.withdrawn.size).toBe(1);
    await visit.press('Continue');
    await visit.press('Yes, take part');
    await visit.answerAll();
    await visit.press('Submit');
    await visit.heading('Your answer was received');
    expect(guardian.box.reports.size).toBe(1);
  });

  it('takes the no of somebody on the way for no reply: the answer may have arrived', async () => {
    await visit.begin();
    await visit.answerAll();
    guardian.upload = 'lose the reply';
    await visit.press('Submit');
    await visit.heading('Your answer is not sent yet');
    for (const status of [403, 200]) {
      await visit.page.route('**/reports', (route) =>
        route.fulfill({
          status,
          contentType: 'text/html',
          body: '<h1>Sign in to this network</h1>',
        }),
      );
      await visit.press('Try again');
      await visit.heading('Your answer is not sent yet');
      await visit.page.unroute('**/reports');
    }
    guardian.upload = 'accept';
    await visit.press('Try again');
    await visit.heading('Your answer was received');
    expect(guardian.box.reports.size).toBe(1);
  });

  it('goes on with the same token where the answer never arrived', async () => {
    visit.page.on('dialog', (dialog) => void dialog.accept());
    await visit.begin();
    await visit.answerAll();
    guardian.upload = 'drop';
    await visit.press('Submit');
    await visit.heading('Your answer is not sent yet');
    await visit.page.reload();
    await visit.page.getByRole('link', { name: 'Open the receipt now' }).click();
    await visit.press('Answer anew');
    await visit.press('Withdraw it and answer anew');
    await visit.heading('The guardian has no answer with this number');
    expect(await visit.faults()).toEqual([]);
    guardian.upload = 'accept';
    await visit.press('Answer anew');
    await visit.heading(sheet.title);
    await visit.press('Continue');
    await visit.press('Yes, take part');
    await visit.answerAll();
    await visit.press('Submit');
    await visit.heading('Your answer was received');
    expect(guardian.employer.asked).toHaveLength(1);
  });

  it.each(['task_expired', 'batch_collected'] as const)(
    'does not send somebody back to a round that is over: %s',
    async (code) => {
      await visit.begin();
      await visit.answerAll();
      guardian.upload = code;
      await visit.press('Submit');
      await visit.heading('Your answer was not taken');
      expect(await visit.text()).toContain(REFUSAL_WORDS[code]);
      expect(await visit.page.getByRole('button').count()).toBe(0);
      await visit.page.getByRole('link', { name: 'See the trends so far' }).waitFor();
      expect(await visit.faults()).toEqual([]);
    },
  );

  it('shows that it is at work while the guardian is slow to reply', async () => {
    await visit.begin();
    await visit.answerAll();
    await visit.page.route('**/reports', () => {});
    await visit.press('Submit');
    await visit.heading('Sending your sealed answer');
    const bar = visit.page.getByRole('progressbar');
    const look = () =>
      bar.evaluate((node) => {
        const { backgroundImage, animationName } = getComputedStyle(node);
        return [backgroundImage !== 'none', animationName !== 'none'];
      });
    expect(await look()).toEqual([true, true]);
    await visit.page.emulateMedia({ reducedMotion: 'reduce' });
    expect(await look()).toEqual([true, false]);
    expect(await visit.faults()).toEqual([]);
  });

  it('says what a refusal means and what to do, and keeps the token', async () => {
    // The words of all codes are one exhaustive table; two stand for the way there.
    const codes: ReportError[] = ['report_replayed', 'report_dropped'];
    await visit.arrive();
    for (const code of codes) {
      guardian.upload = code;
      await visit.press('Continue');
      await visit.press('Yes, take part');
      await visit.answerAll();
      await visit.press('Submit');
      await visit.heading('Your answer was not taken');
      const sentence = REFUSAL_WORDS[code].replace('%', sheet.notice.contact);
      expect(await visit.page.locator('.lead').textContent()).toBe(sentence);
      await visit.press('Start again');
    }
    guardian.upload = 'problem';
    await visit.press('Continue');
    await visit.press('Yes, take part');
    await visit.answerAll();
    await visit.press('Submit');
    await visit.see(`or ask ${sheet.notice.contact}`);
    expect(await visit.faults()).toEqual([]);
    expect(guardian.employer.asked).toHaveLength(1);
    expect((await visit.kept()).tab).toHaveLength(1);
  });
});
