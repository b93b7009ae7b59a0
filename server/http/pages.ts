import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import express, { type Express } from 'express';
import { parseCanonicalJson } from '../../crypto/canonical.ts';
import type { ManifestHead } from '../../crypto/manifest.ts';
import type { Sheet } from '../../crypto/sheet.ts';
import type { AssetsManifest } from '../build.ts';
import { rhoWords, standingOn } from '../domain/account.ts';
import { DAY_MS } from '../domain/days.ts';
import { Released } from '../domain/gate.ts';
import { LIGHT_WORDS } from '../domain/noise-presets.ts';
import { storedSheet } from '../domain/sheets.ts';
import { dayWords } from '../domain/shown.ts';
import type { Staff } from '../domain/staff.ts';
import {
  companyTrends,
  type GroupFilter,
  groupTrends,
  type TrendGroup,
  type TrendRound,
} from '../domain/trends.ts';
import type { Round } from '../storage/rounds.ts';
import type { Stores } from '../storage/stores.ts';
import type { Task } from '../storage/tasks.ts';
import { pageHeaders, type ScriptPolicy } from './app.ts';
import { signedInOf } from './guard.ts';
import { Refusal, type RefusalCode } from './refusal.ts';
import { type PageFrame, type StatusPage, viewEngine } from './views.ts';

/** Where the built pages lie. */
export interface PageFolders {
  /** The source tree's `views/`. */
  readonly views: string;
  /** The built `assets/` with their `manifest.json`. */
  readonly assets: string;
}

/** What the pages of one party are made from. */
export interface PageSource {
  readonly party: 'guardian' | 'employer';
  readonly names: { readonly guardian: string; readonly employer: string };
  readonly evaluation: boolean;
  readonly stores: Stores;
  /** Where the mail of the evaluation's sample people can be read, with their invitations. */
  readonly mailPage: string;
  /** The other party, while work waits for it. */
  waitingFor(): 'employer' | 'guardian' | null;
  preparing(): StatusPage['preparing'];
  /** What is next, in sentences. */
  next(): string[];
  /** What failed and why, in sentences. */
  failures(): string[];
  /** Which groups of a round somebody may look at, by index; without it everybody sees all. */
  groupsFor?(staff: Staff, round: number): ReadonlySet<number> | 'all';
}

const EVENTS_SHOWN = 30;
const HEADINGS: Partial<Record<RefusalCode, string>> = {
  notFound: 'Not found',
  wrongRole: 'Not for your role',
  tooOften: 'Please wait',
};
const STATE_WORDS = {
  planned: 'Planned',
  open: 'Open',
  closed: 'Counting',
  expired: 'Totals deleted',
};

function readAssets(folders: PageFolders): AssetsManifest {
  return JSON.parse(readFileSync(join(folders.assets, 'manifest.json'), 'utf8'));
}

/** The bytes of one built file, by its plain name. */
export function readAsset(folders: PageFolders, name: string): Uint8Array {
  const asset = readAssets(folders)[name];
  if (asset === undefined) throw new Error(`no asset ${name}: run npm run build`);
  return readFileSync(join(folders.assets, asset.file));
}

/** The templates and the built files. */
export function usePages(app: Express, folders: PageFolders): void {
  app.engine('hbs', viewEngine(folders.views, readAssets(folders)));
  app.set('view engine', 'hbs');
  app.set('views', join(folders.views, 'pages'));
  app.use(
    '/assets',
    express.static(folders.assets, { immutable: true, maxAge: '1y', index: false, etag: false }),
  );
}

/** What every page of a party shows around its content. */
export function frame(source: PageSource, title: string, here: string): PageFrame {
  const links = [
    { href: '/', label: 'Rounds' },
    { href: '/trends', label: 'Trends' },
    ...(source.party === 'guardian' ? [{ href: '/account', label: 'Account' }] : []),
    { href: '/how', label: 'How it works' },
  ];
  return {
    title,
    party: source.party,
    partyName: source.names[source.party],
    organisation: source.names.employer,
    evaluation: source.evaluation,
    light: lightWords(source.stores),
    nav: links.map((link) => ({ ...link, current: link.href === here })),
  };
}

/** On every page while a Light survey runs or one of its rounds counts. */
function lightWords({ account, clock, sheets }: Stores): string | null {
  const { sum, entries } = standingOn(account.entries(), Math.floor(clock.now() / DAY_MS));
  const isLight =
    entries.some(({ preset }) => preset === 'light') ||
    sheets.inState('approved').some(({ bytes }) => storedSheet(bytes).noise.preset === 'light');
  return isLight
    ? `${LIGHT_WORDS} The rounds of twelve months add up to a ρ of ${rhoWords(sum)} now.`
    : null;
}

/** The pages that both parties have: rounds, trends, and how it works. */
export function sharedPages(app: Express, source: PageSource): void {
  const page = (path: string, scripts: ScriptPolicy) => app.get(path, pageHeaders(scripts));
  page('/', 'self');
  app.get('/', (_request, response) => {
    const status = statusPage(source, signedInOf(response)?.staff);
    response.render('status', { ...frame(source, 'Rounds', '/'), status });
  });
  app.get('/status.json', (_request, response) => {
    const status = statusPage(source, signedInOf(response)?.staff);
    response.set('cache-control', 'no-store').json(status);
  });
  app.get('/health', (_request, response) => {
    // Throws where the database cannot be read; then the answer is no.
    source.stores.rounds.lastNumber();
    response.set('cache-control', 'no-store').json({ party: source.party, ok: true });
  });
  page('/how', 'none');
  app.get('/how', (_request, response) => {
    response.render('how', frame(source, 'How Chorus works', '/how'));
  });
  page('/trends', 'none');
  app.get('/trends', (request, response) => {
    const group = request.query.group;
    if (typeof group === 'string' && group !== '') {
      response.redirect(303, `/trends/groups/${encodeURIComponent(group)}`);
      return;
    }
    const { sheet, rounds } = released(source);
    const maySee = groupFilter(source, signedInOf(response)?.staff);
    const trends = sheet && companyTrends(sheet, rounds, maySee);
    if (trends === undefined) throw new Refusal('notFound', whyNoTrends(source));
    response.render('trends', { ...frame(source, 'Trends', '/trends'), trends });
  });
  page('/trends/groups/:index', 'none');
  app.get('/trends/groups/:index', (request, response) => {
    const { sheet, rounds } = released(source);
    const index = /^\d{1,6}$/.test(request.params.index) ? Number(request.params.index) : -1;
    const maySee = groupFilter(source, signedInOf(response)?.staff);
    const trends = sheet && groupTrends(sheet, rounds, index, maySee);
    if (trends === undefined && sheet && groupTrends(sheet, rounds, index) !== undefined) {
      throw new Refusal('wrongRole', 'None of your people is in this group.');
    }
    if (trends === undefined) throw new Refusal('notFound', 'There is no such group.');
    response.render('trends', { ...frame(source, trends.heading, '/trends'), trends });
  });
}

function whyNoTrends({ stores }: PageSource): string {
  return stores.rounds.inState('expired').length > 0
    ? 'What was published is past its retention, and deleted.'
    : 'No round has been planned yet.';
}

/** A page for a refusal, or for a fault of ours. */
export function messagePage(
  source: PageSource,
  refusal: Refusal | undefined,
): { view: string; data: object } {
  const heading =
    refusal === undefined
      ? 'Something went wrong here'
      : (HEADINGS[refusal.code] ?? 'This did not work');
  return {
    view: 'message',
    data: {
      ...frame(source, heading, ''),
      heading,
      sentence: refusal?.message ?? 'Nothing was changed. Please try again in a moment.',
      action:
        refusal?.code === 'signInNeeded'
          ? { href: '/sign-in', label: 'Sign in' }
          : { href: '/', label: 'To the rounds' },
    },
  };
}

/** Which groups the trend pages show to somebody; undefined if all of them. */
function groupFilter(source: PageSource, staff: Staff | undefined): GroupFilter | undefined {
  const { groupsFor } = source;
  if (groupsFor === undefined || staff === undefined || staff.role !== 'manager') return undefined;
  const known = new Map<number, ReadonlySet<number> | 'all'>();
  return (round, index) => {
    const groups = known.get(round) ?? groupsFor(staff, round);
    known.set(round, groups);
    return groups === 'all' || groups.has(index);
  };
}

function statusPage(source: PageSource, staff: Staff | undefined): StatusPage {
  const { rounds, tasks, events } = source.stores;
  const all = rounds.all();
  const open = all.find((round) => round.state === 'open');
  return {
    preparing: source.preparing(),
    rounds: all.reverse().map((round) => {
      const groups = tasks.states(round.manifestHash);
      const total = Object.values(groups).reduce((sum, count) => sum + count, 0);
      const done = groups.confirmed + groups.withheld;
      const counting = round.state === 'closed' && done < total;
      const { opens, closes } = daysOf(round);
      return {
        number: round.number,
        opens,
        closes,
        state: round.state,
        stateLabel: round.state === 'closed' && !counting ? 'Finished' : STATE_WORDS[round.state],
        progress: counting ? { done, total } : null,
        groups,
      };
    }),
    openRound:
      open === undefined
        ? null
        : {
            number: open.number,
            closes: daysOf(open).closes,
            canClose: source.evaluation && staff?.role === 'guardian',
            answerLinkExample: source.evaluation ? source.mailPage : null,
          },
    waitingFor: source.waitingFor(),
    next: source.next(),
    failures: source.failures(),
    events: events.recent(EVENTS_SHOWN).map(({ atMs, sentence }) => ({
      at: new Date(atMs).toISOString(),
      sentence,
    })),
  };
}

function headOf(round: Round): ManifestHead {
  return parseCanonicalJson(round.head) as unknown as ManifestHead;
}

/** The first and the last day of a round, in words. */
export function daysOf(round: Round): { opens: string; closes: string } {
  const { start, duration } = headOf(round).days;
  return { opens: dayWords(start), closes: dayWords(start + duration - 1) };
}

/** Finished rounds as they are shown: their results are final, so they are read once. */
const finishedRounds = new WeakMap<Stores, Map<string, TrendRound>>();

/**
 * What may be shown of the newest sheet's rounds: totals only where both parties have signed them.
 * Rounds of earlier sheets asked other things, and are not drawn on one line with these.
 */
function released(source: PageSource): { sheet: Sheet | undefined; rounds: TrendRound[] } {
  const all: Round[] = [];
  for (const round of source.stores.rounds.all()) {
    if (round.state === 'expired') finishedRounds.get(source.stores)?.delete(keyOf(round));
    else if (round.state !== 'planned') all.push(round);
  }
  const newest = all.at(-1);
  const sheet = newest && source.stores.sheets.withHash(newest.sheetHash);
  return {
    sheet: sheet && storedSheet(sheet.bytes),
    rounds: all
      .filter((round) => round.sheetHash.equals(newest?.sheetHash as Buffer))
      .map((round) => trendRound(source.stores, round)),
  };
}

function keyOf(round: Round): string {
  return round.manifestHash.toString('hex');
}

function trendRound(stores: Stores, round: Round): TrendRound {
  const kept = finishedRounds.get(stores) ?? new Map<string, TrendRound>();
  finishedRounds.set(stores, kept);
  const key = keyOf(round);
  const known = kept.get(key);
  if (known !== undefined) return known;
  const results = new Map(
    stores.results
      .confirmed(round.manifestHash)
      .map(({ groupIndex, published }) => [groupIndex, published]),
  );
  const trend = {
    number: round.number,
    days: headOf(round).days,
    groups: stores.tasks.ofRound(round.manifestHash).map((task): TrendGroup => {
      const published = results.get(task.groupIndex);
      const group = {
        index: task.groupIndex,
        name: task.groupName,
        department: task.department,
        rosterSize: task.rosterSize,
      };
      if (published === undefined) return { ...group, ...unreleased(round, task) };
      const released = Released.decode(published, task.rosterSize);
      return { ...group, state: 'confirmed', released };
    }),
  };
  // Signed by both, the list says that nothing of the round will change.
  if (round.listEmployerSignature !== null) kept.set(key, trend);
  return trend;
}

function unreleased(
  round: Round,
  task: Task,
): { state: 'withheld'; reason: string } | { state: 'open' | 'counting' } {
  if (task.state === 'withheld') return { state: 'withheld', reason: task.withheldReason ?? '' };
  return { state: round.state === 'closed' ? 'counting' : 'open' };
}
