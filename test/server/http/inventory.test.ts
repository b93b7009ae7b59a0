import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  answerAll,
  openTestRound,
  startTwoParties,
  type TestRound,
  type TwoParties,
} from '../../support/parties.ts';
import { staffCookie } from '../../support/staff.ts';
import type { TestTask } from '../../support/test-tokens.ts';

/** What is stored while a round is open, as the pages show it. */

let parties: TwoParties;
let round: TestRound;

beforeAll(async () => {
  parties = await startTwoParties();
  round = await openTestRound(parties, [30, 30]);
});

afterAll(() => parties.close());

test.each([
  ['guardian', 'auditor', ['tasks', 'scripts', 'keys/identity', 'keys/round-*']],
  [
    'employer',
    'admin',
    ['people', 'codes', 'invitees', 'keys/collector-*', 'keys/tokens-*', 'keys/invitations-*'],
  ],
] as const)('the %s knows all that it stores', async (party, role, stores) => {
  const headers = { cookie: staffCookie(parties, party, role), accept: 'text/html' };
  const page = await (await fetch(`${parties.urls[party]}/inventory`, { headers })).text();
  expect(page).not.toContain('not on the list');
  const stored = page.slice(0, page.indexOf('Nothing stored now'));
  for (const store of stores) expect(stored).toContain(`<span class="mono">${store}</span>: `);
});

test('how many have answered is not told to the single report', async () => {
  await answerAll(parties, round.tasks[0] as TestTask, Array(7).fill([0, 1]));
  const headers = { cookie: staffCookie(parties, 'guardian', 'auditor'), accept: 'text/html' };
  const page = await (await fetch(`${parties.urls.guardian}/inventory`, { headers })).text();
  for (const store of ['box', 'spent']) {
    expect(page).toContain(`<span class="mono">${store}</span>: at least 5 records`);
  }
  expect(page).not.toContain('7 records');
});

test('a manager does not see it', async () => {
  const headers = { cookie: staffCookie(parties, 'employer', 'manager', ['All']) };
  expect((await fetch(`${parties.urls.employer}/inventory`, { headers })).status).toBe(403);
});
