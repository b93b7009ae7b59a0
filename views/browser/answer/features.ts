import { showStop } from './screens/stopped.ts';
import { Stop } from './stop.ts';

/**
 * Says so if this browser cannot seal an answer. It runs while the module is evaluated, before
 * libsodium starts: that one throws, or puts in a replacement, where something is missing.
 */
export const featureMissing: boolean = (() => {
  const random = globalThis.crypto as Partial<Crypto> | undefined;
  const missing =
    typeof globalThis.WebAssembly !== 'object'
      ? 'no_webassembly'
      : typeof random?.getRandomValues !== 'function' || typeof random.subtle !== 'object'
        ? 'no_webcrypto'
        : undefined;
  const root = document.getElementById('answer');
  if (missing !== undefined && root !== null) showStop(root, new Stop(missing));
  return missing !== undefined;
})();
