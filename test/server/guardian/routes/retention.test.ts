import { afterAll, beforeAll, expect, test } from 'vitest';
import { toBase64url } from '../../../../crypto/bytes.ts';
import { hashOfChange } from '../../../../server/domain/retention.ts';
import { openGuardian } from '../../../../server/guardian/guardian.ts';
import type { GuardianParts } from '../../../../server/guardian/parts.ts';
import { type Ask, type Desks, startDesks } from '../../../support/sign-in.ts';
import { staffCookie } from '../../../support/staff.ts';

/** Where the guardian agrees to a longer retention, or refuses it. */

let desks: Desks;
let parts: GuardianParts;
let number = 0;

beforeAll(async () => {
  desks = await startDesks();
  desks.nowMs = Date.now();
  parts = await openGuardian(desks.parties.config('guardian'));
});

afterAll(async () => {
  parts.db.close();
  await desks.parties.close();
});

const as = (role: 'guardian' | 'auditor') => staffCookie(desks.parties, 'guardian', role);
const ask = (path: string, options: Ask = {}) =>
  desks.ask('guardian', path, { cookie: as('guardian'), ...options });

/** A request that waits. @returns its path */
function asked(kind: 'lists' | 'mail' | 'logs', days: number): string {
  const change = { kind, sheet: null, number: ++number, days };
  parts.retention.insert(change, 'waiting', null, 0);
  return `/retention/${toBase64url(hashOfChange(change))}`;
}

test('stands beside the surveys, and shows the difference', async () => {
  const path = asked('lists', 400);
  expect(await (await ask('/surveys')).text()).toContain(
    `<a href="${path}">Receipts’ lists: 365 days → 400 days</a>`,
  );
  const page = await (await ask(path)).text();
  expect(page).toContain('<dd>400 days (35 days more)</dd>');
  expect(page).toContain('Agree to 400 days');
});

test('counts once the box is ticked, and is decided once', async () => {
  const path = asked('mail', 30);
  const missing = await ask(`${path}/approve`, { form: {} });
  expect(missing.status).toBe(400);
  expect(await missing.text()).toContain('href="#confirmed"');
  expect(parts.retention.days({ kind: 'mail', sheet: null })).toBe(14);
  expect((await ask(`${path}/approve`, { form: { confirmed: 'yes' } })).status).toBe(303);
  expect(parts.retention.days({ kind: 'mail', sheet: null })).toBe(30);
  expect((await ask(`${path}/approve`, { form: { confirmed: 'yes' } })).status).toBe(409);
  expect((await ask(`${path}/refuse`, { form: { reason: 'No.' } })).status).toBe(409);
  expect(await (await ask(path)).text()).not.toContain('<form method="post" action="/retention');
});

test('is refused with a reason in one line', async () => {
  const path = asked('logs', 500);
  const missing = await ask(`${path}/refuse`, { form: { reason: ' \r\n' } });
  expect(missing.status).toBe(400);
  expect(await missing.text()).toContain('href="#reason"');
  const reason = 'A year\r\nis  enough.';
  expect((await ask(`${path}/refuse`, { form: { reason } })).status).toBe(303);
  expect(await (await ask(path)).text()).toContain('Refused because: A year is enough.');
  expect(parts.retention.days({ kind: 'logs', sheet: null })).toBe(365);
  expect((await ask(`${path}/refuse`, { form: { reason: 'x'.repeat(2001) } })).status).toBe(400);
});

test('an auditor reads and cannot decide', async () => {
  const path = asked('lists', 500);
  const page = await ask(path, { cookie: as('auditor') });
  expect(page.status).toBe(200);
  expect(await page.text()).not.toContain('Agree to');
  const form = { confirmed: 'yes' };
  expect((await ask(`${path}/approve`, { form, cookie: as('auditor') })).status).toBe(403);
  expect(
    (await ask(`${path}/refuse`, { form: { reason: 'No.' }, cookie: as('auditor') })).status,
  ).toBe(403);
});

test.each(['x', 'A'.repeat(43)])('there is no request %s', async (path) => {
  expect((await ask(`/retention/${path}`)).status).toBe(404);
  expect((await ask(`/retention/${path}/approve`, { form: { confirmed: 'yes' } })).status).toBe(
    404,
  );
});

test('the inventory is for guardian and auditor, and knows all that is stored', async () => {
  for (const role of ['guardian', 'auditor'] as const) {
    const page = await (await ask('/inventory', { cookie: as(role) })).text();
    expect(page).toContain('<span class="mono">retention_changes</span>');
    expect(page).not.toContain('not on the list');
  }
  expect((await desks.ask('guardian', '/inventory')).status).toBe(303);
});
