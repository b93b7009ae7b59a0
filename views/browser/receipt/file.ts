import type { Receipt } from '../../../crypto/receipt.ts';
import { parseReceipt } from '../shared/receipts.ts';
import { Stop } from '../shared/stop.ts';

/** No receipt file is nearly as large. */
const MOST_BYTES = 16 * 1024;

/** The receipt in a file as the answering page writes it. @throws Stop `bad_receipt`, `other_guardian` */
export async function readReceiptFile(file: Blob): Promise<Receipt> {
  if (file.size > MOST_BYTES) throw new Stop('bad_receipt');
  let fields: { receipt?: unknown; guardian?: unknown };
  try {
    fields = Object(JSON.parse(await file.text()));
  } catch {
    throw new Stop('bad_receipt');
  }
  const receipt = parseReceipt(String(fields.receipt));
  const guardian = originOf(String(fields.guardian));
  if (guardian !== location.origin) throw new Stop('other_guardian', guardian);
  return receipt;
}

function originOf(url: string): string {
  try {
    return new URL(url).origin;
  } catch {
    throw new Stop('bad_receipt');
  }
}
