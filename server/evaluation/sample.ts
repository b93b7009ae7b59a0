import { setTimeout as sleep } from 'node:timers/promises';
import { fromBase64url } from '../../crypto/bytes.ts';
import type { Sheet } from '../../crypto/sheet.ts';
import { DAY_MS, type Days } from '../domain/days.ts';
import { invitationLink } from '../domain/invitations.ts';
import { roundDays } from '../domain/schedule.ts';
import type { Checklist } from './checklist.ts';
import {
  answerOf,
  emailOf,
  people,
  ROUND_DAYS,
  type Sample,
  sampleSheet,
  teams,
} from './company.ts';
import { answerRound } from './employees.ts';
import type { RoundStanding, SampleCode } from './messages.ts';
import type { PartyHandle } from './party-handle.ts';
import type { SampleState } from './settings.ts';

const POLL_MS = 50;

/** The two running parties and what the sample is made from. */
export interface SampleMaker {
  readonly guardian: PartyHandle;
  readonly employer: PartyHandle;
  readonly urls: { readonly guardian: string; readonly employer: string };
  readonly sample: Sample;
  readonly state: SampleState;
  readonly checklist: Checklist;
}

/**
 * Brings the sample to where it should be, from wherever an earlier start left it: roster and sheet go
 * the way of every survey, then the past rounds one after the other under a clock that is moved
 * through them, each planned by the schedule; then the present, and an open round.
 * @returns the invitation link of somebody who has not answered the open round
 */
export async function makeSample(maker: SampleMaker): Promise<string> {
  const { sample, state } = maker;
  const sheet = sampleSheet(sample, state);
  await setClock(maker, (sheet.schedule.first_day - 2) * DAY_MS);
  await prepareTokenKeys(maker, await unplanned(maker));
  const sheetHash = await approveSample(maker, sheet);
  for (let number = 1; number <= sample.pastRounds; number++) {
    if ((await standing(maker, number))?.finished !== true) await pastRound(maker, sheet, number);
    maker.checklist.done(
      `Round ${number} of ${sample.pastRounds} is answered, counted and released`,
    );
  }
  await setClock(maker, null);
  return openRound(maker, sheet, sheetHash);
}

async function approveSample(maker: SampleMaker, sheet: Sheet): Promise<string> {
  if ((await rounds(maker)).length === 0) {
    await maker.employer.request({ kind: 'roster', people: people(maker.sample) });
  }
  const sheetHash = (await maker.employer.request({ kind: 'submit', sheet })) as string;
  while (!(await maker.guardian.request({ kind: 'approve', sheetHash }))) await sleep(POLL_MS);
  return sheetHash;
}

async function pastRound(maker: SampleMaker, sheet: Sheet, number: number): Promise<void> {
  const days = roundDays(sheet, number - 1) as Days;
  await setClock(maker, (days.start - 1) * DAY_MS);
  await until(maker, number, (round) => round.signed);
  await setClock(maker, days.start * DAY_MS);
  await until(maker, number, (round) => round.state !== 'planned');
  const round = await standing(maker, number);
  if (round?.state === 'open') {
    await answer(maker, number, round.manifestHash);
    await setClock(maker, (days.start + days.duration) * DAY_MS);
  }
  await until(maker, number, (round) => {
    const { groups, groupsDone } = round;
    tell(maker, `Round ${number}: ${groupsDone} of ${groups} groups counted`, groupsDone, groups);
    return round.finished;
  });
}

/** The round that the schedule has opened today; or, if that is over, another one beside it. */
async function openRound(maker: SampleMaker, sheet: Sheet, sheetHash: string): Promise<string> {
  for (const { number, state, finished } of await rounds(maker)) {
    // A round that an earlier start left behind is counted before another opens.
    if (state === 'closed' && !finished) await until(maker, number, (round) => round.finished);
  }
  const first = maker.sample.pastRounds + 1;
  const last = (await rounds(maker)).at(-1);
  let number = first;
  if (last !== undefined && last.number >= first) {
    number = last.state === 'closed' ? last.number + 1 : last.number;
  }
  if (number > first && last?.number !== number) {
    const start = Math.floor(Date.now() / DAY_MS);
    const days = { start, duration: ROUND_DAYS };
    while (!(await prepareTokenKeys(maker, [number])));
    await maker.guardian.request({ kind: 'plan', number, sheetHash, days });
  }
  await until(maker, number, (round) => round.state === 'open');
  const round = (await standing(maker, number)) as RoundStanding;
  const codes = await answer(maker, number, round.manifestHash);
  maker.checklist.done(`Round ${number} is open, and most have answered`);
  // For the round that may be planned beside the schedule at the next start.
  await prepareTokenKeys(maker, [number + 1]);
  await Promise.all([
    maker.guardian.request({ kind: 'preparing', preparing: null }),
    maker.employer.request({ kind: 'preparing', preparing: null }),
  ]);
  return linkOfOne(maker, sheet, round, codes);
}

/** Somebody who was asked and has not answered yet. */
function linkOfOne(
  { urls, sample }: SampleMaker,
  sheet: Sheet,
  round: RoundStanding,
  codes: readonly SampleCode[],
): string {
  for (const team of teams(sample)) {
    for (let person = 0; person < team.rosterSize; person++) {
      if (answerOf(sample, sheet, round.number, team, person) !== undefined) continue;
      const found = codes.find(({ email }) => email === emailOf(sample, team, person));
      if (found === undefined) continue;
      return invitationLink(urls.guardian, {
        code: fromBase64url(found.code),
        groupIndex: found.groupIndex,
        manifestHash: fromBase64url(round.manifestHash),
      });
    }
  }
  throw new Error('everybody of the sample has answered');
}

/** The sample's rounds that there is no manifest of yet, up to the one that is left open. */
async function unplanned(maker: SampleMaker): Promise<number[]> {
  const last = (await rounds(maker)).at(-1)?.number ?? 0;
  const { pastRounds } = maker.sample;
  return Array.from({ length: Math.max(0, pastRounds + 1 - last) }, (_, i) => last + 1 + i);
}

/**
 * Keys are made in the background, one round after the other, whenever nothing else is to be done: they
 * take seconds a round.
 * @returns whether all are there
 */
async function prepareTokenKeys(
  { employer, sample }: SampleMaker,
  rounds: readonly number[],
): Promise<boolean> {
  const groups = teams(sample).length;
  return (await employer.request({ kind: 'token-keys', rounds, groups })) as boolean;
}

/** @returns everybody's codes */
async function answer(maker: SampleMaker, number: number, hash: string): Promise<SampleCode[]> {
  const { employer, urls, sample, state } = maker;
  const codes = (await employer.request({ kind: 'codes', round: number })) as SampleCode[];
  const manifestHash = fromBase64url(hash);
  await answerRound({ urls, manifestHash, codes, sample, state }, (done, total) => {
    tell(maker, `Round ${number}: ${done} of ${total} answers sealed and sent`, done, total);
  });
  return codes;
}

let lastTold = 0;

/** To the terminal at once, to the status pages a few times a second. */
function tell(maker: SampleMaker, sentence: string, done: number, total: number): void {
  maker.checklist.progress(sentence, done, total);
  if (Date.now() - lastTold < 250) return;
  lastTold = Date.now();
  const preparing = { done, total, sentence };
  for (const party of [maker.guardian, maker.employer]) {
    // Only a display: a party that is stopping need not hear it.
    party.request({ kind: 'preparing', preparing }).catch(() => {});
  }
}

/** The employer first, so that it never finds the guardian ahead of its time. */
async function setClock(maker: SampleMaker, toMs: number | null): Promise<void> {
  await maker.employer.request({ kind: 'clock', toMs });
  await maker.guardian.request({ kind: 'clock', toMs });
}

function rounds(maker: SampleMaker): Promise<RoundStanding[]> {
  return maker.guardian.request({ kind: 'rounds' }) as Promise<RoundStanding[]>;
}

async function standing(maker: SampleMaker, number: number): Promise<RoundStanding | undefined> {
  return (await rounds(maker)).find((round) => round.number === number);
}

async function until(
  maker: SampleMaker,
  number: number,
  reached: (round: RoundStanding) => boolean,
): Promise<void> {
  for (;;) {
    const round = await standing(maker, number);
    if (round !== undefined && reached(round)) return;
    await sleep(POLL_MS);
  }
}
