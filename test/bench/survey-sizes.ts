import { chunkLengthFor, type SurveyParameters } from '../../crypto/vdaf/circuits/survey.ts';

/** A survey by its number of elements L: questions times options. */
export interface SurveySize {
  readonly elements: number;
  readonly blockLengths: readonly number[];
}

const size = (questions: number, options: number): SurveySize => ({
  elements: questions * options,
  blockLengths: new Array<number>(questions).fill(options),
});

/** The survey whose figures carry no size in their names: 12 questions with 6 options. */
export const USUAL = size(12, 6);
export const SIZES: readonly SurveySize[] = [size(2, 6), USUAL, size(50, 6), size(100, 10)];

export function parametersOf({ blockLengths }: SurveySize): SurveyParameters {
  return { blockLengths, chunkLength: chunkLengthFor(blockLengths) };
}

/** One option a question, each in its turn. */
export function choicesOf({ blockLengths }: SurveySize): number[] {
  return blockLengths.map((options, question) => question % options);
}

/** `vdaf.verify` for the usual survey, `vdaf.verify.300` for others. */
export function named(name: string, of: SurveySize): string {
  return of === USUAL ? name : `${name}.${of.elements}`;
}

/** A time in the light of L·log₂ L: as long as this does not rise, growth is no worse. */
export function perElementAndLog(value_us: number, { elements }: SurveySize): string {
  const nanoseconds = (value_us * 1000) / (elements * Math.log2(elements));
  return `${nanoseconds.toFixed(0)} ns per L·log₂ L`;
}
