import { setImmediate as nextTurn } from 'node:timers/promises';
import { compareBytes } from '../../crypto/bytes.ts';
import { sha256 } from '../../crypto/sha256.ts';
import { halfTime, remindedLately } from '../domain/invitations.ts';
import { Refusal } from '../http/refusal.ts';
import { truncateWal } from '../storage/database.ts';
import { endRound } from '../storage/invitations.ts';
import type { RoundUnit } from '../storage/roster.ts';
import type { Round } from '../storage/rounds.ts';
import { transact } from '../storage/stores.ts';
import {
  deleteInvitationSecret,
  drawInvitationSecret,
  invitationCode,
  readInvitationSecret,
} from './invitation-codes.ts';
import type { EmployerParts } from './parts.ts';

/** Rows read or written at a time: some milliseconds. */
const ROWS_A_TURN = 500;

/**
 * Writes down who is invited to a round that is about to be signed, with two codes each, in place of
 * what an earlier draft wrote; `begin` in the signing transaction makes it count. Not to be run
 * twice at once.
 * @returns how many people, and the version of the roster that they are from
 * @throws Refusal `planMismatch` if the roster is no longer the one that the round was planned with
 */
export async function freezeInvitees(
  parts: EmployerParts,
  round: number,
  units: readonly RoundUnit[],
): Promise<{ people: number; version: number }> {
  const { db, invitations, roster } = parts;
  const version = roster.version();
  const secret =
    readInvitationSecret(parts.keyFiles, round) ??
    drawInvitationSecret(parts.keyFiles, round, parts.randomness);
  transact(db, () => invitations.discard(round));
  const groups = new Map(units.map((unit) => [unit.path, unit.groupIndex]));
  const left = new Map(units.map((unit) => [unit.path, unit.people]));
  const codes: NewCode[] = [];
  let last = 0;
  for (;;) {
    const members = roster.members(last, ROWS_A_TURN);
    if (members.length === 0) break;
    last = members.at(-1)?.person as number;
    transact(db, () => {
      for (const member of members) {
        const groupIndex = groups.get(member.unit);
        left.set(member.unit, (left.get(member.unit) ?? 0) - 1);
        if (groupIndex === undefined) throw rosterChanged();
        invitations.insertInvitee(round, { ...member, groupIndex });
        for (const issue of [1, 2] as const) {
          const hash = sha256(invitationCode(secret, member.person, issue));
          codes.push({ hash, groupIndex, active: issue === 1 });
        }
      }
    });
    await nextTurn();
  }
  if ([...left.values()].some((people) => people !== 0)) throw rosterChanged();
  for (const rows of inOrderOfHash(codes)) {
    transact(db, () => {
      for (const { hash, groupIndex, active } of rows) {
        invitations.insertCode(round, hash, groupIndex, active);
      }
    });
    await nextTurn();
  }
  return { people: codes.length / 2, version };
}

interface NewCode {
  readonly hash: Uint8Array;
  readonly groupIndex: number;
  readonly active: boolean;
}

/**
 * Sorted by their hashes, some hundred at a time: an order that has nothing to do with the people's,
 * as nobody has chosen it. By their first bytes before all others, so that no step takes long.
 */
function* inOrderOfHash(codes: readonly NewCode[]): Generator<NewCode[]> {
  const byFirst = Array.from({ length: 256 }, (): NewCode[] => []);
  for (const code of codes) byFirst[code.hash[0] as number]?.push(code);
  let rows: NewCode[] = [];
  for (const some of byFirst) {
    rows.push(...some.sort((a, b) => compareBytes(a.hash, b.hash)));
    if (rows.length < ROWS_A_TURN) continue;
    yield rows;
    rows = [];
  }
  yield rows;
}

function rosterChanged(): Refusal {
  return new Refusal('planMismatch', 'the roster was changed while the round was planned');
}

/**
 * Puts mail into the queue when its time has come: invitations when a round is open, one reminder
 * at half time. To everyone alike, whatever they have done.
 */
export async function inviteOnTime(parts: EmployerParts): Promise<boolean> {
  const now = parts.clock.now();
  let progress = false;
  for (const { round: number, mailed, halfway, remindedMs } of parts.invitations.live()) {
    const round = parts.rounds.withNumber(number);
    if (round?.state !== 'open') continue;
    if (!mailed) {
      transact(parts.db, () => {
        if (parts.invitations.setMailed(number)) parts.mailQueue.addAll(number, 'invitation', now);
      });
      progress = true;
    }
    if (!halfway && now >= halfTime(round)) {
      transact(parts.db, () => {
        parts.invitations.setHalfway(number);
        if (!remindedLately(remindedMs, now)) queueReminders(parts, number, now);
      });
      progress = true;
    }
  }
  return progress;
}

function queueReminders(parts: EmployerParts, round: number, now: number): void {
  parts.mailQueue.addAll(round, 'reminder', now);
  parts.invitations.setReminded(round, now);
}

/**
 * One reminder to everyone who is invited.
 * @throws Refusal `notYet` if the round is not open or everyone was reminded within a day
 */
export function remind(parts: EmployerParts, round: Round): void {
  const now = parts.clock.now();
  const invitations = parts.invitations.of(round.number);
  if (round.state !== 'open' || now >= round.closesMs || invitations === undefined) {
    throw new Refusal('notYet', 'the round is not open');
  }
  if (!invitations.mailed) throw new Refusal('notYet', 'the invitations are not on their way yet');
  if (remindedLately(invitations.remindedMs, now)) {
    throw new Refusal('notYet', 'everyone was reminded less than a day ago');
  }
  transact(parts.db, () => queueReminders(parts, round.number, now));
}

/**
 * Ends a person's first invitation and mails them a second one: once, noted without the person. If
 * they answered with the first one, it permits a second answer; nobody here can tell.
 * @throws Refusal `notFound` for a person who is not invited, `notYet` if the round is not open
 * or the person has had their second invitation
 */
export function reissue(parts: EmployerParts, round: Round, email: string): void {
  const now = parts.clock.now();
  const { number } = round;
  const secret = readInvitationSecret(parts.keyFiles, number);
  if (secret === undefined || round.state !== 'open' || now >= round.closesMs) {
    throw new Refusal('notYet', 'the round is not open');
  }
  transact(parts.db, () => {
    const invitee = parts.invitations.withEmail(number, email.toLowerCase());
    if (invitee === undefined) throw new Refusal('notFound', 'nobody of this address is invited');
    if (invitee.issue === 2) {
      throw new Refusal('notYet', 'this person has had a second invitation already');
    }
    const hashOf = (issue: 1 | 2) => sha256(invitationCode(secret, invitee.person, issue));
    parts.invitations.reissue(number, invitee.person, hashOf(1), hashOf(2));
    parts.mailQueue.add(number, invitee.person, 'reissue', now);
    parts.events.add({
      atMs: now,
      round: number,
      groupIndex: null,
      kind: 'reissued',
      sentence: 'An invitation was issued a second time.',
    });
  });
  truncateWal(parts.db);
}

/** Deletes people, codes, mail and token keys of rounds that are closed; the counts stay. */
export async function endInvitations(parts: EmployerParts): Promise<boolean> {
  let progress = false;
  for (const { round: number } of parts.invitations.live()) {
    const state = parts.rounds.withNumber(number)?.state;
    if (state !== 'closed' && state !== 'expired') continue;
    // The files first: what is still in the database leads here again after a crash.
    await parts.tokenKeys.delete(number);
    parts.tokenKeyMaking.forget(number);
    deleteInvitationSecret(parts.keyFiles, number);
    endRound(parts.db, parts, number);
    truncateWal(parts.db);
    progress = true;
  }
  return progress;
}
