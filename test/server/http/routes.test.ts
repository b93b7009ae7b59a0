import type { Express } from 'express';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { toBase64url } from '../../../crypto/bytes.ts';
import { startTwoParties, type TwoParties } from '../../support/parties.ts';

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

/** What anyone may call. Everything else is between the parties. */
const PAGES = [
  'GET /',
  'GET /health',
  'GET /how',
  'GET /hpke_config',
  'GET /status.json',
  'GET /trends',
  'GET /trends/groups/:index',
];
const PUBLIC = {
  guardian: [
    ...PAGES,
    'GET /answer',
    'GET /evaluation/close-round',
    'GET /manifests/:hash',
    'GET /manifests/:hash/entries',
    'GET /manifests/:hash/entries/:index',
    'GET /manifests/:hash/list',
    'GET /manifests/:hash/list/:slice',
    'GET /scripts/:name',
    'GET /sheets/:hash',
    'POST /evaluation/close-round',
    'POST /tasks/:task/reports',
  ],
  employer: PAGES,
};
const PEER = {
  guardian: [
    'GET /peer/sheets/:hash',
    'GET /tasks/:task/collection_jobs/:job',
    'POST /peer/sheets',
    'POST /tasks/:task/collection_jobs',
    'POST /tasks/:task/reveal',
    'POST /tasks/:task/withheld',
  ],
  employer: [
    'GET /tasks/:task/aggregation_jobs/:job',
    'POST /peer/rounds/:number/close',
    'POST /peer/rounds/:number/keys',
    'POST /peer/rounds/:number/list',
    'POST /peer/rounds/:number/manifest',
    'POST /tasks/:task/aggregate_shares',
    'POST /tasks/:task/aggregation_jobs',
    'POST /tasks/:task/seal',
    'POST /tasks/:task/withheld',
  ],
};

interface Layer {
  readonly route?: { readonly path: string; readonly methods: Record<string, boolean> };
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
  return [...new Set(walk(app.router.stack as unknown as Layer[]))].sort();
}

let parties: TwoParties;

beforeAll(async () => {
  parties = await startTwoParties();
});

afterAll(() => parties.close());

describe.each(['guardian', 'employer'] as const)('the %s', (party) => {
  test('has these routes and no others', () => {
    const app = apps[party === 'guardian' ? 0 : 1] as Express;
    expect(routesOf(app)).toEqual([...PUBLIC[party], ...PEER[party]].sort());
  });

  test.each(PEER[party])(
    '%s answers nothing but 401 without the other party’s token',
    async (route) => {
      const [method, path] = route.split(' ') as [string, string];
      const url =
        parties.urls[party] +
        path
          .replace(':task', toBase64url(new Uint8Array(32)))
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
