import type { ManifestHead } from '../../../crypto/manifest.ts';
import { Stop } from './stop.ts';

/** `new`: seen for the first time; `same`: as remembered; `unkept`: this browser keeps nothing. */
export type PinState = 'new' | 'same' | 'unkept';

const PLACE = 'chorus.keys';

/**
 * Compares both parties' signing keys with those that this browser remembers for this origin, and
 * remembers them if there are none. They are public, and the only thing kept on the device.
 *
 * @throws Stop `keys_changed`
 */
export function checkPins(head: Pick<ManifestHead, 'guardian' | 'employer'>): PinState {
  const keys = `${head.guardian.signing_key}.${head.employer.signing_key}`;
  let remembered: string | null;
  try {
    remembered = localStorage.getItem(PLACE);
    if (remembered === null) localStorage.setItem(PLACE, keys);
  } catch {
    return 'unkept';
  }
  if (remembered === null) return 'new';
  if (remembered !== keys) throw new Stop('keys_changed');
  return 'same';
}

/**
 * Whether forgetting may be offered: only where the browser itself says that this is the person's
 * own machine. A server's word would not do, since the keys are remembered to check that server.
 */
export function mayForgetPins(): boolean {
  return ['localhost', '127.0.0.1', '[::1]'].includes(location.hostname);
}

export function forgetPins(): void {
  localStorage.removeItem(PLACE);
}
