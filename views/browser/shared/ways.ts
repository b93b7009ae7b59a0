import { fromBase64url, toBase64url, utf8 } from '../../../crypto/bytes.ts';
import { Secret } from '../../../crypto/secret.ts';
import { sha256 } from '../../../crypto/sha256.ts';
import type { TokenState } from '../../../crypto/token.ts';

/**
 * How far this browser has come with one invitation: it has asked for the token and may ask again
 * with the same bytes, or it has it. The seed is that of the key which will sign the report.
 */
export type Way =
  | { readonly step: 'asked'; readonly seed: Secret<Uint8Array>; readonly state: TokenState }
  | {
      readonly step: 'token';
      readonly seed: Secret<Uint8Array>;
      /** 256 bytes. */
      readonly authenticator: Uint8Array;
    };

const PREFIX = 'chorus.way.';
const NAME_SIZE = 16;

/** Where the way of this link is kept. It names neither the code nor the group. */
export function wayKey(fragment: string): string {
  return PREFIX + toBase64url(sha256(utf8(fragment)).subarray(0, NAME_SIZE));
}

/** Only `reveal` and base64url: nothing else of a way can be written. */
function written(way: Way): Record<string, string> {
  const seed = toBase64url(way.seed.reveal());
  return way.step === 'asked'
    ? { seed, state: toBase64url(way.state.reveal()) }
    : { seed, authenticator: toBase64url(way.authenticator) };
}

function read(text: string | null): Way | undefined {
  if (text === null) return undefined;
  try {
    const { seed, state, authenticator } = JSON.parse(text);
    const opened = new Secret(fromBase64url(seed));
    if (typeof state === 'string') {
      return { step: 'asked', seed: opened, state: new Secret(fromBase64url(state)) };
    }
    return { step: 'token', seed: opened, authenticator: fromBase64url(authenticator) };
  } catch {
    // Not what this page writes: as good as nothing.
    return undefined;
  }
}

/** Storage that refuses is storage that holds nothing. */
function ofDevice<T>(work: (storage: Storage) => T): T | undefined {
  try {
    return work(localStorage);
  } catch {
    return undefined;
  }
}

/** The way of this tab, or the one that the person kept on their device. */
export function readWay(key: string): Way | undefined {
  return (
    read(sessionStorage.getItem(key)) ?? read(ofDevice((device) => device.getItem(key)) ?? null)
  );
}

/** For this tab only. */
export function saveWay(key: string, way: Way): void {
  sessionStorage.setItem(key, JSON.stringify(written(way)));
}

/**
 * On the device, because the person said that it is theirs.
 * @param until the first day, since 1970-01-01, on which it is of no more use
 * @returns whether the browser took it
 */
export function keepWay(key: string, way: Way, until: number): boolean {
  const text = JSON.stringify({ ...written(way), until });
  const kept = ofDevice((device) => {
    device.setItem(key, text);
    return true;
  });
  return kept === true;
}

/** In both places. */
export function forgetWay(key: string): void {
  sessionStorage.removeItem(key);
  ofDevice((device) => device.removeItem(key));
}

/** Removes from the device what is of no more use on this day, or was not written here. */
export function purgeWays(today: number): void {
  ofDevice((device) => {
    for (const key of Object.keys(device).filter((name) => name.startsWith(PREFIX))) {
      if (!(untilOf(device.getItem(key)) > today)) device.removeItem(key);
    }
  });
}

function untilOf(text: string | null): number {
  try {
    return Number(JSON.parse(text ?? '').until);
  } catch {
    return Number.NaN;
  }
}
