import { randomBytes } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { utf8 } from '../../crypto/bytes.ts';
import type { TokenRefusal } from '../../views/browser/answer/permit.ts';
import { TOKEN_BUSY, TOKEN_LOST, TOKEN_WORDS } from '../../views/browser/answer/words.ts';
import { qrMatrix } from '../../views/browser/shared/qr-matrix.ts';
import { STOP_WORDS } from '../../views/browser/shared/stop.ts';
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

async function refused(code: TokenRefusal): Promise<void> {
  const [heading, sentence] = TOKEN_WORDS[code];
  await visit.heading(heading);
  expect(await visit.focused()).toBe(heading);
  expect(await visit.page.locator('.lead').textContent()).toBe(
    sentence.replace('%', sheet.notice.contact),
  );
  expect(await visit.faults()).toEqual([]);
  expect(guardian.received).toEqual([]);
}

/** To the answer's receipt, from the choice. */
async function finish(): Promise<void> {
  await visit.press('Yes, take part');
  await visit.answerAll();
  await visit.press('Submit');
  await visit.heading('Your answer was received');
}

describe('a lost connection to the employer', () => {
  it.each([
    ['lose the request', TOKEN_LOST],
    ['lose the reply', TOKEN_LOST],
    ['garble', TOKEN_LOST],
    ['busy', TOKEN_BUSY],
  ] as const)('%s: the identical request is sent again', async (mode, words) => {
    guardian.employer.mode = mode;
    await visit.arrive();
    await visit.press('Continue');
    await visit.heading('You have no token yet');
    expect(await visit.page.locator('.lead').textContent()).toBe(words);
    guardian.employer.mode = 'give';
    await visit.press('Try again');
    await visit.heading('Do you want to take part?');
    expect(guardian.employer.asked.length).toBeGreaterThanOrEqual(2);
    expect(new Set(guardian.employer.asked.map(({ request }) => request)).size).toBe(1);
    await finish();
  });

  it('and a reload after it: the same request, from the start', async () => {
    guardian.employer.mode = 'lose the reply';
    await visit.arrive();
    await visit.press('Continue');
    await visit.heading('You have no token yet');
    guardian.employer.mode = 'give';
    await visit.page.reload();
    await visit.heading(sheet.title);
    await visit.see('asks in the very same words');
    await visit.press('Continue');
    await visit.heading('Do you want to take part?');
    expect(new Set(guardian.employer.asked.map(({ request }) => request)).size).toBe(1);
    await finish();
  });

  it('looks the same where the employer does not let this guardian’s pages ask', async () => {
    guardian.employer.allowed = 'https://other.example';
    await visit.arrive();
    await visit.press('Continue');
    await visit.heading('You have no token yet');
    expect(guardian.employer.asked).toEqual([]);
    guardian.employer.allowed = guardian.origin;
    await visit.press('Try again');
    await visit.heading('Do you want to take part?');
  });

  it('before anything left: offline, then online again', async () => {
    await visit.arrive();
    await visit.page.route(`${guardian.employer.origin}/**`, (route) => route.abort());
    await visit.press('Continue');
    await visit.heading('You have no token yet');
    await visit.press('Back to the start');
    await visit.heading(sheet.title);
    await visit.page.unroute(`${guardian.employer.origin}/**`);
    await visit.press('Continue');
    await visit.heading('Do you want to take part?');
  });
});

describe('a token that is not given', () => {
  it('for a code that was used elsewhere', async () => {
    const other = await scene.visit();
    try {
      await other.arrive(visit.link);
      await other.press('Continue');
      await other.heading('Do you want to take part?');
    } finally {
      await other.context.close();
    }
    await visit.arrive();
    await visit.press('Continue');
    await refused('codeUsed');
    expect((await visit.kept()).tab).toEqual([]);
    await visit.press('Back to the start');
    await visit.heading(sheet.title);
  });

  it('for a mistyped code', async () => {
    await visit.arrive(guardian.linkOf(randomBytes(16).toString('base64url')));
    await visit.press('Continue');
    await refused('codeUnknown');
  });

  it('for a code of another group', async () => {
    await visit.arrive(guardian.linkOf(guardian.employer.invite(0), 1));
    await visit.press('Continue');
    await refused('wrongKey');
  });

  it('for an expired code', async () => {
    guardian.employer.mode = 'codeExpired';
    await visit.arrive();
    await visit.press('Continue');
    await refused('codeExpired');
    // Whoever answered with it finds out more there.
    await visit.page.locator('main').getByRole('link', { name: 'Open a receipt' }).click();
    await visit.heading('Your receipt');
  });

  it.each(['invalidMessage', 'nonsense'] as const)('%s: and may be tried afresh', async (mode) => {
    guardian.employer.mode = mode;
    await visit.arrive();
    await visit.press('Continue');
    await refused(mode === 'nonsense' ? 'other' : 'invalidMessage');
    guardian.employer.mode = 'give';
    await visit.press('Try again');
    await visit.heading('Do you want to take part?');
    // What was refused is thrown away: the second request has nothing in common with it. A no that
    // the employer would not say refuses nothing.
    const asked = mode === 'nonsense' ? 1 : 2;
    expect(new Set(guardian.employer.asked.map(({ request }) => request)).size).toBe(asked);
  });

  it('though it was made: the reply was lost, and somebody on the way says no', async () => {
    guardian.employer.mode = 'lose the reply';
    await visit.arrive();
    await visit.press('Continue');
    await visit.heading('You have no token yet');
    guardian.employer.mode = 'nonsense';
    await visit.press('Try again');
    await refused('other');
    guardian.employer.mode = 'give';
    await visit.press('Try again');
    await visit.heading('Do you want to take part?');
  });

  it('is thrown away if it does not verify, and never asked for again', async () => {
    guardian.employer.mode = 'sign something else';
    await visit.arrive();
    await visit.press('Continue');
    await refused('bad_token');
    expect(await visit.page.getByRole('button', { name: 'Try again' }).count()).toBe(0);
    expect((await visit.kept()).tab).toEqual([]);
    guardian.employer.mode = 'give';
    await visit.press('Back to the start');
    await visit.press('Continue');
    await refused('codeUsed');
    expect(new Set(guardian.employer.asked.map(({ request }) => request)).size).toBe(2);
  });
});

describe('a token that waits', () => {
  it('in this tab, over reloads at every step', async () => {
    visit.page.on('dialog', (dialog) => void dialog.accept());
    await visit.goOn();
    await visit.page.reload();
    await visit.heading(sheet.title);
    await visit.see('This browser has your token already');
    await visit.press('Continue');
    await visit.press('Yes, take part');
    await visit.page.reload();
    await visit.press('Continue');
    await visit.press('No, decline');
    await visit.heading('Thank you');
    await visit.page.reload();
    await visit.press('Continue');
    await finish();
    expect(guardian.employer.asked).toHaveLength(1);
  });

  it('on the device if it is theirs, and is used up there', async () => {
    await visit.page.clock.setFixedTime(new Date(20_505 * 86_400_000));
    await visit.goOn();
    await visit.press('Decide later');
    await visit.heading('Is this device yours?');
    await visit.press('It is mine: keep the token here');
    await visit.see('Your token is kept on this device.');
    await visit.page.close();

    const page = await visit.context.newPage();
    await page.clock.setFixedTime(new Date(20_506 * 86_400_000));
    await page.goto(visit.link);
    await page.getByText('This browser has your token already').waitFor();
    // Past the round's last day it is of no use, and goes.
    await page.clock.setFixedTime(new Date(20_514 * 86_400_000));
    await page.reload();
    await page.getByText('You choose on the next page').waitFor();
    expect(await page.evaluate(() => Object.keys(localStorage))).toEqual(['chorus.keys']);
  });

  it('in the tab if it is not, and then says so', async () => {
    await visit.goOn();
    await visit.press('Decide later');
    await visit.press('It is not: leave it in this tab');
    await visit.see('Your token stays in this tab.');
    expect(await visit.kept()).toEqual({
      device: ['chorus.keys'],
      tab: [expect.stringMatching(/^chorus\.way\./)],
    });
  });

  it('is worth nothing if somebody altered it in the storage', async () => {
    await visit.goOn();
    await visit.page.evaluate(() => {
      for (const key of Object.keys(sessionStorage)) {
        const way = JSON.parse(sessionStorage.getItem(key) ?? '{}');
        sessionStorage.setItem(key, JSON.stringify({ ...way, authenticator: 'A'.repeat(342) }));
      }
    });
    await visit.page.reload();
    await visit.heading(sheet.title);
    await visit.press('Continue');
    await refused('codeUsed');
  });

  it('is not looked for in what this page did not write', async () => {
    await visit.goOn();
    await visit.page.evaluate(() => {
      for (const key of Object.keys(sessionStorage)) {
        sessionStorage.setItem(key, 'no JSON');
        localStorage.setItem(key, '[');
      }
      sessionStorage.setItem('chorus.receipt', '{"receipt":"AAAA"}');
      localStorage.setItem('chorus.receipts', '[1, "x", null]');
    });
    await visit.page.reload();
    await visit.heading(sheet.title);
    await visit.see('You choose on the next page');
    expect((await visit.kept()).device).toEqual(['chorus.keys', 'chorus.receipts']);
    await visit.page.goto(`${guardian.origin}/receipt`);
    await visit.heading('Your receipt');
    expect(await visit.page.getByRole('button', { name: /^Open / }).count()).toBe(0);
  });
});

describe('two tabs', () => {
  it('with one invitation: the second one says so, and takes over once the first is closed', async () => {
    await visit.goOn();
    const second = await visit.context.newPage();
    await second.goto(visit.link);
    await second.getByRole('heading', { name: STOP_WORDS.other_tab[0] }).waitFor();
    await visit.page.close();
    await second.getByRole('button', { name: 'Try again' }).click();
    await second.getByRole('heading', { name: sheet.title }).waitFor();
    // The token was in the other tab, and went with it.
    await second.getByRole('button', { name: 'Continue' }).click();
    await second.getByRole('heading', { name: TOKEN_WORDS.codeUsed[0] }).waitFor();
  });

  it('with two invitations do not disturb each other', async () => {
    await visit.goOn();
    const second = await visit.context.newPage();
    await second.goto(guardian.invite());
    await second.getByRole('button', { name: 'Continue' }).click();
    await second.getByRole('heading', { name: 'Do you want to take part?' }).waitFor();
    await finish();
  });

  it('of one person who pastes another link over the first', async () => {
    await visit.goOn();
    const other = guardian.invite();
    await visit.page.goto(other);
    await visit.heading(sheet.title);
    await visit.see('You choose on the next page');
    await visit.page.goto(visit.link);
    await visit.see('This browser has your token already');
  });
});

describe('another device', () => {
  it('gets the invitation by QR code, before a token is used', async () => {
    await visit.arrive();
    await visit.unfold('Go on with another device');
    const picture = visit.page.getByRole('img', { name: 'QR code of your link' });
    const [path, side] = await picture.evaluate((svg) => [
      svg.querySelector('path')?.getAttribute('d') ?? '',
      Number(svg.getAttribute('viewBox')?.split(' ').at(-1)),
    ]);
    const drawn = Array.from({ length: Number(side) }, () =>
      new Array<boolean>(Number(side)).fill(false),
    );
    for (const [, x, y, run] of String(path).matchAll(/M(\d+) (\d+)h(\d+)v1h-\d+z/g)) {
      drawn[Number(y)]?.fill(true, Number(x), Number(x) + Number(run));
    }
    const inside = drawn.slice(4, -4).map((row) => row.slice(4, -4));
    expect(inside).toEqual(qrMatrix(utf8(visit.link)));
    await visit.press('Continue');
    await visit.heading('Do you want to take part?');
    await visit.press('Back');
    await visit.heading(sheet.title);
    expect(await visit.text()).not.toContain('Go on with another device');
  });
});
