import { equalBytes, fromUtf8, utf8 } from './bytes.ts';
import { CryptoError } from './errors.ts';

/** What canonical JSON can say. Numbers are safe integers, and never -0. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** Arrays and objects nest at most this deep, so that hostile input cannot exhaust the stack. */
export const CANONICAL_JSON_MAX_DEPTH = 64;

/**
 * The canonical JSON of `value` (RFC 8785), in UTF-8: no spaces, keys sorted by UTF-16 code units,
 * the shortest escapes. Equal values give equal bytes, which can be hashed and signed.
 *
 * @param value a `JsonValue` (not typed so, because no interface is assignable to that)
 * @throws CryptoError `invalid_argument` for anything else: undefined, fractions, integers beyond
 * 2^53 − 1, lone surrogates, class instances, holes, deeper nesting
 * @example canonicalJson({ b: [1, null], a: 'ü' }) // the bytes of {"a":"ü","b":[1,null]}
 */
export function canonicalJson(value: unknown): Uint8Array {
  return utf8(serialize(value, 0));
}

/**
 * The value of canonical JSON, and of nothing else: input that `canonicalJson` would have written
 * differently is refused (spaces, duplicate or unsorted keys, `-0`, `1.0`, other escapes, invalid
 * UTF-8).
 *
 * @throws CryptoError `decode`
 */
export function parseCanonicalJson(bytes: Uint8Array): JsonValue {
  const text = fromUtf8(bytes);
  let value: JsonValue;
  let again: Uint8Array;
  try {
    value = JSON.parse(text);
    again = canonicalJson(value);
  } catch {
    throw new CryptoError('decode', 'not JSON, or outside of its canonical subset');
  }
  if (!equalBytes(again, bytes)) throw new CryptoError('decode', 'not canonical JSON');
  return value;
}

function serialize(value: unknown, depth: number): string {
  if (value === null || typeof value === 'boolean') return String(value);
  if (typeof value === 'number') return serializeNumber(value);
  if (typeof value === 'string') return serializeString(value);
  if (depth === CANONICAL_JSON_MAX_DEPTH) throw refuse('nested too deeply');
  if (Array.isArray(value)) {
    // Array.from visits holes, which map() would skip.
    return `[${Array.from(value, (element) => serialize(element, depth + 1)).join()}]`;
  }
  if (!isPlainObject(value)) throw refuse(`a ${typeof value} that JSON cannot say`);
  const members = Object.keys(value)
    .sort() // without a comparator: by UTF-16 code units, as RFC 8785 §3.2.3 wants
    .map((key) => `${serializeString(key)}:${serialize(value[key], depth + 1)}`);
  return `{${members.join()}}`;
}

function serializeNumber(value: number): string {
  if (!Number.isSafeInteger(value) || Object.is(value, -0)) {
    throw refuse(`${value} is no safe integer`);
  }
  return String(value);
}

function serializeString(value: string): string {
  // JSON.stringify would write a lone surrogate as an escape; RFC 8785 §3.2.2.2 refuses it.
  if (/\p{Surrogate}/u.test(value)) throw refuse('a lone surrogate');
  return JSON.stringify(value);
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function refuse(message: string): CryptoError {
  return new CryptoError('invalid_argument', message);
}
