import type { Receipt } from '../../../../crypto/receipt.ts';
import { lastDay } from '../../shared/days.ts';
import { button, element, paragraph } from '../../shared/dom.ts';
import { receiptNumber } from '../../shared/receipts.ts';
import type { Screen } from '../../shared/stage.ts';
import type { Opened } from '../checks.ts';
import { keeping } from '../keeping.ts';
import type { Sealed } from '../seal.ts';
import { leavesDetails } from './leaves.ts';

function whatFor(): HTMLElement[] {
  return [
    element('h2', {}, 'Your receipt'),
    paragraph(
      'With it you can withdraw your answer or answer anew until the round closes, and see afterwards how it ended: counted, or why not.',
    ),
    paragraph(
      'It holds no answer. But whoever has it can see that somebody took part, and can withdraw that answer. Nothing is kept unless you do so here.',
    ),
  ];
}

function last(done: () => void): HTMLElement[] {
  return [
    element(
      'div',
      { class: 'actions' },
      button('I am done: clear this tab', 'button', done),
      element('a', { class: 'button button-quiet', href: '/receipt' }, 'Open the receipt now'),
      element('a', { class: 'button button-quiet', href: '/trends' }, 'See the trends so far'),
    ),
    paragraph(
      'Your answers are cleared from this page. The receipt stays in this tab until you clear or close it. On the device nothing is kept but the two parties’ public keys, so that a change would be noticed, and the receipt if you chose so.',
      'quiet',
    ),
  ];
}

/** The guardian has the answer: what the receipt is good for, and three ways to keep it. */
export function receiptScreen(
  opened: Opened,
  receipt: Receipt,
  sealed: Sealed | undefined,
  done: () => void,
): Screen {
  return {
    title: 'Received',
    content: [
      element(
        'div',
        { class: 'received' },
        element('h1', {}, 'Your answer was received'),
        paragraph(
          `It rests sealed until the round closes after ${lastDay(opened.head.days)}. Then both parties count it with all the others.`,
        ),
        paragraph('The number on your receipt:'),
        element('p', { class: 'mono' }, receiptNumber(receipt)),
      ),
      ...whatFor(),
      ...keeping(opened, receipt, true),
      ...(sealed === undefined ? [] : [leavesDetails(opened, sealed, true)]),
      ...last(done),
    ],
  };
}

/** The page was loaded again while the answer was on its way. */
export function uncertainScreen(opened: Opened, receipt: Receipt, done: () => void): Screen {
  return {
    title: 'Perhaps sent',
    content: [
      element('h1', {}, 'Your answer may have arrived'),
      paragraph(
        'It was on its way when this page was loaded again, and the guardian’s reply was lost. If it arrived, it counts.',
        'lead',
      ),
      paragraph(
        'To be sure, open its receipt and answer anew: that withdraws the first answer if it arrived, and goes on with the same token if it did not.',
      ),
      paragraph('The number on its receipt:'),
      element('p', { class: 'mono' }, receiptNumber(receipt)),
      ...whatFor(),
      ...keeping(opened, receipt, false),
      ...last(done),
    ],
  };
}
