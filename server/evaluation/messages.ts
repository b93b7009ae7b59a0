import type { Sheet } from '../../crypto/sheet.ts';
import type { Days } from '../domain/days.ts';
import type { Person } from '../domain/roster.ts';
import type { Staff } from '../domain/staff.ts';
import type { StatusPage } from '../http/views.ts';
import type { RoundState } from '../storage/rounds.ts';

/** What a party's process is started with, as its first argument (JSON). */
export interface PartyStart {
  readonly party: 'guardian' | 'employer';
  readonly folder: string;
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly names: { readonly guardian: string; readonly employer: string };
  /** The evaluation's mail server on this machine, and where it writes what it takes. */
  readonly mail?: { readonly port: number; readonly file: string };
}

/** From the evaluation to a party: requests that get exactly one reply. */
export type PartyRequest =
  /** Moves the clock forward; null lets it follow the present. */
  | { readonly kind: 'clock'; readonly toMs: number | null }
  | { readonly kind: 'preparing'; readonly preparing: StatusPage['preparing'] }
  /** To the employer: replaces the roster. */
  | { readonly kind: 'roster'; readonly people: readonly Person[] }
  /** To the employer: submits a sheet. The value of the reply is its hash. */
  | { readonly kind: 'submit'; readonly sheet: Sheet }
  /** To the guardian: approves a submitted sheet; false as long as it has not arrived. */
  | { readonly kind: 'approve'; readonly sheetHash: string }
  /** To the guardian: plans a round beside the schedule. The value is its manifest's hash. */
  | {
      readonly kind: 'plan';
      readonly number: number;
      readonly sheetHash: string;
      readonly days: Days;
    }
  /** To the employer: makes token keys of rounds ahead of their planning. The value: all are there. */
  | { readonly kind: 'token-keys'; readonly rounds: readonly number[]; readonly groups: number }
  /** To the employer: the codes of a round's invitations, `SampleCode[]`. */
  | { readonly kind: 'codes'; readonly round: number }
  /** Gives somebody a role. The value is a link that signs in as often as it is opened. */
  | { readonly kind: 'link'; readonly person: Omit<Staff, 'id'> }
  | { readonly kind: 'rounds' }
  | { readonly kind: 'stop' };

/** One sample person's code, as it is in their mail. */
export interface SampleCode {
  readonly email: string;
  readonly groupIndex: number;
  /** 16 bytes, base64url. */
  readonly code: string;
}

/** How a round stands at a party. */
export interface RoundStanding {
  readonly number: number;
  readonly manifestHash: string;
  readonly state: RoundState;
  /** Whether both parties have signed its manifest. */
  readonly signed: boolean;
  readonly closesMs: number;
  /** Whether its list is signed by both: nothing is left to do. */
  readonly finished: boolean;
  readonly groups: number;
  readonly groupsDone: number;
}

/** From a party: `ready` once, then replies in the order of the requests. */
export type PartyReply =
  | { readonly kind: 'ready'; readonly port: number }
  | { readonly kind: 'done'; readonly value: unknown }
  | { readonly kind: 'failed'; readonly name: string; readonly message: string };
