import { parseArgs } from 'node:util';
import { toBase64url } from '../../crypto/bytes.ts';
import { scopeFacts } from '../aggregator/retention-scope.ts';
import {
  daysWords,
  RETENTIONS,
  RetentionRefused,
  retentionKind,
  scopeWords,
} from '../domain/retention.ts';
import type { EmployerParts } from '../employer/parts.ts';
import { cancelRetention, changeRetention, checkChange, deletedBy } from '../employer/retention.ts';
import type { GuardianParts } from '../guardian/parts.ts';
import { approveChange, refuseChange } from '../guardian/retention.ts';
import type { RetentionStore, StoredChange } from '../storage/retention.ts';
import type { SheetStore } from '../storage/sheets.ts';
import { type CommandIo, CommandRefused, table, UsageError } from './io.ts';

export const RETENTION_USAGE = {
  employer: 'chorus retention list | set KIND DAYS [--survey SHEET] | cancel NUMBER',
  guardian: 'chorus retention list | approve NUMBER | refuse NUMBER REASON',
} as const;

type Parts = { readonly sheets: SheetStore; readonly retention: RetentionStore };

/** `chorus retention …` at the employer. @throws CommandRefused, UsageError */
export async function employerRetention(
  args: readonly string[],
  open: () => Promise<EmployerParts>,
  io: CommandIo,
): Promise<void> {
  const { positionals, survey } = parse(args);
  const [verb, name, days, ...rest] = positionals;
  const usage = new UsageError(RETENTION_USAGE.employer);
  if (rest.length > 0 || (survey !== undefined && verb !== 'set')) throw usage;
  if (verb === 'list' && name === undefined) return list(await open(), io);
  if (name === undefined) throw usage;
  try {
    if (verb === 'cancel' && days === undefined) {
      const parts = await open();
      cancelRetention(parts, find(parts, name).hash);
      io.out('Taken back; what was in force stays.');
      return;
    }
    if (verb !== 'set' || days === undefined) throw usage;
    const kind = retentionKind(name);
    if (kind === undefined) {
      throw new CommandRefused(`KIND is one of ${RETENTIONS.map((one) => one.kind).join(', ')}`);
    }
    const parts = await open();
    const sheet = survey === undefined ? null : findSheet(parts, survey);
    // Not Number(): it takes an empty text for 0, and 1e3 for 1000.
    const number = /^\d{1,9}$/.test(days) ? Number(days) : Number.NaN;
    const scope = { kind, sheet };
    const facts = checkChange(parts, scope, number);
    if (number < facts.days) await agreeToDelete(deletedBy(parts, scope, number), io);
    const { state } = changeRetention(parts, scope, number, facts.days);
    io.out(
      state === 'applied'
        ? 'Set. What is past it is deleted within minutes, or by npx chorus sweep.'
        : 'It waits for the guardian’s consent; until then nothing changes.',
    );
  } catch (error) {
    if (error instanceof RetentionRefused) throw new CommandRefused(error.message);
    throw error;
  }
}

/** @throws CommandRefused unless nothing is deleted, or somebody types the word */
async function agreeToDelete(removals: readonly string[], io: CommandIo): Promise<void> {
  if (removals.length === 0) return;
  io.out('This deletes at once, here and at the guardian, for good:');
  for (const words of removals) io.out(`  ${words}`);
  if (!(await io.confirm('Delete it?', 'delete'))) throw new CommandRefused('nothing was changed');
}

/** `chorus retention …` at the guardian. @throws CommandRefused, UsageError, Refusal */
export async function guardianRetention(
  args: readonly string[],
  open: () => Promise<GuardianParts>,
  io: CommandIo,
): Promise<void> {
  const [verb, number, ...words] = args;
  if (verb === 'list' && number === undefined) return list(await open(), io);
  const known =
    (verb === 'approve' && words.length === 0) || (verb === 'refuse' && words.length > 0);
  if (!known || number === undefined) throw new UsageError(RETENTION_USAGE.guardian);
  const parts = await open();
  const { hash } = find(parts, number);
  if (verb === 'approve') approveChange(parts, hash);
  else refuseChange(parts, hash, words.join(' '));
  io.out(verb === 'approve' ? 'Approved; it counts now.' : 'Refused; the employer is told why.');
}

function parse(args: readonly string[]): { positionals: string[]; survey: string | undefined } {
  try {
    const { positionals, values } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { survey: { type: 'string' } },
    });
    return { positionals, survey: values.survey };
  } catch {
    throw new UsageError(RETENTION_USAGE.employer);
  }
}

function list(parts: Parts, io: CommandIo): void {
  const rows = RETENTIONS.map(({ kind, label, days, least, most, from }) => [
    kind,
    daysWords(parts.retention.days({ kind, sheet: null })),
    String(days),
    `${least} to ${most}`,
    `${label}, counted from ${from}`,
  ]);
  for (const line of table([['Kind', 'In force', 'Default', 'Bounds', 'What'], ...rows])) {
    io.out(line);
  }
  for (const change of parts.retention.all()) {
    if (change.sheet === null && change.state === 'applied') continue;
    const title = scopeFacts(parts, change)?.title ?? null;
    const words = `${scopeWords(change.kind, title)}: ${daysWords(change.days)}`;
    io.out(
      `${change.number}. ${words}: ${change.state}${change.reason ? `: ${change.reason}` : ''}`,
    );
  }
}

function find({ retention }: Parts, text: string): StoredChange {
  const change = /^\d{1,9}$/.test(text) ? retention.withNumber(Number(text)) : undefined;
  if (change === undefined) throw new CommandRefused(`there is no change ${text}`);
  return change;
}

function findSheet({ sheets }: Parts, start: string): Buffer {
  const found = sheets.all().filter(({ hash }) => toBase64url(hash).startsWith(start));
  const [only] = found;
  if (only === undefined) throw new CommandRefused(`no sheet begins with ${start}`);
  if (found.length > 1) throw new CommandRefused(`several sheets begin with ${start}`);
  return only.hash;
}
