import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { STOP_WORDS } from '../../views/browser/shared/stop.ts';
import { sheet } from './sample.ts';
import { StubGuardian } from './stub-guardian.ts';
import { Scene, type Visit } from './visit.ts';

let scene: Scene;
let guardian: StubGuardian;
let visit: Visit;

beforeAll(async () => {
  scene = await Scene.start();
  guardian = scene.guardian;
});
afterAll(() => scene?.stop());
beforeEach(async () => {
  guardian.reset();
  visit = await scene.visit();
});
afterEach(() => visit.context.close());

/** Another visitor in place of the one that every test begins with. */
async function anotherVisit(options: Parameters<Scene['visit']>[0]): Promise<void> {
  await visit.context.close();
  visit = await scene.visit(options);
}

async function stopped(): Promise<string> {
  await visit.page.getByText('Nothing was sent.', { exact: true }).waitFor();
  expect(visit.posts).toEqual([]);
  return (await visit.page.locator('h1').textContent()) ?? '';
}

describe('the checks before anything is shown', () => {
  const otherHash = 'A'.repeat(43);
  const fragmentOf = (link: string) => link.slice(link.indexOf('#'));
  const withFragment = (change: (fragment: string) => string) => () =>
    `${guardian.origin}/answer${change(fragmentOf(visit.link))}`;

  it.each([
    ['no fragment', withFragment(() => ''), 'bad_link'],
    ['a shortened one', withFragment((fragment) => fragment.slice(0, -1)), 'bad_link'],
    ['one that is no base64url', withFragment((f) => `${f.slice(0, -1)}!`), 'bad_link'],
    ['no code', withFragment((f) => f.replace(/#[\w-]+\./, '#')), 'bad_link'],
    ['a shortened code', withFragment((f) => f.replace(/#[\w-]/, '#')), 'bad_link'],
    ['a code with spare bits', withFragment((f) => f.replace(/[\w-]\.1/, 'B.1')), 'bad_link'],
    ['another manifest', withFragment((f) => f.replace(guardian.hash, otherHash)), 'unknown_round'],
    ['another group', withFragment((f) => f.replace('.1.', '.2.')), 'unknown_group'],
    ['no token for it', withFragment((f) => f.replace(/#[\w-]+/, '#anew')), 'no_token'],
  ] as const)('stops at a link with %s', async (_name, link, code) => {
    await visit.page.goto(link());
    expect(await stopped()).toBe(STOP_WORDS[code][0]);
    expect(await visit.faults()).toEqual([]);
  });

  it.each(['signature', 'entry', 'sheet', 'garbage'] as const)(
    'stops at what is not signed: %s',
    async (lie) => {
      guardian.lie = lie;
      await visit.page.goto(visit.link);
      expect(await stopped()).toBe(STOP_WORDS.not_genuine[0]);
    },
  );

  it('says when a round is not open yet', async () => {
    guardian.state = 'planned';
    await visit.page.goto(visit.link);
    expect(await stopped()).toBe(STOP_WORDS.planned[0]);
    expect(await visit.page.locator('.lead').textContent()).toContain(
      'It opens on 16 February 2026',
    );
  });

  it('says when a round is closed, and leads to the receipt', async () => {
    guardian.state = 'closed';
    await visit.page.goto(visit.link);
    expect(await stopped()).toBe(STOP_WORDS.closed[0]);
    await visit.page.getByRole('link', { name: 'Open a receipt' }).first().click();
    await visit.heading('Your receipt');
  });

  it.each([
    ['the plan', '**/manifests/*'],
    ['the group', '**/entries/*'],
    ['the questions', '**/sheets/*'],
  ])('offers to try again when the guardian does not answer with %s', async (_name, path) => {
    await visit.page.route(path, (route) => route.abort());
    await visit.page.goto(visit.link);
    expect(await stopped()).toBe(STOP_WORDS.unreachable[0]);
    await visit.page.unroute(path);
    await visit.press('Try again');
    await visit.heading(sheet.title);
  });

  it('stops when the remembered keys differ, and forgets them on the own machine only', async () => {
    await visit.arrive();
    await visit.page.evaluate(() => localStorage.setItem('chorus.keys', 'other.keys'));
    await visit.page.reload();
    expect(await stopped()).toBe(STOP_WORDS.keys_changed[0]);
    await visit.press('Forget the old keys');
    await visit.heading(sheet.title);
  });

  it('stops when it is not the program that was signed', async () => {
    const other = await StubGuardian.start(otherHash);
    try {
      await visit.page.goto(other.invite());
      expect(await stopped()).toBe(STOP_WORDS.script_differs[0]);
    } finally {
      await other.stop();
    }
  });

  it.each([
    ['WebAssembly', 'delete globalThis.WebAssembly', 'no_webassembly'],
    [
      'secure randomness',
      'Object.defineProperty(globalThis, "crypto", { value: undefined })',
      'no_webcrypto',
    ],
    [
      'storage',
      'Object.defineProperty(globalThis, "sessionStorage", { get() { throw new Error(); } })',
      'no_storage',
    ],
  ] as const)(
    'says so without %s, and moves the invitation by QR code',
    async (_n, script, code) => {
      await visit.page.addInitScript(script);
      await visit.page.goto(visit.link);
      expect(await stopped()).toBe(STOP_WORDS[code][0]);
      await visit.page.getByRole('img', { name: 'QR code of your link' }).waitFor();
      expect(visit.requests.filter((request) => request.includes('/manifests/'))).toEqual([]);
      expect(await visit.faults()).toEqual([]);
    },
  );

  it('says so without JavaScript, and what to do', async () => {
    await anotherVisit({ javaScriptEnabled: false });
    await visit.page.goto(visit.link);
    const words = await visit.page.locator('noscript').innerText();
    expect(words).toContain('This page needs JavaScript');
    expect(words).toContain('Please allow it for this page, or open your link in another browser');
    expect(await visit.page.locator('.starting').isVisible()).toBe(false);
  });
});
