import { paragraph } from '../shared/dom.ts';
import type { Opened } from './checks.ts';
import { IdleWatch, idleNotice } from './idle.ts';
import { declinedScreen, introScreen } from './screens/intro.ts';
import { questionScreen } from './screens/question.ts';
import { reviewScreen } from './screens/review.ts';
import { receiptScreen, refusedScreen, retryScreen, sendingScreen } from './screens/sending.ts';
import { type Sealed, sealAnswer } from './seal.ts';
import { upload } from './upload.ts';

/** −1 the start, 0 … Q−1 the questions, Q the review. */
type Step = number;
const START: Step = -1;

/** Milliseconds of silence after which the sending screen says that it is still at work. */
const STILL_SENDING_MS = 5_000;

/**
 * The way from the start to the receipt. Answers live in this object until Submit, which clears
 * them before the first byte leaves; they are in no URL, history entry or storage. History entries
 * hold a step number only, so that the browser's own Back goes back one question.
 */
export class Survey {
  readonly #root: HTMLElement;
  readonly #opened: Opened;
  readonly #idle = new IdleWatch(() => this.#startOver(idleNotice()));
  #answers: (number | undefined)[] = [];
  #agreed = false;
  /** Whether "Continue" leads back to the review, after a press on "Change". */
  #changing = false;
  /** Set while a sealed answer waits, is on its way or was accepted. */
  #sealed: Sealed | undefined;
  #submitted = false;
  #unsent = false;

  constructor(root: HTMLElement, opened: Opened) {
    this.#root = root;
    this.#opened = opened;
  }

  start(): void {
    const [navigation] = performance.getEntriesByType('navigation');
    const reloaded =
      navigation instanceof PerformanceNavigationTiming && navigation.type !== 'navigate';
    history.replaceState({ step: START }, '');
    addEventListener('popstate', (event) => this.#travel(Number(event.state?.step ?? START)));
    addEventListener('beforeunload', (event) => {
      if (this.#unsent) event.preventDefault();
    });
    // A page that the browser keeps for its Back button must not keep answers.
    addEventListener('pagehide', () => {
      this.#clear();
      this.#root.replaceChildren();
    });
    addEventListener('pageshow', (event) => {
      if (event.persisted) location.reload();
    });
    this.#showStart(
      reloaded
        ? paragraph('This page was loaded again and starts over. It keeps no answers.', 'notice')
        : undefined,
      false,
    );
  }

  get #count(): number {
    return this.#opened.sheet.questions.length;
  }

  #clear(): void {
    this.#answers = [];
    this.#sealed = undefined;
    this.#agreed = false;
    this.#changing = false;
    this.#submitted = false;
    this.#unsent = false;
    this.#idle.stop();
  }

  #startOver(notice?: HTMLElement): void {
    this.#clear();
    history.replaceState({ step: START }, '');
    this.#showStart(notice);
  }

  /** Puts a screen in place, names the tab after it and moves the focus to its heading. */
  #show(screen: { title: string; content: Node[] }, focus = true): void {
    this.#root.replaceChildren(...screen.content);
    const { title } = this.#opened.sheet;
    document.title =
      screen.title === title ? `${title} – Chorus` : `${screen.title} – ${title} – Chorus`;
    const heading = this.#root.querySelector('h1');
    heading?.setAttribute('tabindex', '-1');
    if (!focus) return;
    window.scrollTo(0, 0);
    heading?.focus({ preventScroll: true });
  }

  #say(words: string): void {
    const status = document.getElementById('answer-status');
    if (status !== null) status.textContent = words;
  }

  #showStart(notice?: HTMLElement, focus = true): void {
    const takePart = () => {
      this.#agreed = true;
      this.#go(0);
    };
    const notNow = () => {
      this.#clear();
      this.#show(declinedScreen(this.#opened, () => this.#showStart()));
    };
    this.#show(introScreen(this.#opened, notice, takePart, notNow), focus);
  }

  #go(step: Step): void {
    history.pushState({ step }, '');
    this.#showStep(step);
  }

  /** Back and Forward of the browser: never further than the first open question. */
  #travel(step: Step): void {
    if (this.#submitted) return;
    const open = this.#questions().indexOf(undefined);
    const reach = !this.#agreed ? START : open === -1 ? this.#count : open;
    this.#changing = false;
    this.#showStep(Math.min(step, reach));
  }

  #questions(): (number | undefined)[] {
    return this.#opened.sheet.questions.map((_, i) => this.#answers[i]);
  }

  #showStep(step: Step): void {
    if (step === START) this.#showStart();
    else if (step < this.#count) this.#showQuestion(step);
    else this.#showReview();
  }

  #showQuestion(index: number): void {
    const question = this.#opened.sheet.questions[index];
    if (question === undefined) return;
    this.#idle.start();
    const keep = (place: number) => {
      this.#answers[index] = place;
      this.#unsent = true;
      // What was sealed for the review is of the earlier answers.
      this.#sealed = undefined;
    };
    this.#show(
      questionScreen({
        question,
        index,
        count: this.#count,
        chosen: this.#answers[index],
        next: 'Continue',
        touched: keep,
        answered: (place) => {
          keep(place);
          // The review is the entry before this one in the history.
          if (this.#changing) history.back();
          else this.#go(index + 1);
        },
        back: () => history.back(),
      }),
    );
  }

  #showReview(): void {
    this.#changing = false;
    const answers = this.#questions().filter((answer) => answer !== undefined);
    if (answers.length < this.#count) return;
    const sealed = sealAnswer(this.#opened, answers);
    this.#sealed = sealed;
    this.#show(
      reviewScreen(this.#opened, answers, sealed, {
        change: (index) => {
          this.#changing = true;
          this.#go(index);
        },
        submit: () => void this.#submit(sealed),
        back: () => history.back(),
      }),
    );
  }

  async #submit(sealed: Sealed): Promise<void> {
    if (this.#sealed !== sealed) return;
    this.#submitted = true;
    this.#answers = [];
    this.#idle.stop();
    this.#show(sendingScreen());
    this.#say('Sending your sealed answer.');
    const still = setTimeout(
      () => this.#say('Still sending. Please keep this page open.'),
      STILL_SENDING_MS,
    );
    const outcome = await upload(this.#opened.task.taskId, sealed.report);
    clearTimeout(still);
    this.#say('');
    if (outcome.kind === 'accepted') {
      this.#unsent = false;
      this.#show(receiptScreen(this.#opened, sealed));
    } else if (outcome.kind === 'refused') {
      this.#unsent = false;
      this.#sealed = undefined;
      this.#show(refusedScreen(this.#opened, outcome.error, () => this.#startOver()));
    } else {
      this.#show(retryScreen(this.#opened, sealed, outcome.kind, () => void this.#submit(sealed)));
    }
  }
}
