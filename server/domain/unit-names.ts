import { PlanError } from './plan-error.ts';
import { nameKey, pathKey, showPath, unitPath } from './unit-path.ts';

/** Paths as they are read, each distinct text once, and how their names are spelled. */
export class UnitNames {
  readonly #read = new Map<string, string | PlanError>();
  readonly #names = new Map<string, readonly string[]>();
  readonly #spellings = new Map<string, string>();
  readonly #added = new Set<string>();

  /** The path in its one form, or why it has none. */
  read(text: string): string | PlanError {
    let path = this.#read.get(text);
    if (path === undefined) {
      try {
        const names = unitPath(text);
        path = showPath(names);
        this.#names.set(path, names);
      } catch (error) {
        if (!(error instanceof PlanError)) throw error;
        path = error;
      }
      this.#read.set(text, path);
    }
    return path;
  }

  /** Notes that people are there. Of several spellings, the first by code units stays. */
  add(path: string): void {
    if (this.#added.has(path)) return;
    this.#added.add(path);
    const names = this.#names.get(path) as readonly string[];
    names.forEach((name, level) => {
      const key = pathKey(names.slice(0, level + 1));
      const known = this.#spellings.get(key);
      if (known === undefined || name < known) this.#spellings.set(key, name);
    });
  }
  isKnown(path: string): boolean {
    return this.#spellings.has(pathKey(this.#names.get(path) as readonly string[]));
  }

  same(a: string, b: string): boolean {
    return nameKey(a) === nameKey(b);
  }

  spelled(path: string): string {
    const names = this.#names.get(path) as readonly string[];
    return showPath(
      names.map((name, level) => this.#spellings.get(pathKey(names.slice(0, level + 1))) ?? name),
    );
  }
}
