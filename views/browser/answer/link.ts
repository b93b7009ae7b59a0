import { fromBase64url } from '../../../crypto/bytes.ts';
import { Stop } from '../shared/stop.ts';

/** What an invitation's link says behind its # sign. */
export interface Link {
  /** 128 bits, base64url; undefined in the link by which a receipt answers anew. */
  readonly code: string | undefined;
  readonly index: number;
  /** Of the manifest's head, 32 bytes. */
  readonly hash: Uint8Array;
}

const CODE_SIZE = 16;
const HASH_SIZE = 32;
/** Stands where the code is in other links; no code is so short. */
const ANEW = 'anew';

/** `#<code>.<group index>.<manifest hash>` @throws Stop `bad_link` */
export function parseLink(fragment: string): Link {
  const match = /^#([\w-]+)\.(0|[1-9]\d{0,4})\.([\w-]+)$/.exec(fragment);
  if (match === null) throw new Stop('bad_link');
  const [, code, index, hash] = match as unknown as [string, string, string, string];
  try {
    const link = {
      code: code === ANEW ? undefined : code,
      index: Number(index),
      hash: fromBase64url(hash),
    };
    const whole = link.code === undefined || fromBase64url(code).length === CODE_SIZE;
    if (whole && link.hash.length === HASH_SIZE) return link;
  } catch {
    // Not canonical base64url: mistyped.
  }
  throw new Stop('bad_link');
}

/** The fragment by which the token of a withdrawn answer goes on to the answering page. */
export function anewFragment(index: number, manifestHash: string): string {
  return `#${ANEW}.${index}.${manifestHash}`;
}
