import type { Logger } from 'pino';
import type { Randomness } from '../../crypto/random.ts';
import type { Secret } from '../../crypto/secret.ts';
import type { RoundKeyFiles } from '../aggregator/round-keys.ts';
import type { Contexts } from '../aggregator/task-context.ts';
import type { OneAtATime } from '../jobs/one-at-a-time.ts';
import type { PeerClient } from '../peer/client.ts';
import type { Pairing } from '../peer/pairing.ts';
import type { CountedTokenStore } from '../storage/counted-tokens.ts';
import type { HelperJobStore } from '../storage/helper-jobs.ts';
import type { InvitationStore } from '../storage/invitations.ts';
import type { MailQueue } from '../storage/mail-queue.ts';
import type { RosterStore } from '../storage/roster.ts';
import type { SharedWrites } from '../storage/shared-writes.ts';
import type { Stores } from '../storage/stores.ts';
import type { TokenKeyMaking } from './token-key-making.ts';
import type { TokenKeys } from './token-keys.ts';

/** What the employer's work is done with; put together in `employer.ts`. */
export interface EmployerParts extends Stores {
  readonly writes: SharedWrites;
  readonly helperJobs: HelperJobStore;
  readonly countedTokens: CountedTokenStore;
  readonly roster: RosterStore;
  readonly invitations: InvitationStore;
  readonly mailQueue: MailQueue;
  readonly contexts: Contexts;
  readonly roundKeys: RoundKeyFiles;
  readonly tokenKeys: TokenKeys;
  readonly tokenKeyMaking: TokenKeyMaking;
  /** The freezing and signing of plans. */
  readonly signing: OneAtATime;
  /** The opening and folding of lots. */
  readonly counting: OneAtATime;
  readonly peer: PeerClient;
  readonly pairing: Pairing;
  readonly signingSeed: Secret<Uint8Array>;
  readonly randomness: Randomness;
  readonly log: Logger;
  /** Where it is written to. */
  readonly logPath: string;
  /** SHA-256 of the answering page’s script as this party built it. */
  readonly scriptHash: () => Uint8Array;
  /** Both parties on one machine, for trying it out: rounds may be planned off the schedule. */
  readonly evaluation: boolean;
  /** Where the employer answers, as the manifest names it. */
  readonly url: string;
}
