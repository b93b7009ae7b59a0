import { button, element, paragraph } from './dom.ts';
import { forgetPins, mayForgetPins } from './pins.ts';
import { qrPicture } from './qr-picture.ts';
import { STOP_WORDS, type Stop, type StopCode } from './stop.ts';

/** After these, the same may work in a minute. */
const TRY_AGAIN: readonly StopCode[] = ['unreachable', 'failed', 'other_tab'];
/** After these, the same link may work elsewhere. */
const OTHER_DEVICE: readonly StopCode[] = ['no_webassembly', 'no_webcrypto', 'no_storage'];
/** After these, a receipt may be of use, or another one. */
const HAS_RECEIPT: readonly StopCode[] = [
  'closed',
  'no_token',
  'bad_receipt',
  'unknown_receipt',
  'altered_receipt',
  'retention_over',
];

function actions(...children: readonly HTMLElement[]): HTMLElement {
  return element('div', { class: 'actions' }, ...children);
}

/** The link of this page as a QR code. A link too long for one is left out. */
export function otherDevice(): HTMLElement[] {
  try {
    return [
      paragraph(
        'Point the camera of another device at this code. It holds your invitation: show it to nobody else.',
      ),
      qrPicture(location.href, 'QR code of your link'),
    ];
  } catch {
    return [];
  }
}

/** Says in one sentence why the page stops, and that nothing was sent. */
export function showStop(root: HTMLElement, stop: Stop): void {
  const { code, detail } = stop;
  const [heading, sentence] = STOP_WORDS[code];
  const title = element('h1', { tabindex: -1 }, heading);
  root.replaceChildren(
    title,
    paragraph(sentence.replace('%', detail), 'lead'),
    paragraph('Nothing was sent.'),
  );
  if (TRY_AGAIN.includes(code)) {
    root.append(actions(button('Try again', 'button', () => location.reload())));
  }
  if (OTHER_DEVICE.includes(code) && location.hash !== '') root.append(...otherDevice());
  if (HAS_RECEIPT.includes(code)) {
    root.append(actions(element('a', { class: 'button', href: '/receipt' }, 'Open a receipt')));
  }
  if (code === 'keys_changed' && mayForgetPins()) {
    root.append(
      paragraph(
        'This page runs on your own machine. If you started the evaluation afresh, its keys are new, and you can forget the old ones.',
      ),
      actions(
        button('Forget the old keys', 'button button-quiet', () => {
          forgetPins();
          location.reload();
        }),
      ),
    );
  }
  document.title = `${heading} – Chorus`;
  title.focus();
}
