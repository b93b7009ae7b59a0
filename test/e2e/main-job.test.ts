import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { toBase64url } from '../../crypto/bytes.ts';
import type { Role } from '../../server/domain/staff.ts';
import { axe, launchBrowser } from '../support/browser.ts';
import { codesOfGroup } from '../support/invitations.ts';
import {
  answerAll,
  finished,
  openTestRound,
  startTwoParties,
  type TestRound,
  type TwoParties,
} from '../support/parties.ts';

/** The main job as people do it: two real servers, a real browser, every page looked at by axe. */

let parties: TwoParties;
let browser: Browser;
let page: Page;
let round: TestRound;
/** The link of somebody's invitation to group 0, as their mail has it. */
let link: string;
const trouble: string[] = [];

beforeAll(async () => {
  parties = await startTwoParties();
  browser = await launchBrowser();
  page = await browser.newPage();
  page.on('pageerror', (error) => trouble.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') trouble.push(message.text());
  });
  const earlier = await openTestRound(parties, [40, 40], {}, 1);
  await answerAll(parties, earlier.tasks[0] as never, answers(20));
  const { start, duration } = earlier.head.days;
  parties.clock.advance((start + duration) * 86_400_000);
  await finished(parties, 1);
  round = await openTestRound(parties, [40, 40], {}, 2);
  await answerAll(parties, round.tasks[0] as never, answers(15));
  const code = codesOfGroup(parties, round, 0)[0]?.code as Uint8Array;
  link = `${parties.urls.guardian}/answer#${toBase64url(code)}.0.${toBase64url(round.hash)}`;
});

afterAll(async () => {
  await browser.close();
  await parties.close();
});

function answers(count: number): number[][] {
  return Array.from({ length: count }, (_, i) => [i % 3, (i + 1) % 3]);
}

test('a person answers, the round is closed in front of their eyes, and the trend shows it', async () => {
  await page.goto(link);
  await page.getByRole('heading', { name: 'A test' }).waitFor();
  expect(await axe(page)).toEqual([]);
  const sent: string[] = [];
  page.on('request', (request) => {
    if (request.method() === 'POST') sent.push(request.url());
  });
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('heading', { name: 'Do you want to take part?' }).waitFor();
  expect(await axe(page)).toEqual([]);
  // The token, which says nothing of what is chosen next.
  expect(sent.splice(0)).toEqual([`${parties.urls.employer}/tokens`]);
  await page.getByRole('button', { name: 'Yes, take part' }).click();
  for (const question of ['energy', 'stress']) {
    await page.getByText(`How is ${question}?`).waitFor();
    await page.getByRole('radio', { name: 'High' }).check();
    await page.getByRole('button', { name: 'Continue' }).click();
  }
  await page.getByRole('heading', { name: 'Check your answers' }).waitFor();
  expect(await axe(page)).toEqual([]);
  expect(sent).toEqual([]);
  await page.getByRole('button', { name: 'Submit' }).click();
  await page.getByRole('heading', { name: 'Your answer was received' }).waitFor();
  expect(await axe(page)).toEqual([]);
  expect(sent).toHaveLength(1);
  expect(standingOf('accepted')).toBe(16);

  await page.goto(evaluationLink('guardian', 'guardian'));
  expect(await axe(page)).toEqual([]);
  await page.goto(`${parties.urls.guardian}/`);
  expect(await axe(page)).toEqual([]);
  await page.getByRole('link', { name: 'Close this round' }).click();
  expect(await axe(page)).toEqual([]);
  await page.getByRole('button', { name: /Close round 2/ }).click();
  await finished(parties, 2);
  await page.goto(`${parties.urls.guardian}/`);
  await page.getByText('Round 2 is finished: 1 group released, 1 withheld.').waitFor();

  await page.goto(evaluationLink('employer', 'admin'));
  for (const party of ['employer', 'guardian'] as const) {
    await page.goto(`${parties.urls[party]}/trends`);
    await page.getByText('round 2', { exact: false }).first().waitFor();
    expect(await axe(page)).toEqual([]);
    await page.goto(`${parties.urls[party]}/trends/groups/0`);
    expect(await page.locator('svg[role=img]').count()).toBeGreaterThan(0);
    expect(await page.locator('main').innerText()).toContain('round 2');
    expect(await axe(page)).toEqual([]);
    await page.goto(`${parties.urls[party]}/trends/groups/1`);
    expect(await page.locator('main').innerText()).toContain('fewer than 8 answers');
    await page.goto(`${parties.urls[party]}/how`);
    expect(await axe(page)).toEqual([]);
  }
  expect(trouble).toEqual([]);
});

test('a link to a closed round and an address that does not exist are told in words', async () => {
  await page.goto('about:blank');
  await page.goto(link);
  await page
    .getByText(/closed/)
    .first()
    .waitFor();
  expect(await axe(page)).toEqual([]);
  await page.goto(`${parties.urls.employer}/nothing-here`);
  await page.getByRole('heading', { name: 'Not found' }).waitFor();
  expect(await axe(page)).toEqual([]);
});

function evaluationLink(party: 'guardian' | 'employer', role: Role): string {
  return parties[party].evaluationLink({ email: `${role}@example.com`, role, units: [] });
}

function standingOf(column: 'accepted'): number {
  const db = parties.database('guardian');
  try {
    return db
      .prepare<[Uint8Array], number>(`SELECT ${column} FROM tasks WHERE task_id = ?`)
      .pluck()
      .get(round.tasks[0]?.taskId as Uint8Array) as number;
  } finally {
    db.close();
  }
}
