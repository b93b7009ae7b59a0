import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import {
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { PartyRequest } from '../../server/evaluation/messages.ts';
import { pairParties } from '../../server/evaluation/pairing.ts';
import type { PartyHandle } from '../../server/evaluation/party-handle.ts';
import { freePort } from './parties.ts';
import { type Call, callOf, otherParty, type PartyName } from './rounds.ts';

/** When a party dies, seen from one request between the parties or of a client. */
export interface Death {
  readonly who: 'caller' | 'callee';
  /** Before the request is passed on, this many milliseconds after that, or before the reply is. */
  readonly when: 'before' | 'reply' | number;
}

export type Request = Call | 'upload';

/** Two parties as two processes, with a proxy before each in which either can be killed. */
export interface Processes {
  readonly folder: string;
  readonly urls: Readonly<Record<PartyName, string>>;
  /** The deaths that are still to come, by request; a request takes the next of its
   * kind, unless somebody is about to die already. */
  readonly deaths: Map<Request, Death[]>;
  /** How many have died. */
  died(): number;
  /** Asks a party until it lives long enough to answer. */
  ask(party: PartyName, request: PartyRequest): Promise<unknown>;
  /** Moves both clocks. */
  advance(toMs: number): Promise<void>;
  kill(party: PartyName): void;
  /** Resolves when both parties run. */
  alive(): Promise<void>;
  close(): Promise<void>;
}

export async function startProcesses(): Promise<Processes> {
  const built = fileURLToPath(
    new URL('../../dist/server/evaluation/party-handle.js', import.meta.url),
  );
  if (!existsSync(built)) throw new Error('the program is not built: run npm run build');
  const { PartyHandle: Handle } = (await import(built)) as { PartyHandle: typeof PartyHandle };
  const folder = mkdtempSync(join(tmpdir(), 'chorus-test-'));
  const deaths = new Map<Request, Death[]>();
  let died = 0;
  let clockMs = 0;
  let closing = false;

  const ports = { guardian: await freePort(), employer: await freePort() };
  const proxies = {
    guardian: await proxy((incoming, answer) => pass('guardian', incoming, answer)),
    employer: await proxy((incoming, answer) => pass('employer', incoming, answer)),
  };
  const urls = { guardian: urlOf(proxies.guardian), employer: urlOf(proxies.employer) };
  pairParties(folder, urls);

  const start = async (name: PartyName): Promise<PartyHandle> => {
    const handle = await Handle.start({
      party: name,
      folder: join(folder, name),
      url: urls[name],
      host: '127.0.0.1',
      port: ports[name],
      names: { guardian: 'The guardian', employer: 'The employer' },
    });
    await handle.request({ kind: 'clock', toMs: clockMs });
    return handle;
  };
  const running: Record<PartyName, Promise<PartyHandle>> = {
    guardian: start('guardian'),
    employer: start('employer'),
  };
  /** Kills a party that runs, and starts it again. One that is starting has died already. */
  const dying = new Set<PartyName>();
  let doomed = false;
  const kill = (name: PartyName): void => {
    if (dying.has(name) || closing) return;
    dying.add(name);
    const before = running[name];
    running[name] = before.then(async (handle) => {
      process.kill(handle.pid as number, 'SIGKILL');
      died++;
      await handle.exited;
      const next = await start(name);
      dying.delete(name);
      doomed = false;
      return next;
    });
  };

  async function pass(callee: PartyName, incoming: IncomingMessage, answer: ServerResponse) {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    // One at a time: of two requests that are under way together, one death would take both.
    const death = doomed
      ? undefined
      : deaths.get(kindOf(incoming.url as string) as Request)?.shift();
    if (death !== undefined) doomed = true;
    const dies = death === undefined || death.who === 'callee' ? callee : otherParty(callee);
    if (death?.when === 'before') {
      kill(dies);
      answer.destroy();
      return;
    }
    const forwarded = forward(ports[callee], incoming, body);
    if (typeof death?.when === 'number') void sleep(death.when).then(() => kill(dies));
    try {
      const { status, headers, bytes } = await forwarded;
      if (death?.when === 'reply') {
        kill(dies);
        answer.destroy();
        return;
      }
      answer.writeHead(status, headers).end(bytes);
    } catch {
      answer.destroy();
    }
  }

  const ask: Processes['ask'] = async (party, message) => {
    for (;;) {
      try {
        return await (await running[party]).request(message);
      } catch (error) {
        // It died, the other one did not answer it, or token keys are not all there yet.
        if (!/ended|not running|not open|does not answer|answered|being made/.test(String(error)))
          throw error;
      }
    }
  };

  await Promise.all([running.guardian, running.employer]);
  return {
    folder,
    urls,
    deaths,
    died: () => died,
    ask,
    async advance(toMs) {
      clockMs = toMs;
      for (const party of ['employer', 'guardian'] as const) {
        await ask(party, { kind: 'clock', toMs });
      }
    },
    kill,
    async alive() {
      await Promise.all([running.guardian, running.employer]);
    },
    async close() {
      closing = true;
      for (const party of ['guardian', 'employer'] as const) await (await running[party]).stop();
      for (const server of Object.values(proxies)) {
        server.close();
        server.closeAllConnections();
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function kindOf(path: string): Request | undefined {
  if (path.endsWith('/reports')) return 'upload';
  return /^\/(peer|tasks)\//.test(path) ? callOf(`http://localhost${path}`) : undefined;
}

async function proxy(
  handle: (incoming: IncomingMessage, answer: ServerResponse) => Promise<void>,
): Promise<Server> {
  const server = createServer((incoming, answer) => {
    handle(incoming, answer).catch(() => answer.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function forward(port: number, incoming: IncomingMessage, body: Buffer) {
  return new Promise<{ status: number; headers: IncomingMessage['headers']; bytes: Buffer }>(
    (resolve, reject) => {
      const { method, url, headers } = incoming;
      const outgoing = request({
        host: '127.0.0.1',
        port,
        method,
        path: url,
        headers,
        agent: false,
      });
      outgoing.on('error', reject);
      outgoing.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const { 'transfer-encoding': _, connection: __, ...rest } = response.headers;
          resolve({
            status: response.statusCode as number,
            headers: rest,
            bytes: Buffer.concat(chunks),
          });
        });
      });
      outgoing.end(body);
    },
  );
}
