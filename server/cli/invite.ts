import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { dateAt } from '../domain/days.ts';
import { invitationLink } from '../domain/invitations.ts';
import { dayWords } from '../domain/shown.ts';
import { PATH_SEPARATOR } from '../domain/unit-path.ts';
import { invitationCode, readInvitationSecret } from '../employer/invitation-codes.ts';
import { reissue, remind } from '../employer/invitations.ts';
import type { EmployerParts } from '../employer/parts.ts';
import type { Invitations, Invitee } from '../storage/invitations.ts';
import type { Round } from '../storage/rounds.ts';
import { invitationSheet } from './invite-sheet.ts';
import { type CommandIo, CommandRefused, UsageError } from './io.ts';

export const INVITE_USAGE =
  'chorus invite status ROUND | remind ROUND | reissue ROUND EMAIL | ' +
  'print ROUND [--unit PATH] [--refused] FILE.html';

/** `chorus invite …` at the employer. @throws CommandRefused, UsageError, Refusal */
export async function invite(
  args: readonly string[],
  open: () => Promise<EmployerParts>,
  views: string,
  io: CommandIo,
): Promise<void> {
  const { values, positionals } = parse(args);
  const [verb, number, argument, ...rest] = positionals;
  const flags = values.unit !== undefined || values.refused === true;
  const takesArgument = verb === 'reissue' || verb === 'print';
  if (
    !['status', 'remind', 'reissue', 'print'].includes(verb ?? '') ||
    number === undefined ||
    takesArgument !== (argument !== undefined) ||
    rest.length > 0 ||
    (flags && verb !== 'print')
  ) {
    throw new UsageError(INVITE_USAGE);
  }
  const parts = await open();
  const round = /^\d{1,9}$/.test(number) ? parts.rounds.withNumber(Number(number)) : undefined;
  const invitations = round && parts.invitations.of(round.number);
  if (round === undefined || invitations === undefined) {
    throw new CommandRefused(`there is no round ${number}`);
  }
  switch (verb) {
    case 'status':
      return status(parts, round, invitations, io);
    case 'remind':
      remind(parts, round);
      io.out(`A reminder to each of ${invitations.people} people is queued, whatever they did.`);
      return;
    case 'reissue':
      reissue(parts, round, argument as string);
      io.out('A second invitation is queued; the first link ends. It is noted without the person.');
      io.out('If the first one was used to answer, the second permits a second answer. A group');
      io.out('never counts more answers than it has people on the roster.');
      return;
    default:
      return print(parts, round, values, argument as string, views, io);
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { unit: { type: 'string' }, refused: { type: 'boolean' } },
    });
  } catch {
    throw new UsageError(INVITE_USAGE);
  }
}

/** Counts, and no person: how many went on is told only when nobody can be pressed any more. */
function status(
  parts: EmployerParts,
  round: Round,
  { people, codesUsed, ended, reissued, remindedMs }: Invitations,
  io: CommandIo,
): void {
  const { queued } = parts.mailQueue.count(round.number);
  const refused = parts.mailQueue.refusedPeople(round.number).length;
  io.out(`Round ${round.number}: ${round.state}`);
  const line = (count: number, text: string) => io.out(`${String(count).padStart(7)} ${text}`);
  line(people, 'people are invited');
  line(queued, 'mails are queued');
  if (queued > 0)
    io.out('Mail leaves while npx chorus employer runs; its page says what is in the way.');
  if (refused > 0) {
    line(refused, 'people’s address was refused by the mail server; print --refused is for them');
  }
  if (reissued > 0) line(reissued, 'invitations were issued a second time');
  if (remindedMs !== null) {
    io.out(`Everyone was reminded last on ${dateAt(remindedMs)}.`);
  }
  if (!ended) io.out('How many went on from their invitation is told after the close.');
  else if (codesUsed === null) io.out('How many went on is deleted; its retention is over.');
  else line(codesUsed, 'invitations were gone on from');
}

async function print(
  parts: EmployerParts,
  round: Round,
  { unit, refused }: { unit?: string; refused?: boolean },
  file: string,
  views: string,
  io: CommandIo,
): Promise<void> {
  const { number } = round;
  const secret = readInvitationSecret(parts.keyFiles, number);
  if (secret === undefined || round.state === 'closed') {
    throw new CommandRefused(`round ${number} is closed; its invitations are deleted`);
  }
  const refusedPeople = refused === true && new Set(parts.mailQueue.refusedPeople(number));
  const chosen = parts.invitations
    .invitees(number)
    .filter(({ person }) => refusedPeople === false || refusedPeople.has(person))
    .filter((invitee) => unit === undefined || isWithin(invitee, unit));
  if (chosen.length === 0) throw new CommandRefused('nobody is invited there; nothing is printed');
  const { head, sheet } = parts.contexts.round(round.manifestHash);
  const page = await invitationSheet(
    views,
    {
      title: sheet.title,
      employer: sheet.notice.employer,
      guardian: sheet.notice.guardian,
      contact: sheet.notice.contact,
      closes: dayWords(head.days.start + head.days.duration - 1),
    },
    chosen.map(({ person, name, unit: path, groupIndex, issue }) => ({
      name,
      unit: path,
      link: invitationLink(head.guardian.url, {
        code: invitationCode(secret, person, issue),
        groupIndex,
        manifestHash: round.manifestHash,
      }),
    })),
    (done) => io.progress(`${done} of ${chosen.length}`),
  );
  try {
    writeFileSync(file, page, { flag: 'wx', mode: 0o600 });
  } catch (error) {
    throw new CommandRefused(`${file} cannot be written: ${(error as Error).message}`);
  }
  io.out(`${chosen.length} invitations are in ${file}. Whoever has it can answer in their place:`);
  io.out('print it, hand each person theirs, and delete the file.');
}

/** Whether somebody stands at a unit or below it. */
function isWithin({ unit }: Invitee, path: string): boolean {
  return unit === path || unit.startsWith(path + PATH_SEPARATOR);
}
