import { button, element, paragraph } from '../../shared/dom.ts';
import { forgetPins, mayForgetPins } from '../pins.ts';
import type { Stop } from '../stop.ts';
import { STOP_WORDS } from '../words.ts';

/** Says in one sentence why the page stops, and that nothing was sent. */
export function showStop(root: HTMLElement, stop: Stop): void {
  const [heading, sentence] = STOP_WORDS[stop.code];
  const title = element('h1', { tabindex: -1 }, heading);
  root.replaceChildren(
    title,
    paragraph(sentence.replace('%', stop.detail), 'lead'),
    paragraph('Nothing was sent.'),
  );
  if (stop.code === 'unreachable' || stop.code === 'failed') {
    root.append(
      element(
        'div',
        { class: 'actions' },
        button('Try again', 'button', () => location.reload()),
      ),
    );
  }
  if (stop.code === 'keys_changed' && mayForgetPins()) {
    root.append(
      paragraph(
        'This page runs on your own machine. If you started the evaluation afresh, its keys are new, and you can forget the old ones.',
      ),
      element(
        'div',
        { class: 'actions' },
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
