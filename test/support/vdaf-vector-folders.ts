import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseVector, runVdafVector, vectorType } from './vdaf-vectors.ts';

/**
 * Runs every VDAF test vector below some folders, at any depth. The name of a file tells its type,
 * as in the draft: `Prio3Sum_17.json`. Other JSON files are named and left out; whatever is wrong
 * with a file is a failure of that file, in one line.
 * @returns whether there were vectors and all passed
 */
export function runVectorFolders(
  folders: readonly string[],
  print: (line: string) => void,
): boolean {
  let passed = 0;
  let failed = 0;
  const fail = (what: string, why: string) => {
    print(`failed   ${what}: ${why}`);
    failed++;
  };
  for (const folder of folders) {
    const files = filesBelow(folder);
    if (files === undefined) fail(folder, 'not a folder that can be read');
    for (const file of files ?? []) {
      const name = basename(file, '.json');
      if (vectorType(name) === undefined) {
        print(`skipped  ${file}: not a vector of a type that is run here`);
        continue;
      }
      try {
        const vector = parseVector(readFileSync(join(folder, file), 'utf8'));
        const { operations } = runVdafVector(name, vector);
        print(`passed   ${file}: ${operations} operations`);
        passed++;
      } catch (error) {
        fail(file, inOneLine(error));
      }
    }
  }
  print(`${passed} passed, ${failed} failed`);
  return passed > 0 && failed === 0;
}

/** All JSON files below a folder, sorted; nothing if it cannot be read. */
function filesBelow(folder: string): string[] | undefined {
  try {
    return readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.json'))
      .sort();
  } catch {
    return undefined;
  }
}

function inOneLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/\s+/g, ' ').slice(0, 200);
}
