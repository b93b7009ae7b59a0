import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AssetsManifest, buildAssets } from '../../../server/build.ts';
import { companyTrends, groupTrends } from '../../../server/domain/trends.ts';
import {
  type CloseRoundPage,
  type MessagePage,
  type PageFrame,
  type StatusPage,
  type ViewEngine,
  viewEngine,
} from '../../../server/http/views.ts';
import { HUNDRED, root, roundsOf, sheet } from '../../views/sample.ts';

const FRAME: PageFrame = {
  title: 'Rounds',
  party: 'guardian',
  partyName: 'Works Council',
  organisation: 'Northlight Logistics',
  light: null,
  evaluation: true,
  nav: [{ href: '/', label: 'Rounds', current: true }],
};

const STATUS: StatusPage = {
  preparing: null,
  rounds: [],
  openRound: null,
  waitingFor: null,
  next: [],
  failures: [],
  events: [],
};

let out: string;
let assets: AssetsManifest;
let engine: ViewEngine;

beforeAll(async () => {
  out = mkdtempSync(join(tmpdir(), 'chorus-assets-'));
  assets = await buildAssets(root, out);
  engine = viewEngine(join(root, 'views'), assets);
});
afterAll(() => rmSync(out, { recursive: true }));

function render(page: string, data: object): string {
  let result: string | undefined;
  engine(join(root, 'views/pages', `${page}.hbs`), { ...FRAME, ...data }, (error, html) => {
    if (error) throw error;
    result = html;
  });
  return result ?? expect.fail('the engine did not answer');
}

/** The text of a page, without its markup. */
function words(html: string): string {
  return html
    .replace(/<[^>]*>/g, ' ')
    .replace(/&#x27;/g, "'")
    .replace(/\s+/g, ' ');
}

describe('viewEngine', () => {
  it('puts every page into the layout, with its assets by hash and integrity', () => {
    const html = render('how', {});
    expect(html).toMatch(/^<!doctype html>\n<html lang="en">/);
    expect(html).toContain(`href="/assets/${assets['main.css']?.file}"`);
    expect(html).toMatch(/integrity="sha256-[A-Za-z0-9+/&#x;D]{43,}/);
    expect(html).toContain('aria-current="page"');
  });

  it('says on every page of an evaluation what it proves', () => {
    const pages: [string, object][] = [
      ['how', {}],
      ['answer', { script: null }],
      ['message', { heading: 'A', sentence: 'B', action: null } satisfies MessagePage],
      ['status', { status: STATUS }],
      ['trends', { trends: companyTrends(sheet, []) }],
      [
        'close-round',
        { closing: { number: 8, closes: '3 May 2026', k: 10 } satisfies CloseRoundPage },
      ],
    ];
    for (const [page, data] of pages) {
      const text = words(render(page, data));
      expect(text).toContain('proves nothing until two different owners run them');
      expect(words(render(page, { ...data, evaluation: false }))).not.toContain('this one machine');
    }
  });

  it('has nothing inline that a strict Content-Security-Policy refuses', () => {
    const trends = companyTrends(sheet, roundsOf([HUNDRED, 'too-few'], ['open']));
    for (const html of [
      render('trends', { trends }),
      render('answer', { script: null }),
      render('how', {}),
    ]) {
      expect(html).not.toMatch(/<style|style="|\son\w+="|javascript:|data:/);
      expect(html).not.toMatch(/<script(?![^>]* src="\/assets\/)/);
      expect(html).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
    }
  });

  it('escapes what comes from outside', () => {
    const html = render('message', { heading: '<b>x</b>', sentence: '"&', action: null });
    expect(html).toContain('&lt;b&gt;x&lt;/b&gt;');
  });

  it('refuses a page that misses a field, and a page that does not exist', () => {
    expect(() => render('message', { heading: 'A' })).toThrow(/sentence/);
    expect(() => render('nowhere', {})).toThrow(/no page/);
  });

  it('refuses to start without its assets', () => {
    const bare = viewEngine(join(root, 'views'), {});
    bare('how.hbs', FRAME, (error) => expect(String(error)).toContain('npm run build'));
  });
});

describe('buildAssets', () => {
  it('gives the same bytes again, and a script that stays under 200 KB gzipped', async () => {
    const { gzipSync } = await import('node:zlib');
    const { readFileSync } = await import('node:fs');
    const again = mkdtempSync(join(tmpdir(), 'chorus-assets-'));
    try {
      expect(await buildAssets(root, again)).toEqual(assets);
      const bytes = readFileSync(join(again, assets['answer.js']?.file ?? ''));
      const style = readFileSync(join(again, assets['main.css']?.file ?? ''));
      const page = gzipSync(bytes).length + gzipSync(style).length;
      expect(page).toBeLessThan(200_000);
      expect(bytes.toString()).not.toContain(root);
    } finally {
      rmSync(again, { recursive: true });
    }
  });
});

describe('trends.hbs', () => {
  it('shows sentence, charts in two widths and a table for each item', () => {
    const html = render('trends', { trends: companyTrends(sheet, roundsOf([HUNDRED], [HUNDRED])) });
    expect([...html.matchAll(/<section class="trend-item"/g)]).toHaveLength(7);
    // Six questions with share, mean and distribution; a score with share and distribution.
    expect([...html.matchAll(/class="chart chart-720"/g)]).toHaveLength(20);
    expect([...html.matchAll(/class="chart chart-360"/g)]).toHaveLength(20);
    const ids = [...html.matchAll(/ id="([^"]*)"/g)].map((match) => match[1]);
    expect(new Set(ids).size).toBe(ids.length);
    expect([...words(html).matchAll(/People who did not answer may differ/g)]).toHaveLength(1);
  });

  it('has words for a withheld round, an open one and one being counted', () => {
    const rounds = roundsOf([HUNDRED], ['too-few'], ['open']);
    const text = words(render('trends', { trends: groupTrends(sheet, rounds, 0) }));
    expect(text).toContain('not shown: fewer than 10 answers');
    expect(text).toContain('Round 3 is open until');
    const counting = companyTrends(sheet, roundsOf([HUNDRED], [HUNDRED, 'counting']));
    expect(words(render('trends', { trends: counting }))).toContain('1 of 2 groups are done');
  });

  it('says what to do where there is nothing yet', () => {
    const html = render('trends', { trends: companyTrends(sheet, []) });
    expect(words(html)).toContain('There is no finished round to show.');
    expect(html).not.toContain('<svg class="chart ');
  });
});

describe('status.hbs', () => {
  const groups = { boxed: 20, counting: 0, sealed: 0, noised: 0, confirmed: 0, withheld: 0 };
  const round = {
    ...{ number: 8, opens: '1 May 2026', closes: '15 May 2026', state: 'open' },
    ...{ stateLabel: 'Open', progress: null, groups },
  };

  it('offers to close the round where that is allowed, and only there', () => {
    const openRound = { number: 8, closes: '15 May 2026', answerLinkExample: '/answer#0.x' };
    const shown = (canClose: boolean) =>
      render('status', {
        status: { ...STATUS, rounds: [round], openRound: { ...openRound, canClose } },
      });
    expect(shown(true)).toMatch(/data-field="open-close" href="[^"]*">/);
    expect(shown(false)).toMatch(/data-field="open-close" href="[^"]*" hidden>/);
  });

  it('shows the preparation with a native progress element and words', () => {
    const preparing = { done: 40, total: 140, sentence: 'Answering round 2 of 7.' };
    const html = render('status', { status: { ...STATUS, preparing } });
    expect(html).toMatch(/<progress [^>]*max="140" value="40"/);
    expect(words(html)).toContain('Answering round 2 of 7. 40 of 140');
  });

  it('says which party it waits for, and has an empty state', () => {
    const text = words(render('status', { status: { ...STATUS, waitingFor: 'employer' } }));
    expect(text).toContain('Waiting for the employer .');
    expect(text).toContain('No round has been planned yet.');
  });
});
