import { today } from '../shared/days.ts';
import { paragraph } from '../shared/dom.ts';
import { forgetTabReceipt, saveTabReceipt, tabReceipt } from '../shared/receipts.ts';
import { Stage } from '../shared/stage.ts';
import { Stop } from '../shared/stop.ts';
import { forgetWay, keepWay, purgeWays, readWay, saveWay, type Way } from '../shared/ways.ts';
import type { Opened } from './checks.ts';
import { IdleWatch, idleNotice } from './idle.ts';
import { askForToken, newRequest, type Permit, permitOf, warmUp, wayOf } from './permit.ts';
import {
  choiceScreen,
  clearedScreen,
  declinedScreen,
  declineLostScreen,
  laterScreen,
  waitingScreen,
} from './screens/choice.ts';
import { introScreen } from './screens/intro.ts';
import { questionScreen } from './screens/question.ts';
import { receiptScreen, uncertainScreen } from './screens/receipt.ts';
import { reviewScreen } from './screens/review.ts';
import { refusedScreen, retryScreen, sendingScreen } from './screens/sending.ts';
import { askingScreen, noReplyScreen, noTokenScreen } from './screens/token.ts';
import { declineMessage, type Sealed, sealAnswer } from './seal.ts';
import { upload } from './upload.ts';

/** The start, the choice, 0 … Q−1 the questions, Q the review. */
type Step = number;
const START: Step = -2;
const CHOICE: Step = -1;

/** Milliseconds of silence after which a screen that waits says that it is still at work. */
const STILL_MS = 5_000;

/**
 * The way from the start to the receipt. Answers live in this object until Submit, which clears
 * them before the first byte leaves; they are in no URL, history entry or storage. What the tab's
 * storage holds is the token, and after Submit the receipt. History entries hold a step number only,
 * so that the browser's own Back goes back one step.
 */
export class Survey {
  readonly #stage: Stage;
  readonly #opened: Opened;
  readonly #idle = new IdleWatch(() => this.#startOver(idleNotice()));
  #permit: Permit | undefined;
  #answers: (number | undefined)[] = [];
  #agreed = false;
  /** Whether "Continue" leads back to the review, after a press on "Change". */
  #changing = false;
  /** Set while a sealed answer waits, is on its way or was accepted. */
  #sealed: Sealed | undefined;
  /** Nothing can be changed any more: the browser's Back leads nowhere. */
  #over = false;
  #unsent = false;

  constructor(root: HTMLElement, opened: Opened) {
    this.#stage = new Stage(root, opened.sheet.title);
    this.#opened = opened;
  }

  /** @throws Stop `no_token` */
  start(): void {
    const { key, code } = this.#opened;
    purgeWays(today());
    this.#permit = permitOf(this.#opened, readWay(key));
    const earlier = tabReceipt();
    const sent = earlier?.way === key ? earlier : undefined;
    if (code === undefined && this.#permit === undefined && sent === undefined) {
      throw new Stop('no_token');
    }
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
      this.#stage.clear();
    });
    addEventListener('pageshow', (event) => {
      if (event.persisted) location.reload();
    });
    if (sent !== undefined) {
      this.#over = true;
      const screen = sent.received
        ? receiptScreen(this.#opened, sent.receipt, undefined, () => this.#done())
        : uncertainScreen(this.#opened, sent.receipt, () => this.#done());
      this.#stage.show(screen, false);
      return;
    }
    this.#showStart(
      reloaded
        ? paragraph('This page was loaded again and starts over. It keeps no answers.', 'notice')
        : undefined,
      false,
    );
    // Once the start is on the screen.
    if (this.#permit === undefined) setTimeout(() => warmUp(this.#opened));
  }

  get #count(): number {
    return this.#opened.sheet.questions.length;
  }

  /** Forgets the answers, and nothing else. */
  #clear(): void {
    this.#answers = [];
    this.#sealed = undefined;
    this.#agreed = false;
    this.#changing = false;
    this.#over = false;
    this.#unsent = false;
    this.#idle.stop();
  }

  #startOver(notice?: HTMLElement): void {
    this.#clear();
    history.replaceState({ step: START }, '');
    this.#showStart(notice);
    // It stands before the heading, which has the focus.
    this.#stage.say(notice?.textContent ?? '');
  }

  /** Leaves nothing of the visit in this tab, its address included. */
  #done(): void {
    this.#clear();
    this.#permit = undefined;
    forgetWay(this.#opened.key);
    forgetTabReceipt();
    this.#over = true;
    history.replaceState(null, '', location.pathname);
    this.#stage.show(clearedScreen());
  }

  #showStart(notice?: HTMLElement, focus = true): void {
    const asked = readWay(this.#opened.key)?.step === 'asked';
    const come = this.#permit !== undefined ? 'token' : asked ? 'asked' : 'new';
    this.#stage.show(
      introScreen(this.#opened, notice, come, () => this.#continue()),
      focus,
    );
  }

  #continue(): void {
    if (this.#permit !== undefined) {
      this.#go(CHOICE);
      return;
    }
    const way = readWay(this.#opened.key);
    void this.#ask(way?.step === 'asked' ? way : newRequest(this.#opened));
  }

  /** Says after a while that it is still at work. */
  async #waitFor<T>(words: string, work: Promise<T>): Promise<T> {
    this.#stage.say(`${words}.`);
    const still = setTimeout(
      () => this.#stage.say(`Still ${words.toLowerCase()}. Please keep this page open.`),
      STILL_MS,
    );
    try {
      return await work;
    } finally {
      clearTimeout(still);
      this.#stage.say('');
    }
  }

  async #ask(way: Extract<Way, { step: 'asked' }>): Promise<void> {
    const { key } = this.#opened;
    // Before the first byte leaves: after a lost reply only the same request gets the token.
    saveWay(key, way);
    this.#stage.show(askingScreen());
    const outcome = await this.#waitFor('Fetching your token', askForToken(this.#opened, way));
    const back = () => this.#showStart();
    if (outcome.kind === 'token') {
      this.#permit = outcome.permit;
      saveWay(key, wayOf(outcome.permit));
      this.#go(CHOICE);
    } else if (outcome.kind === 'refused') {
      // A no without a reason may be somebody's on the way: an earlier try may have used the code up,
      // and then only the same request gets the token.
      if (outcome.code !== 'other') forgetWay(key);
      const again = () => this.#continue();
      this.#stage.show(noTokenScreen(this.#opened, outcome.code, { again, back }));
    } else {
      const again = () => void this.#ask(way);
      this.#stage.show(noReplyScreen(outcome.kind, { again, back }));
    }
  }

  #go(step: Step): void {
    history.pushState({ step }, '');
    this.#showStep(step);
  }

  /** Back and Forward of the browser: never further than the first open question. */
  #travel(step: Step): void {
    if (this.#over) return;
    const open = this.#questions().indexOf(undefined);
    const questions = open === -1 ? this.#count : open;
    const reach = this.#permit === undefined ? START : this.#agreed ? questions : CHOICE;
    this.#changing = false;
    this.#showStep(Math.min(step, reach));
  }

  #questions(): (number | undefined)[] {
    return this.#opened.sheet.questions.map((_, i) => this.#answers[i]);
  }

  #showStep(step: Step): void {
    if (step === START) this.#showStart();
    else if (step === CHOICE) this.#showChoice();
    else if (step < this.#count) this.#showQuestion(step);
    else this.#showReview();
  }

  #showChoice(): void {
    const permit = this.#permit;
    if (permit === undefined) return;
    this.#stage.show(
      choiceScreen(this.#opened, {
        takePart: () => {
          this.#agreed = true;
          this.#go(0);
        },
        decline: () => {
          this.#clear();
          void this.#decline(declineMessage(this.#opened, permit));
        },
        later: () => this.#showLater(permit),
        back: () => history.back(),
      }),
    );
  }

  #showLater(permit: Permit): void {
    const { head, key } = this.#opened;
    const back = () => this.#startOver();
    const wait = (where: 'device' | 'tab' | 'refused') =>
      this.#stage.show(waitingScreen(this.#opened, where, back));
    const keep = () => {
      const until = head.days.start + head.days.duration;
      wait(keepWay(key, wayOf(permit), until) ? 'device' : 'refused');
    };
    this.#stage.show(laterScreen(this.#opened, { keep, leave: () => wait('tab') }));
  }

  async #decline(message: Uint8Array): Promise<void> {
    this.#over = true;
    this.#stage.show(sendingScreen('decline'));
    const { taskId } = this.#opened.task;
    const outcome = await this.#waitFor('Sending', upload(taskId, message));
    const thanks = () =>
      this.#stage.show(
        declinedScreen(this.#opened, {
          back: () => this.#startOver(),
          done: () => this.#done(),
        }),
      );
    if (outcome.kind === 'lost' || outcome.kind === 'busy') {
      const again = () => void this.#decline(message);
      this.#stage.show(declineLostScreen({ again, leave: () => this.#done() }));
    } else {
      thanks();
    }
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
    this.#stage.show(
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
    if (answers.length < this.#count || this.#permit === undefined) return;
    const sealed = sealAnswer(this.#opened, this.#permit, answers);
    this.#sealed = sealed;
    this.#stage.show(
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
    const { key, task } = this.#opened;
    const { receipt, report } = sealed;
    this.#over = true;
    this.#answers = [];
    this.#idle.stop();
    // Before the first byte leaves: if this page is gone when the reply comes, the receipt is not.
    saveTabReceipt({ receipt, way: key, received: false });
    this.#stage.show(sendingScreen('answer'));
    const outcome = await this.#waitFor('Sending your sealed answer', upload(task.taskId, report));
    if (outcome.kind === 'accepted') {
      this.#unsent = false;
      saveTabReceipt({ receipt, way: key, received: true });
      forgetWay(key);
      this.#stage.show(receiptScreen(this.#opened, receipt, sealed, () => this.#done()));
    } else if (outcome.kind === 'refused') {
      this.#unsent = false;
      this.#sealed = undefined;
      forgetTabReceipt();
      this.#stage.show(refusedScreen(this.#opened, outcome.error, () => this.#startOver()));
    } else {
      const again = () => void this.#submit(sealed);
      this.#stage.show(retryScreen(this.#opened, sealed, outcome.kind, again));
    }
  }
}
