import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { fromBase64url, toBase64url } from '../../../../crypto/bytes.ts';
import { sha256 } from '../../../../crypto/sha256.ts';
import { finalizeToken, verifyToken } from '../../../../crypto/token.ts';
import { decodeTokenSpki } from '../../../../crypto/token-key.ts';
import { systemRandomness } from '../../../../server/party.ts';
import { framePages, indexedPages, PAGE } from '../../../support/evidence.ts';
import {
  codesOfGroup,
  postToken,
  restartEmployer,
  signatureOf,
  tokenAsk,
  tokenOfCode,
} from '../../../support/invitations.ts';
import { Needles } from '../../../support/needles.ts';
import {
  closeTestRound,
  openTestRound,
  startTwoParties,
  type TestRound,
  type TwoParties,
  until,
} from '../../../support/parties.ts';
import { refusedWith } from '../../../support/played-party.ts';
import type { TestTask } from '../../../support/test-tokens.ts';

/** Makes the signing fail, as a crash between marking and reply would. */
const broken = vi.hoisted(() => ({ signings: 0 }));

vi.mock('../../../../server/employer/token-keys.ts', async (original) => {
  const real = await original<typeof import('../../../../server/employer/token-keys.ts')>();
  return {
    ...real,
    issueToken: (...args: Parameters<typeof real.issueToken>) => {
      if (broken.signings-- > 0) throw new Error('broken on purpose');
      return real.issueToken(...args);
    },
  };
});

const GROUPS = [40, 30];

let parties: TwoParties;
let round: TestRound;
/** Codes of the first group that no test has used yet. */
let fresh: Uint8Array[];

beforeAll(async () => {
  parties = await startTwoParties();
  round = await openTestRound(parties, GROUPS);
  fresh = codesOfGroup(parties, round, 0).map(({ code }) => code);
});

afterAll(() => parties.close());

beforeEach(() => {
  broken.signings = 0;
});

const task = (group = 0) => round.tasks[group] as TestTask;
const freshCode = () => fresh.pop() as Uint8Array;

function used(): number {
  const db = parties.database('employer');
  try {
    return db
      .prepare<[], number>('SELECT COUNT(*) FROM codes WHERE request_hash <> zeroblob(32)')
      .pluck()
      .get() as number;
  } finally {
    db.close();
  }
}

describe('a token for a code', () => {
  test('is one that verifies, and no cookie comes with it', async () => {
    const { body, state } = tokenAsk(task(), freshCode());
    const reply = await postToken(parties, body);
    expect(reply.status).toBe(200);
    expect(reply.headers.get('cache-control')).toBe('no-store');
    expect(reply.headers.getSetCookie()).toEqual([]);
    const token = finalizeToken(state, await signatureOf(reply));
    const { spki, challengeHash } = task();
    const { nonce } = verifyToken(token, { spki, challengeHash, nonce: token.subarray(2, 34) });
    expect(nonce).toHaveLength(32);
  });

  test('asked for again with the identical request: the identical reply', async () => {
    const { body } = tokenAsk(task(), freshCode());
    const first = await signatureOf(postToken(parties, body));
    const before = used();
    expect(await signatureOf(postToken(parties, body))).toEqual(first);
    expect(used()).toBe(before);
  });

  test('asked for with another request: codeUsed; the first still works', async () => {
    const code = freshCode();
    const { body } = tokenAsk(task(), code);
    const first = await signatureOf(postToken(parties, body));
    expect(await refusedWith(postToken(parties, tokenAsk(task(), code).body))).toBe('409 codeUsed');
    expect(await signatureOf(postToken(parties, body))).toEqual(first);
  });

  test('asked for twice at once: one reply for the same, one winner for different requests', async () => {
    const same = tokenAsk(task(), freshCode()).body;
    const [a, b] = await Promise.all(
      [same, same].map((body) => signatureOf(postToken(parties, body))),
    );
    expect(a).toEqual(b);
    const code = freshCode();
    const replies = await Promise.all(
      Array.from({ length: 8 }, () => postToken(parties, tokenAsk(task(), code).body)),
    );
    expect(replies.map(({ status }) => status).sort()).toEqual([200, ...Array(7).fill(409)]);
  });

  test('many people at once each get theirs', async () => {
    const group = codesOfGroup(parties, round, 1).map(({ code }) => code);
    const tokens = await Promise.all(group.map((code) => tokenOfCode(parties, task(1), code)));
    expect(new Set(tokens.map(toBase64url)).size).toBe(GROUPS[1]);
  });

  test('leaves nothing beside the database that names the pages written last', async () => {
    const code = freshCode();
    await tokenOfCode(parties, task(), code);
    const file = join(parties.folder, 'employer', 'employer.sqlite');
    const needles = new Needles();
    needles.add('code', sha256(code), 32);
    const pages = needles
      .places(readFileSync(file))
      .get('code')
      ?.map((at) => 1 + Math.floor(at / PAGE));
    expect(pages).toHaveLength(2);
    const named = indexedPages(readFileSync(`${file}-shm`)).filter((page) => page > 0);
    expect(named.length).toBeGreaterThan(0);
    expect(framePages(readFileSync(`${file}-wal`))).toEqual(named);
    for (const page of pages ?? []) expect(named).not.toContain(page);
  });

  test('a crash between marking and reply: the identical request gets the token, another one none', async () => {
    const code = freshCode();
    const { body, state } = tokenAsk(task(), code);
    broken.signings = 1;
    expect((await postToken(parties, body)).status).toBe(500);
    expect(await refusedWith(postToken(parties, tokenAsk(task(), code).body))).toBe('409 codeUsed');
    await restartEmployer(parties);
    expect(finalizeToken(state, await signatureOf(postToken(parties, body)))).toHaveLength(354);
  });

  test('a restart in between changes nothing', async () => {
    const { body } = tokenAsk(task(), freshCode());
    const first = await signatureOf(postToken(parties, body));
    await restartEmployer(parties);
    expect(await signatureOf(postToken(parties, body))).toEqual(first);
  });
});

describe('refused, with nothing marked', () => {
  async function refusal(body: object): Promise<string> {
    const before = used();
    const why = await refusedWith(postToken(parties, body));
    expect(used()).toBe(before);
    return why;
  }

  test('a code that was never issued: codeUnknown', async () => {
    expect(await refusal(tokenAsk(task(), systemRandomness(16)).body)).toBe('404 codeUnknown');
  });

  test('the second code of a person is there and not active', () => {
    const db = parties.database('employer');
    const hashes = db
      .prepare<[], Buffer>('SELECT code_hash FROM codes WHERE active = 1')
      .pluck()
      .all()
      .map((hash) => hash.toString('hex'));
    const total = db.prepare('SELECT COUNT(*) FROM codes').pluck().get();
    db.close();
    const codes = parties.employer
      .codes(1)
      .map(({ code }) => Buffer.from(sha256(code)).toString('hex'));
    expect(hashes.sort()).toEqual(codes.sort());
    expect(total).toBe(2 * codes.length);
  });

  test.each([
    ['another group’s', () => tokenAsk(task(1), fresh.at(-1) as Uint8Array).body],
    [
      'nobody’s',
      () => ({
        ...tokenAsk(task(), fresh.at(-1) as Uint8Array).body,
        token_key_id: 'A'.repeat(43),
      }),
    ],
  ])('a key id that is %s: wrongKey, and the code stays good', async (_what, body) => {
    expect(await refusal(body())).toBe('409 wrongKey');
    await tokenOfCode(parties, task(), freshCode());
  });

  test('a request with another key’s last byte, of another type, or cut: invalidMessage', async () => {
    const { body } = tokenAsk(task(), fresh.at(-1) as Uint8Array);
    const request = fromBase64url(body.request);
    const altered = (at: number) => {
      const copy = request.slice();
      copy[at] = (copy[at] as number) ^ 1;
      return { ...body, request: toBase64url(copy) };
    };
    expect(await refusal(altered(2))).toBe('400 invalidMessage');
    expect(await refusal(altered(1))).toBe('400 invalidMessage');
    for (const cut of [request.subarray(1), request.subarray(0, 258), new Uint8Array(0)]) {
      expect(await refusal({ ...body, request: toBase64url(cut) })).toBe('400 invalidMessage');
    }
  });

  test.each([
    ['the modulus itself', (modulus: Uint8Array) => modulus],
    ['all ones', () => new Uint8Array(256).fill(0xff)],
  ])('a blinded value outside the modulus, %s: invalidMessage', async (_what, blinded) => {
    const code = fresh.at(-1) as Uint8Array;
    const { body } = tokenAsk(task(), code);
    const request = fromBase64url(body.request).slice();
    request.set(blinded(decodeTokenSpki(task().spki)), 3);
    expect(await refusal({ ...body, request: toBase64url(request) })).toBe('400 invalidMessage');
    await tokenOfCode(parties, task(), freshCode());
  });

  test.each([
    ['no JSON', '{'],
    ['a field fewer', JSON.stringify({ code: 'A'.repeat(22) })],
    ['a field more', JSON.stringify({ code: '', token_key_id: '', request: '', more: 1 })],
  ])('%s: invalidMessage', async (_what, text) => {
    const reply = await fetch(`${parties.urls.employer}/tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: text,
    });
    expect(await refusedWith(reply)).toBe('400 invalidMessage');
  });

  test('another media type, and more than a request has', async () => {
    const { body } = tokenAsk(task(), fresh.at(-1) as Uint8Array);
    const type = { 'content-type': 'text/plain' };
    expect(await refusedWith(postToken(parties, body, type))).toBe('415 wrongMediaType');
    const long = { ...body, code: 'A'.repeat(4000) };
    expect(await refusedWith(postToken(parties, long))).toBe('413 tooLarge');
  });
});

describe('from pages', () => {
  const preflight = (origin: string) =>
    fetch(`${parties.urls.employer}/tokens`, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type',
      },
    });

  test('of the guardian: allowed, without cookies, refusals readable too', async () => {
    const { guardian } = parties.urls;
    const asked = await preflight(guardian);
    expect(asked.status).toBe(204);
    expect(Object.fromEntries(asked.headers)).toMatchObject({
      'access-control-allow-origin': guardian,
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'content-type',
      vary: expect.stringContaining('Origin'),
    });
    const refused = await postToken(parties, tokenAsk(task(), systemRandomness(16)).body);
    expect(refused.status).toBe(404);
    for (const { headers } of [asked, refused]) {
      expect(headers.get('access-control-allow-origin')).toBe(guardian);
      expect(headers.has('access-control-allow-credentials')).toBe(false);
    }
  });

  test.each(['http://evil.example', 'null', 'http://127.0.0.1:1'])(
    'of %s: crossSite, and nothing is allowed',
    async (origin) => {
      const asked = await preflight(origin);
      expect(asked.status).toBe(403);
      const before = used();
      const posted = await postToken(parties, tokenAsk(task(), fresh.at(-1) as Uint8Array).body, {
        origin,
      });
      expect(await refusedWith(posted)).toBe('403 crossSite');
      expect(used()).toBe(before);
      for (const { headers } of [asked, posted]) {
        expect(headers.has('access-control-allow-origin')).toBe(false);
      }
    },
  );

  test('a mail scanner that opens every link at both parties changes nothing', async () => {
    const before = used();
    for (const { code } of codesOfGroup(parties, round, 0).slice(0, 5)) {
      const fragment = `#${toBase64url(code)}.0.${toBase64url(round.hash)}`;
      for (const method of ['GET', 'HEAD']) {
        await fetch(`${parties.urls.guardian}/answer${fragment}`, { method });
        await fetch(`${parties.urls.employer}/tokens${fragment}`, { method });
      }
    }
    expect(used()).toBe(before);
  });
});

describe('too often', () => {
  test('who guesses is slowed down; who has a good code at the same address is not', async () => {
    const guess = () => postToken(parties, tokenAsk(task(), systemRandomness(16)).body);
    const replies = await Promise.all(Array.from({ length: 130 }, guess));
    expect(replies.map(({ status }) => status)).toContain(429);
    expect(await tokenOfCode(parties, task(), freshCode())).toHaveLength(354);
    await restartEmployer(parties);
  });
});

describe('by the employer’s own clock', () => {
  test('before a round opens, and when it is closed: codeExpired says which', async () => {
    const code = freshCode();
    const { body } = tokenAsk(task(), code);
    const db = parties.database('employer');
    db.prepare('UPDATE rounds SET opens_ms = closes_ms - 1').run();
    const early = await (await postToken(parties, body)).json();
    expect(early).toMatchObject({ status: 410, detail: expect.stringContaining('not open yet') });
    db.prepare('UPDATE rounds SET opens_ms = 0').run();
    db.close();
    const first = await signatureOf(postToken(parties, body));
    expect(first).toHaveLength(256);
    closeTestRound(parties, round);
    const again = await (await postToken(parties, body)).json();
    expect(again).toMatchObject({ status: 410, detail: expect.stringContaining('is closed') });
    // Later, when code and key are deleted, the answer is the same; of a code never issued too.
    await until(() => parties.employer.codes(1).length === 0);
    for (const late of [body, tokenAsk(task(), systemRandomness(16)).body]) {
      expect(await refusedWith(postToken(parties, late))).toBe('410 codeExpired');
    }
  });
});
