import autocannon from 'autocannon';
import { MEDIA_TYPE } from '../../crypto/dap/media-types.ts';
import { type BenchParties, uploadPath } from './parties.ts';

export interface Load {
  readonly perSecond: number;
  readonly p99Ms: number;
}

const CONNECTIONS = 32;

/**
 * Uploads each report once over kept-alive connections.
 * @param perSecond the rate to keep to, or undefined for as fast as it goes
 * @throws Error if one is not accepted
 */
export async function uploadAll(
  parties: BenchParties,
  reports: readonly Uint8Array[],
  perSecond?: number,
): Promise<Load> {
  const next = reports.values();
  const started = performance.now();
  const result = await autocannon({
    url: parties.url,
    connections: CONNECTIONS,
    amount: reports.length,
    ...(perSecond === undefined ? {} : { overallRate: perSecond }),
    requests: [
      {
        method: 'POST',
        path: uploadPath(parties.task),
        headers: { 'content-type': MEDIA_TYPE.uploadRequest },
        setupRequest: (request) => ({
          ...request,
          body: Buffer.from(next.next().value ?? new Uint8Array(0)),
        }),
        onResponse: (status, body) => {
          if (status !== 200 || body.length > 0) throw new Error(`upload answered ${status}`);
        },
      },
    ],
  });
  const seconds = (performance.now() - started) / 1000;
  if (result['2xx'] !== reports.length) {
    throw new Error(`${result['2xx']} of ${reports.length} uploads were answered with 200`);
  }
  return { perSecond: Math.round(reports.length / seconds), p99Ms: result.latency.p99 };
}
