import { equalBytes, toHex } from '../../crypto/bytes.ts';
import { parseCanonicalJson } from '../../crypto/canonical.ts';
import { CryptoError } from '../../crypto/errors.ts';
import { entryTokenKeyId, type ManifestEntry } from '../../crypto/manifest.ts';
import { sha256 } from '../../crypto/sha256.ts';
import { openTokenRequest } from '../../crypto/token.ts';
import { tokenKeyId } from '../../crypto/token-key.ts';
import { paced } from '../aggregator/paced.ts';
import { Refusal } from '../http/refusal.ts';
import { coverWal, truncateWal } from '../storage/database.ts';
import type { Code } from '../storage/invitations.ts';
import type { Round } from '../storage/rounds.ts';
import { transact } from '../storage/stores.ts';
import type { EmployerParts } from './parts.ts';
import { type IssuerKey, issueToken } from './token-keys.ts';

/** Uses that are written in one transaction: about 20 ms of signing afterwards. */
const USES_A_TURN = 50;

/** What somebody asks for with the code of their invitation. */
export interface TokenAsked {
  /** 16 bytes. */
  readonly code: Uint8Array;
  /** 32 bytes. */
  readonly tokenKeyId: Uint8Array;
  /** TokenRequest, 259 bytes. */
  readonly request: Uint8Array;
}

/** A use that is in order and waits to be written. */
interface Use {
  readonly codeHash: Uint8Array;
  readonly requestHash: Uint8Array;
  readonly done: (error?: unknown) => void;
}

/**
 * Gives one token for each invitation. A code is marked with the hash of its one request, in place,
 * and the log is truncated and covered before the reply leaves, so that what is stored tells neither
 * when a code was used nor in which order, nor which ones were last. Uses that come together are written together: one turn of the disk.
 */
export class TokenIssuing {
  readonly #parts: EmployerParts;
  #waiting: Use[] = [];
  /** Token key ids of closed rounds, by the round's number. */
  readonly #keyIds = new Map<number, ReadonlySet<string>>();

  constructor(parts: EmployerParts) {
    this.#parts = parts;
  }

  /**
   * The blind signature, 256 bytes: the same for the same request, as often as it is asked for.
   * @throws Refusal `codeUnknown`, `codeExpired`, `wrongKey`, `invalidMessage`, with nothing marked;
   * `codeUsed` for a code that was used with another request
   */
  async issue(asked: TokenAsked): Promise<Uint8Array> {
    const codeHash = sha256(asked.code);
    const requestHash = sha256(asked.request);
    const code = this.#parts.invitations.code(codeHash);
    if (code === undefined) throw await this.#unknown(asked.tokenKeyId);
    this.#requireOpen(code.round);
    const key = this.#keyOf(code);
    if (!equalBytes(tokenKeyId(key.spki), asked.tokenKeyId)) throw new Refusal('wrongKey');
    const blinded = openRequest(asked.request, key);
    requireUsable(code, requestHash);
    await this.#write(codeHash, requestHash);
    return issueToken(key, blinded);
  }

  /** Marks a code, together with those that wait in this turn. @throws Refusal `codeUsed` */
  #write(codeHash: Uint8Array, requestHash: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (error?: unknown) => (error === undefined ? resolve() : reject(error));
      this.#waiting.push({ codeHash, requestHash, done });
      if (this.#waiting.length === 1) setImmediate(() => this.#gather(0));
    });
  }

  /** Waits for further uses, as long as each turn brings some: the disk's turn is what costs. */
  #gather(before: number): void {
    const { length } = this.#waiting;
    if (length > before && length < USES_A_TURN) setImmediate(() => this.#gather(length));
    else this.#flush();
  }

  #flush(): void {
    const uses = this.#waiting.slice(0, USES_A_TURN);
    this.#waiting = this.#waiting.slice(USES_A_TURN);
    if (this.#waiting.length > 0) setImmediate(() => this.#flush());
    const refused = new Map<Use, unknown>();
    try {
      transact(this.#parts.db, () => {
        for (const use of uses) {
          try {
            this.#mark(use);
          } catch (error) {
            if (!(error instanceof Refusal)) throw error;
            refused.set(use, error);
          }
        }
      });
      // For a repeated request too: the first truncation may have failed.
      truncateWal(this.#parts.db);
      coverWal(this.#parts.db);
    } catch (error) {
      for (const use of uses) use.done(error);
      return;
    }
    for (const use of uses) use.done(refused.get(use));
  }

  /** By the state inside the transaction: the round may have been closed since, or the code used. */
  #mark({ codeHash, requestHash }: Use): void {
    const code = this.#parts.invitations.code(codeHash);
    if (code === undefined) throw new Refusal('codeExpired', CLOSED);
    this.#requireOpen(code.round);
    requireUsable(code, requestHash);
    if (code.requestHash === undefined) this.#parts.invitations.use(code.id, requestHash);
  }

  #keyOf(code: Code): IssuerKey {
    const key = this.#parts.tokenKeys.ofGroup(code.round, code.groupIndex);
    if (key === undefined) throw new Error(`round ${code.round} has lost a token key`);
    return key;
  }

  /** @throws Refusal `codeExpired` before a round opens and once it is closed */
  #requireOpen(number: number): void {
    const round = this.#parts.rounds.withNumber(number);
    if (round === undefined) throw new Refusal('codeUnknown');
    const now = this.#parts.clock.now();
    if (round.state === 'closed' || round.state === 'expired' || now >= round.closesMs) {
      throw new Refusal('codeExpired', CLOSED);
    }
    if (now < round.opensMs) throw new Refusal('codeExpired', NOT_OPEN);
  }

  /** Codes of closed rounds are deleted; that the key is of such a round says what the code was. */
  async #unknown(keyId: Uint8Array): Promise<Refusal> {
    const wanted = toHex(keyId);
    for (const round of this.#parts.rounds.all().reverse()) {
      if (round.state !== 'closed' && round.state !== 'expired') continue;
      if ((await this.#closedKeys(round)).has(wanted)) return new Refusal('codeExpired', CLOSED);
    }
    return new Refusal('codeUnknown');
  }

  async #closedKeys(round: Round): Promise<ReadonlySet<string>> {
    const known = this.#keyIds.get(round.number);
    if (known !== undefined) return known;
    const ids = await paced(this.#parts.tasks.ofRound(round.manifestHash), ({ entry }) =>
      toHex(entryTokenKeyId(parseCanonicalJson(entry) as unknown as ManifestEntry)),
    );
    const keys = new Set(ids);
    this.#keyIds.set(round.number, keys);
    return keys;
  }
}

const CLOSED = 'The round of this invitation is closed.';
const NOT_OPEN = 'The round of this invitation is not open yet.';
const REPLACED = 'This invitation was replaced by a newer one.';

/** @throws Refusal `codeUsed`, `codeExpired`; not for the request that the code was used with */
function requireUsable(code: Code, requestHash: Uint8Array): void {
  if (code.requestHash !== undefined) {
    if (equalBytes(code.requestHash, requestHash)) return;
    throw new Refusal('codeUsed');
  }
  if (!code.active) throw new Refusal('codeExpired', REPLACED);
}

/** @throws Refusal `invalidMessage` */
function openRequest(request: Uint8Array, key: IssuerKey): Uint8Array {
  try {
    return openTokenRequest(request, key.spki);
  } catch (error) {
    if (!(error instanceof CryptoError)) throw error;
    throw new Refusal('invalidMessage', error.message);
  }
}
