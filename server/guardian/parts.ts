import type { Logger } from 'pino';
import type { Randomness } from '../../crypto/random.ts';
import type { Secret } from '../../crypto/secret.ts';
import type { RoundKeyFiles } from '../aggregator/round-keys.ts';
import type { Contexts } from '../aggregator/task-context.ts';
import type { PeerClient } from '../peer/client.ts';
import type { Pairing } from '../peer/pairing.ts';
import type { BoxStore } from '../storage/box.ts';
import type { CollectionJobStore } from '../storage/collection-jobs.ts';
import type { ScriptStore } from '../storage/scripts.ts';
import type { SharedWrites } from '../storage/shared-writes.ts';
import type { Stores } from '../storage/stores.ts';

/** What the guardian's work is done with; put together in `guardian.ts`. */
export interface GuardianParts extends Stores {
  readonly writes: SharedWrites;
  readonly box: BoxStore;
  readonly collectionJobs: CollectionJobStore;
  readonly contexts: Contexts;
  readonly roundKeys: RoundKeyFiles;
  readonly peer: PeerClient;
  readonly pairing: Pairing;
  readonly signingSeed: Secret<Uint8Array>;
  readonly randomness: Randomness;
  readonly log: Logger;
  /** Where it is written to. */
  readonly logPath: string;
  /** Where the guardian answers, as the manifest names it. */
  readonly url: string;
  /** In which days begin and end. */
  readonly timeZone: string;
  /** How long before it opens a round is planned. */
  readonly planDaysAhead: number;
  /** Both parties on one machine, for trying it out: rounds may be planned off the schedule. */
  readonly evaluation: boolean;
  readonly scripts: ScriptStore;
  /** The answering page's script as it is built now: what the next round is planned with. */
  readonly script: Uint8Array;
}
