import { button, element, paragraph } from '../shared/dom.ts';

/** Minutes without a sign of life after which answers are cleared; a warning comes one before. */
const IDLE_MS = 15 * 60_000;
const WARNING_MS = 60_000;
const TICK_MS = 1_000;

const SIGNS_OF_LIFE = ['pointerdown', 'keydown', 'wheel', 'touchstart', 'input'] as const;

/**
 * Watches whether anybody is still there while answers are in memory. Compares the clock instead
 * of counting ticks, so that a laptop that slept for an hour is found idle when it wakes.
 */
export class IdleWatch {
  readonly #cleared: () => void;
  #last = 0;
  #timer: ReturnType<typeof setInterval> | undefined;
  #dialog: HTMLDialogElement | undefined;

  /** @param cleared called once when the time is over */
  constructor(cleared: () => void) {
    this.#cleared = cleared;
  }

  start(): void {
    if (this.#timer !== undefined) return;
    this.#last = Date.now();
    for (const sign of SIGNS_OF_LIFE) addEventListener(sign, this.#alive, { passive: true });
    this.#timer = setInterval(this.#tick, TICK_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    for (const sign of SIGNS_OF_LIFE) removeEventListener(sign, this.#alive);
    this.#closeDialog();
  }

  readonly #alive = (): void => {
    // While the question is asked, only its own button answers it.
    if (this.#dialog === undefined) this.#last = Date.now();
  };

  readonly #tick = (): void => {
    const idle = Date.now() - this.#last;
    if (idle >= IDLE_MS) {
      this.stop();
      this.#cleared();
    } else if (idle >= IDLE_MS - WARNING_MS && this.#dialog === undefined) {
      this.#ask();
    }
  };

  #ask(): void {
    const stay = () => {
      this.#closeDialog();
      this.#last = Date.now();
    };
    const dialog = element(
      'dialog',
      { 'aria-labelledby': 'idle-heading', 'aria-describedby': 'idle-text' },
      element('h2', { id: 'idle-heading' }, 'Are you still there?'),
      element(
        'p',
        { id: 'idle-text' },
        'Nothing happened here for 14 minutes. In one minute your answers are cleared, so that nobody else finds them on this device.',
      ),
      element('div', { class: 'actions' }, button('Keep my answers', 'button', stay)),
    );
    // Escape closes a dialog by itself; it means "stay".
    dialog.addEventListener('cancel', stay);
    this.#dialog = dialog;
    document.body.append(dialog);
    dialog.showModal();
  }

  #closeDialog(): void {
    this.#dialog?.close();
    this.#dialog?.remove();
    this.#dialog = undefined;
  }
}

/** What the start says after the answers were cleared. */
export function idleNotice(): HTMLElement {
  return paragraph(
    'Nothing happened here for 15 minutes, so your answers were cleared. Nothing was sent.',
    'notice',
  );
}
