import { fromBase64url } from '../../crypto/bytes.ts';
import { parseCanonicalJson } from '../../crypto/canonical.ts';
import { vdafContext } from '../../crypto/dap/task.ts';
import type { Interval } from '../../crypto/dap/types.ts';
import {
  checkHead,
  type ManifestEntry,
  type ManifestHead,
  surveyOf,
} from '../../crypto/manifest.ts';
import { noticeHash, type Sheet } from '../../crypto/sheet.ts';
import type { TokenBinding } from '../../crypto/token.ts';
import { taskChallengeHash } from '../../crypto/token-challenge.ts';
import { prio3Survey } from '../../crypto/vdaf/circuits/survey.ts';
import type { Prio3 } from '../../crypto/vdaf/prio3.ts';
import { storedSheet } from '../domain/sheets.ts';
import type { RoundStore } from '../storage/rounds.ts';
import type { SheetStore } from '../storage/sheets.ts';
import type { Task } from '../storage/tasks.ts';
import { TokenVerifier } from './token-check.ts';

/** What a round's signed manifest and sheet say, decoded once. */
export interface RoundContext {
  readonly head: ManifestHead;
  readonly sheet: Sheet;
  readonly vdaf: Prio3<readonly number[], number[]>;
  /** The only time a report may have: the round's first day. */
  readonly time: number;
  /** The only interval a query may have: the round's days. */
  readonly interval: Interval;
  /** What the extension `consent` of every report must hold. */
  readonly noticeHash: Uint8Array;
}

/** A task with all that opening, verifying and releasing its reports needs. */
export interface TaskContext extends RoundContext {
  readonly taskId: Uint8Array;
  readonly configuration: Uint8Array;
  /** The VDAF's application context. */
  readonly ctx: Uint8Array;
  readonly groupIndex: number;
  readonly tokens: TokenVerifier;
  /** What a token of this task is bound to, but for the nonce of its report. */
  readonly tokenBinding: Omit<TokenBinding, 'nonce'>;
}

/** The contexts of the rounds in the database; what they hold never changes, so they are kept. */
export class Contexts {
  readonly #rounds: RoundStore;
  readonly #sheets: SheetStore;
  readonly #kept = new Map<string, RoundContext>();
  readonly #tasks = new Map<string, TaskContext>();
  readonly #tokens = new TokenVerifier();

  constructor(rounds: RoundStore, sheets: SheetStore) {
    this.#rounds = rounds;
    this.#sheets = sheets;
  }

  /** @throws Error if the round is not in the database */
  round(manifestHash: Buffer): RoundContext {
    const key = manifestHash.toString('hex');
    const kept = this.#kept.get(key);
    if (kept !== undefined) return kept;
    const round = this.#rounds.withHash(manifestHash);
    const stored = round && this.#sheets.withHash(round.sheetHash);
    if (round === undefined || stored === undefined) throw new Error('no such round or sheet');
    const head = checkHead(parseCanonicalJson(round.head));
    const sheet = storedSheet(stored.bytes);
    const context = {
      head,
      sheet,
      vdaf: prio3Survey(surveyOf(sheet)),
      time: head.days.start,
      interval: head.days,
      noticeHash: noticeHash(sheet),
    };
    this.#kept.set(key, context);
    return context;
  }

  task(task: Task): TaskContext {
    const key = task.taskId.toString('hex');
    const kept = this.#tasks.get(key);
    if (kept !== undefined) return kept;
    const round = this.round(task.manifestHash);
    const { token_key } = parseCanonicalJson(task.entry) as unknown as ManifestEntry;
    const context = {
      ...round,
      taskId: task.taskId,
      configuration: task.configuration,
      ctx: vdafContext(task.taskId),
      groupIndex: task.groupIndex,
      tokens: this.#tokens,
      tokenBinding: {
        spki: fromBase64url(token_key),
        challengeHash: taskChallengeHash(task.taskId, round.head.employer, round.head.guardian),
      },
    };
    this.#tasks.set(key, context);
    return context;
  }
}
