import { element, paragraph } from '../shared/dom.ts';
import type { Screen } from '../shared/stage.ts';
import type { Fate, Found } from './lookup.ts';
import type { OpenedReceipt } from './open.ts';
import { about, type Leave, leaving } from './screens.ts';
import { REFUSED_WORDS, WITHHELD_WORDS } from './words.ts';

const NUMBER = new Intl.NumberFormat('en-GB');

function words(
  fate: Fate,
  { counted }: Found,
  { sheet, head }: OpenedReceipt,
): readonly [heading: string, ...sentences: string[]] {
  const { guardian, contact } = sheet.notice;
  switch (fate.outcome) {
    case 'counted':
      return [
        'Your answer was counted',
        `It is one of the ${NUMBER.format(counted)} answers in the list that both parties signed for round ${head.round}.`,
      ];
    case 'withdrawn':
      return [
        'Your answer was withdrawn',
        'The list that both parties signed says so. It was deleted before the round closed and not counted.',
      ];
    case 'refused':
      return [
        'Your answer was refused',
        `The list that both parties signed says why: ${REFUSED_WORDS[fate.error]}. It was not counted. If you do not know how that could happen, ask ${contact}.`,
      ];
    case 'withheld':
      return [
        'Your group is not shown',
        `No total of your group was released: ${WITHHELD_WORDS[fate.reason] ?? 'the guardian gives no reason that this page knows'}. What the group answered is deleted. The trends say the same of this group.`,
      ];
    case 'counting':
      return [
        'The round is being counted',
        'Both parties have not signed its list yet. Please come back with your receipt tomorrow.',
      ];
    case 'missing':
      return [
        'Your answer is missing',
        `Both parties signed a list of every answer of the round, and yours is not in it. Please tell your representative at ${guardian} (${contact}) and show this receipt.`,
        'One thing is in order: if the page never told you that your answer was received, it may simply not have arrived.',
      ];
  }
}

/** After the close: how it ended, and why nothing can be recalled. */
export function fateScreen(opened: OpenedReceipt, found: Found, leave: Leave): Screen {
  const [heading, lead, ...rest] = words(found.fate, found, opened) as [
    string,
    string,
    ...string[],
  ];
  const { outcome } = found.fate;
  const isMissing = outcome === 'missing';
  const isInTotal = outcome === 'counted' || outcome === 'counting';
  return {
    title: heading,
    content: [
      element(
        'div',
        { class: isMissing ? 'notice notice-stop' : 'received' },
        element('h1', {}, heading),
        paragraph(lead, 'lead'),
        ...rest.map((sentence) => paragraph(sentence)),
      ),
      about(opened),
      ...(isInTotal
        ? [
            element('h2', {}, 'Why nothing can be withdrawn now'),
            paragraph(
              'The round is closed. The sealed answers are added up into totals and then deleted, with the keys that open them. Nothing in a total can be told apart as yours, so there is nothing left to take out.',
            ),
          ]
        : []),
      ...(outcome === 'counting'
        ? []
        : [
            paragraph(
              'This page fetched the whole list and looked the number up by itself, so that asking tells nobody which answer it was about.',
              'quiet',
            ),
          ]),
      ...leaving(leave),
    ],
  };
}
