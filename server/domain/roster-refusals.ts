const REFUSALS_SHOWN = 100;

export type RefusalCode =
  | 'unreadable'
  | 'empty'
  | 'unknown-column'
  | 'missing-column'
  | 'repeated-column'
  | 'broken-row'
  | 'email'
  | 'name'
  | 'unit'
  | 'language'
  | 'too-long'
  | 'control-character'
  | 'duplicate-person'
  | 'two-units'
  | 'unknown-unit';

/** Why one row is refused. The sentence holds row numbers and units, but no person. */
export interface Refusal {
  readonly row: number;
  readonly code: RefusalCode;
  readonly sentence: string;
}

/** All refusals are counted, and the first are kept. */
export class Refusals {
  count = 0;
  readonly #kept: Refusal[] = [];

  add(row: number, code: RefusalCode, sentence: string): void {
    this.count++;
    this.#kept.push({ row, code, sentence });
  }

  shown(): Refusal[] {
    return this.#kept.sort((a, b) => a.row - b.row).slice(0, REFUSALS_SHOWN);
  }
}
