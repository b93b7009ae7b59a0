import type { Sheet } from '../../crypto/sheet.ts';
import { isoDate } from './days.ts';
import { smallestGroup } from './round-groups.ts';
import { roundDays } from './schedule.ts';

/** What a sheet says beside its questions, in the order in which somebody who approves it needs it. */
export function sheetFacts(sheet: Sheet): { name: string; text: string }[] {
  const first = roundDays(sheet, 0);
  const { numerator, denominator } = sheet.noise.variance;
  const facts = {
    Title: sheet.title,
    Purpose: sheet.purpose,
    'Asked by': sheet.notice.employer,
    'Guarded by': sheet.notice.guardian,
    'Whom to ask': sheet.notice.contact,
    'Seen by': sheet.recipients.join(', '),
    Minimum: `${sheet.k} answers a group; smaller ones are destroyed unopened`,
    Groups: `of at least ${smallestGroup(sheet)} people`,
    Noise: `variance ${numerator / denominator} on every count, by ${sheet.noise.by}`,
    Rounds: `${sheet.cadence}, ${sheet.schedule.round_days} days each`,
    First: first === undefined ? 'none before the last day' : isoDate(first.start),
    'Last day': isoDate(sheet.end_day),
    Deadline: `${sheet.deadline_days} days after close`,
    'Trends kept': `${sheet.retention.trends_days} days`,
  };
  return Object.entries(facts).map(([name, text]) => ({ name, text }));
}
