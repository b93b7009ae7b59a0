import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { PartyReply, PartyRequest, PartyStart } from './messages.ts';

/** A party's process ended by itself, or answered no. */
export class PartyFailed extends Error {
  override readonly name = 'PartyFailed';
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** A running party process, as the process that started it sees it. */
export class PartyHandle {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #waiting: Waiting[] = [];
  readonly exited: Promise<void>;

  private constructor(name: string, child: ChildProcess) {
    this.#name = name;
    this.#child = child;
    this.exited = new Promise((resolve) => child.once('exit', () => resolve()));
    child.on('message', (message: PartyReply) => this.#receive(message));
    child.once('exit', (code, signal) => {
      const error = new PartyFailed(`the ${this.#name} ended (${signal ?? `code ${code}`})`);
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    });
  }

  /** Starts a party and resolves once it answers. @throws PartyFailed */
  static async start(start: PartyStart): Promise<PartyHandle> {
    const script = fileURLToPath(new URL('party-process.js', import.meta.url));
    const child = fork(script, [JSON.stringify(start)], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const handle = new PartyHandle(start.party, child);
    await handle.#next();
    return handle;
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** @throws PartyFailed */
  request(request: PartyRequest): Promise<unknown> {
    const reply = this.#next();
    if (this.#child.connected) this.#child.send(request);
    return reply;
  }

  /** Asks the party to stop and waits until it has. */
  async stop(): Promise<void> {
    if (this.#child.connected) this.request({ kind: 'stop' }).catch(() => {});
    await this.exited;
  }

  #next(): Promise<unknown> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) {
      return Promise.reject(new PartyFailed(`the ${this.#name} is not running`));
    }
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  #receive(message: PartyReply): void {
    const waiting = this.#waiting.shift();
    if (message.kind === 'failed') {
      waiting?.reject(new PartyFailed(`${this.#name}: ${message.message}`));
    } else {
      waiting?.resolve(message.kind === 'ready' ? message.port : message.value);
    }
  }
}
