import type { Preview, PreviewCell } from '../domain/preview.ts';
import { table } from './io.ts';

/** Groups that a terminal shows. */
const ROWS_SHOWN = 60;

/** A preview for a terminal. */
export function previewLines({ people, presets, rows, coarseness }: Preview): string[] {
  const lines = [`${people} people are on the roster.`, ''];
  lines.push(
    ...table([
      [
        'Preset',
        'Noise',
        'Groups',
        'Of at least',
        'Share',
        'Mean',
        'A round',
        'Account after a year',
      ],
      ...presets.map((preset) => [
        `${preset.name}${preset.chosen ? ' *' : ''}`,
        `${preset.variance}${preset.by === 'both' ? ' twice' : ''}`,
        String(preset.groups),
        String(preset.smallest),
        formWords(preset.share),
        formWords(preset.mean),
        preset.roundCost,
        preset.accountAfter,
      ]),
    ]),
    '* the preset of this sheet. Share and mean: groups shown as a number / a band / too noisy.',
    '',
  );
  for (const { name, refusal, shortage, warning, guess } of presets) {
    lines.push(
      `${name}: one answer could be guessed with ${guess.once} in 100 after one round, ` +
        `${guess.year} in 100 after a year (a coin: 50).`,
    );
    for (const words of [refusal, warning, shortage && `It has no room: ${shortage}.`]) {
      if (words) lines.push(`  ${words}`);
    }
  }
  lines.push(
    '',
    ...table([
      ['Groups', 'Of at least', 'How many', 'Share', 'Mean'],
      ...coarseness.map(({ name, smallest, groups, share, mean }) => [
        name,
        String(smallest),
        String(groups),
        formWords(share),
        formWords(mean),
      ]),
    ]),
    '',
    ...table([
      ['Group', 'People', 'Expected', ...presets.map(({ name }) => name)],
      ...rows
        .slice(0, ROWS_SHOWN)
        .map(({ name, people: size, expected, cells }) => [
          name,
          String(size),
          String(expected),
          ...cells.map(cellWords),
        ]),
    ]),
  );
  if (rows.length > ROWS_SHOWN) lines.push(`and ${rows.length - ROWS_SHOWN} more`);
  return lines;
}

function formWords(counts: Readonly<Record<'number' | 'band' | 'too noisy', number>>): string {
  return `${counts.number} / ${counts.band} / ${counts['too noisy']}`;
}

function cellWords(cell: PreviewCell): string {
  if (cell.state === 'no group') return 'no group';
  if (cell.state === 'too small') return `too small, in ${cell.within}`;
  if (cell.state === 'finer') return 'in finer groups';
  const as = cell.as === null ? '' : `${cell.as.name}, ${cell.as.people}: `;
  return `${as}share ${cell.share}, mean ${cell.mean}`;
}
