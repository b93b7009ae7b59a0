// First of all: what the browser lacks must be found out before libsodium tries to start.
import './shared/features.ts';

import { startChecks } from './answer/checks.ts';
import { Survey } from './answer/survey.ts';
import { featureMissing, pageRoot } from './shared/features.ts';
import { Stop } from './shared/stop.ts';
import { showStop } from './shared/stopped.ts';

/**
 * The employee's page. Nothing is shown before every check has passed, nothing is sent before
 * Continue, and no answer before Submit. Answers live in this tab's memory only.
 */

async function main(root: HTMLElement): Promise<void> {
  try {
    new Survey(root, await startChecks(location.hash)).start();
  } catch (error) {
    showStop(root, error instanceof Stop ? error : new Stop('failed'));
  }
}

if (pageRoot !== null && !featureMissing) {
  void main(pageRoot);
  // Another link typed into the same tab is another survey: start over.
  addEventListener('hashchange', () => location.reload());
}
