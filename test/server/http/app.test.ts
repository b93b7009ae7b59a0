import { request as httpRequest, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type RequestHandler, Router } from 'express';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { CryptoError } from '../../../crypto/errors.ts';
import {
  bytesBody,
  createApp,
  errorHandler,
  pageHeaders,
  type ScriptPolicy,
  sameSite,
} from '../../../server/http/app.ts';
import { Refusal } from '../../../server/http/refusal.ts';
import { close, listen, PortTaken } from '../../../server/http/serve.ts';

const OWN = 'http://localhost:4301';
const TYPE = 'application/ppm-dap;message=upload-req';
const SECRET = 'something private';

let server: Server;
let base: string;
const logged: string[] = [];

/** What handlers may throw, and what becomes of it. */
const THROWN: Record<string, [unknown, number, string]> = {
  refusal: [new Refusal('batchOverlap'), 400, 'urn:ietf:params:ppm:dap:error:batchOverlap'],
  decode: [new CryptoError('decode', 'x'), 400, 'urn:ietf:params:ppm:dap:error:invalidMessage'],
  signature: [
    new CryptoError('signature', 'x'),
    400,
    'urn:ietf:params:ppm:dap:error:invalidMessage',
  ],
  argument: [new CryptoError('invalid_argument', SECRET), 500, 'about:blank'],
  fault: [new Error(SECRET), 500, 'about:blank'],
  type: [new TypeError(SECRET), 500, 'about:blank'],
  text: [SECRET, 500, 'about:blank'],
  full: [
    Object.assign(new Error(SECRET), { code: 'SQLITE_FULL' }),
    503,
    'urn:chorus:error:unavailable',
  ],
  failing: [
    Object.assign(new Error(SECRET), { code: 'SQLITE_IOERR_WRITE' }),
    503,
    'urn:chorus:error:unavailable',
  ],
  held: [
    Object.assign(new Error(SECRET), { code: 'SQLITE_BUSY' }),
    503,
    'urn:chorus:error:unavailable',
  ],
  constraint: [Object.assign(new Error(SECRET), { code: 'SQLITE_CONSTRAINT' }), 500, 'about:blank'],
};

beforeAll(async () => {
  const app = createApp();
  app.engine('hbs', (_path, options, done) => {
    done(null, `<p>${(options as unknown as { sentence: string }).sentence}</p>`);
  });
  app.set('view engine', 'hbs');
  app.set('views', new URL('../../../views/pages', import.meta.url).pathname);
  const ok: RequestHandler = (_request, response) => {
    response.send('ok');
  };
  const router = Router();
  router.post('/bytes', ...bytesBody(TYPE, 100), (request, response) => {
    response.json({ buffer: Buffer.isBuffer(request.body), bytes: [...request.body] });
  });
  router.post('/form', sameSite([OWN]), ok);
  for (const policy of ['none', 'self', 'wasm'] as const) {
    router.get(`/page/${policy}`, pageHeaders(policy), ok);
  }
  router.get('/wasm/fault', pageHeaders('wasm'), () => {
    throw new Refusal('notYet');
  });
  router.get('/throw/:what', (request) => {
    throw THROWN[request.params.what as string]?.[0];
  });
  router.get('/reject/:what', async (request) => {
    await Promise.resolve();
    throw THROWN[request.params.what as string]?.[0];
  });
  app.use(router);
  app.use(() => {
    throw new Refusal('notFound');
  });
  const log = pino({ base: null }, { write: (line: string) => logged.push(line) });
  app.use(
    errorHandler(log, (refusal) => ({
      view: 'message',
      data: { sentence: refusal?.message ?? 'fault' },
    })),
  );
  server = await listen(app, '127.0.0.1', 0);
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => close(server));

beforeEach(() => {
  logged.length = 0;
});

describe('bytesBody', () => {
  const post = (type: string | undefined, body: Uint8Array, headers = {}) =>
    fetch(`${base}/bytes`, {
      method: 'POST',
      headers: { ...headers, ...(type === undefined ? {} : { 'content-type': type }) },
      body: body as Uint8Array<ArrayBuffer>,
    });

  test.each([
    TYPE,
    'application/ppm-dap; message=upload-req',
    'Application/PPM-DAP;Message=Upload-Req',
  ])('takes the exact bytes of %s', async (type) => {
    const response = await post(type, Uint8Array.of(0, 255, 10));
    expect(await response.json()).toEqual({ buffer: true, bytes: [0, 255, 10] });
  });

  test('takes no body as an empty one', async () => {
    expect(await (await post(TYPE, new Uint8Array(0))).json()).toEqual({ buffer: true, bytes: [] });
  });

  test.each([
    undefined,
    '',
    'application/ppm-dap',
    'application/ppm-dap;message=upload-errors',
    `${TYPE};q=1`,
    `text/html, ${TYPE}`,
    'application/json',
  ])('refuses %s', async (type) => {
    expect((await post(type, Uint8Array.of(1))).status).toBe(415);
  });

  test('takes up to its limit and no more', async () => {
    expect((await post(TYPE, new Uint8Array(100))).status).toBe(200);
    expect((await post(TYPE, new Uint8Array(101))).status).toBe(413);
  });

  test('takes no compressed body, however small', async () => {
    const response = await post(TYPE, Uint8Array.of(1), { 'content-encoding': 'gzip' });
    expect(response.status).toBe(400);
  });

  test('a body in pieces, longer than its limit, is refused too', async () => {
    const status = await new Promise((resolve, reject) => {
      const headers = { 'content-type': TYPE, 'transfer-encoding': 'chunked' };
      const request = httpRequest(`${base}/bytes`, { method: 'POST', headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      request.on('error', reject);
      for (let i = 0; i < 6; i++) request.write(new Uint8Array(20));
      request.end();
    });
    expect(status).toBe(413);
  });
});

describe('sameSite', () => {
  /** `fetch` does not let these headers through. */
  const post = (headers: IncomingHttpHeaders) =>
    new Promise<number | undefined>((resolve, reject) => {
      const request = httpRequest(`${base}/form`, { method: 'POST', headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      request.on('error', reject);
      request.end();
    });

  test.each<[string, IncomingHttpHeaders]>([
    ['a modern browser, from the page itself', { 'sec-fetch-site': 'same-origin' }],
    ['an older browser, from the page itself', { origin: OWN }],
    ['both', { 'sec-fetch-site': 'same-origin', origin: OWN }],
  ])('lets through %s', async (_name, headers) => {
    expect(await post(headers)).toBe(200);
  });

  test.each<IncomingHttpHeaders>([
    {},
    { 'sec-fetch-site': '' },
    { 'sec-fetch-site': 'none' },
    { 'sec-fetch-site': 'same-site' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'cross-site', origin: OWN },
    { 'sec-fetch-site': 'same-origin, cross-site' },
    { origin: '' },
    { origin: 'null' },
    { origin: 'http://localhost' },
    { origin: 'http://localhost:43011' },
    { origin: 'https://localhost:4301' },
    { origin: `${OWN}/` },
    { origin: `${OWN}.elsewhere.example` },
    { origin: 'http://LOCALHOST:4301' },
    { referer: `${OWN}/page` },
  ])('refuses %j', async (headers) => {
    expect(await post(headers)).toBe(403);
  });
});

describe('pageHeaders', () => {
  const SCRIPTS: Record<ScriptPolicy, string> = {
    none: "script-src 'none'",
    self: "script-src 'self'",
    wasm: "script-src 'self' 'wasm-unsafe-eval'",
  };

  test.each(['none', 'self', 'wasm'] as const)(
    'scripts %s: nothing else is allowed',
    async (name) => {
      const { headers } = await fetch(`${base}/page/${name}`);
      const policy = (headers.get('content-security-policy') as string).split(';');
      expect(policy).toContain(SCRIPTS[name]);
      expect(policy).toEqual(
        expect.arrayContaining([
          "default-src 'none'",
          "base-uri 'none'",
          "frame-ancestors 'none'",
          "form-action 'self'",
        ]),
      );
      expect(policy.includes("require-trusted-types-for 'script'")).toBe(name !== 'none');
      expect(policy.join()).not.toMatch(/'unsafe-inline'|'unsafe-eval'|https?:|\*|data:/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('x-powered-by')).toBe(null);
      expect(headers.get('etag')).toBe(null);
    },
  );
});

describe('errorHandler', () => {
  const get = (path: string, accept: string) => fetch(base + path, { headers: { accept } });
  const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

  describe.each(['throw', 'reject'])('what a handler %ss', (how) => {
    test.each(Object.keys(THROWN))('%s', async (what) => {
      const [, status, type] = THROWN[what] as [unknown, number, string];
      const response = await get(`/${how}/${what}`, '*/*');
      expect(response.status).toBe(status);
      expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
      const text = await response.text();
      expect(JSON.parse(text)).toMatchObject({ type, status });
      expect(text).not.toContain(SECRET);
      // What is our fault is in the log, with its route; what is the caller's is not.
      expect(logged).toHaveLength(status >= 500 ? 1 : 0);
      if (status >= 500) expect(logged[0]).toContain(`/${how}/:what`);
    });
  });

  test('a browser gets a page, anything else a problem document', async () => {
    for (const accept of ['*/*', 'application/json', 'application/problem+json', '', 'image/png']) {
      const response = await get('/throw/refusal', accept);
      expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/);
    }
    const page = await get('/throw/refusal', BROWSER);
    expect(page.status).toBe(400);
    expect(page.headers.get('content-type')).toMatch(/^text\/html/);
    expect(await page.text()).toBe(`<p>${new Refusal('batchOverlap').message}</p>`);
  });

  test.each(['/nowhere', '/throw/fault', '/wasm/fault'])(
    'the page of an error at %s runs no script, whatever its route allows',
    async (path) => {
      const { headers } = await get(path, BROWSER);
      expect(headers.get('content-type')).toMatch(/^text\/html/);
      const policy = (headers.get('content-security-policy') as string).split(';');
      expect(policy).toContain("script-src 'none'");
      expect(policy).toContain("default-src 'none'");
    },
  );

  test.each(['/%', '/throw/%zz', '/..%2f..%2fetc', '/nowhere?%=%'])(
    'an odd address is nobody’s fault: %s',
    async (path) => {
      const response = await get(path, '*/*');
      expect(response.status).toBeLessThan(500);
      expect(logged).toEqual([]);
    },
  );
});

describe('listen', () => {
  test('a port that somebody has is named', async () => {
    const { port } = server.address() as AddressInfo;
    const taken = listen(createApp(), '127.0.0.1', port);
    await expect(taken).rejects.toBeInstanceOf(PortTaken);
    await expect(taken).rejects.toMatchObject({ port });
  });
});
