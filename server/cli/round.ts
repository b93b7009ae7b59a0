import { setTimeout as sleep } from 'node:timers/promises';
import { dayOf } from '../domain/days.ts';
import { roundPlanned } from '../domain/withheld.ts';
import type { EmployerParts } from '../employer/parts.ts';
import type { GuardianParts } from '../guardian/parts.ts';
import { planRound, type RoundPlan } from '../guardian/plan.ts';
import { closeRoundEarly, openRound, whyNotOpen } from '../guardian/rounds.ts';
import { nextRoundOf } from '../guardian/schedule.ts';
import { daysOf } from '../http/pages.ts';
import { PeerRefusal } from '../peer/client.ts';
import type { Round } from '../storage/rounds.ts';
import type { Stores } from '../storage/stores.ts';
import { type CommandIo, CommandRefused, table, UsageError } from './io.ts';

/** How often it is asked again, while the employer makes token keys. */
const KEYS_EVERY_MS = 1_000;

export const ROUND_USAGE = {
  employer: 'chorus round list | status NUMBER',
  guardian:
    'chorus round list | status NUMBER | plan [--first YYYY-MM-DD] | open NUMBER | close NUMBER',
} as const;

/** `chorus round …` at the employer: it looks on. @throws CommandRefused, UsageError */
export async function employerRound(
  args: readonly string[],
  open: () => Promise<EmployerParts>,
  io: CommandIo,
): Promise<void> {
  const [verb, number, ...rest] = args;
  if (rest.length > 0) throw new UsageError(ROUND_USAGE.employer);
  if (verb === 'list' && number === undefined) return list(await open(), io);
  if (verb === 'status' && number !== undefined) {
    const parts = await open();
    return status(parts, find(parts, number), io);
  }
  throw new UsageError(ROUND_USAGE.employer);
}

/** `chorus round …` at the guardian. @throws CommandRefused, UsageError, Refusal, PeerAway */
export async function guardianRound(
  args: readonly string[],
  open: () => Promise<GuardianParts>,
  io: CommandIo,
): Promise<void> {
  const [verb, ...rest] = args;
  if (verb === 'list' && rest.length === 0) return list(await open(), io);
  if (verb === 'plan') return plan(await open(), rest, io);
  const [number, ...more] = rest;
  const known = verb === 'status' || verb === 'open' || verb === 'close';
  if (!known || number === undefined || more.length > 0) {
    throw new UsageError(ROUND_USAGE.guardian);
  }
  const parts = await open();
  const round = find(parts, number);
  switch (verb) {
    case 'status': {
      status(parts, round, io);
      if (round.state === 'planned') io.out(`Next: ${next(parts, round)}`);
      return;
    }
    case 'open':
      if (round.state !== 'planned') throw new CommandRefused(`round ${number} is ${round.state}`);
      openRound(parts, round);
      io.out(`Round ${number} is open.`);
      return;
    case 'close': {
      if (round.state !== 'open') throw new CommandRefused(`round ${number} is ${round.state}`);
      io.out(`Nobody can answer in round ${number} afterwards; its groups are then counted.`);
      if (!(await io.confirm(`Close round ${number} now?`))) {
        throw new CommandRefused('left open');
      }
      // Somebody may have closed it meanwhile.
      if (!closeRoundEarly(parts, round)) throw new CommandRefused(`round ${number} is closed`);
      io.out(`Round ${number} is closed. It is counted once the employer knows.`);
      return;
    }
  }
}

/** Plans the next round of the one approved survey, on the days that the schedule or a person says. */
async function plan(parts: GuardianParts, args: readonly string[], io: CommandIo): Promise<void> {
  const [flag, first, ...rest] = args;
  if (rest.length > 0 || (flag !== undefined && (flag !== '--first' || first === undefined))) {
    throw new UsageError(ROUND_USAGE.guardian);
  }
  const approved = parts.sheets.inState('approved');
  const [stored] = approved;
  if (stored === undefined) throw new CommandRefused('no survey is approved');
  if (approved.length > 1)
    throw new CommandRefused('several surveys are approved; their schedules plan');
  const scheduled = nextRoundOf(parts, stored);
  if (scheduled === undefined) throw new CommandRefused('the survey has no further round');
  const start = first === undefined ? scheduled.start : dayOf(first);
  if (start === undefined) throw new CommandRefused(`${first} is not a date like 2026-11-21`);
  const number = parts.rounds.lastNumber() + 1;
  const days = { start, duration: scheduled.duration };
  await planOnceKeysAreMade(parts, { number, sheetHash: stored.hash, days }, io);
  const round = parts.rounds.withNumber(number) as Round;
  io.out(roundPlanned(number, parts.tasks.ofRound(round.manifestHash).length));
  io.out(`It is for ${daysOf(round).opens} to ${daysOf(round).closes}.`);
}

/** Says how far the employer is with the token keys: minutes for a large company. */
async function planOnceKeysAreMade(
  parts: GuardianParts,
  round: RoundPlan,
  io: CommandIo,
): Promise<void> {
  io.progress(`Planning round ${round.number} …`);
  for (;;) {
    try {
      await planRound(parts, round);
      return;
    } catch (error) {
      if (!(error instanceof PeerRefusal && error.code === 'notYet')) throw error;
      io.progress(`Planning round ${round.number} … ${error.message}`);
      await sleep(KEYS_EVERY_MS);
    }
  }
}

function list(stores: Stores, io: CommandIo): void {
  const rounds = stores.rounds.all();
  if (rounds.length === 0) {
    io.out('No round yet. Rounds are planned once a survey is approved.');
    return;
  }
  const rows = rounds.map((round) => {
    const groups = stores.tasks.states(round.manifestHash);
    const { opens, closes } = daysOf(round);
    const total = Object.values(groups).reduce((sum, count) => sum + count, 0);
    return [
      String(round.number),
      round.state,
      opens,
      closes,
      String(total),
      String(groups.confirmed),
      String(groups.withheld),
    ];
  });
  const head = ['Round', 'State', 'First day', 'Last day', 'Groups', 'Released', 'Withheld'];
  for (const line of table([head, ...rows])) io.out(line);
}

function status(stores: Stores, round: Round, io: CommandIo): void {
  const groups = stores.tasks.states(round.manifestHash);
  const { opens, closes } = daysOf(round);
  io.out(`Round ${round.number}: ${round.state}, ${opens} to ${closes}`);
  const counts = Object.entries(groups).filter(([, count]) => count > 0);
  io.out(`Groups: ${counts.map(([state, count]) => `${count} ${state}`).join(', ')}`);
  for (const event of stores.events.ofRound(round.number)) {
    io.out(`${moment(event.atMs)}  ${event.sentence}`);
  }
}

function next(parts: GuardianParts, round: Round): string {
  const reason = whyNotOpen(parts, round);
  return reason === undefined ? 'it opens at once' : `it does not open yet: ${reason}`;
}

function find(stores: Stores, text: string): Round {
  const round = /^\d{1,9}$/.test(text) ? stores.rounds.withNumber(Number(text)) : undefined;
  if (round === undefined) throw new CommandRefused(`there is no round ${text}`);
  return round;
}

/** To the minute. */
function moment(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
