import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LIGHT_WORDS } from '../../../../server/domain/noise-presets.ts';
import {
  openTestRound,
  standing,
  startTwoParties,
  type TwoParties,
  until,
} from '../../../support/parties.ts';
import { refusedWith } from '../../../support/played-party.ts';
import { staffCookie } from '../../../support/staff.ts';

/** Closing a round by hand: the evaluation’s only button. */

let parties: TwoParties;
let cookie: string;

beforeAll(async () => {
  parties = await startTwoParties();
  cookie = staffCookie(parties, 'guardian', 'guardian');
});

afterAll(() => parties.close());

const PATH = '/evaluation/close-round';

/** `fetch` refuses to send some of these headers. @returns the status */
function post(headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      parties.urls.guardian + PATH,
      { method: 'POST', headers: { ...headers, cookie } },
      (reply) => {
        reply.resume();
        reply.on('end', () => resolve(reply.statusCode as number));
      },
    );
    request.on('error', reject);
    request.end();
  });
}

const state = () => standing(parties, 1)?.round.state;

test('without an open round there is nothing to close', async () => {
  expect(await refusedWith(fetch(parties.urls.guardian + PATH, { headers: { cookie } }))).toBe(
    '409 notYet',
  );
  expect(await post({ origin: parties.urls.guardian })).toBe(409);
});

describe('with an open round', () => {
  beforeAll(async () => {
    await openTestRound(parties, [23]);
  });

  test('the page of rounds says what Light does not keep', async () => {
    const page = await fetch(`${parties.urls.guardian}/`, { headers: { accept: 'text/html' } });
    expect(await page.text()).toContain(LIGHT_WORDS);
  });

  test('the page says what closing does', async () => {
    const response = await fetch(parties.urls.guardian + PATH, {
      headers: { accept: 'text/html', cookie },
    });
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('<form');
    expect(state()).toBe('open');
  });

  test.each<[string, Record<string, string>]>([
    ['nothing', {}],
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['a sister site', { 'sec-fetch-site': 'same-site' }],
    ['no site', { 'sec-fetch-site': 'none' }],
    ['an odd site', { 'sec-fetch-site': 'Same-Origin' }],
    ['an origin elsewhere', { origin: 'http://elsewhere.example' }],
    ['a null origin', { origin: 'null' }],
    ['an origin that begins alike', { origin: 'http://127.0.0.1' }],
  ])('a form that comes from %s: 403, and the round stays open', async (_name, headers) => {
    expect(await post(headers)).toBe(403);
    expect(state()).toBe('open');
  });

  test('an own origin does not help against another site', async () => {
    expect(await post({ origin: parties.urls.guardian, 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(state()).toBe('open');
  });

  test('a form of the guardian’s own page closes the round at both', async () => {
    expect(await post({ 'sec-fetch-site': 'same-origin', origin: parties.urls.guardian })).toBe(
      303,
    );
    expect(state()).toBe('closed');
    await until(() => standing(parties, 1, 'employer')?.round.state === 'closed');
    expect(await post({ origin: parties.urls.guardian })).toBe(409);
  });
});

test('where it is no evaluation there is no such button', async () => {
  const real = await startTwoParties({ evaluation: false });
  try {
    for (const method of ['GET', 'POST']) {
      const headers = { origin: real.urls.guardian };
      const reply = fetch(real.urls.guardian + PATH, { method, headers });
      expect(await refusedWith(reply)).toBe('404 notFound');
    }
  } finally {
    await real.close();
  }
});
