import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

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

  /** The parsed content of a key file, or undefined if there is none. */
  read(name: string): unknown {
    const path = this.#path(name);
    return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
  }

  /** Writes a key file whole or not at all, durably. */
  write(name: string, content: unknown): void {
    const path = this.#path(name);
    const draft = `${path}.draft`;
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

  /** Overwrites a key file with zeros and removes it; no file is no error. */
  delete(name: string): void {
    for (const path of [this.#path(name), `${this.#path(name)}.draft`]) {
      if (!existsSync(path)) continue;
      const file = openSync(path, 'r+');
      try {
        writeSync(file, Buffer.alloc(statSync(path).size));
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      unlinkSync(path);
    }
    syncFolder(this.#folder);
  }

  #path(name: string): string {
    return join(this.#folder, `${name}.json`);
  }
}

function syncFolder(folder: string): void {
  const file = openSync(folder, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
