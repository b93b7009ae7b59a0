import { setTimeout as sleep } from 'node:timers/promises';
import { fromBase64url } from '../../crypto/bytes.ts';
import type { Sheet } from '../../crypto/sheet.ts';
import { DAY_MS, type Days } from '../domain/days.ts';
import type { Checklist } from './checklist.ts';
import { openRoundDays, pastRoundDays, type Sample, sampleSheet, teams } from './company.ts';
import { answerRound } from './employees.ts';
import type { RoundStanding } from './messages.ts';
import type { PartyHandle } from './party-handle.ts';
import type { SampleState } from './settings.ts';

const POLL_MS = 50;

/** The two running parties and what the sample is made from. */
export interface SampleMaker {
  readonly guardian: PartyHandle;
  readonly employer: PartyHandle;
  readonly guardianUrl: string;
  readonly sample: Sample;
  readonly state: SampleState;
  readonly checklist: Checklist;
}

/**
 * Brings the sample to where it should be, from wherever an earlier start left it: past rounds one
 * after the other under a clock that is moved through them, then the present, then an open round.
 * @returns the hash of the open round's manifest, in base64url
 */
export async function makeSample(maker: SampleMaker): Promise<string> {
  const { sample, state } = maker;
  const sheet = sampleSheet(sample, state);
  await setClock(maker, (pastRoundDays(sample, state, 1).start - 1) * DAY_MS);
  for (let number = 1; number <= sample.pastRounds; number++) {
    const days = pastRoundDays(sample, state, number);
    if ((await standing(maker, number))?.finished !== true)
      await pastRound(maker, sheet, number, days);
    maker.checklist.done(
      `Round ${number} of ${sample.pastRounds} is answered, counted and released`,
    );
  }
  await setClock(maker, null);
  return openRound(maker, sheet);
}

async function pastRound(maker: SampleMaker, sheet: Sheet, number: number, days: Days) {
  const hash = await plan(maker, sheet, number, days);
  await setClock(maker, days.start * DAY_MS);
  await until(maker, number, (round) => round.state !== 'planned');
  if ((await standing(maker, number))?.state === 'open') {
    await answer(maker, number, hash);
    await setClock(maker, (days.start + days.duration) * DAY_MS);
  }
  await until(maker, number, (round) => {
    const { groups, groupsDone } = round;
    tell(maker, `Round ${number}: ${groupsDone} of ${groups} groups counted`, groupsDone, groups);
    return round.finished;
  });
}

async function openRound(maker: SampleMaker, sheet: Sheet): Promise<string> {
  const all = await rounds(maker);
  const last = all.at(-1);
  const current = last !== undefined && (last.state === 'open' || last.state === 'planned');
  const number = current ? last.number : (last?.number ?? 0) + 1;
  // A round that an earlier start left behind is counted before another opens.
  for (const { number: earlier, state, finished } of all) {
    if (state === 'closed' && !finished) await until(maker, earlier, (round) => round.finished);
  }
  const today = openRoundDays(Math.floor(Date.now() / DAY_MS));
  const hash =
    last !== undefined && current && last.state === 'open'
      ? last.manifestHash
      : await plan(maker, sheet, number, today);
  await until(maker, number, (round) => round.state === 'open');
  await answer(maker, number, hash);
  maker.checklist.done(`Round ${number} is open, and most have answered`);
  await Promise.all([
    maker.guardian.request({ kind: 'preparing', preparing: null }),
    maker.employer.request({ kind: 'preparing', preparing: null }),
  ]);
  return hash;
}

function plan(maker: SampleMaker, sheet: Sheet, number: number, days: Days): Promise<string> {
  const groups = teams(maker.sample);
  return maker.guardian.request({
    kind: 'plan',
    plan: { number, days, sheet, groups },
  }) as Promise<string>;
}

function answer(maker: SampleMaker, number: number, hash: string): Promise<void> {
  const { guardianUrl, sample, state } = maker;
  return answerRound(
    guardianUrl,
    fromBase64url(hash),
    sample,
    state,
    teams(sample),
    (done, total) => {
      tell(maker, `Round ${number}: ${done} of ${total} answers sealed and sent`, done, total);
    },
  );
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
