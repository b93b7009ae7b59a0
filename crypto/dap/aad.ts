import { concat, utf8 } from '../bytes.ts';
import { encodeWith } from '../codec.ts';
import { requireTaskId } from './task.ts';
import { type AggregatorRole, DAP_VERSION, ROLE } from './types.ts';

/** What every seal of DAP is bound to. All arguments are encodings exactly as they were received. */

/** The HPKE info of an input share: from the Client, to this aggregator (§Client Behavior). */
export function inputShareInfo(recipient: AggregatorRole): Uint8Array {
  return concat(utf8(`${DAP_VERSION} input share`), Uint8Array.of(ROLE.client, ROLE[recipient]));
}

/** The HPKE info of an aggregate share: from this aggregator, to the Collector. */
export function aggregateShareInfo(sender: AggregatorRole): Uint8Array {
  return concat(
    utf8(`${DAP_VERSION} aggregate share`),
    Uint8Array.of(ROLE[sender], ROLE.collector),
  );
}

/**
 * `InputShareAad`, the associated data of both input shares of a report (§Client Behavior).
 * @param publicShare without its length prefix
 * @throws CryptoError `invalid_argument` if the task ID has not 32 bytes
 */
export function inputShareAad(
  taskId: Uint8Array,
  taskConfiguration: Uint8Array,
  metadataBytes: Uint8Array,
  publicShare: Uint8Array,
): Uint8Array {
  requireTaskId(taskId);
  return encodeWith(publicShare, (writer) => {
    writer.opaque(taskId).opaque(taskConfiguration).opaque(metadataBytes).opaque32(publicShare);
  });
}

/**
 * `AggregateShareAad` (§Aggregate Share Encryption). It does not hold the batch selector, the count
 * and the checksum: of those the Collector has only the Leader's word.
 * @throws CryptoError `invalid_argument` if the task ID has not 32 bytes
 */
export function aggregateShareAad(
  taskId: Uint8Array,
  taskConfiguration: Uint8Array,
  collectionJobReq: Uint8Array,
): Uint8Array {
  requireTaskId(taskId);
  return concat(taskId, taskConfiguration, collectionJobReq);
}
