import { Stop, type StopCode } from './stop.ts';
import { showStop } from './stopped.ts';

/** The element that a page's script fills: the answering page's, or the receipt's. */
export const pageRoot: HTMLElement | null =
  document.getElementById('answer') ?? document.getElementById('receipt');

function storageWorks(): boolean {
  try {
    sessionStorage.setItem('chorus.probe', '1');
    sessionStorage.removeItem('chorus.probe');
    return true;
  } catch {
    return false;
  }
}

function missing(): StopCode | undefined {
  if (typeof globalThis.WebAssembly !== 'object') return 'no_webassembly';
  const random = globalThis.crypto as Partial<Crypto> | undefined;
  if (typeof random?.getRandomValues !== 'function' || typeof random.subtle !== 'object') {
    return 'no_webcrypto';
  }
  return storageWorks() ? undefined : 'no_storage';
}

/**
 * Says so if this browser cannot do what the page is for. It runs while the module is evaluated,
 * before libsodium starts: that one throws, or puts in a replacement, where something is missing.
 */
export const featureMissing: boolean = (() => {
  const code = missing();
  if (code !== undefined && pageRoot !== null) showStop(pageRoot, new Stop(code));
  return code !== undefined;
})();
