import { lastDay } from '../../shared/days.ts';
import { button, element, paragraph } from '../../shared/dom.ts';
import type { Opened } from '../checks.ts';
import type { PinState } from '../pins.ts';

/** Seconds that one question takes to read and answer, generously. */
const QUESTION_S = 20;

const PIN_WORDS: Readonly<Record<PinState, string>> = {
  new: 'Both parties’ signing keys were seen here for the first time. This browser now remembers them, and would notice a change.',
  same: 'Both parties’ signing keys are the ones that this browser remembers.',
  unkept:
    'This browser keeps nothing, so it could not compare the parties’ signing keys with an earlier visit.',
};

function fact(term: string, description: string): HTMLElement[] {
  return [element('dt', {}, term), element('dd', {}, description)];
}

/** Who asks what and why, as part of which group, on what terms; then the choice. */
export function introScreen(
  { head, entry, sheet, pins }: Opened,
  notice: HTMLElement | undefined,
  takePart: () => void,
  notNow: () => void,
): { title: string; content: Node[] } {
  const { employer, guardian, contact, points } = sheet.notice;
  const count = sheet.questions.length;
  const minutes = Math.max(1, Math.round((count * QUESTION_S) / 60));
  const closes = lastDay(head.days);
  return {
    title: sheet.title,
    content: [
      ...(notice === undefined ? [] : [notice]),
      element('h1', {}, sheet.title),
      paragraph(sheet.purpose, 'lead'),
      element(
        'dl',
        { class: 'facts' },
        ...fact('Who asks', employer),
        ...fact('Who guards the answers', guardian),
        ...fact(
          'You answer as part of',
          `${entry.name}, ${entry.department}: ${entry.roster_size} people. Only the group as a whole is ever shown.`,
        ),
        ...fact('What is asked', `${count} questions, about ${minutes} minutes`),
        ...fact('Open until', `the end of ${closes}`),
        ...fact('Who sees the results', sheet.recipients.join(', ')),
        ...fact('Whom to ask', contact),
      ),
      element('h2', {}, 'Before you decide'),
      element('ul', { class: 'wordy-list' }, ...points.map((point) => element('li', {}, point))),
      element(
        'details',
        {},
        element('summary', {}, 'What this page checked before it started'),
        element(
          'ul',
          {},
          element(
            'li',
            {},
            'The plan of this round is the one that your link names, and both parties signed it.',
          ),
          element('li', {}, 'The questions and your group are the ones in that plan.'),
          element('li', {}, 'The program of this page is the one in that plan.'),
          element('li', {}, PIN_WORDS[pins]),
          element(
            'li',
            {},
            'It cannot check itself against a false page or a spied-on device. Whoever controls those can read what you type.',
          ),
        ),
      ),
      element('h2', { id: 'choice' }, 'Do you want to take part?'),
      element(
        'div',
        { class: 'actions' },
        button('Yes, take part', 'button', takePart),
        button('Not now', 'button button-quiet', notNow),
      ),
    ],
  };
}

/** After "Not now". */
export function declinedScreen(
  { head }: Opened,
  back: () => void,
): { title: string; content: Node[] } {
  const closes = lastDay(head.days);
  return {
    title: 'Thank you',
    content: [
      element('h1', {}, 'Thank you'),
      paragraph('Nothing was sent, and your choice is recorded nowhere.', 'lead'),
      paragraph(`If you change your mind, your link works until the end of ${closes}.`),
      element(
        'div',
        { class: 'actions' },
        button('Back to the start', 'button button-quiet', back),
      ),
    ],
  };
}
