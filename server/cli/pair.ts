import { join } from 'node:path';
import express, { type ErrorRequestHandler } from 'express';
import { z } from 'zod';
import { fromBase64url } from '../../crypto/bytes.ts';
import { Secret } from '../../crypto/secret.ts';
import { signingPublicKey } from '../../crypto/signing.ts';
import { sodiumReady } from '../../crypto/sodium.ts';
import { close, listen, PortTaken } from '../http/serve.ts';
import { systemRandomness } from '../party.ts';
import {
  type Card,
  encodeCard,
  fingerprint,
  newPairingCode,
  openCard,
  pairingFile,
  readPairingCode,
  tokenHash,
} from '../peer/pair.ts';
import { KeyFiles } from '../storage/key-files.ts';
import { type CommandIo, CommandRefused, UsageError } from './io.ts';
import { requireIdentity } from './serve.ts';
import type { Settings } from './settings.ts';

export const PAIR_USAGE = 'chorus pair | chorus pair URL CODE';

const IDENTITY = z.object({ signing_seed: z.string() });
/** A guesser has this many tries at 2^130 codes. */
const TRIES = 5;
const WAIT_MS = 60 * 60 * 1000;
const PATH = '/pair';

/** This party's side of a pairing. */
interface Side {
  readonly settings: Settings;
  readonly keys: KeyFiles;
  readonly card: Card;
  readonly token: Secret<Uint8Array>;
  readonly other: 'guardian' | 'employer';
}

/**
 * Without arguments: shows a code and waits for the other party. With the other's address and code:
 * pairs with it. The party must not be running.
 * @throws CommandRefused, UsageError
 */
export async function pair(
  args: readonly string[],
  settings: Settings,
  io: CommandIo,
  fetchFunction: typeof fetch,
): Promise<void> {
  await sodiumReady();
  const side = sideOf(settings);
  const [url, ...code] = args;
  if (url === undefined) return waitForOther(side, io);
  if (code.length === 0) throw new UsageError(PAIR_USAGE);
  return pairWith(side, url, code.join(''), io, fetchFunction);
}

function sideOf(settings: Settings): Side {
  requireIdentity(settings);
  const keys = new KeyFiles(join(settings.data, 'keys'));
  const identity = IDENTITY.parse(keys.read('identity'));
  const paired = keys.read('pairing') as { url?: string } | undefined;
  if (paired !== undefined) {
    throw new CommandRefused(
      `this ${settings.party} is paired with ${paired.url} already; a new pairing needs a new folder`,
    );
  }
  const seed = new Secret(fromBase64url(identity.signing_seed));
  const token = new Secret(systemRandomness(32));
  return {
    settings,
    keys,
    card: {
      party: settings.party,
      url: settings.url,
      signingKey: signingPublicKey(seed),
      tokenHash: tokenHash(token),
    },
    token,
    other: settings.party === 'guardian' ? 'employer' : 'guardian',
  };
}

async function waitForOther(side: Side, io: CommandIo): Promise<void> {
  const code = newPairingCode(systemRandomness);
  let paired: (card: Card) => void = () => {};
  let failed: (error: Error) => void = () => {};
  const outcome = new Promise<Card>((resolve, reject) => {
    paired = resolve;
    failed = reject;
  });
  let tries = 0;
  const app = express().disable('x-powered-by');
  app.post(PATH, express.json({ limit: '10kb' }), (request, response) => {
    const card = openCard(request.body, side.other, code);
    if (card === undefined) {
      tries++;
      response.status(403).json({ title: 'The code is another one.' });
      if (tries >= TRIES) failed(new CommandRefused('too many wrong codes; start again'));
      return;
    }
    save(side, card);
    response.json(encodeCard(side.card, code, request.body));
    response.once('close', () => paired(card));
  });
  const malformed: ErrorRequestHandler = (_error, _request, response, _next) => {
    response.status(400).json({ title: 'This is no message of a pairing.' });
  };
  app.use(malformed);
  const { host, port } = side.settings;
  const server = await listen(app, host, port).catch((error) => {
    if (error instanceof PortTaken) {
      throw new CommandRefused(`port ${port} is taken: is the ${side.settings.party} running?`);
    }
    throw error;
  });
  const timer = setTimeout(() => failed(new CommandRefused('nobody came within an hour')), WAIT_MS);
  io.out(`Waiting for the ${side.other} on ${side.settings.url}. There, run:`);
  io.out(`  npx chorus pair ${side.settings.url} ${code.reveal()}`);
  try {
    tellPaired(side, await outcome, io);
  } finally {
    clearTimeout(timer);
    await close(server);
  }
}

async function pairWith(
  side: Side,
  url: string,
  typed: string,
  io: CommandIo,
  fetchFunction: typeof fetch,
): Promise<void> {
  const code = readPairingCode(typed);
  if (code === undefined)
    throw new CommandRefused('that is not a code: it has 26 letters and digits');
  const message = encodeCard(side.card, code);
  let reply: unknown;
  try {
    const response = await fetchFunction(new URL(PATH, url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(message),
      redirect: 'error',
    });
    if (response.status === 403) throw new CommandRefused('the code is another one');
    reply = await response.json();
  } catch (error) {
    if (error instanceof CommandRefused) throw error;
    throw new CommandRefused(`${url} does not answer; is npx chorus pair waiting there?`);
  }
  const card = openCard(reply, side.other, code, message);
  if (card === undefined) {
    throw new CommandRefused(
      'the answer was not made with this code: somebody may be in between. If the other side says ' +
        'that it is paired, make it anew there with npx chorus init, in a new folder',
    );
  }
  save(side, card);
  tellPaired(side, card, io);
}

function save(side: Side, other: Card): void {
  side.keys.write('pairing', pairingFile(other, side.token));
}

function tellPaired(side: Side, other: Card, io: CommandIo): void {
  const keys =
    side.settings.party === 'guardian'
      ? ([side.card.signingKey, other.signingKey] as const)
      : ([other.signingKey, side.card.signingKey] as const);
  io.out(`Paired with the ${side.other} at ${other.url}.`);
  io.out(`Both sides must show the same fingerprint: ${fingerprint(...keys)}`);
}
