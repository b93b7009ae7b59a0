// First of all: what the browser lacks must be found out before libsodium tries to start.
import './shared/features.ts';

import { ReceiptDesk } from './receipt/desk.ts';
import { featureMissing, pageRoot } from './shared/features.ts';

/** The page of a receipt. It reads the receipt here, and sends nothing but a withdrawal. */

if (pageRoot !== null && !featureMissing) {
  void new ReceiptDesk(pageRoot).start();
  addEventListener('hashchange', () => location.reload());
}
