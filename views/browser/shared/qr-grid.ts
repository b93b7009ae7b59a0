/** The masks of ISO/IEC 18004 table 10: which modules of the data are inverted. */
const MASKS: readonly ((x: number, y: number) => boolean)[] = [
  (x, y) => (x + y) % 2 === 0,
  (_x, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

/** Level L in the format information. */
const LEVEL_L = 0b01;

/** `value` followed by its remainder modulo a binary polynomial of this degree. */
function withRemainder(value: number, polynomial: number, degree: number): number {
  let rest = value;
  for (let i = 0; i < degree; i++) rest = (rest << 1) ^ ((rest >> (degree - 1)) * polynomial);
  return (value << degree) | rest;
}

/** The square of a QR code of one version: its fixed patterns, and where the data goes. */
export class QrGrid {
  readonly #size: number;
  readonly #version: number;
  readonly #dark: boolean[][];
  /** Modules that hold no data: no mask touches them. */
  readonly #fixed: boolean[][];

  /** @param version 1 to 20 */
  constructor(version: number) {
    this.#version = version;
    this.#size = 4 * version + 17;
    const square = () => Array.from({ length: this.#size }, () => this.#line());
    this.#dark = square();
    this.#fixed = square();
    this.#patterns();
  }

  #line(): boolean[] {
    return new Array<boolean>(this.#size).fill(false);
  }

  #fix(x: number, y: number, dark: boolean): void {
    if (x < 0 || y < 0 || x >= this.#size || y >= this.#size) return;
    (this.#dark[y] as boolean[])[x] = dark;
    (this.#fixed[y] as boolean[])[x] = true;
  }

  /** A square of rings around its middle; the outermost of a finder is its separator. */
  #rings(x: number, y: number, radius: number, dark: (ring: number) => boolean): void {
    for (let dy = -radius; dy <= radius; dy++) {
      for (let dx = -radius; dx <= radius; dx++) {
        this.#fix(x + dx, y + dy, dark(Math.max(Math.abs(dx), Math.abs(dy))));
      }
    }
  }

  #patterns(): void {
    const size = this.#size;
    for (let i = 0; i < size; i++) {
      this.#fix(6, i, i % 2 === 0);
      this.#fix(i, 6, i % 2 === 0);
    }
    const finder = (ring: number) => ring !== 2 && ring !== 4;
    this.#rings(3, 3, 4, finder);
    this.#rings(size - 4, 3, 4, finder);
    this.#rings(3, size - 4, 4, finder);
    const places = this.#alignmentPlaces();
    const last = places.length - 1;
    for (const [i, x] of places.entries()) {
      for (const [j, y] of places.entries()) {
        const inFinder = (i === 0 && j === 0) || (i === 0 && j === last) || (i === last && j === 0);
        if (!inFinder) this.#rings(x, y, 2, (ring) => ring !== 1);
      }
    }
    this.#versionInformation();
    this.#format(0); // keeps its place; `masked` writes the real one
  }

  #alignmentPlaces(): number[] {
    if (this.#version === 1) return [];
    const count = Math.floor(this.#version / 7) + 2;
    const step = Math.ceil((this.#size - 13) / (2 * count - 2)) * 2;
    const far = Array.from({ length: count - 1 }, (_, i) => this.#size - 7 - i * step);
    return [6, ...far.reverse()];
  }

  #versionInformation(): void {
    if (this.#version < 7) return;
    const bits = withRemainder(this.#version, 0x1f25, 12);
    for (let i = 0; i < 18; i++) {
      const dark = ((bits >> i) & 1) === 1;
      const a = this.#size - 11 + (i % 3);
      const b = Math.floor(i / 3);
      this.#fix(a, b, dark);
      this.#fix(b, a, dark);
    }
  }

  #format(mask: number): void {
    const bits = withRemainder((LEVEL_L << 3) | mask, 0x537, 10) ^ 0x5412;
    const bit = (i: number) => ((bits >> i) & 1) === 1;
    const size = this.#size;
    for (let i = 0; i < 15; i++) {
      // Around the first finder, past the timing patterns; and once more along the other two.
      if (i < 8) this.#fix(8, i < 6 ? i : i + 1, bit(i));
      else this.#fix(i === 8 ? 7 : 14 - i, 8, bit(i));
      if (i < 8) this.#fix(size - 1 - i, 8, bit(i));
      else this.#fix(8, size - 15 + i, bit(i));
    }
    this.#fix(8, size - 8, true);
  }

  /** Lays the codewords in pairs of columns, from the right, upwards and downwards in turn. */
  place(codewords: readonly number[]): void {
    const size = this.#size;
    let at = 0;
    for (let right = size - 1; right >= 1; right -= 2) {
      if (right === 6) right = 5; // the column of the timing pattern is left out
      const upwards = ((right + 1) & 2) === 0;
      for (let i = 0; i < size; i++) {
        const y = upwards ? size - 1 - i : i;
        for (const x of [right, right - 1]) {
          if (this.#fixed[y]?.[x] || at >= 8 * codewords.length) continue;
          const codeword = codewords[at >> 3] as number;
          (this.#dark[y] as boolean[])[x] = ((codeword >> (7 - (at & 7))) & 1) === 1;
          at++;
        }
      }
    }
  }

  /** The finished code under this mask, 0 to 7. */
  masked(mask: number): boolean[][] {
    this.#format(mask);
    const inverts = MASKS[mask] as (typeof MASKS)[number];
    return this.#dark.map((row, y) =>
      row.map((dark, x) => (this.#fixed[y]?.[x] ? dark : dark !== inverts(x, y))),
    );
  }
}
