import { blockLengths, type Question, type Sheet } from '../../crypto/sheet.ts';

/** One block of a sheet as its results are read: a question, or a score worked out from several. */
export interface Item {
  readonly kind: 'question' | 'score';
  readonly id: string;
  readonly name: string;
  /** A question's text; how a score is made. */
  readonly text: string;
  /** Answers, or levels, from the lowest. */
  readonly options: readonly string[];
  readonly favourable: Question['favourable'];
  /** Where the block of its totals begins, and ends behind "prefer not to say" or "not known". */
  readonly places: { readonly from: number; readonly to: number };
  /** Two limits on the scale, between which a mean is shown as a band; null for a score. */
  readonly meanBands: readonly [number, number] | null;
}

/** The questions of a sheet and then its scores, in the order of their blocks. */
export function itemsOf(sheet: Sheet): Item[] {
  const asked = (ids: readonly string[]) =>
    sheet.questions
      .filter(({ id }) => ids.includes(id))
      .map(({ name }) => name)
      .join(', ');
  const items = [
    ...sheet.questions.map(
      ({ id, name, text, options, favourable, bands: [low = 0, high = 0] }) => ({
        ...{ kind: 'question' as const, id, name, text, options, favourable },
        meanBands: [low / 100, high / 100] as const,
      }),
    ),
    ...sheet.derived.map(({ id, name, from, levels, favourable }) => ({
      ...{ kind: 'score' as const, id, name, favourable, meanBands: null },
      text: `worked out on each device from the answers on ${asked(from)}`,
      options: levels.map((level) => level.name),
    })),
  ];
  const lengths = blockLengths(sheet);
  let from = 0;
  return items.map((item, i) => {
    const to = from + (lengths[i] as number);
    const places = { from, to };
    from = to;
    return { ...item, places };
  });
}

/** The options that an item's share counts. */
export function countedOptions({ options, favourable }: Item): readonly string[] {
  const ends = favourableOptions(options.length);
  return favourable === 'high' ? options.slice(-ends) : options.slice(0, ends);
}

/** How many end options a share counts: two, or one where two would be more than half. */
export function favourableOptions(options: number): number {
  return options < 4 ? 1 : 2;
}
