import { CryptoError } from '../../../crypto/errors.ts';
import type { Receipt } from '../../../crypto/receipt.ts';
import { restoreToken } from '../../../crypto/task-token.ts';
import { checkPins } from '../shared/pins.ts';
import {
  genuine,
  openGroup,
  openRound,
  type ServedGroup,
  type ServedRound,
} from '../shared/served.ts';
import { Stop } from '../shared/stop.ts';

/** A receipt with the round and the group that it is of, all checked. */
export interface OpenedReceipt extends ServedGroup {
  readonly receipt: Receipt;
  readonly round: ServedRound;
}

/**
 * Finds the receipt's round and checks that its key and its token belong to that round and group.
 * Its report id is the one thing that nothing vouches for until the round is over.
 * @throws Stop
 */
export async function openReceipt(receipt: Receipt): Promise<OpenedReceipt> {
  return genuine(async () => {
    const round = await openRound(receipt.manifestHash, 'unknown_receipt');
    checkPins(round.head);
    const group = await openGroup(round, receipt.groupIndex, 'altered_receipt');
    try {
      restoreToken(group, receipt.seed, receipt.authenticator);
    } catch (error) {
      if (error instanceof CryptoError) throw new Stop('altered_receipt');
      throw error;
    }
    return { receipt, round, ...group };
  });
}
