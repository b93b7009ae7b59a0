import { lastDay } from '../../shared/days.ts';
import { button, element, paragraph } from '../../shared/dom.ts';
import type { PinState } from '../../shared/pins.ts';
import type { Screen } from '../../shared/stage.ts';
import { otherDevice } from '../../shared/stopped.ts';
import { visibleDetails } from '../../shared/visible.ts';
import type { Opened } from '../checks.ts';

/** Seconds that one question takes to read and answer, generously. */
const QUESTION_S = 20;

const NUMBER = new Intl.NumberFormat('en-GB');

const PIN_WORDS: Readonly<Record<PinState, string>> = {
  new: 'Both parties’ signing keys were seen here for the first time. This browser now remembers them, and would notice a change.',
  same: 'Both parties’ signing keys are the ones that this browser remembers.',
  unkept:
    'This browser keeps nothing, so it could not compare the parties’ signing keys with an earlier visit.',
};

/** What “Continue” does, by how far this browser has come. */
const CONTINUE_WORDS = {
  new: 'You choose on the next page whether to take part. “Continue” fetches a token from the employer: a stamp that lets one answer into the box and cannot be traced to you. The employer sees that somebody went on from this invitation. Those who decline press it too.',
  asked:
    'You pressed “Continue” here before, and the employer’s reply was lost. If you press it again, this page asks in the very same words and gets the same token.',
  token:
    'This browser has your token already, so “Continue” asks nobody. You choose on the next page whether to take part.',
} as const;

function fact(term: string, description: string): HTMLElement[] {
  return [element('dt', {}, term), element('dd', {}, description)];
}

function checked(pins: PinState): HTMLElement {
  const points = [
    'The plan of this round is the one that your link names, and both parties signed it.',
    'The questions and your group are the ones in that plan.',
    'The program of this page is the one in that plan.',
    PIN_WORDS[pins],
    'It cannot check itself against a false page or a spied-on device. Whoever controls those can read what you type.',
  ];
  return element(
    'details',
    {},
    element('summary', {}, 'What this page checked before it started'),
    element('ul', {}, ...points.map((point) => element('li', {}, point))),
  );
}

/** Who asks what and why, as part of which group, on what terms. */
export function introScreen(
  { head, entry, sheet, pins, code }: Opened,
  notice: HTMLElement | undefined,
  come: keyof typeof CONTINUE_WORDS,
  goOn: () => void,
): Screen {
  const { employer, guardian, contact, points } = sheet.notice;
  const count = sheet.questions.length;
  const minutes = Math.max(1, Math.round((count * QUESTION_S) / 60));
  const movable = come === 'new' && code !== undefined;
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
        ...sheet.derived.flatMap(({ name, why }) =>
          fact('What is worked out', `${name}, in this browser from your answers. ${why}`),
        ),
        ...fact('Open until', `the end of ${lastDay(head.days)}`),
        ...fact('Who sees the results', sheet.recipients.join(', ')),
        ...fact(
          'How long it is kept',
          `Your sealed answer until it is counted; the totals for ${NUMBER.format(sheet.retention.trends_days)} days`,
        ),
        ...fact(
          'How to withdraw',
          'With the receipt that you get at the end, until the round closes',
        ),
        ...fact('Whom to ask', contact),
      ),
      element('h2', {}, 'Before you decide'),
      element('ul', { class: 'wordy-list' }, ...points.map((point) => element('li', {}, point))),
      visibleDetails(),
      checked(pins),
      ...(movable
        ? [
            element(
              'details',
              {},
              element('summary', {}, 'Go on with another device'),
              ...otherDevice(),
              paragraph(
                'Do so before you press “Continue”: after that, the invitation belongs to this tab.',
              ),
            ),
          ]
        : []),
      paragraph(CONTINUE_WORDS[come]),
      element('div', { class: 'actions' }, button('Continue', 'button', goOn)),
    ],
  };
}
