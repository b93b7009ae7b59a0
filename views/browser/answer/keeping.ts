import type { Receipt } from '../../../crypto/receipt.ts';
import { button, element, paragraph } from '../shared/dom.ts';
import { download } from '../shared/download.ts';
import { qrPicture } from '../shared/qr-picture.ts';
import { keepReceipt, receiptLink, receiptText } from '../shared/receipts.ts';
import type { Opened } from './checks.ts';
import { consentReceipt } from './consent.ts';

/** The receipt as a file. */
export function receiptFile(opened: Opened, receipt: Receipt): string {
  const { guardian, round } = opened.head;
  const file = {
    type: 'chorus receipt',
    version: 1,
    guardian: guardian.url,
    round,
    how: `Open ${location.origin}/receipt and choose this file.`,
    receipt: receiptText(receipt),
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

function qrDetails(receipt: Receipt): HTMLElement {
  return element(
    'details',
    {},
    element('summary', {}, 'The receipt as a QR code'),
    paragraph(
      'Photograph it with a device of your own. Pointed at it, the camera opens the receipt.',
    ),
    qrPicture(receiptLink(receipt), 'QR code of your receipt'),
  );
}

/** Asks whose device it is before anything is kept on it. */
function keepDetails(receipt: Receipt): HTMLElement {
  const answer = element('p', { role: 'status' });
  const choices = element('div', { class: 'actions' });
  const decided = (words: string) => {
    choices.remove();
    answer.textContent = words;
  };
  choices.append(
    button('It is mine: keep the receipt here', 'button button-quiet', () =>
      decided(
        keepReceipt(receipt)
          ? 'The receipt is kept on this device. You find it under “Open a receipt” at the foot of the guardian’s pages, and can remove it there.'
          : 'This browser does not keep anything on the device. Please download the receipt, or photograph its QR code.',
      ),
    ),
    button('It is not', 'button button-quiet', () => decided('Nothing is kept on this device.')),
  );
  return element(
    'details',
    {},
    element('summary', {}, 'Keep the receipt on this device'),
    element('h3', {}, 'Is this device yours?'),
    paragraph(
      'Keep it here only if nobody else uses this device. Whoever does could see that you took part, and withdraw your answer.',
    ),
    choices,
    answer,
  );
}

/** The consent receipt is fetched when it is wanted: nobody but the person keeps one. */
function consentButton(opened: Opened, receipt: Receipt): HTMLElement[] {
  const status = element('p', { role: 'status', class: 'small' });
  const fetching = button('Download the consent receipt', 'button button-quiet', async () => {
    status.textContent = 'Fetching the consent receipt.';
    const text = await consentReceipt(opened, receipt);
    status.textContent =
      text === undefined
        ? 'The guardian gave no valid consent receipt just now. Please try again in a minute.'
        : 'The consent receipt, signed by the guardian, is in your downloads. Nobody else keeps one.';
    if (text !== undefined) download(`chorus-consent-round-${opened.head.round}.json`, text);
  });
  return [fetching, status];
}

/** File, QR code, or this device; and the consent receipt once the answer has arrived. */
export function keeping(opened: Opened, receipt: Receipt, received: boolean): HTMLElement[] {
  const [consent, status] = received ? consentButton(opened, receipt) : [];
  return [
    element(
      'div',
      { class: 'actions' },
      button('Download the receipt', 'button', () =>
        download(`chorus-receipt-round-${opened.head.round}.json`, receiptFile(opened, receipt)),
      ),
      ...(consent === undefined ? [] : [consent]),
    ),
    ...(status === undefined ? [] : [status]),
    qrDetails(receipt),
    keepDetails(receipt),
  ];
}
