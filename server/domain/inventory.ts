import { reportsWords } from './gate.ts';
import type { RetentionKind } from './retention.ts';

export type PartyName = 'guardian' | 'employer';

/** One kind of record that a party stores. */
export interface InventoryItem {
  /** A table of the database, `keys/…` with `*` for a round's number and more, or `log`. */
  readonly store: string;
  readonly parties: readonly PartyName[];
  readonly holds: string;
  readonly why: string;
  /** When it goes, in words. */
  readonly goes: string;
  /** The setting that it goes by, if it does. */
  readonly kind?: RetentionKind;
  /** Whether a record is a person's report, so that their number is not shown as it is. */
  readonly ofReports?: true;
}

const BOTH = ['guardian', 'employer'] as const;
const GUARDIAN = ['guardian'] as const;
const EMPLOYER = ['employer'] as const;

const CONFIRMED = 'when its group is confirmed or withheld';
const LISTED = 'when the round’s list is signed';
const CLOSED = 'when the round closes';
const STAYS = 'when this party is decommissioned';

/** Everything that a party stores; a test wants every table of both databases to be here. */
export const INVENTORY: readonly InventoryItem[] = [
  {
    store: 'box',
    parties: GUARDIAN,
    holds: 'sealed reports, which this party cannot open alone',
    why: 'to be counted after the close',
    goes: 'when its lot is counted, or its group withheld',
    ofReports: true,
  },
  {
    store: 'lots',
    parties: GUARDIAN,
    holds: 'which report is counted with which',
    why: 'nothing is shuffled twice',
    goes: 'when the lot is counted, or its group withheld',
    ofReports: true,
  },
  {
    store: 'spent',
    parties: GUARDIAN,
    holds: 'hashes of reports and of their public keys',
    why: 'one answer for one token',
    goes: LISTED,
    ofReports: true,
  },
  {
    store: 'outcomes',
    parties: BOTH,
    holds: 'report ids: counted, refused or withdrawn',
    why: 'for the list that both sign',
    goes: LISTED,
    ofReports: true,
  },
  {
    store: 'buckets',
    parties: BOTH,
    holds: 'the running sum of one group’s halves',
    why: 'to be released',
    goes: CONFIRMED,
  },
  {
    store: 'seals',
    parties: BOTH,
    holds: 'count, checksum and commitment of a group',
    why: 'neither party can change its half afterwards',
    goes: LISTED,
  },
  {
    store: 'counted_tokens',
    parties: EMPLOYER,
    holds: 'hashes of the public keys of the reports that were counted',
    why: 'one answer for one token, whatever the guardian sends',
    goes: 'when its group is sealed or withheld',
    ofReports: true,
  },
  {
    store: 'account',
    parties: BOTH,
    holds: 'of each round its number, first day, preset and cost',
    why: 'no round opens that would pass the account of twelve months',
    goes: 'two years after the round began, or when it ended without noise',
  },
  {
    store: 'aggregation_jobs',
    parties: EMPLOYER,
    holds: 'replies to the guardian while a group is counted',
    why: 'a repeated request is answered alike',
    goes: 'when the group is sealed',
  },
  {
    store: 'aggregate_share_jobs',
    parties: EMPLOYER,
    holds: 'a group’s sealed share',
    why: 'a repeated request is answered alike',
    goes: CONFIRMED,
  },
  {
    store: 'collections',
    parties: EMPLOYER,
    holds: 'where a group’s result is asked for, and the reply',
    why: 'a result is collected once',
    goes: CONFIRMED,
  },
  {
    store: 'collection_jobs',
    parties: GUARDIAN,
    holds: 'the request for a group’s result, and the reply',
    why: 'noise is drawn once',
    goes: CONFIRMED,
  },
  {
    store: 'results',
    parties: BOTH,
    holds: 'released totals of each group, with noise, signed by both',
    why: 'the trends that the survey is for',
    goes: 'with the retention of published trends, counted from the close',
    kind: 'trends',
  },
  {
    store: 'tasks',
    parties: BOTH,
    holds: 'name, size and keys of each group of a round',
    why: 'they prove totals and list',
    goes: 'with the round’s trends and list, whichever goes last',
  },
  {
    store: 'rounds',
    parties: BOTH,
    holds: 'number, days, keys and signatures of each round; no group, no total',
    why: 'no number and no day is used twice',
    goes: STAYS,
  },
  {
    store: 'sheets',
    parties: BOTH,
    holds: 'surveys as they were submitted and signed',
    why: 'what was agreed can be shown',
    goes: `${STAYS}; a refused one with the retention of logs`,
  },
  {
    store: 'list_slices',
    parties: BOTH,
    holds: 'all report ids of a round, with how each ended; filled at the guardian',
    why: 'a receipt can check that its answer was counted',
    goes: 'with the retention of receipts’ lists, counted from the close',
    kind: 'lists',
  },
  {
    store: 'scripts',
    parties: GUARDIAN,
    holds: 'the answering page’s script of rounds under way',
    why: 'people get the bytes that both signed',
    goes: LISTED,
  },
  {
    store: 'people',
    parties: EMPLOYER,
    holds: 'the roster: address, name, unit, language',
    why: 'to invite',
    goes: 'with the next import that does not have them',
  },
  {
    store: 'units',
    parties: EMPLOYER,
    holds: 'names of units',
    why: 'to make groups',
    goes: 'with the next import in which nobody is in them',
  },
  {
    store: 'managers',
    parties: EMPLOYER,
    holds: 'who manages which unit',
    why: 'to propose who sees which group',
    goes: 'with the next import',
  },
  {
    store: 'roster',
    parties: EMPLOYER,
    holds: 'how often the roster was changed',
    why: 'a change applies to the roster that was looked at',
    goes: STAYS,
  },
  {
    store: 'round_units',
    parties: EMPLOYER,
    holds: 'unit sizes and groups of each round',
    why: 'managers see the groups that hold their people',
    goes: 'with the round’s trends and list, whichever goes last',
  },
  {
    store: 'invitees',
    parties: EMPLOYER,
    holds: 'who is invited to a round: address, name, unit, language, group',
    why: 'to invite and remind everyone alike',
    goes: CLOSED,
  },
  {
    store: 'codes',
    parties: EMPLOYER,
    holds: 'hashes of invitation codes, and of the request each was used with; no person',
    why: 'one token for one invitation',
    goes: CLOSED,
  },
  {
    store: 'invitations',
    parties: EMPLOYER,
    holds: 'how many were invited and reminded; after the close, how many went on',
    why: 'to see whether invitations arrive',
    goes: 'with the retention of invitations, counted from the close; how many went on with that of access counts',
    kind: 'invitations',
  },
  {
    store: 'mail_queue',
    parties: EMPLOYER,
    holds: 'round, person and kind of each mail that no mail server has taken; no text',
    why: 'to send it when the mail server answers',
    goes: 'when it is sent, at the close, or with the retention of the mail queue',
    kind: 'mail',
  },
  {
    store: 'staff',
    parties: BOTH,
    holds: 'address and role of people with a role here',
    why: 'to sign them in',
    goes: 'when the role is taken away',
  },
  {
    store: 'staff_units',
    parties: BOTH,
    holds: 'the units of a manager',
    why: 'they see the groups of their people only',
    goes: 'when the role is taken away',
  },
  {
    store: 'sign_in_links',
    parties: BOTH,
    holds: 'hashes of mailed links',
    why: 'a link signs in once',
    goes: 'when it is used, or after 15 minutes',
  },
  {
    store: 'staff_sessions',
    parties: BOTH,
    holds: 'hashes of sessions, when they began and were used',
    why: 'to keep people signed in',
    goes: 'when they sign out, after 8 hours unused, or with the retention of sessions',
    kind: 'sessions',
  },
  {
    store: 'events',
    parties: BOTH,
    holds: 'what happened, in sentences, without person, address or id',
    why: 'to see what this party did',
    goes: 'with the retention of logs',
    kind: 'logs',
  },
  {
    store: 'retention_changes',
    parties: BOTH,
    holds: 'retention settings, with the guardian’s consent to longer ones',
    why: 'they are in force',
    goes: 'with the retention of logs, once they are replaced',
  },
  {
    store: 'ending',
    parties: BOTH,
    holds: 'when this party was decommissioned',
    why: 'what is left goes by itself',
    goes: 'with the last that is left',
  },
  {
    store: 'clock',
    parties: BOTH,
    holds: 'the latest time that this party has acted on',
    why: 'its clock never goes back',
    goes: STAYS,
  },
  {
    store: 'migrations',
    parties: BOTH,
    holds: 'names and hashes of the steps that made this database',
    why: 'to bring it up to date',
    goes: STAYS,
  },
  {
    store: 'keys/identity',
    parties: BOTH,
    holds: 'the secret key that this party signs with',
    why: 'to sign',
    goes: STAYS,
  },
  {
    store: 'keys/pairing',
    parties: BOTH,
    holds: 'tokens between the parties, and the other’s public key',
    why: 'to talk to the other party',
    goes: 'with the next pairing',
  },
  {
    store: 'keys/round-*',
    parties: BOTH,
    holds: 'what opens this party’s halves of a round',
    why: 'to count',
    goes: 'when the round’s last group is sealed or withheld',
  },
  {
    store: 'keys/collector-*',
    parties: EMPLOYER,
    holds: 'what opens the shares that the guardian releases',
    why: 'to put totals together',
    goes: 'when the round’s last group is confirmed or withheld',
  },
  {
    store: 'keys/tokens-*',
    parties: EMPLOYER,
    holds: 'keys that sign the tokens of a round',
    why: 'to entitle people',
    goes: CLOSED,
  },
  {
    store: 'keys/invitations-*',
    parties: EMPLOYER,
    holds: 'what a round’s invitation codes are made from',
    why: 'a reminder has the same link',
    goes: CLOSED,
  },
  {
    store: 'log',
    parties: BOTH,
    holds: 'the technical log, without person, address, id or share',
    why: 'to find faults',
    goes: 'with the retention of logs',
    kind: 'logs',
  },
];

/** How many records there are, as it is shown. */
export function recordsWords({ ofReports }: InventoryItem, count: number): string {
  return ofReports && count > 0 ? reportsWords(count) : String(count);
}

/** What a party stores, by the list. */
export function inventoryOf(party: PartyName): InventoryItem[] {
  return INVENTORY.filter(({ parties }) => parties.includes(party));
}

/** The item that a key file of this name belongs to, such as `round-7`. */
export function itemOfKeyFile(name: string): InventoryItem | undefined {
  return INVENTORY.find(
    ({ store }) =>
      store === `keys/${name}` ||
      (store.endsWith('*') && `keys/${name}`.startsWith(store.slice(0, -1))),
  );
}
