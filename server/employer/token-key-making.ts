import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { TokenKeys } from './token-keys.ts';

const MOMENT_MS = 200;

/** How far the keys of one round are. */
interface Making {
  readonly groups: number;
  done: number;
  /** The SubjectPublicKeyInfo of each group, once all are there. */
  keys?: readonly Uint8Array[];
  ended: Promise<void>;
}

/** Token keys in the making: minutes of work for a large company, started here and asked about later. */
export class TokenKeyMaking {
  readonly #keys: TokenKeys;
  readonly #log: Logger;
  readonly #stop = new AbortController();
  readonly #rounds = new Map<number, Making>();

  constructor(keys: TokenKeys, log: Logger) {
    this.#keys = keys;
    this.#log = log;
  }

  /**
   * The public keys of a round's groups; the same whenever it is asked. Where some are missing, they
   * are made from now on in the background; what takes a moment only is waited for.
   * @returns how many there are, as long as that is not all
   */
  async ask(round: number, groups: number): Promise<readonly Uint8Array[] | number> {
    let making = this.#rounds.get(round);
    // The roster may have changed, so that the round has other groups now; keys that are there stay.
    if (making?.keys !== undefined && making.groups !== groups) making = undefined;
    making ??= this.#start(round, groups);
    if (making.keys === undefined) {
      const enough = new AbortController();
      const moment = sleep(MOMENT_MS, undefined, { signal: enough.signal }).catch(() => {});
      await Promise.race([making.ended, moment]);
      enough.abort();
    }
    return making.keys ?? making.done;
  }

  /** What is being made, in sentences: one round at a time. */
  sentences(): string[] {
    return [...this.#rounds]
      .filter(([, { keys }]) => keys === undefined)
      .slice(0, 1)
      .map(([round, { done, groups }]) => {
        return `Token keys of round ${round} are being made: ${done} of ${groups}.`;
      });
  }

  /** The round is over, or its keys are kept by its manifest: nothing is said about it any more. */
  forget(round: number): void {
    this.#rounds.delete(round);
  }

  /** Ends what is under way; started again it goes on from there. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all([...this.#rounds.values()].map(({ ended }) => ended));
  }

  #start(round: number, groups: number): Making {
    const making: Making = { groups, done: 0, ended: Promise.resolve() };
    this.#rounds.set(round, making);
    const onProgress = (done: number) => {
      making.done = done;
    };
    making.ended = this.#keys
      .generate({ round, groups, signal: this.#stop.signal, onProgress })
      .then((keys) => {
        making.keys = keys;
      })
      .catch((error) => {
        // Tried again when it is asked for again.
        if (this.#rounds.get(round) === making) this.#rounds.delete(round);
        if (!this.#stop.signal.aborted) this.#log.error({ err: error, round }, 'no token keys');
      });
    return making;
  }
}
