import autocannon from 'autocannon';
import { MEDIA_TYPE } from '../../crypto/dap/media-types.ts';
import { type BenchParties, uploadPath } from './parties.ts';

export interface Load {
  readonly perSecond: number;
  readonly p99Ms: number;
}

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
 * Posts each body once over kept-alive connections.
 * @param perSecond the rate to keep to, or undefined for as fast as it goes
 * @throws Error if one is not answered with 200 and a good body
 */
export async function postAll(
  { url, path, type, good }: Posting,
  bodies: readonly Uint8Array[],
  perSecond?: number,
): Promise<Load> {
  const next = bodies.values();
  const started = performance.now();
  const result = await autocannon({
    url,
    connections: CONNECTIONS,
    amount: bodies.length,
    ...(perSecond === undefined ? {} : { overallRate: perSecond }),
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
  return { perSecond: Math.round(bodies.length / seconds), p99Ms: result.latency.p99 };
}

/** Uploads each report once, as `postAll` does it. */
export function uploadAll(
  parties: BenchParties,
  reports: readonly Uint8Array[],
  perSecond?: number,
): Promise<Load> {
  const posting = {
    url: parties.url,
    path: uploadPath(parties.task),
    type: MEDIA_TYPE.uploadRequest,
    good: (body: string) => body.length === 0,
  };
  return postAll(posting, reports, perSecond);
}
