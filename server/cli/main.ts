#!/usr/bin/env node
import { createInterface } from 'node:readline/promises';
import { PlanError } from '../domain/plan-error.ts';
import { openEmployer } from '../employer/employer.ts';
import { openGuardian } from '../guardian/guardian.ts';
import { Refusal } from '../http/refusal.ts';
import { PeerAway, PeerRefusal } from '../peer/client.ts';
import { INIT_USAGE, init } from './init.ts';
import { INVITE_USAGE, invite } from './invite.ts';
import { type CommandIo, CommandRefused, UsageError } from './io.ts';
import { KEEPING_USAGE, keeping, openKept } from './keeping.ts';
import { PAIR_USAGE, pair } from './pair.ts';
import { employerRetention, guardianRetention, RETENTION_USAGE } from './retention.ts';
import { ROSTER_USAGE, roster } from './roster.ts';
import { employerRound, guardianRound, ROUND_USAGE } from './round.ts';
import { partyConfig, requirePaired, serve } from './serve.ts';
import { readSettings, type Settings, SettingsError } from './settings.ts';
import { STAFF_USAGE, staff } from './staff.ts';
import { employerSurvey, guardianSurvey, SURVEY_USAGE } from './survey.ts';

const USAGE = `Usage: npx chorus COMMAND [--settings FILE]

Both parties
  ${INIT_USAGE}
  ${PAIR_USAGE}
  chorus guardian | employer      runs the party as a service
  ${STAFF_USAGE}
  ${KEEPING_USAGE}

Employer
  ${ROSTER_USAGE}
  ${SURVEY_USAGE.employer}
  ${ROUND_USAGE.employer}
  ${INVITE_USAGE}
  ${RETENTION_USAGE.employer}

Guardian
  ${SURVEY_USAGE.guardian}
  ${RETENTION_USAGE.guardian}
  ${ROUND_USAGE.guardian}

The settings file is ./chorus.json unless --settings or CHORUS_SETTINGS names another.`;

const io: CommandIo = {
  out: (line) => {
    if (process.stdout.isTTY) process.stdout.write('\r\u001b[K');
    console.log(line);
  },
  err: (line) => console.error(line),
  interactive: process.stdin.isTTY === true,
  async confirm(question, word = 'yes') {
    if (process.stdin.isTTY !== true) return false;
    const lines = createInterface({ input: process.stdin, output: process.stdout });
    const answer = await lines.question(`${question} Type ${word}: `);
    lines.close();
    return answer.trim().toLowerCase() === word;
  },
  progress(text) {
    if (process.stdout.isTTY) process.stdout.write(`\r\u001b[K${text}`);
  },
};

try {
  const { args, file } = takeSettings(process.argv.slice(2));
  await run(args, file);
} catch (error) {
  process.exitCode = report(error);
}

function takeSettings(argv: readonly string[]): { args: string[]; file: string | undefined } {
  const at = argv.indexOf('--settings');
  if (at === -1) return { args: [...argv], file: undefined };
  const file = argv[at + 1];
  if (file === undefined) throw new UsageError('--settings FILE');
  return { args: [...argv.slice(0, at), ...argv.slice(at + 2)], file };
}

async function run(args: readonly string[], file: string | undefined): Promise<void> {
  const [command, ...rest] = args;
  if (command === undefined || command === 'help' || command === '--help') {
    io.out(USAGE);
    return;
  }
  if (command === 'init') return init(rest, file, io);
  const commands = [
    ...['pair', 'guardian', 'employer', 'roster', 'survey', 'round', 'staff', 'invite'],
    ...['retention', 'sweep', 'inventory', 'decommission'],
  ];
  if (!commands.includes(command)) throw new UsageError(USAGE);
  const settings = readSettings(file, process.env);
  const config = partyConfig(settings);
  const guardian = () => openAfter(settings, () => openGuardian(config));
  const employer = () => openAfter(settings, () => openEmployer(config));
  switch (command) {
    case 'pair':
      return pair(rest, settings, io, fetch);
    case 'guardian':
    case 'employer':
      if (rest.length > 0) throw new UsageError(`chorus ${command}`);
      requireParty(settings, command);
      return serve(settings, io, (stop) => {
        process.once('SIGINT', stop);
        process.once('SIGTERM', stop);
      });
    case 'roster':
      requireParty(settings, 'employer');
      return once(employer, (open) => roster(rest, open, io));
    case 'invite':
      requireParty(settings, 'employer');
      return once(employer, (open) => invite(rest, open, config.pages.views, io));
    case 'staff':
      return settings.party === 'guardian'
        ? once(guardian, (open) => staff(rest, 'guardian', open, io))
        : once(employer, (open) => staff(rest, 'employer', open, io));
    case 'retention':
      return settings.party === 'guardian'
        ? once(guardian, (open) => guardianRetention(rest, open, io))
        : once(employer, (open) => employerRetention(rest, open, io));
    case 'sweep':
    case 'inventory':
    case 'decommission':
      // Also where the party was decommissioned before: without its keys.
      return once(
        async () => openKept(settings),
        (open) => keeping(command, rest, open, io),
      );
    case 'survey':
      return settings.party === 'guardian'
        ? once(guardian, (open) => guardianSurvey(rest, open, io))
        : once(employer, (open) => employerSurvey(rest, open, io));
    case 'round':
      return settings.party === 'guardian'
        ? once(guardian, (open) => guardianRound(rest, open, io))
        : once(employer, (open) => employerRound(rest, open, io));
  }
}

async function openAfter<Parts>(settings: Settings, open: () => Promise<Parts>): Promise<Parts> {
  requirePaired(settings);
  return open();
}

/** Runs a command that may open the party's data, and closes it again whatever happens. */
async function once<Parts extends { readonly db: { readonly open: boolean; close(): void } }>(
  open: () => Promise<Parts>,
  command: (open: () => Promise<Parts>) => Promise<void>,
): Promise<void> {
  let opened: Parts | undefined;
  try {
    await command(async () => {
      opened ??= await open();
      return opened;
    });
  } finally {
    if (opened?.db.open) opened.db.close();
  }
}

function requireParty(settings: Settings, party: 'guardian' | 'employer'): void {
  if (settings.party !== party) {
    throw new CommandRefused(`this is the ${settings.party}; the command is the ${party}’s`);
  }
}

/** @returns the exit code: 2 for a command called wrongly, 1 for one that was refused */
function report(error: unknown): number {
  if (error instanceof UsageError) {
    io.err(error.message.startsWith('Usage') ? error.message : `Usage: npx ${error.message}`);
    return 2;
  }
  if (
    error instanceof CommandRefused ||
    error instanceof SettingsError ||
    error instanceof Refusal ||
    error instanceof PlanError ||
    error instanceof PeerAway ||
    error instanceof PeerRefusal
  ) {
    io.err(`Chorus: ${error.message}`);
    return 1;
  }
  throw error;
}
