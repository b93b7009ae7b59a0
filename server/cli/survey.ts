import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { toBase64url } from '../../crypto/bytes.ts';
import { sha256 } from '../../crypto/sha256.ts';
import type { Sheet } from '../../crypto/sheet.ts';
import { dateAt } from '../domain/days.ts';
import { LIGHT_WORDS } from '../domain/noise-presets.ts';
import { sheetFacts } from '../domain/sheet-facts.ts';
import { parseSheetFile } from '../domain/sheet-file.ts';
import { encodeSheet, storedSheet } from '../domain/sheets.ts';
import type { EmployerParts } from '../employer/parts.ts';
import { draftSheet, previewOf, submitSheets } from '../employer/sheets.ts';
import type { GuardianParts } from '../guardian/parts.ts';
import { agreesByName, approveSheet, refuseSheet } from '../guardian/sheets.ts';
import { PeerAway } from '../peer/client.ts';
import type { StoredSheet } from '../storage/sheets.ts';
import { type CommandIo, CommandRefused, table, UsageError } from './io.ts';
import { previewLines } from './preview.ts';

export const SURVEY_USAGE = {
  employer: 'chorus survey check FILE | preview FILE | submit FILE | list | show SHEET',
  guardian: 'chorus survey list | show SHEET | approve SHEET [Light] | refuse SHEET REASON',
} as const;

/** How many of a sheet's hash a person types. */
const SHORT = 10;

/** A sheet as a person wrote it, completed. @throws CommandRefused with every fault of the sheet in words */
export function readSheetFile(path: string): Sheet {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    throw new CommandRefused(`${path} cannot be read`);
  }
  try {
    return parseSheetFile(JSON.parse(text));
  } catch (error) {
    if (error instanceof z.ZodError) {
      throw new CommandRefused(`${path}:\n${z.prettifyError(error)}`);
    }
    throw new CommandRefused(`${path} is not JSON: ${(error as Error).message}`);
  }
}

/** `chorus survey …` at the employer. @throws CommandRefused, UsageError */
export async function employerSurvey(
  args: readonly string[],
  open: () => Promise<EmployerParts>,
  io: CommandIo,
): Promise<void> {
  const [verb, argument, ...rest] = args;
  if (rest.length > 0) throw new UsageError(SURVEY_USAGE.employer);
  if (verb === 'check' && argument !== undefined) {
    describe(readSheetFile(argument), io);
    io.out('The sheet is valid.');
    return;
  }
  if (verb === 'preview' && argument !== undefined) {
    const sheet = readSheetFile(argument);
    for (const line of previewLines(await previewOf(await open(), sheet))) io.out(line);
    return;
  }
  if (verb === 'submit' && argument !== undefined) {
    const sheet = readSheetFile(argument);
    const parts = await open();
    const hash = draftSheet(parts, sheet);
    const state = parts.sheets.withHash(hash)?.state;
    if (state !== 'draft') {
      throw new CommandRefused(`this very sheet is ${state} already, as ${shortHash(hash)}`);
    }
    try {
      await submitSheets(parts);
    } catch (error) {
      if (!(error instanceof PeerAway)) throw error;
      io.out(`Kept as ${shortHash(hash)}; it goes to the guardian when that answers.`);
      return;
    }
    const { reason } = parts.sheets.withHash(hash) as StoredSheet;
    if (reason !== null) throw new CommandRefused(`the guardian does not take it: ${reason}`);
    io.out(`Submitted as ${shortHash(hash)}; the guardian decides.`);
    return;
  }
  if (verb === 'list' && argument === undefined) return list((await open()).sheets.all(), io);
  if (verb === 'show' && argument !== undefined) {
    return show(find((await open()).sheets.all(), argument), io);
  }
  throw new UsageError(SURVEY_USAGE.employer);
}

/** `chorus survey …` at the guardian. @throws CommandRefused, UsageError */
export async function guardianSurvey(
  args: readonly string[],
  open: () => Promise<GuardianParts>,
  io: CommandIo,
): Promise<void> {
  const [verb, argument, ...words] = args;
  const alone = words.length === 0;
  const named = verb === 'approve' && words.length === 1 ? (words[0] as string) : '';
  if (verb === 'list' && argument === undefined) return list((await open()).sheets.all(), io);
  const known = alone || named !== '' ? verb === 'show' || verb === 'approve' : verb === 'refuse';
  if (!known || argument === undefined) throw new UsageError(SURVEY_USAGE.guardian);
  const parts = await open();
  const stored = find(parts.sheets.all(), argument);
  if (verb === 'show') return show(stored, io);
  if (verb === 'approve') {
    if (!agreesByName(storedSheet(stored.bytes), named)) {
      throw new CommandRefused(
        `${LIGHT_WORDS} To agree to that, name it: npx chorus survey approve ${argument} Light`,
      );
    }
    approveSheet(parts, stored.hash);
    io.out(`Approved. Rounds of “${storedSheet(stored.bytes).title}” are planned by its schedule.`);
  } else {
    refuseSheet(parts, stored.hash, words.join(' '));
    io.out('Refused; the employer is told why.');
  }
}

function list(sheets: readonly StoredSheet[], io: CommandIo): void {
  if (sheets.length === 0) {
    io.out('No survey yet. The employer submits one with npx chorus survey submit FILE.');
    return;
  }
  const rows = sheets.map((stored) => {
    const since = dateAt(stored.changedMs);
    return [shortHash(stored.hash), stored.state, since, storedSheet(stored.bytes).title];
  });
  for (const line of table([['Sheet', 'State', 'Since', 'Title'], ...rows])) io.out(line);
}

function show(stored: StoredSheet, io: CommandIo): void {
  io.out(`Sheet ${toBase64url(stored.hash)}: ${stored.state}`);
  if (stored.reason !== null) io.out(`Refused because: ${stored.reason}`);
  describe(storedSheet(stored.bytes), io);
}

/** What a sheet says, in the order in which somebody who approves it needs it. */
function describe(sheet: Sheet, io: CommandIo): void {
  const rows = sheetFacts(sheet).map(({ name, text }) => [name, text]);
  rows.push(['Sheet', shortHash(sha256(encodeSheet(sheet)))]);
  for (const line of table(rows)) io.out(line);
  sheet.questions.forEach((question, i) => {
    io.out(`${i + 1}. ${question.text}`);
    io.out(`   ${question.options.join(' | ')} | Prefer not to say`);
    io.out(`   Why: ${question.why}`);
  });
}

function find(sheets: readonly StoredSheet[], start: string): StoredSheet {
  const found = sheets.filter(({ hash }) => toBase64url(hash).startsWith(start));
  const [only] = found;
  if (only === undefined) throw new CommandRefused(`no sheet begins with ${start}`);
  if (found.length > 1) throw new CommandRefused(`several sheets begin with ${start}`);
  return only;
}

function shortHash(hash: Uint8Array): string {
  return toBase64url(hash).slice(0, SHORT);
}
