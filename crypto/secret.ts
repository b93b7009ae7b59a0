/**
 * A value that must not be printed: keys, seeds, shares. `JSON.stringify`, template strings,
 * `util.inspect` and loggers see a placeholder; only `reveal()` gives the value, so that every
 * place that looks at a secret can be found by name.
 */
export class Secret<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  reveal(): T {
    return this.#value;
  }

  toJSON(): string {
    return '[secret]';
  }

  toString(): string {
    return '[secret]';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]';
  }
}
