/** One kind of work. @returns whether it got something done, so that more may follow */
export interface Step {
  readonly name: string;
  run(): Promise<boolean>;
}

/**
 * Runs a party's steps one after the other, over and over: after every nudge, and at least every
 * `intervalMs`. Steps are repeatable and find their work in the database, so that starting again
 * after a crash is the same as going on.
 */
export class Clockwork {
  readonly #steps: readonly Step[];
  readonly #intervalMs: number;
  readonly #onError: (step: string, error: unknown) => void;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #stopped = true;

  constructor(
    steps: readonly Step[],
    intervalMs: number,
    onError: (step: string, error: unknown) => void,
  ) {
    this.#steps = steps;
    this.#intervalMs = intervalMs;
    this.#onError = onError;
  }

  start(): void {
    this.#stopped = false;
    this.nudge();
  }

  /** Looks for work now, or right after what is under way. */
  nudge(): void {
    if (this.#stopped) return;
    if (this.#running !== undefined) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#running = this.#turn().finally(() => {
      this.#running = undefined;
      if (this.#stopped) return;
      if (this.#again) {
        this.#again = false;
        this.nudge();
      } else {
        this.#timer = setTimeout(() => this.nudge(), this.#intervalMs);
      }
    });
  }

  /** Takes up nothing new and waits for what is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  /** All steps until none of them gets anything done; a failing step does not stop the others. */
  async #turn(): Promise<void> {
    let progress = true;
    while (progress && !this.#stopped) {
      progress = false;
      for (const step of this.#steps) {
        if (this.#stopped) return;
        try {
          if (await step.run()) progress = true;
        } catch (error) {
          this.#onError(step.name, error);
        }
      }
    }
  }
}
