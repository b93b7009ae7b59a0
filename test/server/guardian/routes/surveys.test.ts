import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toBase64url } from '../../../../crypto/bytes.ts';
import type { Sheet } from '../../../../crypto/sheet.ts';
import { TEST_NOISE, testSheet, until } from '../../../support/parties.ts';
import { type Ask, type Desks, startDesks } from '../../../support/sign-in.ts';
import { staffCookie } from '../../../support/staff.ts';

/** Where the guardian reads what is submitted, and decides. */

let desks: Desks;

beforeAll(async () => {
  desks = await startDesks();
  desks.nowMs = Date.now();
});

afterAll(() => desks.parties.close());

const as = (role: 'guardian' | 'auditor') => staffCookie(desks.parties, 'guardian', role);
const ask = (path: string, options: Ask = {}) =>
  desks.ask('guardian', `/surveys${path}`, { cookie: as('guardian'), ...options });

/** Submits a sheet at the employer and waits until it is here. @returns its hash */
async function submitted(changes: Partial<Sheet>): Promise<string> {
  const hash = toBase64url(desks.parties.employer.submit(testSheet(changes)));
  await until(async () => (await ask(`/${hash}`)).status === 200);
  return hash;
}

async function stateOf(hash: string): Promise<string> {
  return /class="step-progress">([^<]*)/.exec(await (await ask(`/${hash}`)).text())?.[1] ?? '';
}

test('says what to do while there is nothing', async () => {
  expect(await (await ask('')).text()).toContain('Nothing is waiting');
});

test('lists what waits before what is decided', async () => {
  const hash = await submitted({ title: 'Listed' });
  const waiting = await (await ask('')).text();
  expect(waiting).toContain(`<a href="/surveys/${hash}">Listed</a>`);
  expect(waiting).not.toContain('Decided');
  await ask(`/${hash}/refuse`, { form: { reason: 'No.' } });
  const decided = await (await ask('')).text();
  expect(decided).toContain('Nothing is waiting');
  expect(decided).toContain('Decided');
});

test('shows all that the sheet says, escaped', async () => {
  const hash = await submitted({ title: '<b>Bold</b>', purpose: 'Purpose "&".' });
  const text = await (await ask(`/${hash}`)).text();
  for (const words of [
    '&lt;b&gt;Bold&lt;/b&gt;',
    'Purpose &quot;&amp;&quot;.',
    'It is a test.',
    'nobody@example.com',
    'How is stress?',
    'Low · Middle · High · Prefer not to say',
    '8 answers a group; smaller ones are destroyed unopened',
    hash,
  ]) {
    expect(text).toContain(words);
  }
  expect(text).not.toContain('<b>Bold');
});

test('shows how scores are worked out, since they are sent as well', async () => {
  const levels = [
    { name: 'Fine', least: 2 },
    { name: 'Tired', least: 5 },
  ];
  const hash = await submitted({
    derived: [
      {
        ...{ id: 'score', name: 'Wear', why: 'To sum up.', from: ['energy', 'stress'] },
        ...{ reversed: ['energy'], levels, favourable: 'low' },
      },
    ],
  });
  const text = await (await ask(`/${hash}`)).text();
  expect(text).toContain('Worked out on each device');
  expect(text).toContain(
    'The sum of energy (counted from its highest answer down), stress. Fine from 2, Tired from 5.',
  );
  expect(text).toContain('Why: To sum up.');
});

describe('approving', () => {
  test('needs the box to be ticked: the error stands at it and in the summary', async () => {
    const hash = await submitted({ title: 'Approved' });
    const missing = await ask(`/${hash}/approve`, { form: {} });
    expect(missing.status).toBe(400);
    const text = await missing.text();
    expect(text).toContain('href="#confirmed"');
    expect(text).toContain('aria-describedby="confirmed-error"');
    expect(text).toContain('<title>Error: Approved');
    expect(await stateOf(hash)).toBe('Waits for a decision');
    const done = await ask(`/${hash}/approve`, { form: { confirmed: 'yes', named: 'Light' } });
    expect(done.status).toBe(303);
    expect(done.headers.get('location')).toBe(`/surveys/${hash}`);
    expect(await stateOf(hash)).toBe('Approved');
    expect(desks.parties.guardian.approve(Buffer.from(hash, 'base64url'))).toBe(true);
  });

  test('of a Light survey takes its name, of another one takes none', async () => {
    const light = await submitted({ title: 'Without a cap' });
    expect(await (await ask(`/${light}`)).text()).toContain('can be averaged out over many rounds');
    for (const named of ['', 'light!', 'Standard']) {
      const refused = await ask(`/${light}/approve`, { form: { confirmed: 'yes', named } });
      expect(refused.status).toBe(400);
      expect(await refused.text()).toContain('href="#named"');
    }
    expect(await stateOf(light)).toBe('Waits for a decision');
    const strong = await submitted({ title: 'Strong', noise: TEST_NOISE.both });
    expect(await (await ask(`/${strong}`)).text()).not.toContain('Write the word Light');
    expect((await ask(`/${strong}/approve`, { form: { confirmed: 'yes' } })).status).toBe(303);
    const form = { confirmed: 'yes', named: ' light ' };
    expect((await ask(`/${light}/approve`, { form })).status).toBe(303);
  });

  test('is done once: what is decided offers nothing more, and stays', async () => {
    const hash = await submitted({ title: 'Once' });
    await ask(`/${hash}/approve`, { form: { confirmed: 'yes', named: 'Light' } });
    expect(await (await ask(`/${hash}`)).text()).not.toContain(
      '<form method="post" action="/surveys',
    );
    expect(
      (await ask(`/${hash}/approve`, { form: { confirmed: 'yes', named: 'Light' } })).status,
    ).toBe(409);
    expect((await ask(`/${hash}/refuse`, { form: { reason: 'No.' } })).status).toBe(409);
    expect(await stateOf(hash)).toBe('Approved');
  });

  test.each<[string, Record<string, string>]>([
    ['another value', { confirmed: 'on' }],
    ['a field more', { confirmed: 'yes', k: '1' }],
  ])('takes no form with %s', async (_name, form) => {
    const hash = await submitted({ title: `Form ${_name}` });
    expect((await ask(`/${hash}/approve`, { form })).status).toBe(400);
    expect(await stateOf(hash)).toBe('Waits for a decision');
  });
});

describe('refusing', () => {
  test('needs a reason, which the employer and the events get in one line', async () => {
    const hash = await submitted({ title: 'Refused' });
    const missing = await ask(`/${hash}/refuse`, { form: { reason: ' \r\n ' } });
    expect(missing.status).toBe(400);
    expect(await missing.text()).toContain('href="#reason"');
    expect(await stateOf(hash)).toBe('Waits for a decision');
    const reason = 'Question 2 asks\r\nfor  a diagnosis.';
    expect((await ask(`/${hash}/refuse`, { form: { reason } })).status).toBe(303);
    expect(await (await ask(`/${hash}`)).text()).toContain(
      'Refused because: Question 2 asks for a diagnosis.',
    );
    const admin = staffCookie(desks.parties, 'employer', 'admin');
    desks.parties.employer.nudge();
    await until(async () =>
      (await (await desks.ask('employer', '/', { cookie: admin })).text()).includes('a diagnosis.'),
    );
  });

  test('takes no reason that is longer than the field', async () => {
    const hash = await submitted({ title: 'Long' });
    const response = await ask(`/${hash}/refuse`, { form: { reason: 'x'.repeat(2001) } });
    expect(response.status).toBe(400);
    expect(await stateOf(hash)).toBe('Waits for a decision');
  });
});

test('an auditor reads and cannot decide', async () => {
  const hash = await submitted({ title: 'Audited' });
  const page = await ask(`/${hash}`, { cookie: as('auditor') });
  expect(page.status).toBe(200);
  expect(await page.text()).not.toContain('Approve it');
  for (const [verb, form] of [
    ['approve', { confirmed: 'yes', named: 'Light' }],
    ['refuse', { reason: 'No.' }],
  ] as const) {
    expect((await ask(`/${hash}/${verb}`, { form, cookie: as('auditor') })).status).toBe(403);
  }
  expect(await stateOf(hash)).toBe('Waits for a decision');
});

test.each(['x', 'A'.repeat(43), 'A'.repeat(42), '..%2f', '%zz'])(
  'there is no survey %s',
  async (path) => {
    expect([400, 404]).toContain((await ask(`/${path}`)).status);
    const form = { confirmed: 'yes', named: 'Light' };
    expect([400, 404]).toContain((await ask(`/${path}/approve`, { form })).status);
  },
);
