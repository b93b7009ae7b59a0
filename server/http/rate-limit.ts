import { createHmac } from 'node:crypto';
import type { Randomness } from '../../crypto/random.ts';
import type { Clock } from '../storage/clock.ts';

/** Keys that are remembered at once: more would let a flood of addresses fill the memory. */
const MAX_KEYS = 10_000;

interface Window {
  count: number;
  readonly endsMs: number;
}

/**
 * So many of a kind in so much time, for each address by itself. An address is kept as an HMAC with
 * a salt of this process only, never written anywhere, and only until its time is over.
 */
export class RateLimit {
  readonly #limit: number;
  readonly #windowMs: number;
  readonly #clock: Clock;
  readonly #salt: Uint8Array;
  /** In the order in which they end. */
  readonly #windows = new Map<string, Window>();

  constructor(limit: number, windowMs: number, clock: Clock, randomness: Randomness) {
    this.#limit = limit;
    this.#windowMs = windowMs;
    this.#clock = clock;
    this.#salt = randomness(32);
  }

  /** Counts one more. @returns whether it is within the limit */
  allows(address: string): boolean {
    const now = this.#clock.now();
    this.#forget(now);
    const key = createHmac('sha256', this.#salt).update(address).digest('base64url');
    const window = this.#windows.get(key);
    if (window === undefined) {
      this.#windows.set(key, { count: 1, endsMs: now + this.#windowMs });
      return true;
    }
    window.count++;
    return window.count <= this.#limit;
  }

  /** How many addresses are remembered. */
  get size(): number {
    return this.#windows.size;
  }

  #forget(now: number): void {
    for (const [key, { endsMs }] of this.#windows) {
      if (endsMs > now && this.#windows.size < MAX_KEYS) return;
      this.#windows.delete(key);
    }
  }
}
