import { Stop } from '../shared/stop.ts';

/** A tab that is just being reloaded lets go of its lock within this time. */
const PATIENCE_MS = 1_500;

/**
 * Holds a lock of this name for as long as the tab lives, so that two tabs with one invitation
 * cannot both ask for its token: the second one would make it look used.
 * @throws Stop `other_tab` if another tab has it
 */
export function holdAlone(name: string): Promise<void> {
  // A browser without locks is let through: the employer still gives one token per invitation.
  if (navigator.locks === undefined) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const held = () => {
      resolve();
      return new Promise<never>(() => {});
    };
    const signal = AbortSignal.timeout(PATIENCE_MS);
    navigator.locks.request(name, { signal }, held).catch(() => reject(new Stop('other_tab')));
  });
}
