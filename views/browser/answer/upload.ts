import { toBase64url } from '../../../crypto/bytes.ts';
import { MEDIA_TYPE } from '../../../crypto/dap/media-types.ts';
import type { ReportError } from '../../../crypto/dap/types.ts';
import { decodeUploadErrors, encodeUploadRequest } from '../../../crypto/dap/upload.ts';
import { PLAIN } from '../shared/served.ts';

/** What became of an upload. After `lost` and `busy` the identical bytes may be sent again. */
export type Outcome =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'refused'; readonly error: ReportError | undefined }
  | { readonly kind: 'lost' | 'busy' };

/** Milliseconds after which a silent server counts as lost. */
const PATIENCE_MS = 30_000;

/** Sends one report to the guardian (DAP §Upload Request). Never throws. */
export async function upload(taskId: Uint8Array, report: Uint8Array): Promise<Outcome> {
  try {
    const reply = await fetch(`/tasks/${toBase64url(taskId)}/reports`, {
      ...PLAIN,
      method: 'POST',
      headers: { 'content-type': MEDIA_TYPE.uploadRequest },
      body: encodeUploadRequest([report]) as Uint8Array<ArrayBuffer>,
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    return await outcomeOf(reply);
  } catch {
    return { kind: 'lost' };
  }
}

const PROBLEM = /^urn:(chorus:error|ietf:params:ppm:dap:error):/;

/**
 * A 2xx without a body is acceptance; with one, it lists the refused reports: here, the one. Whatever
 * the guardian would not say is somebody's on the way; an earlier try may lie in the box all the same.
 */
async function outcomeOf(reply: Response): Promise<Outcome> {
  if (reply.status === 429 || reply.status === 503) return { kind: 'busy' };
  if (reply.status >= 500) return { kind: 'lost' };
  const body = new Uint8Array(await reply.arrayBuffer());
  if (!reply.ok) return isProblem(body) ? { kind: 'refused', error: undefined } : { kind: 'lost' };
  if (body.length === 0) return { kind: 'accepted' };
  try {
    return { kind: 'refused', error: decodeUploadErrors(body)[0]?.error };
  } catch {
    return { kind: 'lost' };
  }
}

/** Whether this is a problem document of Chorus or DAP. */
function isProblem(body: Uint8Array): boolean {
  try {
    return PROBLEM.test(String(Object(JSON.parse(new TextDecoder().decode(body))).type));
  } catch {
    return false;
  }
}
