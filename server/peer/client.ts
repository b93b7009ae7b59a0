import { toBase64url } from '../../crypto/bytes.ts';
import { type RefusalCode, refusalCodeOf } from '../http/refusal.ts';
import type { Pairing } from './pairing.ts';

/** The other party did not answer, or not sensibly: the call may be repeated. */
export class PeerAway extends Error {
  override readonly name = 'PeerAway';
}

/** The other party answered no. */
export class PeerRefusal extends Error {
  override readonly name = 'PeerRefusal';
  readonly code: RefusalCode | undefined;

  constructor(code: RefusalCode | undefined, detail: string) {
    super(detail);
    this.code = code;
  }
}

export interface PeerReply {
  readonly body: Uint8Array;
  /** The Location header, if there was one. */
  readonly location: string | undefined;
}

const TIMEOUT_MS = 60_000;

/** Calls to the other party, authenticated with the token exchanged at pairing. */
export class PeerClient {
  readonly #pairing: Pairing;
  readonly #fetch: typeof fetch;
  readonly #abort = new AbortController();
  #answered = true;

  constructor(pairing: Pairing, fetchFunction: typeof fetch) {
    this.#pairing = pairing;
    this.#fetch = fetchFunction;
  }

  /** @throws PeerAway, PeerRefusal */
  post(path: string, mediaType: string, body: Uint8Array): Promise<PeerReply> {
    return this.#call('POST', path, body, { 'content-type': mediaType });
  }

  /** @throws PeerAway, PeerRefusal */
  async postJson(path: string, body: object): Promise<unknown> {
    const bytes = new TextEncoder().encode(JSON.stringify(body));
    return parseJsonReply(await this.post(path, 'application/json', bytes));
  }

  /** @throws PeerAway, PeerRefusal */
  async getJson(path: string): Promise<unknown> {
    return parseJsonReply(await this.get(path));
  }

  /** @throws PeerAway, PeerRefusal */
  get(path: string): Promise<PeerReply> {
    return this.#call('GET', path, undefined, {});
  }

  /** Ends calls that are under way; they count as unanswered. */
  close(): void {
    this.#abort.abort();
  }

  /** Whether the last call was answered, be it with no. */
  get answered(): boolean {
    return this.#answered;
  }

  get closed(): boolean {
    return this.#abort.signal.aborted;
  }

  async #call(
    method: string,
    path: string,
    body: Uint8Array | undefined,
    headers: Record<string, string>,
  ): Promise<PeerReply> {
    const url = new URL(path, this.#pairing.url);
    // A Location may come from the other party; the token goes nowhere else.
    if (url.origin !== new URL(this.#pairing.url).origin) {
      throw new PeerAway('the other party named an address elsewhere');
    }
    let response: Response;
    let bytes: Uint8Array;
    try {
      response = await this.#fetch(url, {
        method,
        headers: {
          ...headers,
          authorization: `Bearer ${toBase64url(this.#pairing.token.reveal())}`,
          accept: 'application/problem+json',
        },
        ...(body === undefined ? {} : { body: body as Uint8Array<ArrayBuffer> }),
        redirect: 'error',
        signal: AbortSignal.any([this.#abort.signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      bytes = new Uint8Array(await response.arrayBuffer());
    } catch (error) {
      this.#answered = false;
      throw new PeerAway(`the other party does not answer: ${(error as Error).message}`);
    }
    this.#answered = true;
    if (response.ok)
      return { body: bytes, location: response.headers.get('location') ?? undefined };
    const problem = parseProblem(bytes);
    if (response.status >= 500 || problem === undefined) {
      throw new PeerAway(`the other party answered ${response.status}`);
    }
    throw new PeerRefusal(refusalCodeOf(problem.type), problem.detail ?? problem.title ?? '');
  }
}

/** @throws PeerAway if the body is something else than JSON */
function parseJsonReply({ body }: PeerReply): unknown {
  if (body.length === 0) return undefined;
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    throw new PeerAway('the other party answered something else than JSON');
  }
}

function parseProblem(
  bytes: Uint8Array,
): { type?: unknown; title?: string; detail?: string } | undefined {
  try {
    const value = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
