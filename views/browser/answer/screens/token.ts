import { button, element, paragraph } from '../../shared/dom.ts';
import type { Screen } from '../../shared/stage.ts';
import type { Opened } from '../checks.ts';
import type { TokenRefusal } from '../permit.ts';
import { TOKEN_BUSY, TOKEN_LOST, TOKEN_WORDS } from '../words.ts';

/** After these the same invitation may work if it is tried again. */
const TRY_AGAIN: readonly TokenRefusal[] = ['invalidMessage', 'other'];
/** After these somebody may have answered already, and the receipt says more. */
const HAS_RECEIPT: readonly TokenRefusal[] = ['codeUsed', 'codeExpired'];

/** While the employer is asked. */
export function askingScreen(): Screen {
  return {
    title: 'Fetching your token',
    content: [
      element('h1', {}, 'Fetching your token'),
      paragraph('Please keep this page open for a moment.', 'lead'),
      element('progress', { 'aria-label': 'Fetching your token' }),
    ],
  };
}

/** Nobody knows whether the request arrived: the same one may be sent again. */
export function noReplyScreen(
  why: 'lost' | 'busy',
  steps: { again: () => void; back: () => void },
): Screen {
  return {
    title: 'No token yet',
    content: [
      element('h1', {}, 'You have no token yet'),
      paragraph(why === 'lost' ? TOKEN_LOST : TOKEN_BUSY, 'lead'),
      element(
        'div',
        { class: 'actions' },
        button('Try again', 'button', steps.again),
        button('Back to the start', 'button button-quiet', steps.back),
      ),
    ],
  };
}

/** The employer said no, and why. */
export function noTokenScreen(
  opened: Opened,
  code: TokenRefusal,
  steps: { again: () => void; back: () => void },
): Screen {
  const [heading, sentence] = TOKEN_WORDS[code];
  return {
    title: heading,
    content: [
      element('h1', {}, heading),
      paragraph(sentence.replace('%', opened.sheet.notice.contact), 'lead'),
      paragraph('No answer was sent from here.'),
      element(
        'div',
        { class: 'actions' },
        ...(TRY_AGAIN.includes(code) ? [button('Try again', 'button', steps.again)] : []),
        ...(HAS_RECEIPT.includes(code)
          ? [element('a', { class: 'button', href: '/receipt' }, 'Open a receipt')]
          : []),
        button('Back to the start', 'button button-quiet', steps.back),
      ),
    ],
  };
}
