import { toBase64url } from '../../../crypto/bytes.ts';
import type { Receipt } from '../../../crypto/receipt.ts';
import { anewFragment } from '../answer/link.ts';
import {
  forgetKeptReceipt,
  forgetTabReceipt,
  keptReceipts,
  parseReceipt,
  receiptText,
  saveTabReceipt,
  tabReceipt,
} from '../shared/receipts.ts';
import { Stage } from '../shared/stage.ts';
import { STOP_WORDS, Stop, type StopCode } from '../shared/stop.ts';
import { showStop } from '../shared/stopped.ts';
import { forgetWay, saveWay, wayKey } from '../shared/ways.ts';
import { fateScreen } from './fate-screen.ts';
import { readReceiptFile } from './file.ts';
import { lookUp } from './lookup.ts';
import { type OpenedReceipt, openReceipt } from './open.ts';
import {
  chooseScreen,
  confirmScreen,
  freeScreen,
  type Leave,
  notWithdrawnScreen,
  openScreen,
  workingScreen,
} from './screens.ts';
import { withdraw } from './withdraw.ts';

/** After these, another file may be chosen on the same screen. */
const FILE_PROBLEMS: readonly StopCode[] = ['bad_receipt', 'other_guardian'];
/** After these, the receipt is of no use here, now or later. */
const USELESS: readonly StopCode[] = ['unknown_receipt', 'altered_receipt', 'retention_over'];

/**
 * What can be done with a receipt: find it, open it, withdraw or answer anew before the close, look
 * it up after it. The receipt is in this tab's storage, never in a request.
 */
export class ReceiptDesk {
  readonly #root: HTMLElement;
  readonly #stage: Stage;
  /** The way of this tab that a withdrawal gave its token back to. */
  #restored = '';

  constructor(root: HTMLElement) {
    this.#root = root;
    this.#stage = new Stage(root, 'Your receipt');
  }

  /** From the link, or this tab; otherwise the person chooses. */
  async start(): Promise<void> {
    const fragment = location.hash.slice(1);
    if (fragment !== '') {
      // Out of the address bar at once: whoever looks over a shoulder could take it from there.
      history.replaceState(null, '', location.pathname);
      await this.#guard(() => this.#open(parseReceipt(fragment)));
      return;
    }
    const inTab = tabReceipt();
    if (inTab !== undefined) await this.#guard(() => this.#open(inTab.receipt));
    else this.#choose(undefined, false);
  }

  /** What stops a step is said in its place. */
  async #guard(step: () => Promise<void>): Promise<void> {
    try {
      await step();
    } catch (error) {
      const stop = error instanceof Stop ? error : new Stop('failed');
      if (USELESS.includes(stop.code)) forgetTabReceipt();
      showStop(this.#root, stop);
    }
  }

  #choose(problem?: string, focus = true): void {
    const screen = chooseScreen(keptReceipts(), problem, {
      open: (receipt) => void this.#guard(() => this.#open(receipt)),
      file: (file) => void this.#guard(() => this.#openFile(file)),
    });
    this.#stage.show(screen, focus);
  }

  async #openFile(file: Blob): Promise<void> {
    try {
      await this.#open(await readReceiptFile(file));
    } catch (error) {
      if (!(error instanceof Stop && FILE_PROBLEMS.includes(error.code))) throw error;
      const [heading, sentence] = STOP_WORDS[error.code];
      this.#choose(`${heading}. ${sentence.replace('%', error.detail)}`);
      document.getElementById('receipt-file')?.focus();
    }
  }

  async #open(receipt: Receipt): Promise<void> {
    const heading = 'Opening your receipt';
    this.#stage.show(workingScreen(heading).screen);
    // Kept for a reload, as the link is out of the address bar; the answering page's own note of the
    // same receipt says more, and stays.
    const inTab = tabReceipt();
    if (inTab === undefined || receiptText(inTab.receipt) !== receiptText(receipt)) {
      saveTabReceipt({ receipt, way: '', received: true });
    }
    const opened = await openReceipt(receipt);
    if (opened.round.state === 'closed') await this.#showFate(opened);
    else this.#showOpen(opened);
  }

  #leave(opened: OpenedReceipt): Leave {
    const { receipt } = opened;
    const text = receiptText(receipt);
    const isKept = keptReceipts().some((kept) => receiptText(kept) === text);
    const done = () => {
      forgetTabReceipt();
      this.#choose();
    };
    const forget = () => {
      forgetKeptReceipt(receipt);
      done();
    };
    return { forget: isKept ? forget : undefined, done };
  }

  async #showFate(opened: OpenedReceipt): Promise<void> {
    const { screen, progress } = workingScreen('Looking your receipt up');
    this.#stage.show(screen);
    const found = await lookUp(opened, (done) => {
      progress.value = done;
    });
    this.#stage.show(fateScreen(opened, found, this.#leave(opened)));
  }

  #showOpen(opened: OpenedReceipt): void {
    const confirm = (then: 'withdraw' | 'anew') =>
      this.#stage.show(
        confirmScreen(opened, then, {
          confirm: () => void this.#guard(() => this.#withdraw(opened, then)),
          back: () => this.#showOpen(opened),
        }),
      );
    this.#stage.show(
      openScreen(opened, this.#leave(opened), {
        withdraw: () => confirm('withdraw'),
        anew: () => confirm('anew'),
      }),
    );
  }

  async #withdraw(opened: OpenedReceipt, then: 'withdraw' | 'anew'): Promise<void> {
    this.#stage.show(workingScreen('Withdrawing').screen);
    this.#stage.say('Withdrawing your answer.');
    const outcome = await withdraw(opened);
    this.#stage.say('');
    if (outcome === 'withdrawn' || outcome === 'absent') {
      this.#freeToken(opened.receipt);
      // What is not there is not silently replaced: the person reads it first.
      if (outcome === 'withdrawn' && then === 'anew') this.#answerAnew(opened);
      else {
        const anew = () => this.#answerAnew(opened);
        this.#stage.show(freeScreen(opened, outcome, this.#leave(opened), anew));
      }
      return;
    }
    this.#stage.show(
      notWithdrawnScreen(opened, outcome, {
        again: () => void this.#guard(() => this.#withdraw(opened, then)),
        open: () => void this.#guard(() => this.#open(opened.receipt)),
      }),
    );
  }

  /** The invitation that this tab answered by can be answered by again, without asking for a token. */
  #freeToken({ seed, authenticator, ...receipt }: Receipt): void {
    const way = tabReceipt()?.way ?? '';
    if (way !== '') saveWay(way, { step: 'token', seed, authenticator });
    this.#restored = way;
    saveTabReceipt({ receipt: { seed, authenticator, ...receipt }, way: '', received: true });
  }

  /** The freed token goes to the answering page through this tab's storage. */
  #answerAnew({ receipt }: OpenedReceipt): void {
    const { seed, authenticator, groupIndex, manifestHash } = receipt;
    const fragment = anewFragment(groupIndex, toBase64url(manifestHash));
    saveWay(wayKey(fragment), { step: 'token', seed, authenticator });
    // One token, one way: the invitation's own link is not open beside it.
    if (this.#restored !== '') forgetWay(this.#restored);
    forgetTabReceipt();
    location.assign(`/answer${fragment}`);
  }
}
