import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { DAY_MS } from '../../server/domain/days.ts';
import { launchBrowser } from '../support/browser.ts';
import { findInFolder, Needles } from '../support/needles.ts';
import {
  answerAll,
  closeTestRound,
  finished,
  openTestRound,
  startTwoParties,
  type TwoParties,
  until,
} from '../support/parties.ts';
import { PARTIES, type PartyName, resultsOf } from '../support/rounds.ts';
import { staffCookie } from '../support/staff.ts';

/**
 * How long a released total lives, from the admin's page to the bytes on both disks: real parties,
 * a real browser without JavaScript.
 */

const PEOPLE = 40;
const ANSWERS = 12;

let parties: TwoParties;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  [parties, browser] = await Promise.all([startTwoParties(), launchBrowser()]);
}, 60_000);

afterAll(async () => {
  await browser.close();
  await parties.close();
});

beforeEach(async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  for (const [party, role] of [
    ['employer', 'admin'],
    ['guardian', 'guardian'],
  ] as const) {
    const [name, value] = staffCookie(parties, party, role).split('=') as [string, string];
    await context.addCookies([{ name, value, url: parties.urls[party] }]);
  }
  onTestFinished(() => context.close());
  page = await context.newPage();
  page.setDefaultTimeout(10_000);
});

const go = (party: PartyName, path: string) => page.goto(parties.urls[party] + path);
const says = (words: string | RegExp) => page.getByText(words).first().waitFor();
/** The page, asked for again until it says this. */
const comesToSay = (words: string) =>
  until(async () => {
    await page.reload();
    return (await page.getByText(words).count()) > 0;
  });

/** A round with two groups, released. @returns its totals and signatures, and a list that stays */
async function releasedRound(): Promise<Needles> {
  const round = await openTestRound(parties, [PEOPLE, PEOPLE]);
  for (const task of round.tasks) {
    const answers = Array.from({ length: ANSWERS }, (_, i) => [i % 3, (i + 1) % 4]);
    await answerAll(parties, task, answers);
  }
  closeTestRound(parties, round);
  await finished(parties);
  const needles = new Needles();
  for (const party of PARTIES) {
    const db = parties.database(party);
    const results = resultsOf(db);
    expect(results).toHaveLength(2);
    for (const { published, employerSignature, guardianSignature } of results) {
      // Up to the totals, the text has words and a task id that stand in other places too.
      const totals = published.subarray(published.indexOf('"totals"'));
      needles.add('totals', totals, 24);
      needles.add('signatures', employerSignature);
      needles.add('signatures', guardianSignature as Buffer);
    }
    const list = db.prepare<[], Buffer>('SELECT list_employer_signature FROM rounds').pluck();
    needles.add('list', list.get() as Buffer);
    db.close();
  }
  return needles;
}

test('an admin shortens a retention, and the bytes are gone at both parties', {
  timeout: 60_000,
}, async () => {
  const needles = await releasedRound();
  const found = (party: PartyName) => [
    ...findInFolder(needles, parties.config(party).folder).values(),
  ];
  for (const party of PARTIES)
    expect(found(party).sort()).toEqual(['list', 'signatures', 'totals']);
  await go('employer', '/trends');
  await says('At least 20 answers of 80 people');
  parties.clock.advance(parties.clock.now() + 40 * DAY_MS);

  await go('employer', '/retention');
  await page.getByRole('link', { name: 'Change Published trends', exact: true }).click();
  await page.getByLabel('Days to keep it').fill('30');
  await page.getByRole('button', { name: 'See what that would do' }).click();
  await says('2 released totals of round 1');
  const confirm = page.getByRole('button', { name: 'Keep it 30 days only' });
  await page.getByLabel('Type “delete” to confirm').fill('yes');
  await confirm.click();
  await says('There is a problem');
  for (const party of PARTIES) expect(found(party)).toContain('totals');

  await page.getByLabel('Type “delete” to confirm').fill('delete');
  await confirm.click();
  await page.getByRole('heading', { name: 'Published trends: 30 days' }).waitFor();
  for (const party of PARTIES) {
    await until(() => found(party).join() === 'list');
    await go(party, '/inventory');
    await says(/^results$/);
    expect(await page.getByRole('heading', { name: 'results' }).count()).toBe(0);
    await go(party, '/');
    await says('2 released totals of round 1');
    await go(party, '/trends');
    await says('past its retention, and deleted');
  }
});

test('a longer retention waits for the guardian, who agrees or refuses on its page', {
  timeout: 60_000,
}, async () => {
  const ask = async (days: number) => {
    await go('employer', '/retention/mail/installation');
    await page.getByLabel('Days to keep it').fill(String(days));
    await page.getByRole('button', { name: 'See what that would do' }).click();
    await page.getByRole('button', { name: 'Ask the guardian' }).click();
    await page.getByRole('heading', { name: 'Waiting for the guardian' }).waitFor();
    await page.getByRole('heading', { name: 'Mail queue: 14 days' }).waitFor();
    await go('guardian', '/surveys');
    const words = `Mail queue: 14 days → ${days} days`;
    await comesToSay(words);
    await page.getByRole('link', { name: words }).click();
    await says(`${days - 14} days more`);
  };
  await ask(60);
  await page.getByLabel('Why is it refused?').fill('Two weeks are enough.');
  await page.getByRole('button', { name: 'Refuse the longer time' }).click();
  await go('employer', '/retention');
  await comesToSay('Mail queue: 60 days: refused: Two weeks are enough.');

  await ask(20);
  await page.getByRole('button', { name: 'Agree to 20 days' }).click();
  await says('There is a problem');
  await page.getByLabel('I agree for the guardian').check();
  await page.getByRole('button', { name: 'Agree to 20 days' }).click();
  await page.waitForURL(`${parties.urls.guardian}/surveys`);
  await go('employer', '/retention');
  await comesToSay('Mail queue: 20 days: in force');
  await page.getByRole('heading', { name: 'Mail queue: 20 days' }).waitFor();
});
