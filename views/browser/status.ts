import { element } from './shared/dom.ts';

/**
 * Keeps the status page current without a reload. The page is complete without this script; it
 * asks for the same view model as JSON and writes it into the same places.
 */

type Groups = Record<'boxed' | 'counting' | 'sealed' | 'noised' | 'confirmed' | 'withheld', number>;

interface Round {
  number: number;
  opens: string;
  closes: string;
  stateLabel: string;
  progress: null | { done: number; total: number };
  groups: Groups;
}

interface Status {
  preparing: null | { done: number; total: number; sentence: string };
  rounds: Round[];
  openRound: null | {
    number: number;
    closes: string;
    canClose: boolean;
    answerLinkExample: string | null;
  };
  waitingFor: null | string;
  next: string[];
  failures: string[];
  events: { at: string; sentence: string }[];
}

/** Milliseconds between two looks: quick while something moves, slow while nothing does. */
const BUSY_MS = 1_000;
const CALM_MS = 10_000;
/** At most one announcement to screen readers in this time. */
const ANNOUNCE_MS = 8_000;

const MOMENT = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'medium',
  timeStyle: 'short',
  timeZone: 'UTC',
});

const root = document.getElementById('status');

function part(name: string, within: ParentNode | null = root): HTMLElement | null {
  return within?.querySelector<HTMLElement>(`[data-part="${name}"]`) ?? null;
}

function field(name: string, within: ParentNode | null = root): HTMLElement | null {
  return within?.querySelector<HTMLElement>(`[data-field="${name}"]`) ?? null;
}

/** Changes only what differs, so that a selection or a screen reader's place is not disturbed. */
function write(target: HTMLElement | null, text: string): void {
  if (target !== null && target.textContent !== text) target.textContent = text;
}

function show(target: HTMLElement | null, shown: boolean): void {
  if (target !== null && target.hidden === shown) target.hidden = !shown;
}

function setProgress(target: HTMLElement | null, progress: { done: number; total: number } | null) {
  if (!(target instanceof HTMLProgressElement)) return;
  target.max = Math.max(1, progress?.total ?? 1);
  target.value = progress?.done ?? 0;
}

/** The round's row; for a round that is new since this page came, a copy of another one's. */
function rowOf(body: HTMLElement, round: Round, place: number): HTMLElement | null {
  const known = body.querySelector<HTMLElement>(`[data-round="${round.number}"]`);
  if (known !== null) return known;
  const row = body.firstElementChild?.cloneNode(true);
  if (!(row instanceof HTMLElement)) return null;
  row.dataset.round = String(round.number);
  write(row.querySelector('th'), String(round.number));
  field('progress', row)?.setAttribute('aria-label', `Groups finished in round ${round.number}`);
  body.insertBefore(row, body.children[place] ?? null);
  return row;
}

function renderRound(body: HTMLElement, round: Round, place: number): void {
  const row = rowOf(body, round, place);
  if (row === null) {
    // The very first round: there is no row to copy yet, the page's template has it.
    location.reload();
    return;
  }
  write(field('days', row), `${round.opens} to ${round.closes}`);
  write(field('state', row), round.stateLabel);
  show(field('progress', row), round.progress !== null);
  setProgress(field('progress', row), round.progress);
  const { done, total } = round.progress ?? { done: 0, total: 0 };
  write(field('progress-words', row), total > 0 ? `${done} of ${total} groups finished` : '');
  for (const [state, count] of Object.entries(round.groups)) {
    const item = row.querySelector<HTMLElement>(`[data-count="${state}"]`);
    show(item, count > 0);
    write(item?.querySelector('span') ?? null, String(count));
  }
}

function renderEvents(list: HTMLElement | null, events: Status['events']): void {
  const newest = list?.querySelector('time')?.dateTime ?? '';
  if (list === null || (events.length === list.children.length && events[0]?.at === newest)) return;
  list.replaceChildren(
    ...events.map(({ at, sentence }) =>
      element(
        'li',
        {},
        element('time', { datetime: at }, MOMENT.format(new Date(at))),
        ` ${sentence}`,
      ),
    ),
  );
}

/** A list of sentences in its part, hidden while there are none. */
function renderList(name: string, sentences: readonly string[]): void {
  show(part(name), sentences.length > 0);
  const list = field(name);
  const shown = [...(list?.children ?? [])].map((item) => item.textContent);
  if (list === null || shown.join('\n') === sentences.join('\n')) return;
  list.replaceChildren(...sentences.map((sentence) => element('li', {}, sentence)));
}

function render(status: Status): void {
  const { preparing, openRound, rounds, waitingFor, events } = status;
  renderList('next', status.next);
  renderList('failures', status.failures);
  show(part('preparing'), preparing !== null);
  write(field('preparing-sentence'), preparing?.sentence ?? '');
  write(field('preparing-count'), preparing ? `${preparing.done} of ${preparing.total}` : '');
  setProgress(field('preparing-progress'), preparing);
  show(part('waiting'), waitingFor !== null);
  write(field('waiting'), waitingFor ?? '');
  show(part('open-round'), openRound !== null);
  write(field('open-number'), String(openRound?.number ?? ''));
  write(field('open-closes'), openRound?.closes ?? '');
  const link = field('open-link');
  show(link, Boolean(openRound?.answerLinkExample));
  if (openRound?.answerLinkExample) link?.setAttribute('href', openRound.answerLinkExample);
  show(field('open-close'), openRound?.canClose ?? false);
  show(part('no-rounds'), rounds.length === 0);
  show(part('rounds'), rounds.length > 0);
  const body = field('rounds');
  if (body !== null) for (const [place, round] of rounds.entries()) renderRound(body, round, place);
  show(part('no-events'), events.length === 0);
  renderEvents(field('events'), events);
}

function announcementOf(status: Status): string {
  if (status.preparing !== null) {
    return `Preparing the sample: ${status.preparing.done} of ${status.preparing.total}.`;
  }
  const counted = status.rounds.find((round) => round.progress !== null);
  if (counted?.progress) {
    return `Round ${counted.number}: ${counted.progress.done} of ${counted.progress.total} groups finished.`;
  }
  return status.openRound === null ? '' : `Round ${status.openRound.number} is open.`;
}

let announced = { text: '', at: 0 };

function announce(text: string): void {
  if (text === announced.text || Date.now() - announced.at < ANNOUNCE_MS) return;
  // What stands there when the page is opened is read with the page; only later changes are news.
  if (announced.at > 0) write(field('announcement'), text);
  announced = { text, at: Date.now() };
}

async function look(): Promise<void> {
  let wait = CALM_MS;
  try {
    const reply = await fetch(root?.dataset.poll ?? '/status.json', { cache: 'no-store' });
    if (!reply.ok) throw new Error(String(reply.status));
    const status = (await reply.json()) as Status;
    render(status);
    announce(announcementOf(status));
    if (status.preparing !== null || status.rounds.some((round) => round.progress !== null)) {
      wait = BUSY_MS;
    }
    write(field('refresh'), 'This page also refreshes itself.');
  } catch {
    write(field('refresh'), 'The server does not answer just now; trying again.');
  }
  setTimeout(look, wait);
}

if (root !== null) void look();
