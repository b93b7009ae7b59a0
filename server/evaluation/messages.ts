import type { RoundPlan } from '../guardian/plan.ts';
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
}

/** From the evaluation to a party: requests that get exactly one reply. */
export type PartyRequest =
  /** Moves the clock forward; null lets it follow the present. */
  | { readonly kind: 'clock'; readonly toMs: number | null }
  | { readonly kind: 'preparing'; readonly preparing: StatusPage['preparing'] }
  | { readonly kind: 'plan'; readonly plan: RoundPlan }
  | { readonly kind: 'rounds' }
  | { readonly kind: 'stop' };

/** How a round stands at a party. */
export interface RoundStanding {
  readonly number: number;
  readonly manifestHash: string;
  readonly state: RoundState;
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
