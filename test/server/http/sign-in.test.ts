import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { fromBase64url, toBase64url } from '../../../crypto/bytes.ts';
import { sha256 } from '../../../crypto/sha256.ts';
import { IDLE_MS, LINK_MS, SESSION_MS } from '../../../server/domain/staff.ts';
import { cookieValue, sessionCookie } from '../../../server/http/cookies.ts';
import { openTestRound, until } from '../../support/parties.ts';
import { cookieIn, type Desks, startDesks } from '../../support/sign-in.ts';

const ADA = 'ada@example.com';
const BEN = 'ben@example.com';
const HOUR_MS = 3_600_000;

let desks: Desks;

beforeAll(async () => {
  desks = await startDesks();
  await openTestRound(desks.parties, [40, 40]);
});

afterAll(() => desks.parties.close());

beforeEach(() => {
  // Past every limit of the test before.
  desks.nowMs += LINK_MS + HOUR_MS;
  desks.mails.length = 0;
  desks.send = async (message) => void desks.mails.push(message);
  for (const { email } of desks.staff('employer', (store) => store.all())) {
    desks.staff('employer', (store) => store.remove(email));
  }
  desks.give('employer', ADA, 'admin');
});

const ask: Desks['ask'] = (...args) => desks.ask(...args);
const isIn = async (cookie: string) => (await ask('employer', '/', { cookie })).status === 200;
const soon = () => new Promise((resolve) => setTimeout(resolve, 50));

describe('asking for a link', () => {
  test('is answered alike with a role and without, and only one gets a mail', async () => {
    const known = await ask('employer', '/sign-in', { form: { email: ADA } });
    const unknown = await ask('employer', '/sign-in', { form: { email: BEN } });
    expect(known.status).toBe(200);
    expect(unknown.status).toBe(200);
    const text = await known.text();
    expect(text).toContain(`If <strong>${ADA}</strong> has a role here`);
    expect((await unknown.text()).replaceAll(BEN, ADA)).toBe(text);
    const headers = (response: Response) =>
      [...response.headers].filter(([name]) => !['date', 'content-length'].includes(name));
    expect(headers(unknown)).toEqual(headers(known));
    expect(known.headers.getSetCookie()).toEqual([]);
    await soon();
    expect(desks.mails.map(({ to }) => to)).toEqual([ADA]);
  });

  test('works in any spelling of the address', async () => {
    await ask('employer', '/sign-in', { form: { email: '  Ada@EXAMPLE.com ' } });
    await until(() => desks.mails.length === 1);
    expect(desks.mails[0]?.to).toBe(ADA);
  });

  test('the mail names the party and how long the link lasts', async () => {
    await desks.link('employer', ADA);
    expect(desks.mails[0]?.subject).toBe('Sign in to Chorus: The employer');
    expect(desks.mails[0]?.text).toContain('once, within 15 minutes');
  });

  test.each([
    '',
    'ada',
    'ada@example.com, ben@example.com',
    'ada@example.com\r\nbcc: ben@example.com',
    `${'a'.repeat(65)}@example.com`,
    '<b>@example.com',
  ])('%j is refused at the field and in the summary', async (email) => {
    const response = await ask('employer', '/sign-in', { form: { email } });
    expect(response.status).toBe(400);
    const text = await response.text();
    expect(text).toContain('href="#email"');
    expect(text).toContain('aria-invalid="true"');
    expect(text).toContain('aria-describedby="email-hint email-error"');
    expect(text).not.toContain('<b>@');
    await soon();
    expect(desks.mails).toEqual([]);
  });

  test.each<[string, Record<string, string>]>([
    ['nothing', {}],
    ['more fields', { email: ADA, role: 'admin' }],
    ['other fields', { mail: ADA }],
  ])('a form with %s is none', async (_name, form) => {
    expect((await ask('employer', '/sign-in', { form })).status).toBe(400);
  });

  test('a longer form than there is is refused', async () => {
    const form = { email: 'a'.repeat(9000) };
    expect((await ask('employer', '/sign-in', { form })).status).toBe(413);
  });

  test('an address gets five links in a quarter of an hour, and the answer stays the same', async () => {
    for (let i = 0; i < 7; i++) {
      expect((await ask('employer', '/sign-in', { form: { email: ADA } })).status).toBe(200);
    }
    await soon();
    expect(desks.mails).toHaveLength(5);
    desks.give('employer', BEN, 'auditor');
    await desks.link('employer', BEN);
    desks.nowMs += LINK_MS;
    await desks.link('employer', ADA);
  });

  test('a network address gets thirty answers, then has to wait', async () => {
    const once = () => ask('employer', '/sign-in', { form: { email: BEN } });
    for (let i = 0; i < 30; i++) expect((await once()).status).toBe(200);
    const refused = await once();
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBe('900');
    expect(await refused.text()).toContain('Please wait');
    // The other party counts by itself, and links that are out there still work.
    expect((await ask('guardian', '/sign-in', { form: { email: BEN } })).status).toBe(200);
    desks.nowMs += 15 * 60_000;
    expect((await once()).status).toBe(200);
  });

  test.each<[string, Desks['send']]>([
    ['is away', () => Promise.reject(new Error(`cannot reach the server for ${ADA}`))],
    ['never answers', () => new Promise(() => {})],
    [
      'throws at once',
      () => {
        throw new Error(ADA);
      },
    ],
  ])(
    'while the mail server %s the answer is the same, and the log names nobody',
    async (_name, send) => {
      desks.send = send;
      const response = await ask('employer', '/sign-in', { form: { email: ADA } });
      expect(response.status).toBe(200);
      expect(await response.text()).toContain('has a role here');
      await soon();
      expect(filesOf('employer.log')).not.toContain(ADA);
      desks.send = async (message) => void desks.mails.push(message);
      expect(await isIn(await desks.signIn('employer', ADA))).toBe(true);
    },
  );
});

describe('a link', () => {
  test('signs in by its button only: a mail scanner that opens it changes nothing', async () => {
    const path = await desks.link('employer', ADA);
    for (const method of ['GET', 'HEAD', 'GET', 'GET']) {
      const page = await ask('employer', path, { method });
      expect(page.status).toBe(200);
      expect(page.headers.getSetCookie()).toEqual([]);
      expect(page.headers.get('cache-control')).toBe('no-store');
      expect(page.headers.get('referrer-policy')).toBe('no-referrer');
    }
    expect(await (await ask('employer', path)).text()).toContain(ADA);
    const entered = await ask('employer', path, { form: {} });
    expect(entered.status).toBe(303);
    expect(entered.headers.get('location')).toBe('/');
    expect(await isIn(cookieIn(entered))).toBe(true);
  });

  test('works once', async () => {
    const path = await desks.link('employer', ADA);
    await ask('employer', path, { form: {} });
    for (const form of [{}, undefined]) {
      const again = await ask('employer', path, form === undefined ? {} : { form });
      expect(again.status).toBe(410);
      expect(again.headers.getSetCookie()).toEqual([]);
      expect(await again.text()).toContain('does not work any more');
    }
  });

  test('used twice at the same moment, signs in one of them', async () => {
    const path = await desks.link('employer', ADA);
    const replies = await Promise.all(
      Array.from({ length: 8 }, () => ask('employer', path, { form: {} })),
    );
    expect(replies.map(({ status }) => status).sort()).toEqual([303, ...Array(7).fill(410)]);
  });

  test('ends after fifteen minutes, to the millisecond', async () => {
    const [first, second] = [await desks.link('employer', ADA), await desks.link('employer', ADA)];
    desks.nowMs += LINK_MS - 1;
    expect((await ask('employer', first, { form: {} })).status).toBe(303);
    desks.nowMs += 1;
    expect((await ask('employer', second)).status).toBe(410);
    expect((await ask('employer', second, { form: {} })).status).toBe(410);
  });

  test('is bound to nothing else: two of one person both work, in whatever browser', async () => {
    const paths = [await desks.link('employer', ADA), await desks.link('employer', ADA)];
    for (const path of paths.reverse()) {
      expect((await ask('employer', path, { form: {} })).status).toBe(303);
    }
  });

  test.each<[string, (secret: string) => string]>([
    ['random', () => toBase64url(new Uint8Array(32).fill(7))],
    ['altered', (secret) => `${secret[0] === 'A' ? 'B' : 'A'}${secret.slice(1)}`],
    ['shortened', (secret) => secret.slice(0, -1)],
    ['lengthened', (secret) => `${secret}A`],
    ['with other last bits', (secret) => otherLastBits(secret)],
    ['its own hash', (secret) => toBase64url(sha256(fromBase64url(secret)))],
    ['with a byte that is none', (secret) => `${secret.slice(0, -3)}%00`],
    ['a path', () => '..%2f..%2fetc'],
  ])('that is forged, %s: 410', async (_name, forge) => {
    const path = await desks.link('employer', ADA);
    const forged = `/sign-in/${forge(path.split('/').at(-1) as string)}`;
    expect((await ask('employer', forged)).status).toBe(410);
    expect((await ask('employer', forged, { form: {} })).status).toBe(410);
    expect((await ask('employer', path, { form: {} })).status).toBe(303);
  });

  test('of one party is none at the other', async () => {
    desks.give('guardian', ADA, 'guardian');
    const path = await desks.link('employer', ADA);
    expect((await ask('guardian', path, { form: {} })).status).toBe(410);
    expect((await ask('employer', path, { form: {} })).status).toBe(303);
  });

  test('is worth nothing once the role is taken away', async () => {
    const path = await desks.link('employer', ADA);
    desks.staff('employer', (store) => store.remove(ADA));
    expect((await ask('employer', path, { form: {} })).status).toBe(410);
    desks.give('employer', ADA, 'admin');
    expect((await ask('employer', path, { form: {} })).status).toBe(410);
  });
});

describe('forms of other sites', () => {
  const SITES = ['cross-site', 'same-site', 'none', ''];

  test.each(SITES)('%j cannot have a mail sent', async (site) => {
    expect((await ask('employer', '/sign-in', { form: { email: ADA }, site })).status).toBe(403);
    await soon();
    expect(desks.mails).toEqual([]);
  });

  test.each(SITES)('%j cannot sign anybody in, and uses no link up', async (site) => {
    const path = await desks.link('employer', ADA);
    const response = await ask('employer', path, { form: {}, site });
    expect(response.status).toBe(403);
    expect(response.headers.getSetCookie()).toEqual([]);
    expect((await ask('employer', path, { form: {} })).status).toBe(303);
  });

  test.each(SITES)('%j cannot sign anybody out', async (site) => {
    const cookie = await desks.signIn('employer', ADA);
    for (const path of ['/sign-out', '/sign-out/everywhere']) {
      expect((await ask('employer', path, { form: {}, cookie, site })).status).toBe(403);
    }
    expect(await isIn(cookie)).toBe(true);
  });
});

describe('the cookie', () => {
  test('is for this party alone, out of reach of scripts and of other sites’ forms', async () => {
    const path = await desks.link('employer', ADA);
    const entered = await ask('employer', path, { form: {} });
    const [cookie, ...more] = entered.headers.getSetCookie();
    expect(more).toEqual([]);
    expect(cookie).toMatch(/^chorus-employer=[A-Za-z0-9_-]{43}; Path=\/; HttpOnly; SameSite=Lax$/);
  });

  test('where TLS is, is Secure and __Host-', () => {
    for (const party of ['guardian', 'employer'] as const) {
      const { name, options } = sessionCookie(party, 'https://chorus.example');
      expect(name).toBe(`__Host-chorus-${party}`);
      expect(options).toEqual({ httpOnly: true, sameSite: 'lax', secure: true, path: '/' });
      const plain = sessionCookie(party, 'http://127.0.0.1:4301');
      expect(plain.name).toBe(`chorus-${party}`);
      expect(plain.options.secure).toBe(false);
    }
  });

  test.each<[string | undefined, string | undefined]>([
    [undefined, undefined],
    ['', undefined],
    ['a=1', undefined],
    ['s=1', '1'],
    ['a=0; s=1; b=2', '1'],
    [' s = 1 ', '1'],
    ['s=1=2', '1=2'],
    ['S=1', undefined],
    ['xs=1', undefined],
    ['s', undefined],
    // One of two may have been put there by somebody else.
    ['s=1; s=2', undefined],
    ['s=1; s=1', undefined],
  ])('in %j is %j', (header, value) => {
    expect(cookieValue(header, 's')).toBe(value);
  });

  test('that is forged opens nothing', async () => {
    const cookie = await desks.signIn('employer', ADA);
    const [name, value] = cookie.split('=') as [string, string];
    const stored = toBase64url(sha256(fromBase64url(value)));
    for (const forged of [
      `${name}=${stored}`,
      `${name}=${value.slice(1)}`,
      `${name}=${otherLastBits(value)}`,
      `${name}="${value}"`,
      `__Host-${name}=${value}`,
      `chorus-guardian=${value}`,
      `${cookie}; ${name}=${stored}`,
      `${name}=${'A'.repeat(43)}`,
    ]) {
      expect((await ask('employer', '/', { cookie: forged })).status, forged).toBe(303);
    }
    expect(await isIn(cookie)).toBe(true);
  });

  test('of the other party opens nothing, whoever it is', async () => {
    desks.give('guardian', ADA, 'guardian');
    const cookie = await desks.signIn('guardian', ADA);
    expect((await ask('guardian', '/surveys', { cookie })).status).toBe(200);
    const value = cookie.split('=')[1];
    for (const given of [cookie, `chorus-employer=${value}`]) {
      expect((await ask('employer', '/', { cookie: given })).status).toBe(303);
    }
  });

  test('that a browser brought along is never taken up', async () => {
    const planted = `chorus-employer=${toBase64url(new Uint8Array(32).fill(9))}`;
    const cookie = await desks.signIn('employer', ADA, planted);
    expect(cookie).not.toBe(planted);
    expect(await isIn(planted)).toBe(false);
    expect(await isIn(cookie)).toBe(true);
  });

  test('of the session before ends when the same browser signs in again', async () => {
    const before = await desks.signIn('employer', ADA);
    const after = await desks.signIn('employer', ADA, before);
    expect(await isIn(before)).toBe(false);
    expect(await isIn(after)).toBe(true);
  });
});

describe('a session', () => {
  test('says on every page who is signed in, and lets them out', async () => {
    const cookie = await desks.signIn('employer', ADA);
    for (const path of ['/', '/how', '/nowhere']) {
      const text = await (await ask('employer', path, { cookie })).text();
      expect(text.includes(`Signed in as <strong>${ADA}</strong>`), path).toBe(path !== '/nowhere');
    }
    expect((await ask('employer', '/sign-in', { cookie })).headers.get('location')).toBe('/');
    expect(await (await ask('employer', '/sign-in')).text()).not.toContain('Signed in as');
  });

  test('is not looked at where employees answer', async () => {
    desks.give('guardian', ADA, 'guardian');
    const cookie = await desks.signIn('guardian', ADA);
    const answer = await (await ask('guardian', '/answer', { cookie })).text();
    expect(answer).not.toContain(ADA);
    expect(await (await ask('guardian', '/trends', { cookie })).text()).toContain(ADA);
  });

  test('ends unused after eight hours, and goes on when used', async () => {
    const cookie = await desks.signIn('employer', ADA);
    for (let i = 0; i < 4; i++) {
      desks.nowMs += IDLE_MS - HOUR_MS;
      expect(await isIn(cookie)).toBe(true);
    }
    desks.nowMs += IDLE_MS;
    expect(await isIn(cookie)).toBe(false);
    // Who had none is asked to sign in and told nothing else.
    const away = async (given?: string) =>
      (await ask('employer', '/trends', { cookie: given })).headers.get('location');
    expect([await away(cookie), await away()]).toEqual(['/sign-in?ended', '/sign-in']);
    const words = await (await ask('employer', '/sign-in?ended', { cookie })).text();
    expect(words).toContain('Your sign-in has ended');
    expect(words).toContain('8 hours');
    for (const plain of ['', '?more', '?toString', '?out=1&ended']) {
      const text = await (await ask('employer', `/sign-in${plain}`)).text();
      expect(text.includes('class="notice"'), plain).toBe(plain.includes('out='));
    }
  });

  test('is not kept alive by a page that asks by itself', async () => {
    const cookie = await desks.signIn('employer', ADA);
    for (let i = 0; i < 7; i++) {
      desks.nowMs += HOUR_MS;
      expect((await ask('employer', '/status.json', { cookie })).status).toBe(200);
    }
    desks.nowMs += HOUR_MS;
    expect((await ask('employer', '/status.json', { cookie })).status).toBe(401);
    expect(await isIn(cookie)).toBe(false);
  });

  test('ends after seven days, however much it is used', async () => {
    const cookie = await desks.signIn('employer', ADA);
    const begun = desks.nowMs;
    while (desks.nowMs + IDLE_MS / 2 < begun + SESSION_MS) {
      desks.nowMs += IDLE_MS / 2;
      expect(await isIn(cookie)).toBe(true);
    }
    desks.nowMs = begun + SESSION_MS - 1;
    expect(await isIn(cookie)).toBe(true);
    desks.nowMs = begun + SESSION_MS;
    expect(await isIn(cookie)).toBe(false);
  });

  test('outlives a restart of the party', async () => {
    const cookie = await desks.signIn('employer', ADA);
    await desks.restart('employer');
    expect(await isIn(cookie)).toBe(true);
  });

  test('ends at once when the role is taken away, and does not come back with it', async () => {
    const cookie = await desks.signIn('employer', ADA);
    expect(await isIn(cookie)).toBe(true);
    desks.staff('employer', (store) => store.remove(ADA));
    expect((await ask('employer', '/', { cookie })).status).toBe(303);
    desks.give('employer', ADA, 'admin');
    expect((await ask('employer', '/', { cookie })).status).toBe(303);
  });

  test('ends at once when the role becomes another one', async () => {
    const cookie = await desks.signIn('employer', ADA);
    desks.give('employer', ADA, 'auditor');
    expect(await isIn(cookie)).toBe(false);
  });

  test('is one browser’s: signing out here leaves the other one in', async () => {
    const [here, there] = [
      await desks.signIn('employer', ADA),
      await desks.signIn('employer', ADA),
    ];
    const out = await ask('employer', '/sign-out', { form: {}, cookie: here });
    expect(out.status).toBe(303);
    expect(out.headers.get('location')).toBe('/sign-in?out');
    expect(await (await ask('employer', '/sign-in?out')).text()).toContain('You are signed out.');
    expect(out.headers.getSetCookie()[0]).toMatch(/^chorus-employer=; .*Expires=Thu, 01 Jan 1970/);
    expect(await isIn(here)).toBe(false);
    expect(await isIn(there)).toBe(true);
  });

  test('signing out everywhere ends all of one’s own, links under way too, and nobody else’s', async () => {
    desks.give('employer', BEN, 'auditor');
    const [here, there] = [
      await desks.signIn('employer', ADA),
      await desks.signIn('employer', ADA),
    ];
    const ben = await desks.signIn('employer', BEN);
    const path = await desks.link('employer', ADA);
    const out = await ask('employer', '/sign-out/everywhere', { form: {}, cookie: here });
    expect(out.headers.get('location')).toBe('/sign-in?everywhere');
    const words = await (await ask('employer', '/sign-in?everywhere')).text();
    expect(words).toContain('You are signed out in every browser');
    expect(await isIn(here)).toBe(false);
    expect(await isIn(there)).toBe(false);
    expect((await ask('employer', path, { form: {} })).status).toBe(410);
    expect(await isIn(ben)).toBe(true);
  });
});

describe('a manager', () => {
  const trends = (cookie: string, path = '') => ask('employer', `/trends${path}`, { cookie });

  test('sees the company and the groups that hold their people, and why no others', async () => {
    desks.give('employer', BEN, 'manager', ['All / Group 1']);
    const cookie = await desks.signIn('employer', BEN);
    const company = await (await trends(cookie)).text();
    expect(company).toContain('each group that holds one of your people');
    expect(company).toContain('href="/trends/groups/1"');
    expect(company).not.toContain('href="/trends/groups/0"');
    expect((await trends(cookie, '/groups/1')).status).toBe(200);
    const other = await trends(cookie, '/groups/0');
    expect(other.status).toBe(403);
    expect(await other.text()).toContain('None of your people is in this group');
    expect((await trends(cookie, '/groups/7')).status).toBe(404);
  });

  test('of a unit above sees all under it, of no unit here none; at once when units change', async () => {
    const groups = async (cookie: string) => [
      (await trends(cookie, '/groups/0')).status,
      (await trends(cookie, '/groups/1')).status,
    ];
    desks.give('employer', BEN, 'manager', ['ALL']);
    const cookie = await desks.signIn('employer', BEN);
    expect(await groups(cookie)).toEqual([200, 200]);
    desks.give('employer', BEN, 'manager', ['All / Group']);
    expect(await groups(cookie)).toEqual([403, 403]);
    desks.give('employer', BEN, 'manager', ['All / Group 0']);
    expect(await groups(cookie)).toEqual([200, 403]);
    expect((await trends(cookie)).status).toBe(200);
  });

  test.each(['admin', 'auditor'] as const)('unlike the %s, who sees all', async (role) => {
    desks.give('employer', BEN, role);
    const cookie = await desks.signIn('employer', BEN);
    const company = await (await trends(cookie)).text();
    expect(company).toContain('href="/trends/groups/0"');
    expect(company).not.toContain('each group that holds one of your people');
    expect((await trends(cookie, '/groups/0')).status).toBe(200);
  });
});

describe('what is kept', () => {
  test('holds neither a link nor a cookie, in no file of the party', async () => {
    const path = await desks.link('employer', ADA);
    const used = await desks.link('employer', ADA);
    const cookie = cookieIn(await ask('employer', used, { form: {} }));
    const all = filesOf('');
    for (const secret of [path, used, cookie].map((text) => text.split(/[/=]/).at(-1) as string)) {
      expect(all.includes(secret)).toBe(false);
      expect(all.includes(Buffer.from(secret, 'base64url').toString('latin1'))).toBe(false);
    }
    // The search would have found them.
    expect(all.includes(ADA)).toBe(true);
  });

  test('is swept when it can no longer be used', async () => {
    await desks.link('employer', ADA);
    await desks.signIn('employer', ADA);
    const db = desks.parties.database('employer');
    const rows = () =>
      db
        .prepare<[], number>(
          'SELECT (SELECT COUNT(*) FROM sign_in_links) + (SELECT COUNT(*) FROM staff_sessions)',
        )
        .pluck()
        .get() as number;
    try {
      expect(rows()).toBeGreaterThan(1);
      desks.nowMs += SESSION_MS;
      desks.parties.employer.nudge();
      await until(() => rows() === 0);
    } finally {
      db.close();
    }
  });
});

describe('the evaluation’s link', () => {
  const person = { email: 'sample@example.com', role: 'manager', units: ['All'] } as const;

  test('signs in at once, as often as it is opened, each browser by itself', async () => {
    const link = new URL(desks.parties.employer.evaluationLink(person)).pathname;
    const cookies = await Promise.all(
      [1, 2].map(async () => {
        const entered = await ask('employer', link, { site: 'none' });
        expect(entered.status).toBe(303);
        expect(entered.headers.get('location')).toBe('/trends');
        return cookieIn(entered);
      }),
    );
    expect(new Set(cookies).size).toBe(2);
    for (const cookie of cookies) {
      const page = await (await ask('employer', '/trends', { cookie })).text();
      expect(page).toContain('printed links that sign in work more than once');
    }
    await desks.restart('employer');
    expect((await ask('employer', link)).status).toBe(404);
  });

  test('ends with the role', async () => {
    const link = new URL(desks.parties.employer.evaluationLink(person)).pathname;
    desks.staff('employer', (store) => store.remove(person.email));
    expect((await ask('employer', link)).status).toBe(404);
  });

  test('is not there where it is no evaluation', async () => {
    const real = await startDesks({ evaluation: false });
    try {
      const link = new URL(real.parties.employer.evaluationLink(person)).pathname;
      const response = await real.ask('employer', link);
      expect(response.status).toBe(404);
      expect(response.headers.getSetCookie()).toEqual([]);
    } finally {
      await real.parties.close();
    }
  });
});

/** The same bytes to a lenient decoder: 43 characters hold two bits more than 32 bytes. */
function otherLastBits(secret: string): string {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const last = letters.indexOf(secret.at(-1) as string);
  return secret.slice(0, -1) + letters[last + 1];
}

/** All files of the employer whose names end so, as one text of bytes. */
function filesOf(ending: string): string {
  const folder = join(desks.parties.folder, 'employer');
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .map(({ name }) => readFileSync(join(folder, name), 'latin1'))
    .join('\n');
}
