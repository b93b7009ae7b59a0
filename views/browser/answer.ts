// First of all: what the browser lacks must be found out before libsodium tries to start.
import './answer/features.ts';

import { startChecks } from './answer/checks.ts';
import { featureMissing } from './answer/features.ts';
import { showStop } from './answer/screens/stopped.ts';
import { Stop } from './answer/stop.ts';
import { Survey } from './answer/survey.ts';

/**
 * The employee's page. Nothing is shown before every check has passed, and nothing is sent before
 * Submit. Answers live in this tab's memory only.
 */

async function main(root: HTMLElement): Promise<void> {
  try {
    new Survey(root, await startChecks(location.hash)).start();
  } catch (error) {
    showStop(root, error instanceof Stop ? error : new Stop('failed'));
  }
}

const root = document.getElementById('answer');
if (root !== null && !featureMissing) {
  void main(root);
  // Another link typed into the same tab is another survey: start over.
  addEventListener('hashchange', () => location.reload());
}
