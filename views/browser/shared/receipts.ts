import { fromBase64url, toBase64url, toHex } from '../../../crypto/bytes.ts';
import { decodeReceipt, encodeReceipt, type Receipt } from '../../../crypto/receipt.ts';
import { Stop } from './stop.ts';

/**
 * Where receipts are kept. The newest of a tab stays in the tab, so that a reload does not lose it;
 * on the device it is kept only if the person says that the device is theirs.
 */

/** The receipt of this tab. */
export interface TabReceipt {
  readonly receipt: Receipt;
  /** The key of the way by which the answer went, or '' if the receipt came from elsewhere. */
  readonly way: string;
  /** Whether the guardian said that it has the answer. */
  readonly received: boolean;
}

const TAB = 'chorus.receipt';
const DEVICE = 'chorus.receipts';

/** base64url, as in links and files. */
export function receiptText(receipt: Receipt): string {
  return toBase64url(encodeReceipt(receipt));
}

/** The id of a report as a person compares it: groups of four digits. */
export function receiptNumber(receipt: Receipt): string {
  return toHex(receipt.reportId).replace(/.{4}(?=.)/g, '$& ');
}

/** @throws Stop `bad_receipt` */
export function parseReceipt(text: string): Receipt {
  try {
    return decodeReceipt(fromBase64url(text));
  } catch {
    throw new Stop('bad_receipt');
  }
}

/** The link to the receipt's page; the fragment never reaches a server. */
export function receiptLink(receipt: Receipt): string {
  return `${location.origin}/receipt#${receiptText(receipt)}`;
}

export function tabReceipt(): TabReceipt | undefined {
  try {
    const { receipt, way, received } = JSON.parse(sessionStorage.getItem(TAB) ?? '');
    return { receipt: parseReceipt(receipt), way: String(way), received: received === true };
  } catch {
    return undefined;
  }
}

export function saveTabReceipt({ receipt, way, received }: TabReceipt): void {
  sessionStorage.setItem(TAB, JSON.stringify({ receipt: receiptText(receipt), way, received }));
}

export function forgetTabReceipt(): void {
  sessionStorage.removeItem(TAB);
}

/** The receipts that the person kept on this device, the newest first. */
export function keptReceipts(): Receipt[] {
  try {
    const texts: unknown = JSON.parse(localStorage.getItem(DEVICE) ?? '[]');
    if (!Array.isArray(texts)) return [];
    return texts.flatMap((text) => {
      try {
        return [parseReceipt(String(text))];
      } catch {
        return [];
      }
    });
  } catch {
    return [];
  }
}

function writeKept(texts: readonly string[]): boolean {
  try {
    if (texts.length === 0) localStorage.removeItem(DEVICE);
    else localStorage.setItem(DEVICE, JSON.stringify(texts));
    return true;
  } catch {
    return false;
  }
}

/** @returns whether the browser took it */
export function keepReceipt(receipt: Receipt): boolean {
  const text = receiptText(receipt);
  const others = keptReceipts().map(receiptText);
  return writeKept([text, ...others.filter((other) => other !== text)]);
}

export function forgetKeptReceipt(receipt: Receipt): void {
  const text = receiptText(receipt);
  const kept = keptReceipts().map(receiptText);
  if (kept.includes(text)) writeKept(kept.filter((other) => other !== text));
}
