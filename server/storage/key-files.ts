import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

/** The end of a file's name while it is written or deleted. */
const DRAFT = '.draft';
const ENDING = '.json';

/**
 * The key folder of one party: small JSON files, mode 0600 in a folder of 0700, outside the database
 * and outside every backup. A round's keys lie in one file, so that deleting the file ends the round.
 */
export class KeyFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chmodSync(folder, 0o700);
  }

  /**
   * Wipes what a crash left in the middle of writing or deleting; it is never read. For the service
   * alone, at its start: a single command must not take a draft away that the service is writing.
   */
  wipeDrafts(): void {
    for (const file of readdirSync(this.#folder)) {
      if (file.endsWith(DRAFT)) wipe(join(this.#folder, file));
    }
  }

  /** The names of all key files, in order. */
  names(): string[] {
    return readdirSync(this.#folder)
      .filter((file) => file.endsWith(ENDING))
      .map((file) => file.slice(0, -ENDING.length))
      .sort();
  }

  /** When a key file was written, in milliseconds since 1970 by the machine's clock. */
  writtenMs(name: string): number {
    return Math.floor(statSync(this.#path(name)).mtimeMs);
  }

  /** The parsed content of a key file, or undefined if there is none. */
  read(name: string): unknown {
    const path = this.#path(name);
    return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
  }

  /** Writes a key file whole or not at all, durably. */
  write(name: string, content: unknown): void {
    const path = this.#path(name);
    const draft = path + DRAFT;
    const file = openSync(draft, 'w', 0o600);
    try {
      writeSync(file, JSON.stringify(content));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, path);
    syncFolder(dirname(path));
  }

  /**
   * Overwrites a key file with zeros and removes it; no file is no error. It loses its name first,
   * so that a crash in between leaves no half-overwritten key to be read.
   */
  delete(name: string): void {
    const path = this.#path(name);
    const draft = path + DRAFT;
    if (existsSync(draft)) wipe(draft);
    if (existsSync(path)) {
      renameSync(path, draft);
      wipe(draft);
    }
    syncFolder(this.#folder);
  }

  #path(name: string): string {
    return join(this.#folder, name + ENDING);
  }
}

/** Overwrites a file with zeros and removes it. */
export function wipe(path: string): void {
  const file = openSync(path, 'r+');
  try {
    writeSync(file, Buffer.alloc(statSync(path).size));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  unlinkSync(path);
}

function syncFolder(folder: string): void {
  const file = openSync(folder, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
