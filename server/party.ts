import { type KeyObject, randomFillSync } from 'node:crypto';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { type Logger, pino } from 'pino';
import { z } from 'zod';
import type { Randomness } from '../crypto/random.ts';
import { Secret } from '../crypto/secret.ts';
import { PlanError } from './domain/plan-error.ts';
import type { Staff } from './domain/staff.ts';
import type { PageFolders } from './http/pages.ts';
import { Refusal } from './http/refusal.ts';
import { bytesField } from './http/schema.ts';
import { close } from './http/serve.ts';
import type { StatusPage } from './http/views.ts';
import { Clockwork, type Step } from './jobs/clockwork.ts';
import type { Mailer } from './mail/mailer.ts';
import { PeerAway, PeerClient, PeerRefusal } from './peer/client.ts';
import { type Pairing, parsePairing } from './peer/pairing.ts';
import type { Clock } from './storage/clock.ts';
import type { Round } from './storage/rounds.ts';
import { SharedWrites } from './storage/shared-writes.ts';
import { openStores, type Stores } from './storage/stores.ts';
import type { TaskState } from './storage/tasks.ts';

/** What a party is started with. Time, randomness and the network come in here and nowhere else. */
export interface PartyConfig {
  /** Its data: database, key folder, log. Made and paired beforehand. */
  readonly folder: string;
  /** Where it answers, as the other party and the browser name it. */
  readonly url: string;
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  readonly names: { readonly guardian: string; readonly employer: string };
  /** Both parties on one machine, for trying it out: rounds may be closed by hand. */
  readonly evaluation: boolean;
  /** In which days begin and end. */
  readonly timeZone: string;
  /** How long before it opens a round is planned, in days. */
  readonly planDaysAhead: number;
  readonly clock: Clock;
  /** Time for links and sessions where it is not `clock`: in the evaluation always the present. */
  readonly staffClock?: Clock;
  /** What messages leave by; without one, none are sent, and pages say so. */
  readonly mailer?: Mailer;
  /** The evaluation's mail server's mail, oldest first, for a page at the employer. */
  readonly evaluationMail?: () => readonly EvaluationMail[];
  readonly randomness: Randomness;
  /** Where the employer's token keys come from: RSA, 2048 bits, e = 65537; new ones by default. */
  readonly newTokenKey?: () => Promise<{
    readonly publicKey: KeyObject;
    readonly privateKey: KeyObject;
  }>;
  readonly fetch: typeof fetch;
  readonly migrations: string;
  readonly pages: PageFolders;
  /** How often it looks for work by itself, in milliseconds. */
  readonly intervalMs: number;
}

/** A mail that the evaluation's mail server took. */
export interface EvaluationMail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  /** When, in milliseconds since 1970 (UTC). */
  readonly atMs: number;
}

/** A running party. */
export interface Party {
  readonly port: number;
  /** Looks for work now. */
  nudge(): void;
  /** Every round, with how many of its groups are in each state. */
  rounds(): { round: Round; groups: Record<TaskState, number> }[];
  /** What is being prepared, for the status page. */
  setPreparing(preparing: StatusPage['preparing']): void;
  /** A sign-in link that works again and again, until this process ends; in an evaluation only. */
  evaluationLink(person: Omit<Staff, 'id'>): string;
  /** Answers what is under way, stops the work, closes the database. */
  close(): Promise<void>;
}

/** 32 secure bytes at a time, and more. */
export const systemRandomness: Randomness = (length) => randomFillSync(new Uint8Array(length));

const IDENTITY = z.strictObject({ signing_seed: bytesField(32) });

/** Characters of log lines that are kept while the log cannot be written; more are dropped. */
const LOG_BACKLOG = 64 * 1024;

/** What both parties start from: stores, identity, pairing, log. */
export interface PartyBase extends Stores {
  readonly writes: SharedWrites;
  readonly signingSeed: Secret<Uint8Array>;
  readonly pairing: Pairing;
  readonly peer: PeerClient;
  readonly log: Logger;
  readonly logPath: string;
  readonly randomness: Randomness;
  readonly url: string;
}

/** Where a party writes its technical log. */
export function logPathOf(role: 'guardian' | 'employer', folder: string): string {
  return join(folder, `${role}.log`);
}

/** @throws ZodError if the folder holds no identity or no pairing */
export function openParty(role: 'guardian' | 'employer', config: PartyConfig): PartyBase {
  const stores = openStores(role, config.folder, config.migrations, config.clock);
  const identity = IDENTITY.parse(stores.keyFiles.read('identity'));
  const pairing = parsePairing(stores.keyFiles.read('pairing'));
  const logPath = logPathOf(role, config.folder);
  const logFile = pino.destination({
    dest: logPath,
    sync: true,
    maxLength: LOG_BACKLOG,
  });
  // A log that cannot be written, on a full disk say, must not end the party.
  logFile.on('error', () => {});
  return {
    ...stores,
    writes: new SharedWrites(stores.db),
    signingSeed: new Secret(identity.signing_seed),
    pairing,
    peer: new PeerClient(pairing, config.fetch),
    // Chosen fields only: no address, no header, no body, no person.
    log: pino({ base: null, level: 'info' }, logFile),
    logPath,
    randomness: config.randomness,
    url: config.url,
  };
}

/** Runs a party's steps and keeps in mind whether they wait for the other party. */
export class PartyWork {
  readonly clockwork: Clockwork;
  readonly #base: PartyBase;
  readonly #other: 'guardian' | 'employer';
  /** The steps that the other party did not answer when they last ran. */
  readonly #unanswered = new Set<string>();
  /** What each step last failed with: said once, not at every turn. */
  readonly #failures = new Map<string, { readonly message: string; readonly shown: string }>();

  constructor(
    base: PartyBase,
    other: 'guardian' | 'employer',
    steps: readonly Step[],
    intervalMs: number,
  ) {
    this.#base = base;
    this.#other = other;
    this.clockwork = new Clockwork(
      steps.map((step) => ({ name: step.name, run: () => this.#run(step) })),
      intervalMs,
      (step, error) => this.#failed(step, error),
    );
  }

  /** What does not get done, and why: one sentence a step. */
  get failures(): string[] {
    return [...this.#failures].map(
      ([step, { shown }]) => `Could not ${step}: ${shown.replace(/\.$/, '')}.`,
    );
  }

  /** Whether some work waits for an answer of the other party. */
  get away(): boolean {
    return this.#unanswered.size > 0;
  }

  async #run(step: Step): Promise<boolean> {
    try {
      const progress = await step.run();
      this.#failures.delete(step.name);
      // What waited may have been withheld instead: then nothing waits, and nobody has answered.
      if (this.#unanswered.delete(step.name) && !this.away && this.#base.peer.answered) {
        this.#note(false);
      }
      return progress;
    } catch (error) {
      // Calls that this party ended itself, because it stops, say nothing of the other.
      if (error instanceof PeerAway && !this.#base.peer.closed) {
        const first = !this.away;
        this.#unanswered.add(step.name);
        if (first) {
          this.#base.log.warn({ detail: error.message }, 'the other party is away');
          this.#note(true);
        }
      }
      throw error;
    }
  }

  #failed(step: string, error: unknown): void {
    // The other party is not that far; the step comes again at the next turn.
    const waits = error instanceof PeerRefusal && error.code === 'notYet';
    if (waits || error instanceof PeerAway) return;
    const message = error instanceof Error ? error.message : String(error);
    if (this.#failures.get(step)?.message === message) return;
    // Pages show what was said to be shown; the rest may hold a path or worse, and is for the log.
    const told =
      error instanceof Refusal || error instanceof PeerRefusal || error instanceof PlanError;
    this.#failures.set(step, { message, shown: told ? message : 'see the log' });
    this.#base.log.error({ step, err: error }, 'step failed');
  }

  #note(away: boolean): void {
    this.#base.events.add({
      atMs: this.#base.clock.now(),
      round: null,
      groupIndex: null,
      kind: away ? 'peer-away' : 'peer-back',
      sentence: away
        ? `The ${this.#other} does not answer; the work goes on when it does.`
        : `The ${this.#other} answers again.`,
    });
  }
}

/** Every round of a party, with how many of its groups are in each state. */
export function standings(stores: Stores): ReturnType<Party['rounds']> {
  return stores.rounds
    .all()
    .map((round) => ({ round, groups: stores.tasks.states(round.manifestHash) }));
}

/** Ends a party in the order that loses nothing. */
export async function closeParty(base: PartyBase, work: PartyWork, server: Server): Promise<void> {
  base.peer.close();
  await work.clockwork.stop();
  await close(server);
  base.db.close();
}
