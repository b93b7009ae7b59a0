import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import { toBase64url } from '../../../crypto/bytes.ts';
import { Secret } from '../../../crypto/secret.ts';
import { Refusal } from '../../../server/http/refusal.ts';
import { PeerAway, PeerClient, PeerRefusal } from '../../../server/peer/client.ts';

const TOKEN = new Uint8Array(32).fill(5);
let server: Server | undefined;

/** A client of a party that answers like this. */
async function clientOf(answer: RequestListener): Promise<PeerClient> {
  server = createServer(answer);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return client(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

function client(url: string, fetchFunction: typeof fetch = fetch): PeerClient {
  return new PeerClient(
    {
      url,
      signingKey: new Uint8Array(32),
      token: new Secret(TOKEN),
      acceptedTokenHash: new Uint8Array(32),
    },
    fetchFunction,
  );
}

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

/** Answers with this status and body, and nothing else. */
const says =
  (status: number, body = '', headers: Record<string, string> = {}): RequestListener =>
  (_request, response) => {
    response.writeHead(status, headers).end(body);
  };

async function errorOf(call: Promise<unknown>): Promise<unknown> {
  try {
    await call;
  } catch (error) {
    return error;
  }
  throw new Error('it was answered');
}

describe('a call', () => {
  test('carries token, media type and bytes, and brings body and Location back', async () => {
    const seen: unknown[] = [];
    const peer = await clientOf((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        const { authorization, 'content-type': type, accept } = request.headers;
        const { method, url } = request;
        seen.push({ method, url, authorization, type, accept, body: Buffer.concat(chunks) });
        response.writeHead(201, { location: '/there/1' }).end(Buffer.from([9, 8]));
      });
    });
    const reply = await peer.post('/there', 'application/x', Uint8Array.of(1, 2));
    expect(reply).toEqual({ body: Uint8Array.of(9, 8), location: '/there/1' });
    expect(seen).toEqual([
      {
        method: 'POST',
        url: '/there',
        authorization: `Bearer ${toBase64url(TOKEN)}`,
        type: 'application/x',
        accept: 'application/problem+json',
        body: Buffer.from([1, 2]),
      },
    ]);
  });

  test('in JSON brings JSON back, or nothing', async () => {
    const peer = await clientOf((request, response) => {
      response.end(request.url === '/empty' ? '' : '{"a":1}');
    });
    expect(await peer.postJson('/some', {})).toEqual({ a: 1 });
    expect(await peer.postJson('/empty', {})).toBe(undefined);
  });

  test('follows a Location at the other party', async () => {
    const peer = await clientOf((request, response) => response.end(request.url));
    const { body } = await peer.get('/jobs/1?x=2');
    expect(new TextDecoder().decode(body)).toBe('/jobs/1?x=2');
  });
});

describe('PeerAway: the call may be repeated', () => {
  test('where nobody listens', async () => {
    const peer = await clientOf(says(200));
    await new Promise((resolve) => server?.close(resolve));
    expect(await errorOf(peer.get('/'))).toBeInstanceOf(PeerAway);
  });

  test('where the connection breaks before or within the answer', async () => {
    const peer = await clientOf((request, response) => {
      if (request.url === '/within') {
        response.writeHead(200, { 'content-length': '100' });
        response.write('half');
      }
      setImmediate(() => request.socket.destroy());
    });
    expect(await errorOf(peer.get('/before'))).toBeInstanceOf(PeerAway);
    expect(await errorOf(peer.get('/within'))).toBeInstanceOf(PeerAway);
  });

  test.each([
    ['a fault there', says(500, '{"type":"about:blank"}')],
    ['a full disk there', says(503, '{"type":"urn:chorus:error:unavailable"}')],
    ['a page of a proxy', says(502, '<html>')],
    ['a refusal that is no problem document', says(403, '<html>')],
    ['a refusal that is JSON but no object', says(403, '1')],
    ['an empty refusal', says(404)],
  ])('for %s', async (_name, answer) => {
    const peer = await clientOf(answer);
    const error = await errorOf(peer.post('/', 'application/x', new Uint8Array(0)));
    expect(error).toBeInstanceOf(PeerAway);
  });

  test.each([301, 302, 303, 307, 308])(
    'for a redirect (%i), which is not followed',
    async (status) => {
      const asked: (string | undefined)[] = [];
      const peer = await clientOf((request, response) => {
        asked.push(request.url);
        if (request.url === '/elsewhere') response.end('followed');
        else response.writeHead(status, { location: '/elsewhere' }).end();
      });
      expect(await errorOf(peer.get('/here'))).toBeInstanceOf(PeerAway);
      expect(asked).toEqual(['/here']);
    },
  );

  test('for an answer that should be JSON and is not', async () => {
    const peer = await clientOf(says(200, '{'));
    expect(await errorOf(peer.postJson('/', {}))).toBeInstanceOf(PeerAway);
  });

  test('close cuts calls under way and refuses later ones', async () => {
    let arrived: () => void = () => {};
    const waiting = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    // This party never answers.
    const peer = await clientOf(() => arrived());
    const call = errorOf(peer.get('/'));
    await waiting;
    peer.close();
    expect(await call).toBeInstanceOf(PeerAway);
    expect(await errorOf(peer.get('/'))).toBeInstanceOf(PeerAway);
  });

  test.each([
    'http://elsewhere.example/jobs/1',
    '//elsewhere.example/jobs/1',
    'file:///etc/passwd',
  ])('for a Location elsewhere, to which the token is not sent: %s', async (location) => {
    const asked: string[] = [];
    const peer = client('http://127.0.0.1:9', async (url) => {
      asked.push(String(url));
      return new Response('');
    });
    expect(await errorOf(peer.get(location))).toBeInstanceOf(PeerAway);
    expect(asked).toEqual([]);
    await peer.get('/jobs/1');
    expect(asked).toEqual(['http://127.0.0.1:9/jobs/1']);
  });
});

describe('PeerRefusal: the other party said no', () => {
  test('with the code of its problem document', async () => {
    const refusal = new Refusal('lotTooSmall', 'seven');
    const peer = await clientOf(says(refusal.status, JSON.stringify(refusal.problem())));
    const error = await errorOf(peer.get('/'));
    expect(error).toBeInstanceOf(PeerRefusal);
    expect(error).toMatchObject({ code: 'lotTooSmall', message: 'seven' });
  });

  test('without a code where it is one that nobody knows here', async () => {
    for (const type of ['urn:chorus:error:new', 'about:blank', 7, undefined]) {
      const peer = await clientOf(says(409, JSON.stringify({ type, title: 'No.' })));
      expect(await errorOf(peer.get('/'))).toMatchObject({ name: 'PeerRefusal', code: undefined });
      server?.close();
    }
  });
});

test('neither client nor error shows the token', async () => {
  const peer = await clientOf(says(500));
  const error = await errorOf(peer.get('/'));
  for (const thing of [peer, error]) {
    expect(inspect(thing, { depth: 9, showHidden: true })).not.toContain(toBase64url(TOKEN));
  }
});
