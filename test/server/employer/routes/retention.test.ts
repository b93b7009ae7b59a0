import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { toBase64url } from '../../../../crypto/bytes.ts';
import { DAY_MS } from '../../../../server/domain/days.ts';
import { openEmployer } from '../../../../server/employer/employer.ts';
import type { EmployerParts } from '../../../../server/employer/parts.ts';
import { approveTestSheet, testSheet, until } from '../../../support/parties.ts';
import { insertFinished } from '../../../support/retained.ts';
import { type Ask, type Desks, startDesks } from '../../../support/sign-in.ts';
import { staffCookie } from '../../../support/staff.ts';

/** Where the admin changes how long things are kept. */

let desks: Desks;
let parts: EmployerParts;
let sheet: string;

beforeAll(async () => {
  desks = await startDesks();
  desks.nowMs = Date.now();
  parts = await openEmployer(desks.parties.config('employer'));
  const hash = await approveTestSheet(
    desks.parties,
    testSheet({ title: '<b>Kept</b>', retention: { trends_days: 200 } }),
  );
  await until(() => parts.sheets.withHash(hash)?.state === 'approved');
  sheet = toBase64url(hash);
});

afterAll(async () => {
  parts.db.close();
  await desks.parties.close();
});

beforeEach(() => {
  parts.db.exec('DELETE FROM retention_changes');
});

const as = (role: 'admin' | 'auditor') => staffCookie(desks.parties, 'employer', role);
const ask = (path: string, options: Ask = {}) =>
  desks.ask('employer', `/retention${path}`, { cookie: as('admin'), ...options });
const text = async (path: string, options: Ask = {}) => (await ask(path, options)).text();
const days = (kind: 'mail' | 'lists' | 'trends') => parts.retention.days({ kind, sheet: null });

test('shows every setting with its unit, default, bounds and consequence, escaped', async () => {
  const page = await text('');
  for (const words of [
    'Receipts’ lists: 365 days',
    '30 to 1095 days',
    'A receipt can no longer tell whether its answer was counted.',
    '“&lt;b&gt;Kept&lt;/b&gt;”',
    '<dt>Published trends</dt><dd>200 days <a',
    `/retention/trends/${sheet}`,
    '/retention/logs/installation',
  ]) {
    expect(page).toContain(words);
  }
  expect(page).not.toContain('<b>Kept');
});

test('an auditor reads and changes nothing', async () => {
  const page = await text('', { cookie: as('auditor') });
  expect(page).toContain('Mail queue: 14 days');
  expect(page).not.toContain('/retention/mail/installation');
  const form = { days: '13', from: '14', word: 'delete' };
  for (const path of ['/mail/installation', '/mail/installation/confirm']) {
    expect((await ask(path, { form, cookie: as('auditor') })).status).toBe(403);
  }
  expect(days('mail')).toBe(14);
});

describe('a shorter time', () => {
  test('is reviewed first, with what it deletes, and done when the word is typed', async () => {
    insertFinished(parts, { number: 5, closes: 10_000, trendsDays: 3000 });
    desks.parties.clock.advance(10_040 * DAY_MS);
    const form = { days: '30', from: '365' };
    const review = await text('/lists/installation', { form });
    expect(review).toContain('Receipts’ lists: 365 days → 30 days');
    expect(review).toContain('<li>256 slices of the list for receipts of round 5</li>');
    expect(review).not.toContain('released totals');
    expect(days('lists')).toBe(365);

    for (const word of ['', 'yes']) {
      const wrong = await ask('/lists/installation/confirm', { form: { ...form, word } });
      expect(wrong.status).toBe(400);
      const page = await wrong.text();
      expect(page).toContain('href="#word"');
      expect(page).toContain('<title>Error: Receipts’ lists');
      expect(page).toContain('256 slices');
    }
    expect(days('lists')).toBe(365);

    const done = await ask('/lists/installation/confirm', { form: { ...form, word: ' Delete ' } });
    expect([done.status, done.headers.get('location')]).toEqual([303, '/retention']);
    expect(days('lists')).toBe(30);
    await until(
      () =>
        parts.db.prepare('SELECT COUNT(*) FROM list_slices').pluck().get() === 0 &&
        parts.events.recent(3).some(({ sentence }) => sentence.includes('of round 5')),
    );
    expect(await text('')).toContain('Receipts’ lists: 30 days: in force');
  });

  test('that deletes nothing says so', async () => {
    const review = await text('/mail/installation', { form: { days: '13', from: '14' } });
    expect(review).toContain('Nothing that is stored here now');
  });
});

describe('a longer time', () => {
  test('waits for the guardian and can be taken back', async () => {
    const form = { days: '20', from: '14' };
    expect(await text('/mail/installation', { form })).toContain('until the guardian has agreed');
    expect((await ask('/mail/installation/confirm', { form })).status).toBe(303);
    expect(days('mail')).toBe(14);
    const page = await text('');
    expect(page).toContain('Waiting for the guardian');
    const change = /name="change" value="([^"]+)"/.exec(page)?.[1] as string;
    expect((await ask('/cancel', { form: { change } })).status).toBe(303);
    expect(await text('')).toContain('Mail queue: 20 days: taken back');
    expect((await ask('/cancel', { form: { change } })).status).toBe(409);
  });
});

describe('is refused at the field', () => {
  test.each([
    ['0', 'from 1 to 60'],
    ['10000', 'from 1 to 60'],
    ['61', 'from 1 to 60'],
    ['', 'from 1 to 60'],
    ['two', 'from 1 to 60'],
    ['1.5', 'from 1 to 60'],
    ['-1', 'from 1 to 60'],
    ['14', 'It is 14 days already'],
  ])('“%s” days of mail', async (entered, words) => {
    const response = await ask('/mail/installation', { form: { days: entered, from: '14' } });
    expect(response.status).toBe(400);
    const page = await response.text();
    expect(page).toContain(words);
    expect(page).toContain('href="#days"');
    expect(page).toContain('aria-describedby="days-hint days-error"');
    expect(page).toContain(`value="${entered}"`);
  });

  test('more than the signed sheet says', async () => {
    const form = { days: '201', from: '200' };
    const response = await ask(`/trends/${sheet}`, { form });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('at most 200 days');
  });

  test('what was changed while the page was open, at either step', async () => {
    parts.retention.insert({ kind: 'mail', sheet: null, number: 1, days: 10 }, 'applied', null, 0);
    const form = { days: '12', from: '14' };
    expect(await text('/mail/installation', { form })).toContain('is 10 days now');
    const confirmed = await ask('/mail/installation/confirm', {
      form: { ...form, word: 'delete' },
    });
    expect(confirmed.status).toBe(409);
    expect(await confirmed.text()).toContain('name="from" value="10"');
    expect(days('mail')).toBe(10);
  });
});

test.each<[string, Record<string, string>]>([
  ['/mail/installation', { days: '13' }],
  ['/mail/installation', { days: '13', from: 'x' }],
  ['/mail/installation', { days: '13', from: '14', more: '1' }],
  ['/mail/installation/confirm', { days: 'x', from: '14', word: 'delete' }],
  ['/cancel', { change: 'x' }],
])('%s takes no form that is not the page’s own', async (path, form) => {
  expect((await ask(path, { form })).status).toBe(400);
  expect(days('mail')).toBe(14);
});

test.each(['/all/installation', '/mail/x', `/mail/${'A'.repeat(43)}`, '/constructor/installation'])(
  'there is no setting %s',
  async (path) => {
    expect((await ask(path)).status).toBe(404);
    expect((await ask(path, { form: { days: '13', from: '14' } })).status).toBe(404);
  },
);

test('a survey has no setting of its own for mail', async () => {
  expect((await ask(`/mail/${sheet}`)).status).toBe(404);
});

test('the inventory counts what is stored, and knows all of it', async () => {
  const page = await (await desks.ask('employer', '/inventory', { cookie: as('admin') })).text();
  expect(page).toContain('<span class="mono">keys/identity</span>: 1 record');
  expect(page).not.toContain('not on the list');
});
