import type { CommandIo } from '../../server/cli/io.ts';

/** What a command said and asked; nobody can be asked unless there is an answer. */
export interface TestIo extends CommandIo {
  readonly lines: string[];
  readonly errors: string[];
  readonly questions: string[];
  /** What was said on the line that is written over. */
  readonly told: string[];
  /** All lines, each ended. */
  text(): string;
}

/** @param answer what a person says to every question; undefined where there is nobody */
export function testIo(answer?: boolean): TestIo {
  const lines: string[] = [];
  const errors: string[] = [];
  const questions: string[] = [];
  const told: string[] = [];
  return {
    lines,
    errors,
    questions,
    told,
    text: () => lines.map((line) => `${line}\n`).join(''),
    out: (line) => lines.push(line),
    err: (line) => errors.push(line),
    interactive: answer !== undefined,
    async confirm(question) {
      questions.push(question);
      return answer ?? false;
    },
    progress: (text) => told.push(text),
  };
}

/** What a command that should not succeed threw. @throws Error if it did succeed */
export async function refusal(command: () => unknown): Promise<Error> {
  try {
    await command();
  } catch (error) {
    return error as Error;
  }
  throw new Error('it was not refused');
}
