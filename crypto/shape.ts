import { fromBase64url } from './bytes.ts';
import { CryptoError } from './errors.ts';

/**
 * What a parsed JSON value must look like. A shape returns, or throws CryptoError `manifest` (for a
 * string that should be base64url and is not, `decode`); `where` names the value in the message.
 */
export type Shape = (value: unknown, where: string) => void;

/** A string. */
export const text: Shape = (value, where) => {
  if (typeof value !== 'string') throw mismatch(where, 'text');
};

/** A string that is canonical base64url without padding, of any length. */
export const base64url: Shape = (value, where) => {
  text(value, where);
  fromBase64url(value as string);
};

/** A safe integer from 0 on. */
export const natural: Shape = (value, where) => {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw mismatch(where, 'a natural');
};

/** One of these values. */
export function oneOf(...values: readonly (string | number)[]): Shape {
  return (value, where) => {
    if (!values.some((allowed) => allowed === value)) throw mismatch(where, values.join(' or '));
  };
}

/** An array of any length, of one shape. */
export function list(element: Shape): Shape {
  return (value, where) => {
    if (!Array.isArray(value)) throw mismatch(where, 'a list');
    value.forEach((each, i) => {
      element(each, `${where}[${i}]`);
    });
  };
}

/** An object with exactly these fields: one for each of the type that it stands for. */
export function fields<T>(shapes: { readonly [Key in keyof T]-?: Shape }): Shape {
  const keys = Object.keys(shapes) as (keyof T & string)[];
  return (value, where) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw mismatch(where, 'an object');
    }
    const record = value as Record<string, unknown>;
    if (Object.keys(record).length !== keys.length) throw mismatch(where, keys.join(', '));
    for (const key of keys) shapes[key](record[key], `${where}.${key}`);
  };
}

function mismatch(where: string, what: string): CryptoError {
  return new CryptoError('manifest', `${where} is not ${what}`);
}
