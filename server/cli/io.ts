/** What a command talks to; tests put something else in its place. */
export interface CommandIo {
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
  /** Whether a person can be asked. */
  readonly interactive: boolean;
  /** Asks for a word to be typed, `yes` unless another is given; no where nobody can be asked. */
  readonly confirm: (question: string, word?: string) => Promise<boolean>;
  /** One line that is written over; nothing without a terminal. */
  readonly progress: (text: string) => void;
}

/** A command that was called wrongly; the message says how it goes. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A command that cannot do what was asked; the message says why, and what to do. */
export class CommandRefused extends Error {
  override readonly name = 'CommandRefused';
}

/** Columns of text, each as wide as its widest cell. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => {
      widths[i] = Math.max(widths[i] ?? 0, cell.length);
    });
  }
  return rows.map((row) =>
    row
      .map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}
