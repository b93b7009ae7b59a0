import { toBase64url } from '../../crypto/bytes.ts';
import { DAY_MS } from './days.ts';

/** Bytes of an invitation's code. */
export const INVITATION_CODE_SIZE = 16;

/** What an invitation says. */
export interface Invitation {
  /** 16 bytes. */
  readonly code: Uint8Array;
  readonly groupIndex: number;
  readonly manifestHash: Uint8Array;
}

/**
 * The link of an invitation. All of it that matters is in the fragment, which a browser sends to no
 * server: code, group index and manifest hash.
 * @param guardianUrl as the manifest has it
 */
export function invitationLink(guardianUrl: string, invitation: Invitation): string {
  const { code, groupIndex, manifestHash } = invitation;
  const fragment = `${toBase64url(code)}.${groupIndex}.${toBase64url(manifestHash)}`;
  return new URL(`/answer#${fragment}`, guardianUrl).href;
}

/** A round's first half is over: the moment of the one reminder by schedule. */
export function halfTime(round: { readonly opensMs: number; readonly closesMs: number }): number {
  return round.opensMs + (round.closesMs - round.opensMs) / 2;
}

/** Whether everyone was reminded so recently that another reminder would be a nuisance. */
export function remindedLately(remindedMs: number | null, nowMs: number): boolean {
  return remindedMs !== null && nowMs - remindedMs < DAY_MS;
}
