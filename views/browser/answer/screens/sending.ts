import { toHex } from '../../../../crypto/bytes.ts';
import type { ReportError } from '../../../../crypto/dap/types.ts';
import { lastDay } from '../../shared/days.ts';
import { button, element, paragraph } from '../../shared/dom.ts';
import type { Opened } from '../checks.ts';
import { receiptFile, type Sealed } from '../seal.ts';
import { BUSY, LOST, REFUSAL_WORDS, REFUSED } from '../words.ts';
import { leavesDetails } from './leaves.ts';

interface Screen {
  readonly title: string;
  readonly content: Node[];
}

/** While the message is on its way. The answers themselves are gone from memory already. */
export function sendingScreen(): Screen {
  return {
    title: 'Sending',
    content: [
      element('h1', {}, 'Sending your sealed answer'),
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
      element('div', { class: 'actions' }, button('Start again', 'button button-quiet', startOver)),
    ],
  };
}

/** The receipt: what it is, what it is good for today, and how to keep it. */
export function receiptScreen(opened: Opened, sealed: Sealed): Screen {
  const { head } = opened;
  const closes = lastDay(head.days);
  const number = toHex(sealed.reportId).replace(/.{4}(?=.)/g, '$& ');
  return {
    title: 'Received',
    content: [
      element(
        'div',
        { class: 'received' },
        element('h1', {}, 'Your answer was received'),
        paragraph(
          `It rests sealed until the round closes after ${closes}. Then both parties count it with all the others.`,
        ),
        paragraph('The number on your receipt:'),
        element('p', { class: 'mono' }, number),
      ),
      element('h2', {}, 'Your receipt'),
      paragraph(
        'It holds the number and the key of your sealed answer. After the round is counted, you can look for the number in the public list of counted answers; the key proves that it is yours.',
      ),
      paragraph(
        'It holds no answer. But whoever finds it can tell that somebody on this device took part, so download it only on a device of your own.',
      ),
      element(
        'div',
        { class: 'actions' },
        button('Download the receipt', 'button', () =>
          download(`chorus-receipt-round-${head.round}.json`, receiptFile(opened, sealed)),
        ),
        element('a', { class: 'button button-quiet', href: '/trends' }, 'See the trends so far'),
      ),
      leavesDetails(opened, sealed, true),
      paragraph(
        'Your answers are cleared from this page, and nothing of them is kept on this device. Only the two parties’ public keys are, so that a change would be noticed.',
        'quiet',
      ),
    ],
  };
}

function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'application/json' }));
  element('a', { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
