import type { Sheet } from '../../crypto/sheet.ts';
import { rhoWords } from './account.ts';
import { isoDate } from './days.ts';
import { exactly } from './fraction.ts';
import { guessSentence, LIGHT_WORDS, roundCost, TERMS } from './noise-presets.ts';
import { smallestGroup } from './round-groups.ts';
import { roundDays } from './schedule.ts';

/** What a sheet says beside its questions, in the order in which somebody who approves it needs it. */
export function sheetFacts(sheet: Sheet): { name: string; text: string }[] {
  const first = roundDays(sheet, 0);
  const { preset, variance, by } = sheet.noise;
  const { numerator, denominator } = variance;
  const facts = {
    Title: sheet.title,
    Purpose: sheet.purpose,
    'Asked by': sheet.notice.employer,
    'Guarded by': sheet.notice.guardian,
    'Whom to ask': sheet.notice.contact,
    'Seen by': sheet.recipients.join(', '),
    Minimum: `${sheet.k} answers a group; smaller ones are destroyed unopened`,
    Groups: `of at least ${smallestGroup(sheet)} people`,
    Noise: `${TERMS[preset].name}: variance ${numerator / denominator} on every count, by ${by === 'both' ? 'both parties' : 'the guardian'}`,
    Account: accountWords(sheet),
    Guessing: guessSentence(sheet),
    ...(preset === 'light' ? { Light: LIGHT_WORDS } : {}),
    Rounds: `${sheet.cadence}, ${sheet.schedule.round_days} days each`,
    First: first === undefined ? 'none before the last day' : isoDate(first.start),
    'Last day': isoDate(sheet.end_day),
    Deadline: `${sheet.deadline_days} days after close`,
    'Trends kept': `${sheet.retention.trends_days} days`,
  };
  return Object.entries(facts).map(([name, text]) => ({ name, text }));
}

function accountWords(sheet: Sheet): string {
  const { preset, part } = sheet.noise;
  const { cap } = TERMS[preset];
  const round = `${rhoWords(roundCost(sheet))} a round`;
  if (cap === undefined) return `${round}, without a cap of its own`;
  return `${round}; up to ${rhoWords(exactly(part))} of ${rhoWords(cap)} in twelve months`;
}

/** How each score of a sheet is worked out, for somebody who approves it. */
export function scoreFacts(sheet: Sheet): { name: string; why: string; text: string }[] {
  return sheet.derived.map(({ name, why, from, reversed, levels }) => {
    const parts = sheet.questions
      .filter(({ id }) => from.includes(id))
      .map((question) =>
        reversed.includes(question.id)
          ? `${question.name} (counted from its highest answer down)`
          : question.name,
      );
    const bands = levels.map((level) => `${level.name} from ${level.least}`);
    return { name, why, text: `The sum of ${parts.join(', ')}. ${bands.join(', ')}.` };
  });
}
