import type { Clock } from '../storage/clock.ts';

/**
 * The evaluation's clock: stands still in the past while the sample is made, is moved forward by the
 * process that started the party, and then follows the present. No request can reach it.
 */
export class EvaluationClock implements Clock {
  #at = 0;
  #live = false;

  now(): number {
    return this.#live ? Date.now() : this.#at;
  }

  /** Whether it follows the present. */
  get isLive(): boolean {
    return this.#live;
  }

  /** Moves to `toMs`, or stays if that is earlier. */
  advance(toMs: number): void {
    this.#at = Math.max(this.#at, toMs);
  }

  /** From now on the present. */
  live(): void {
    this.#live = true;
  }
}
