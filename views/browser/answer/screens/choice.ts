import { lastDay } from '../../shared/days.ts';
import { button, element, paragraph } from '../../shared/dom.ts';
import type { Screen } from '../../shared/stage.ts';
import type { Opened } from '../checks.ts';

function actions(...children: readonly HTMLElement[]): HTMLElement {
  return element('div', { class: 'actions' }, ...children);
}

/** Take part or decline, which look alike so that neither is the expected one; or later. */
export function choiceScreen(
  { sheet, code }: Opened,
  steps: { takePart: () => void; decline: () => void; later: () => void; back: () => void },
): Screen {
  const { points } = sheet.notice;
  return {
    title: 'Your choice',
    content: [
      element('p', { class: 'back' }, button('Back', 'link-button', steps.back)),
      element('h1', {}, 'Do you want to take part?'),
      paragraph(
        'No list of who took part is kept, and from outside both look alike: declining sends a message of the same size as an answer, which the guardian throws away.',
        'lead',
      ),
      element(
        'details',
        {},
        element('summary', {}, 'What you agree to if you take part'),
        element('ul', { class: 'wordy-list' }, ...points.map((point) => element('li', {}, point))),
        paragraph(
          'Your answer carries the fingerprint of these sentences, and both parties refuse an answer without it.',
        ),
      ),
      actions(
        button('Yes, take part', 'button', steps.takePart),
        button('No, decline', 'button', steps.decline),
        // Who answers anew has the receipt, which opens this again at any time.
        ...(code === undefined ? [] : [button('Decide later', 'button button-quiet', steps.later)]),
      ),
      paragraph(
        'If you take part, you can withdraw your answer until the round closes, with the receipt that you get at the end.',
        'quiet',
      ),
    ],
  };
}

/** Where the token waits meanwhile. */
export function laterScreen(
  { head }: Opened,
  steps: { keep: () => void; leave: () => void },
): Screen {
  return {
    title: 'Decide later',
    content: [
      element('h1', {}, 'Is this device yours?'),
      paragraph(
        `Your token can wait until the end of ${lastDay(head.days)}. If this device is yours alone, it can be kept on it, and your invitation opens again here at any time.`,
        'lead',
      ),
      paragraph(
        'If others use this device, leave it in this tab: closing the tab then ends your invitation. Whoever finds a kept token could answer in your place.',
      ),
      actions(
        button('It is mine: keep the token here', 'button button-quiet', steps.keep),
        button('It is not: leave it in this tab', 'button button-quiet', steps.leave),
      ),
    ],
  };
}

/** After one of the two. */
export function waitingScreen(
  { head }: Opened,
  where: 'device' | 'tab' | 'refused',
  back: () => void,
): Screen {
  const closes = lastDay(head.days);
  const words = {
    device: `Your token is kept on this device. Open your invitation here again before the end of ${closes}.`,
    tab: `Your token stays in this tab. Keep the tab open, and come back to it before the end of ${closes}.`,
    refused: `This browser does not keep anything on the device, so your token stays in this tab. Keep the tab open, and come back to it before the end of ${closes}.`,
  };
  return {
    title: 'Decide later',
    content: [
      element('h1', {}, 'There is time'),
      paragraph(words[where], 'lead'),
      actions(button('Back to the start', 'button button-quiet', back)),
    ],
  };
}

/** After "No, decline". */
export function declinedScreen(
  { head }: Opened,
  steps: { back: () => void; done: () => void },
): Screen {
  return {
    title: 'Thank you',
    content: [
      element('h1', {}, 'Thank you'),
      paragraph('You declined, and your choice is recorded nowhere.', 'lead'),
      paragraph(
        'A message as long as an answer went to the guardian, who has thrown it away. From outside, nobody can tell the two apart.',
      ),
      paragraph(
        `If you change your mind, this tab can still answer until the end of ${lastDay(head.days)}. Once it is cleared or closed, your invitation is used up.`,
      ),
      actions(
        button('I am done: clear this tab', 'button', steps.done),
        button('Back to the start', 'button button-quiet', steps.back),
      ),
    ],
  };
}

/** Declining needs no message; only looking like everybody else does. */
export function declineLostScreen(steps: { again: () => void; leave: () => void }): Screen {
  return {
    title: 'Declined',
    content: [
      element('h1', {}, 'You declined'),
      paragraph(
        'The message that makes declining look like answering did not get through. Your choice stands without it. If you want it to look alike, try again.',
        'lead',
      ),
      actions(
        button('Try again', 'button', steps.again),
        button('Leave it', 'button button-quiet', steps.leave),
      ),
    ],
  };
}

/** Nothing is left in this tab. */
export function clearedScreen(): Screen {
  return {
    title: 'Cleared',
    content: [
      element('h1', {}, 'This tab is cleared'),
      paragraph('Nothing of your visit is left in it. You can close it now.', 'lead'),
      actions(
        element('a', { class: 'button button-quiet', href: '/trends' }, 'See the trends so far'),
      ),
    ],
  };
}
