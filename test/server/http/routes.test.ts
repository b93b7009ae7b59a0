import type { Express } from 'express';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { toBase64url } from '../../../crypto/bytes.ts';
import { hashOfChange } from '../../../server/domain/retention.ts';
import { ROLES, type Role } from '../../../server/domain/staff.ts';
import { ACCESS } from '../../../server/http/access.ts';
import { RetentionStore } from '../../../server/storage/retention.ts';
import {
  openTestRound,
  startTwoParties,
  type TwoParties,
  testSheet,
  until,
} from '../../support/parties.ts';
import { staffCookie } from '../../support/staff.ts';

/** Both applications as they are really put together, taken where they begin to listen. */
const apps = vi.hoisted((): Express[] => []);

vi.mock('../../../server/http/serve.ts', async (original) => {
  const real = await original<typeof import('../../../server/http/serve.ts')>();
  return {
    ...real,
    listen(app: Express, host: string, port: number) {
      apps.push(app);
      return real.listen(app, host, port);
    },
  };
});

const PARTIES = ['guardian', 'employer'] as const;
type PartyName = (typeof PARTIES)[number];

/** Routes that are there without being declared would be found here; see `guard`. */
interface Layer {
  readonly route?: { readonly path: string; readonly methods: Record<string, boolean> };
  readonly name: string;
  readonly handle?: { readonly stack?: readonly Layer[] };
}

/** Every route of an application: `METHOD path`, sorted, each once. */
function routesOf(app: Express): string[] {
  const walk = (layers: readonly Layer[]): string[] =>
    layers.flatMap(({ route, handle }) =>
      route === undefined
        ? walk(handle?.stack ?? [])
        : Object.keys(route.methods).map((method) => `${method.toUpperCase()} ${route.path}`),
    );
  return [...new Set(walk(behindGuard(app)))].sort();
}

/** What stands behind the guard, whose own stack is the table itself. */
function behindGuard(app: Express): readonly Layer[] {
  const layers = app.router.stack as unknown as readonly Layer[];
  const at = layers.findIndex(({ handle }) => handle?.stack !== undefined);
  expect(at).toBeGreaterThan(-1);
  // Nothing before it has a route.
  expect(layers.slice(0, at).filter(({ route }) => route !== undefined)).toEqual([]);
  return layers.slice(at + 1);
}

const routesWith = (party: PartyName, test: (access: unknown) => boolean) =>
  Object.entries(ACCESS[party]).flatMap(([route, access]) => (test(access) ? [route] : []));

/** Staff routes with something to ask for: their path, a form, and how the right role is answered. */
interface Example {
  readonly path?: () => string;
  readonly form?: Record<string, string>;
  readonly answer: number;
}

/** In this order: what closes a round or decides on a survey comes after what looks at it. */
const EXAMPLES: Record<PartyName, Record<string, Example>> = {
  guardian: {
    'GET /surveys': { answer: 200 },
    'GET /surveys/:sheet': { path: () => `/surveys/${survey}`, answer: 200 },
    'POST /surveys/:sheet/refuse': {
      path: () => `/surveys/${survey}/refuse`,
      form: { reason: 'Too long.' },
      answer: 303,
    },
    'POST /surveys/:sheet/approve': {
      path: () => `/surveys/${another}/approve`,
      form: { confirmed: 'yes', named: 'Light' },
      answer: 303,
    },
    'GET /retention/:change': { path: () => `/retention/${longer}`, answer: 200 },
    'POST /retention/:change/refuse': {
      path: () => `/retention/${longer}/refuse`,
      form: { reason: 'Too long.' },
      answer: 303,
    },
    'POST /retention/:change/approve': {
      path: () => `/retention/${longest}/approve`,
      form: { confirmed: 'yes' },
      answer: 303,
    },
    'GET /inventory': { answer: 200 },
    'GET /evaluation/close-round': { answer: 200 },
    'POST /evaluation/close-round': { answer: 303 },
    'POST /sign-out': { answer: 303 },
    'POST /sign-out/everywhere': { answer: 303 },
  },
  employer: {
    'GET /': { answer: 200 },
    'GET /status.json': { answer: 200 },
    'GET /account': { answer: 200 },
    'GET /surveys': { answer: 200 },
    'GET /surveys/:sheet': { path: () => `/surveys/${survey}`, answer: 200 },
    'GET /trends': { answer: 200 },
    'GET /trends/groups/:index': { path: () => '/trends/groups/0', answer: 200 },
    'GET /inventory': { answer: 200 },
    'GET /retention': { answer: 200 },
    'GET /retention/:kind/:scope': { path: () => '/retention/logs/installation', answer: 200 },
    'POST /retention/:kind/:scope': {
      path: () => '/retention/logs/installation',
      form: { days: '100', from: '365' },
      answer: 200,
    },
    'POST /retention/:kind/:scope/confirm': {
      path: () => '/retention/logs/installation/confirm',
      form: { days: '100', from: '365', word: 'delete' },
      answer: 303,
    },
    'POST /retention/cancel': {
      path: () => '/retention/cancel',
      form: { change: toBase64url(new Uint8Array(32)) },
      answer: 409,
    },
    'POST /sign-out': { answer: 303 },
    'POST /sign-out/everywhere': { answer: 303 },
  },
};

let parties: TwoParties;
/** Submitted sheets, in base64url. */
let survey: string;
let another: string;
/** Longer retentions that wait for the guardian, in base64url. */
let longer: string;
let longest: string;

beforeAll(async () => {
  parties = await startTwoParties();
  await openTestRound(parties, [40]);
  [survey, another] = (await Promise.all(['One', 'Two'].map(submitted))) as [string, string];
  [longer, longest] = ['lists', 'counts'].map(asked) as [string, string];
});

afterAll(() => parties.close());

async function submitted(title: string): Promise<string> {
  const hash = toBase64url(parties.employer.submit(testSheet({ title })));
  const cookie = staffCookie(parties, 'guardian', 'auditor');
  const url = `${parties.urls.guardian}/surveys/${hash}`;
  await until(async () => (await fetch(url, { headers: { cookie } })).ok);
  return hash;
}

/** A longer retention, at the guardian already. */
function asked(kind: string, i: number): string {
  const change = { kind: kind as 'lists', sheet: null, number: i + 1, days: 500 };
  const db = parties.database('guardian');
  new RetentionStore(db).insert(change, 'waiting', null, 0);
  db.close();
  return toBase64url(hashOfChange(change));
}

/** Asks as a browser does for its own page. */
function ask(
  party: PartyName,
  route: string,
  options: { cookie?: string; site?: string } = {},
): Promise<Response> {
  const example = EXAMPLES[party][route] as Example;
  const [method, pattern] = route.split(' ') as [string, string];
  return fetch(parties.urls[party] + (example.path?.() ?? pattern), {
    method,
    redirect: 'manual',
    headers: {
      // A page’s script takes what it gets.
      accept: pattern.endsWith('.json') ? '*/*' : 'text/html',
      'sec-fetch-site': options.site ?? 'same-origin',
      ...(options.cookie === undefined ? {} : { cookie: options.cookie }),
    },
    ...(method === 'POST' ? { body: new URLSearchParams(example.form) } : {}),
  });
}

describe.each(PARTIES)('the %s', (party) => {
  const roles = ROLES[party];
  const units = (role: Role) => (role === 'manager' ? ['All'] : []);
  const cookieOf = (role: Role) => staffCookie(parties, party, role, units(role));
  const staffRoutes = routesWith(party, Array.isArray);

  test('has the routes whose access is declared, and no others', () => {
    expect(routesOf(apps[PARTIES.indexOf(party)] as Express)).toEqual(
      Object.keys(ACCESS[party]).sort(),
    );
  });

  test('no two declarations are about the same path', () => {
    const shapes = Object.keys(ACCESS[party]).map((route) => route.replace(/:\w+/g, ':'));
    expect(new Set(shapes).size).toBe(shapes.length);
  });

  test('every staff route has an example below, and names roles of this party', () => {
    expect(Object.keys(EXAMPLES[party]).sort()).toEqual([...staffRoutes].sort());
    for (const route of staffRoutes) {
      const access = ACCESS[party][route] as readonly Role[];
      expect(access.length).toBeGreaterThan(0);
      for (const role of access) expect(roles).toContain(role);
    }
  });

  test('what is not declared is not there, signed in or not', async () => {
    const cookie = cookieOf(roles[0]);
    for (const path of ['/nowhere', '/trends/groups', '/admin', '/.env', '/sign-in/a/b']) {
      const url = parties.urls[party] + path;
      expect((await fetch(url)).status, path).toBe(404);
      expect((await fetch(url, { headers: { cookie } })).status, path).toBe(404);
      expect((await fetch(url, { method: 'DELETE' })).status, path).toBe(404);
    }
    // Nor does the router say which methods a declared path has.
    for (const method of ['OPTIONS', 'PUT', 'DELETE', 'PATCH']) {
      const response = await fetch(`${parties.urls[party]}/trends`, { method });
      expect(response.status, method).toBe(404);
      expect(response.headers.get('allow')).toBe(null);
    }
  });

  test.each(staffRoutes)('%s: without a session to /sign-in, or 401', async (route) => {
    const other = staffCookie(parties, party === 'guardian' ? 'employer' : 'guardian', 'auditor');
    for (const cookie of [
      undefined,
      '',
      `chorus-${party}=`,
      `chorus-${party}=${toBase64url(new Uint8Array(32))}`,
      // The other party’s session, under its own name and under this one’s.
      other,
      `chorus-${party}=${other.split('=')[1]}`,
    ]) {
      const response = await ask(party, route, cookie === undefined ? {} : { cookie });
      if (route.endsWith('.json')) expect(response.status).toBe(401);
      else {
        expect(response.status).toBe(303);
        // Who brought a session's cookie is told that it is over.
        const ended = cookie?.startsWith(`chorus-${party}=`) ? '?ended' : '';
        expect(response.headers.get('location')).toBe(`/sign-in${ended}`);
      }
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(await response.text()).not.toMatch(/<main|"rounds"/);
    }
  });

  test.each(staffRoutes)('%s: other spellings of the path are no way around', async (route) => {
    if (!route.startsWith('GET ')) return;
    const path = EXAMPLES[party][route]?.path?.() ?? route.slice(4);
    for (const spelling of [
      path.toUpperCase(),
      `${path}/`,
      `${path}?x=/how`,
      path.replace(/^./, '/%2e/..$&'),
    ]) {
      const response = await fetch(parties.urls[party] + spelling, { redirect: 'manual' });
      expect([303, 401, 404], spelling).toContain(response.status);
    }
  });

  test.each(staffRoutes)('%s: 403 with a role that is not enough', async (route) => {
    const access = ACCESS[party][route] as readonly Role[];
    for (const role of roles.filter((role) => !access.includes(role))) {
      const response = await ask(party, route, { cookie: cookieOf(role) });
      expect(response.status).toBe(403);
      const text = await response.text();
      expect(text).toContain('Not for your role');
      expect(text).toContain('ask whoever runs this server');
    }
  });

  test.each(staffRoutes.filter((route) => route.startsWith('POST ')))(
    '%s: 403 for a form of another site, whatever the role',
    async (route) => {
      for (const site of ['cross-site', 'same-site', 'none']) {
        const response = await ask(party, route, { cookie: cookieOf(roles[0]), site });
        expect(response.status).toBe(403);
        expect(await response.text()).toContain('not sent from this site');
      }
    },
  );

  test.each(Object.keys(EXAMPLES[party]))('%s: open to its roles', async (route) => {
    const { answer } = EXAMPLES[party][route] as Example;
    const access = ACCESS[party][route] as readonly Role[];
    // What can be done once is done by one of them.
    const asked = route.startsWith('GET ') ? access : access.slice(0, 1);
    for (const role of asked) {
      const response = await ask(party, route, { cookie: cookieOf(role) });
      expect(response.status, role).toBe(answer);
      expect(response.headers.get('cache-control')).toBe('no-store');
      expect(response.headers.get('content-security-policy') ?? "default-src 'none'").toContain(
        "default-src 'none'",
      );
    }
  });

  test.each(routesWith(party, (access) => access === 'peer'))(
    '%s answers nothing but 401 without the other party’s token',
    async (route) => {
      const [method, path] = route.split(' ') as [string, string];
      const url =
        parties.urls[party] +
        path
          .replace(/:(task|hash)/, toBase64url(new Uint8Array(32)))
          .replace(':job', toBase64url(new Uint8Array(16)))
          .replace(':number', '1');
      const own = parties.token(party);
      for (const authorization of [
        undefined,
        '',
        'Bearer',
        'Bearer ',
        `Bearer ${own}`,
        `Bearer ${toBase64url(new Uint8Array(32))}`,
        `Bearer ${'A'.repeat(42)}B`,
        `Basic ${parties.token(party === 'guardian' ? 'employer' : 'guardian')}`,
      ]) {
        const response = await fetch(url, {
          method,
          headers: {
            'content-type': 'application/json',
            // Being signed in here makes nobody the other party.
            cookie: cookieOf(roles[0]),
            ...(authorization === undefined ? {} : { authorization }),
          },
          ...(method === 'POST' ? { body: '{}' } : {}),
        });
        expect(response.status, String(authorization)).toBe(401);
        expect(await response.json()).toMatchObject({ type: 'urn:chorus:error:unauthorized' });
      }
    },
  );
});

test('the employer’s pages for the public say nothing of rounds', async () => {
  for (const path of ['/how', '/sign-in', '/health']) {
    const response = await fetch(parties.urls.employer + path);
    expect(response.status).toBe(200);
    expect(await response.text()).not.toMatch(/Round \d|Group \d/);
  }
});
