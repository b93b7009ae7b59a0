import type { Receipt } from '../../../crypto/receipt.ts';
import { lastDay } from '../shared/days.ts';
import { button, element, paragraph } from '../shared/dom.ts';
import { receiptNumber } from '../shared/receipts.ts';
import type { Screen } from '../shared/stage.ts';
import type { OpenedReceipt } from './open.ts';
import type { Withdrawal } from './withdraw.ts';
import { WITHDRAWAL_WORDS } from './words.ts';

/** What every screen of one receipt can lead to. */
export interface Leave {
  /** Removes the receipt from this device; undefined if it is not kept there. */
  readonly forget: (() => void) | undefined;
  /** Clears the tab. */
  readonly done: () => void;
}

export function actions(...children: readonly HTMLElement[]): HTMLElement {
  return element('div', { class: 'actions' }, ...children);
}

/** Of which survey, round and group, and by what number. */
export function about({ head, sheet, entry, receipt }: OpenedReceipt): HTMLElement {
  const fact = (term: string, description: string | HTMLElement) => [
    element('dt', {}, term),
    element('dd', {}, description),
  ];
  return element(
    'dl',
    { class: 'facts' },
    ...fact('Survey', `${sheet.title}, round ${head.round}`),
    ...fact('Group', `${entry.name}, ${entry.department}`),
    ...fact('Number', element('span', { class: 'mono' }, receiptNumber(receipt))),
  );
}

export function leaving({ forget, done }: Leave): HTMLElement[] {
  return [
    actions(
      ...(forget === undefined
        ? []
        : [button('Remove it from this device', 'button button-quiet', forget)]),
      button('I am done: clear this tab', 'button button-quiet', done),
    ),
  ];
}

/** No receipt is open: the kept ones, or a file. */
export function chooseScreen(
  kept: readonly Receipt[],
  problem: string | undefined,
  steps: { open: (receipt: Receipt) => void; file: (file: Blob) => void },
): Screen {
  const input = element('input', {
    type: 'file',
    id: 'receipt-file',
    accept: '.json,application/json',
    ...(problem === undefined ? {} : { 'aria-describedby': 'receipt-error' }),
  });
  input.addEventListener('change', () => {
    const [file] = input.files ?? [];
    if (file !== undefined) steps.file(file);
  });
  return {
    title: 'Your receipt',
    content: [
      element('h1', {}, 'Your receipt'),
      paragraph(
        'With the receipt of an answer you can withdraw it or answer anew while its round is open, and see afterwards how it ended. It is read in this browser and never sent.',
        'lead',
      ),
      ...(kept.length === 0
        ? []
        : [
            element('h2', {}, 'Kept on this device'),
            element(
              'ul',
              { class: 'plain-list' },
              ...kept.map((receipt) =>
                element(
                  'li',
                  {},
                  button(
                    `Open ${receiptNumber(receipt).slice(0, 9)} …`,
                    'button button-quiet',
                    () => steps.open(receipt),
                  ),
                ),
              ),
            ),
          ]),
      element('h2', {}, 'From a file'),
      element(
        'div',
        problem === undefined ? {} : { class: 'field-error' },
        element('p', {}, element('label', { for: 'receipt-file' }, 'The file that you downloaded')),
        ...(problem === undefined
          ? []
          : [
              element(
                'p',
                { id: 'receipt-error', class: 'error-text', role: 'alert' },
                element('span', { class: 'unseen' }, 'Error: '),
                problem,
              ),
            ]),
        element('p', {}, input),
      ),
      element('h2', {}, 'From a QR code'),
      paragraph('Point your device’s camera at it: it opens this page with the receipt.'),
    ],
  };
}

/** While something is fetched. */
export function workingScreen(heading: string): { screen: Screen; progress: HTMLProgressElement } {
  const progress = element('progress', { 'aria-label': heading });
  return { screen: { title: heading, content: [element('h1', {}, heading), progress] }, progress };
}

/** Before the close: what can still be done. */
export function openScreen(
  opened: OpenedReceipt,
  leave: Leave,
  steps: { withdraw: () => void; anew: () => void },
): Screen {
  return {
    title: 'Your receipt',
    content: [
      element('h1', {}, 'The round is still open'),
      paragraph(
        `Until the end of ${lastDay(opened.head.days)} your answer rests sealed, and you can take it back.`,
        'lead',
      ),
      about(opened),
      actions(
        button('Withdraw the answer', 'button button-danger', steps.withdraw),
        button('Answer anew', 'button', steps.anew),
      ),
      paragraph(
        'Answering anew withdraws the first answer, too. After the round, this receipt shows how its answer ended.',
        'quiet',
      ),
      ...leaving(leave),
    ],
  };
}

/** The plain warning before anything is withdrawn. */
export function confirmScreen(
  opened: OpenedReceipt,
  then: 'withdraw' | 'anew',
  steps: { confirm: () => void; back: () => void },
): Screen {
  const anew = then === 'anew';
  return {
    title: 'Withdraw the answer?',
    content: [
      element('h1', {}, anew ? 'Withdraw the first answer?' : 'Withdraw the answer?'),
      paragraph(
        anew
          ? 'Your first answer is deleted and cannot be brought back. If you then do not send a new one before the round closes, none of yours is counted.'
          : 'Your answer is deleted and cannot be brought back. It will not be counted. You can still answer anew before the round closes.',
        'lead',
      ),
      about(opened),
      actions(
        button(
          anew ? 'Withdraw it and answer anew' : 'Yes, withdraw it',
          'button button-danger',
          steps.confirm,
        ),
        button('Keep the answer', 'button button-quiet', steps.back),
      ),
    ],
  };
}

/** The answer is not, or no longer, in the box: its token is free. */
export function freeScreen(
  opened: OpenedReceipt,
  why: 'withdrawn' | 'absent',
  leave: Leave,
  anew: () => void,
): Screen {
  const withdrawn = why === 'withdrawn';
  return {
    title: withdrawn ? 'Withdrawn' : 'Not there',
    content: [
      element(
        'h1',
        {},
        withdrawn ? 'Your answer is withdrawn' : 'The guardian has no answer with this number',
      ),
      paragraph(
        withdrawn
          ? 'The guardian has deleted it, and will not take it again. It will stand in the round’s list as withdrawn.'
          : 'It never arrived. If the page told you that it was received, please tell your representative and show this receipt.',
        'lead',
      ),
      about(opened),
      paragraph(
        `Your token is free again: you can answer anew until the end of ${lastDay(opened.head.days)}.`,
      ),
      actions(button('Answer anew', 'button', anew)),
      ...leaving(leave),
    ],
  };
}

/** Too late, refused, or nobody knows. */
export function notWithdrawnScreen(
  opened: OpenedReceipt,
  why: Exclude<Withdrawal, 'withdrawn' | 'absent'>,
  steps: { again: () => void; open: () => void },
): Screen {
  const [heading, sentence] = WITHDRAWAL_WORDS[why];
  const retry = why === 'lost' || why === 'busy';
  return {
    title: heading,
    content: [
      element('h1', {}, heading),
      paragraph(sentence.replace('%', opened.sheet.notice.contact), 'lead'),
      about(opened),
      actions(
        ...(retry ? [button('Try again', 'button', steps.again)] : []),
        button('Open the receipt again', 'button button-quiet', steps.open),
      ),
    ],
  };
}
