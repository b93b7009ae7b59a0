import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { toBase64url } from '../../../crypto/bytes.ts';
import { sha256 } from '../../../crypto/sha256.ts';
import type { Sheet } from '../../../crypto/sheet.ts';
import { guessSentence, LIGHT_WORDS } from '../../../server/domain/noise-presets.ts';
import { encodeSheet } from '../../../server/domain/sheets.ts';
import type { StatusPage } from '../../../server/http/views.ts';
import type { Database } from '../../../server/storage/database.ts';
import {
  startTwoParties,
  TEST_NOISE,
  type TwoParties,
  testSheet,
  until,
} from '../../support/parties.ts';
import { staffCookie } from '../../support/staff.ts';

let parties: TwoParties;
let look: Database;
let sheet: Sheet;
let title = 0;

beforeAll(async () => {
  parties = await startTwoParties();
  look = parties.database('employer');
});

afterAll(async () => {
  look.close();
  await parties.close();
});

beforeEach(() => {
  sheet = testSheet({ title: `Sheet ${++title}` });
});

afterEach(() => {
  parties.wires.employer.before = () => {};
  parties.wires.employer.after = (_url, response) => response;
});

const GUESS = guessSentence(testSheet());
const OTHER_GUESS = guessSentence(testSheet({ noise: TEST_NOISE.both }));
const hashOf = (of: Sheet) => sha256(encodeSheet(of));
const stored = () =>
  look
    .prepare<[Uint8Array], { state: string; reason: string | null; signed: number }>(
      'SELECT state, reason, guardian_signature IS NOT NULL AS signed FROM sheets WHERE hash = ?',
    )
    .get(hashOf(sheet));

async function next(): Promise<readonly string[]> {
  const headers = { cookie: staffCookie(parties, 'employer', 'admin') };
  const response = await fetch(`${parties.urls.employer}/status.json`, { headers });
  return ((await response.json()) as StatusPage).next;
}

/** The guardian says this of the sheet, whatever it has decided. */
function answering(decision: object): void {
  parties.wires.employer.after = (url, response) =>
    url.endsWith(toBase64url(hashOf(sheet))) ? Response.json(decision) : response;
}

test.each<[string, string[], string]>([
  ['missing', [LIGHT_WORDS], GUESS],
  ['altered', [GUESS.replace('62', '51'), LIGHT_WORDS], GUESS],
  ['of another preset', [OTHER_GUESS, LIGHT_WORDS], GUESS],
  ['there, that of Light not', [GUESS], LIGHT_WORDS],
])('a sheet whose chance of being guessed is %s is not kept', (_name, points, expected) => {
  const built = { ...sheet, notice: { ...sheet.notice, points } };
  expect(() => parties.employer.submit(built)).toThrow(expected);
  sheet = built;
  expect(stored()).toBe(undefined);
});

describe('a sheet goes to the guardian', () => {
  test('as soon as that answers, and once', async () => {
    const calls: string[] = [];
    parties.wires.employer.before = (url, init) => {
      if (init?.method === 'POST') calls.push(url);
      throw new Error('cut');
    };
    parties.employer.submit(sheet);
    await until(() => calls.length > 1);
    expect(stored()?.state).toBe('draft');
    expect(await next()).toContain(`“${sheet.title}” goes to the guardian when that answers.`);
    let reached = 0;
    parties.wires.employer.before = (url, init) => {
      if (init?.method === 'POST' && url.endsWith('/peer/sheets')) reached++;
    };
    await until(() => stored()?.state === 'submitted');
    expect(reached).toBe(1);
    expect(await next()).toContain(`“${sheet.title}” waits for the guardian’s decision.`);
  });

  test('again where the reply was lost, or the guardian lost the sheet', async () => {
    let lost = false;
    parties.wires.employer.after = (url, response) => {
      if (!url.endsWith('/peer/sheets') || lost) return response;
      lost = true;
      throw new Error('cut');
    };
    parties.employer.submit(sheet);
    await until(() => stored()?.state === 'submitted');
    const guardian = parties.database('guardian');
    guardian.prepare('DELETE FROM sheets WHERE hash = ?').run(hashOf(sheet));
    const again = guardian.prepare('SELECT state FROM sheets WHERE hash = ?').pluck();
    await until(() => again.get(hashOf(sheet)) === 'submitted');
    guardian.close();
    await until(() => stored()?.state === 'submitted');
  });
});

test('a sheet that is not valid to the guardian is refused there, once and with the reason', async () => {
  let sent = 0;
  parties.wires.employer.before = (url, init) => {
    if (init?.method !== 'POST' || !url.endsWith('/peer/sheets')) return;
    sent++;
    // As a program of another version would have written it.
    const body = { sheet: toBase64url(encodeSheet({ ...sheet, cadence: 'daily' } as never)) };
    init.body = new TextEncoder().encode(JSON.stringify(body));
  };
  parties.employer.submit(sheet);
  await until(() => stored()?.state === 'refused');
  parties.employer.nudge();
  expect(stored()?.reason).toContain('the sheet is not valid: cadence');
  expect((await next()).join(' ')).toContain(`The guardian refused “${sheet.title}”: the sheet`);
  expect(sent).toBe(1);
});

describe('the decision', () => {
  beforeEach(async () => {
    parties.employer.submit(sheet);
    await until(() => stored()?.state === 'submitted');
  });

  test('to approve is heard', async () => {
    await until(() => parties.guardian.approve(hashOf(sheet)));
    await until(() => stored()?.state === 'approved');
    expect(stored()).toEqual({ state: 'approved', reason: null, signed: 1 });
  });

  test('to refuse is heard with its reason', async () => {
    answering({ state: 'refused', signature: null, reason: 'Not now.' });
    await until(() => stored()?.state === 'refused');
    expect(stored()).toEqual({ state: 'refused', reason: 'Not now.', signed: 0 });
    expect(await next()).toContain(`The guardian refused “${sheet.title}”: Not now.`);
  });

  test.each([
    ['signed by nobody', { state: 'approved', signature: null, reason: null }],
    [
      'with a signature that is none',
      { state: 'approved', signature: toBase64url(new Uint8Array(64)), reason: null },
    ],
    ['with half a signature', { state: 'approved', signature: 'AAAA', reason: null }],
    ['of another form', { state: 'approved' }],
    ['in a word that there is not', { state: 'granted', signature: null, reason: null }],
  ])('to approve, %s, is not taken', async (_name, decision) => {
    let heard = 0;
    parties.wires.employer.after = (url, response) => {
      if (!url.endsWith(toBase64url(hashOf(sheet)))) return response;
      heard++;
      return Response.json(decision);
    };
    parties.employer.nudge();
    await until(() => heard > 2);
    expect(stored()).toEqual({ state: 'submitted', reason: null, signed: 0 });
  });
});
