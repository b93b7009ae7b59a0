import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { fromBase64url, toBase64url } from '../../../crypto/bytes.ts';
import { canonicalJson } from '../../../crypto/canonical.ts';
import { sha256 } from '../../../crypto/sha256.ts';
import type { Sheet } from '../../../crypto/sheet.ts';
import { signingPublicKey, verifySignature } from '../../../crypto/signing.ts';
import { guessSentence, LIGHT_WORDS } from '../../../server/domain/noise-presets.ts';
import { encodeSheet } from '../../../server/domain/sheets.ts';
import { openGuardian } from '../../../server/guardian/guardian.ts';
import type { GuardianParts } from '../../../server/guardian/parts.ts';
import { approveSheet, refuseSheet } from '../../../server/guardian/sheets.ts';
import { startTwoParties, TEST_NOISE, type TwoParties, testSheet } from '../../support/parties.ts';
import { callAs, refusedWith, signingSeed } from '../../support/played-party.ts';

/** What the guardian takes and decides; the test plays the employer. */
let parties: TwoParties;
let parts: GuardianParts;
let sheet: Sheet;
let title = 0;

beforeAll(async () => {
  parties = await startTwoParties();
  await parties.stop('employer');
  parts = await openGuardian(parties.config('guardian'));
});

afterAll(async () => {
  parts.db.close();
  await parties.close();
});

beforeEach(() => {
  sheet = testSheet({ title: `Sheet ${++title}` });
});

const GUESS = guessSentence(testSheet());
const OTHER_GUESS = guessSentence(testSheet({ noise: TEST_NOISE.both }));
const PATH = '/peer/sheets';
const post = (body: object | Uint8Array, more: { token?: string | null; type?: string } = {}) =>
  callAs(parties, 'employer', PATH, { body, ...more });
const submission = (bytes: Uint8Array) => ({ sheet: toBase64url(bytes) });
const hashOf = (of: Sheet) => sha256(encodeSheet(of));

/** What the guardian answers about the sheet. */
async function submit(): Promise<unknown> {
  const response = await post(submission(encodeSheet(sheet)));
  expect(response.status).toBe(200);
  return response.json();
}

async function asked(): Promise<unknown> {
  const response = await callAs(parties, 'employer', `${PATH}/${toBase64url(hashOf(sheet))}`);
  expect(response.status).toBe(200);
  return response.json();
}

const WAITING = { state: 'submitted', signature: null, reason: null };
const sentences = () =>
  parts.db.prepare<[], string>(`SELECT sentence FROM events WHERE kind = 'sheet'`).pluck().all();

describe('a submission', () => {
  test('is kept as it came, waits for a decision, and again changes nothing', async () => {
    expect(await submit()).toEqual(WAITING);
    const before = parts.db.prepare('SELECT * FROM sheets').all();
    expect(await submit()).toEqual(WAITING);
    expect(await asked()).toEqual(WAITING);
    expect(parts.db.prepare('SELECT * FROM sheets').all()).toEqual(before);
    const bytes = parts.sheets.withHash(hashOf(sheet))?.bytes;
    expect(bytes?.equals(encodeSheet(sheet))).toBe(true);
    expect(sentences().filter((words) => words.includes(`“${sheet.title}”`))).toHaveLength(1);
  });

  test.each([
    ['without a token', () => null],
    ['with the guardian’s own token', () => parties.token('guardian')],
    ['with any other token', () => toBase64url(new Uint8Array(32))],
  ])('%s: 401', async (_name, token) => {
    const body = submission(encodeSheet(sheet));
    expect(await refusedWith(post(body, { token: token() }))).toBe('401 unauthorized');
    const one = callAs(parties, 'employer', `${PATH}/${'A'.repeat(43)}`, { token: token() });
    expect(await refusedWith(one)).toBe('401 unauthorized');
    expect(parts.sheets.withHash(hashOf(sheet))).toBe(undefined);
  });

  test('of what is no valid sheet in canonical form: 400 with the reason, nothing kept', async () => {
    const before = parts.sheets.all();
    const { title: _, ...untitled } = sheet;
    for (const bytes of [
      canonicalJson({ ...sheet, k: 7 } as never),
      canonicalJson({ ...sheet, more: 1 } as never),
      canonicalJson({ ...sheet, end_day: 1e12 } as never),
      canonicalJson({ ...sheet, schedule: { first_day: '2027-01-11', round_days: 7 } } as never),
      canonicalJson(untitled as never),
      canonicalJson([]),
      new TextEncoder().encode(JSON.stringify(sheet)),
      Uint8Array.of(0xff),
      new Uint8Array(0),
    ]) {
      const response = await post(submission(bytes));
      expect(response.status).toBe(400);
      const { type, detail } = (await response.json()) as { type: string; detail: string };
      expect(type).toBe('urn:ietf:params:ppm:dap:error:invalidMessage');
      expect(detail).toMatch(/^the sheet is not valid: ./);
    }
    expect(parts.sheets.all()).toEqual(before);
  });

  test.each<[string, string[], string, string]>([
    ['missing', [LIGHT_WORDS], 'notice.points', GUESS],
    ['that of Light missing', [GUESS], 'notice.points', LIGHT_WORDS],
    ['altered', [GUESS.replace('62', '51'), LIGHT_WORDS], 'notice.points.0', GUESS],
    ['of another preset', [OTHER_GUESS, LIGHT_WORDS], 'notice.points.0', GUESS],
    ['beside another', [GUESS, LIGHT_WORDS, OTHER_GUESS], 'notice.points.2', GUESS],
  ])('whose chance of being guessed is %s: 400 with place and sentence', async (...row) => {
    const [, points, place, expected] = row;
    const built = { ...sheet, notice: { ...sheet.notice, points } };
    const response = await post(submission(encodeSheet(built)));
    const { type, detail } = (await response.json()) as { type: string; detail: string };
    expect([response.status, type]).toEqual([400, 'urn:ietf:params:ppm:dap:error:invalidMessage']);
    expect(detail).toMatch(`${place}: `);
    expect(detail).toContain(expected);
    expect(parts.sheets.withHash(hashOf(built))).toBe(undefined);
  });

  test('in another form, of another type, or too large', async () => {
    for (const body of [{}, { sheet: 7 }, { ...submission(encodeSheet(sheet)), more: 1 }]) {
      expect(await refusedWith(post(body))).toBe('400 invalidMessage');
    }
    const body = submission(encodeSheet(sheet));
    expect(await refusedWith(post(body, { type: 'text/plain' }))).toBe('415 wrongMediaType');
    const large = submission(new Uint8Array(256 * 1024));
    expect(await refusedWith(post(large))).toBe('413 tooLarge');
  });

  test('that there was not: 404', async () => {
    for (const hash of [toBase64url(hashOf(sheet)), 'AAAA', 'x']) {
      const reply = callAs(parties, 'employer', `${PATH}/${hash}`);
      expect(await refusedWith(reply)).toBe('404 notFound');
    }
  });
});

describe('a decision', () => {
  test('to approve is the guardian’s signature of the very bytes', async () => {
    await submit();
    approveSheet(parts, hashOf(sheet));
    const answer = (await asked()) as { state: string; signature: string; reason: null };
    expect(answer).toMatchObject({ state: 'approved', reason: null });
    const key = signingPublicKey(signingSeed(parties, 'guardian'));
    verifySignature(key, fromBase64url(answer.signature), 'chorus sheet v1', hashOf(sheet));
    expect(await submit()).toEqual(answer);
    expect(sentences()).toContain(`“${sheet.title}” is approved.`);
  });

  test('to approve is refused for what came before its notice had to say the chance', async () => {
    const old = encodeSheet({ ...sheet, notice: { ...sheet.notice, points: ['It is a test.'] } });
    parts.sheets.insert(sha256(old), old, 'submitted', parts.clock.now());
    expect(() => approveSheet(parts, sha256(old))).toThrow(GUESS);
    expect(parts.sheets.withHash(sha256(old))?.state).toBe('submitted');
    refuseSheet(parts, sha256(old), 'Say the chance.');
    expect(parts.sheets.withHash(sha256(old))?.state).toBe('refused');
  });

  test('to refuse has a reason, and is final', async () => {
    await submit();
    refuseSheet(parts, hashOf(sheet), 'Too long.');
    const refused = { state: 'refused', signature: null, reason: 'Too long.' };
    expect(await asked()).toEqual(refused);
    expect(() => approveSheet(parts, hashOf(sheet))).toThrow('the sheet is refused already');
    expect(await submit()).toEqual(refused);
    expect(sentences()).toContain(`“${sheet.title}” is refused: Too long.`);
  });

  test('on what is not there, or decided, changes nothing', async () => {
    expect(() => approveSheet(parts, hashOf(sheet))).toThrow('there is no such sheet');
    expect(() => refuseSheet(parts, hashOf(sheet), 'x')).toThrow('there is no such sheet');
    await submit();
    approveSheet(parts, hashOf(sheet));
    const before = sentences();
    for (const again of [
      () => approveSheet(parts, hashOf(sheet)),
      () => refuseSheet(parts, hashOf(sheet), 'x'),
    ]) {
      expect(again).toThrow('the sheet is approved already');
    }
    expect(sentences()).toEqual(before);
  });
});
