import type { ReportError } from '../../../../crypto/dap/types.ts';
import { button, element, paragraph } from '../../shared/dom.ts';
import type { Screen } from '../../shared/stage.ts';
import type { Opened } from '../checks.ts';
import type { Sealed } from '../seal.ts';
import { BUSY, LOST, REFUSAL_WORDS, REFUSED } from '../words.ts';
import { leavesDetails } from './leaves.ts';

/** While a message is on its way. The answers themselves are gone from memory already. */
export function sendingScreen(what: 'answer' | 'decline'): Screen {
  return {
    title: 'Sending',
    content: [
      element(
        'h1',
        {},
        what === 'answer' ? 'Sending your sealed answer' : 'Sending a message that looks alike',
      ),
      paragraph('Please keep this page open for a moment.', 'lead'),
      element('progress', { 'aria-label': 'Sending' }),
    ],
  };
}

/** Nobody knows whether the message arrived: the same bytes may be sent again. */
export function retryScreen(
  opened: Opened,
  sealed: Sealed,
  why: 'lost' | 'busy',
  again: () => void,
): Screen {
  return {
    title: 'Not sent yet',
    content: [
      element('h1', {}, 'Your answer is not sent yet'),
      paragraph(why === 'lost' ? LOST : BUSY, 'lead'),
      element('div', { class: 'actions' }, button('Try again', 'button', again)),
      leavesDetails(opened, sealed, false),
    ],
  };
}

/** After these the round takes no more answers. */
const OVER: readonly (ReportError | undefined)[] = ['task_expired', 'batch_collected'];

/** The guardian said no. Nothing of the answer is left here. */
export function refusedScreen(
  opened: Opened,
  error: ReportError | undefined,
  startOver: () => void,
): Screen {
  const words = error === undefined ? REFUSED : REFUSAL_WORDS[error];
  return {
    title: 'Not taken',
    content: [
      element('h1', {}, 'Your answer was not taken'),
      paragraph(words.replace('%', opened.sheet.notice.contact), 'lead'),
      paragraph('It is cleared from this page.'),
      element(
        'div',
        { class: 'actions' },
        OVER.includes(error)
          ? element('a', { class: 'button button-quiet', href: '/trends' }, 'See the trends so far')
          : button('Start again', 'button button-quiet', startOver),
        ...(error === 'report_replayed'
          ? [element('a', { class: 'button button-quiet', href: '/receipt' }, 'Open a receipt')]
          : []),
      ),
    ],
  };
}
