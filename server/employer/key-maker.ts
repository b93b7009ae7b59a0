import type { KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

/** An RSA key pair of 2048 bits with e = 65537. */
export interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

/** Makes one key pair after the other. */
export interface KeyMaker {
  /** To be awaited before it is called again. */
  next(): Promise<KeyPair>;
  stop(): Promise<unknown>;
}

/**
 * What the thread runs; a string, because it must start from the sources and from the build alike.
 * On Linux a priority belongs to a thread: this one yields to whoever waits for an answer.
 * Elsewhere it would be the whole process that yields.
 */
const THREAD = `
  const { generateKeyPairSync } = require('node:crypto');
  const { setPriority } = require('node:os');
  const { parentPort } = require('node:worker_threads');
  if (process.platform === 'linux') setPriority(19);
  parentPort.on('message', () => {
    const options = { modulusLength: 2048, publicExponent: 65537 };
    parentPort.postMessage(generateKeyPairSync('rsa', options));
  });
`;

/**
 * A thread of its own, for two reasons: those of libuv stay free for files and names, and their
 * priority is that of the requests, which on two cores then wait for primes.
 */
export function startKeyMaker(): KeyMaker {
  const thread = new Worker(THREAD, { eval: true });
  return {
    async next() {
      thread.postMessage('next');
      const [pair] = await once(thread, 'message');
      return pair as KeyPair;
    },
    stop: () => thread.terminate(),
  };
}
