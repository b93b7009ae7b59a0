import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import autocannon from 'autocannon';
import { MEDIA_TYPE } from '../../crypto/dap/media-types.ts';
import { type BenchParties, uploadPath } from './parties.ts';

const CONNECTIONS = 32;

/** Where and how each body is posted once. */
export interface Posting {
  readonly url: string;
  readonly path: string;
  readonly type: string;
  /** Whether this is the body of a 200 that did what was asked. */
  readonly good: (body: string) => boolean;
}

/**
 * Posts each body once over kept-alive connections, as fast as it goes.
 * @returns how many a second
 * @throws Error if one is not answered with 200 and a good body
 */
export async function postAll(
  { url, path, type, good }: Posting,
  bodies: readonly Uint8Array[],
): Promise<number> {
  const next = bodies.values();
  const started = performance.now();
  const result = await autocannon({
    url,
    connections: CONNECTIONS,
    amount: bodies.length,
    requests: [
      {
        method: 'POST',
        path,
        headers: { 'content-type': type },
        setupRequest: (request) => ({
          ...request,
          body: Buffer.from(next.next().value ?? new Uint8Array(0)),
        }),
        onResponse: (status, body) => {
          if (status !== 200 || !good(body)) throw new Error(`${path} answered ${status}: ${body}`);
        },
      },
    ],
  });
  const seconds = (performance.now() - started) / 1000;
  if (result['2xx'] !== bodies.length) {
    throw new Error(`${result['2xx']} of ${bodies.length} requests were answered with 200`);
  }
  return Math.round(bodies.length / seconds);
}

/**
 * Posts each body once at its moment, evenly spread, whether or not those before are answered: as
 * people come. (The load generator sends all of a second's at its beginning.)
 * @returns the 99th percentile of the times from a body's moment to its answer, in milliseconds
 * @throws Error if one is not answered with 200 and a good body
 */
export async function p99AtRate(
  { url, path, type, good }: Posting,
  bodies: readonly Uint8Array[],
  perSecond: number,
): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const post = (bytes: Uint8Array) =>
    new Promise<void>((resolve, reject) => {
      const headers = { 'content-type': type, 'content-length': bytes.length };
      const posted = request(url + path, { method: 'POST', agent, headers }, (response) => {
        let body = '';
        response.setEncoding('latin1').on('data', (text: string) => {
          body += text;
        });
        response.on('error', reject).on('end', () => {
          if (response.statusCode === 200 && good(body)) resolve();
          else reject(new Error(`${path} answered ${response.statusCode}: ${body}`));
        });
      });
      posted.on('error', reject).end(bytes);
    });
  const started = performance.now();
  const times = await Promise.all(
    bodies.map(async (bytes, i) => {
      const moment = started + (i * 1000) / perSecond;
      await sleep(moment - performance.now());
      await post(bytes);
      return performance.now() - moment;
    }),
  );
  agent.destroy();
  return times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)] as number;
}

/** How reports are uploaded. */
export function uploading(parties: BenchParties): Posting {
  return {
    url: parties.url,
    path: uploadPath(parties.task),
    type: MEDIA_TYPE.uploadRequest,
    good: (body: string) => body.length === 0,
  };
}

/** Uploads each report once, as `postAll` does it. */
export function uploadAll(parties: BenchParties, reports: readonly Uint8Array[]): Promise<number> {
  return postAll(uploading(parties), reports);
}
