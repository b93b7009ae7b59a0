import { CryptoError } from './errors.ts';

/** The concatenation of all parts, in order, in a new array. */
export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/**
 * Whether two byte strings are equal, in time that depends on their lengths only: the comparison for
 * everything secret.
 */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number);
  return difference === 0;
}

/**
 * Lexicographic order of byte strings, for sorting: negative, zero or positive. It stops at the first
 * difference, so it is for public data only.
 */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

/** `value` as `length` big-endian bytes; 0 ≤ value < 2^(8·length), length ≤ 8. */
export function bigEndian(value: number | bigint, length: number): Uint8Array {
  let rest = BigInt(value);
  if (rest < 0n || rest >= 1n << BigInt(8 * length)) {
    throw new CryptoError('invalid_argument', `${value} does not fit in ${length} bytes`);
  }
  const out = new Uint8Array(length);
  for (let i = length - 1; i >= 0; i--) {
    out[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return out;
}

const HEX_PAIR = /^(?:[0-9a-f]{2})*$/;

/** Lower-case hexadecimal. */
export function toHex(bytes: Uint8Array): string {
  let out = '';
  for (const byte of bytes) out += byte.toString(16).padStart(2, '0');
  return out;
}

/** The bytes of a lower-case hexadecimal string. @throws CryptoError `decode` */
export function fromHex(text: string): Uint8Array {
  if (!HEX_PAIR.test(text)) throw new CryptoError('decode', 'not lower-case hexadecimal');
  const out = new Uint8Array(text.length / 2);
  for (let i = 0; i < out.length; i++) out[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16);
  return out;
}

const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
/** By code unit: the value of a symbol, or −1. Manifests of thousands of groups are read with it. */
const BASE64URL_VALUE = Int8Array.from({ length: 128 }, (_, code) =>
  BASE64URL.indexOf(String.fromCharCode(code)),
);

/** Symbols joined in one call: more are slower one by one, and too many are no arguments. */
const AT_ONCE = 4096;

/** base64url without padding (RFC 4648 §5). */
export function toBase64url(bytes: Uint8Array): string {
  const symbols = new Uint8Array(Math.ceil((bytes.length * 8) / 6));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const byte of bytes) {
    held = (held << 8) | byte;
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      symbols[at++] = BASE64URL.charCodeAt((held >> bits) & 63);
    }
    held &= (1 << bits) - 1;
  }
  if (bits > 0) symbols[at] = BASE64URL.charCodeAt((held << (6 - bits)) & 63);
  let out = '';
  for (let start = 0; start < symbols.length; start += AT_ONCE) {
    out += String.fromCharCode(...symbols.subarray(start, start + AT_ONCE));
  }
  return out;
}

/**
 * The bytes of an unpadded base64url string; only the canonical spelling is accepted (no padding,
 * no spare bits set). @throws CryptoError `decode`
 */
export function fromBase64url(text: string): Uint8Array {
  const out = new Uint8Array(Math.floor((text.length * 6) / 8));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (let i = 0; i < text.length; i++) {
    const value = BASE64URL_VALUE[text.charCodeAt(i)] ?? -1;
    if (value < 0) throw new CryptoError('decode', 'not base64url');
    held = (held << 6) | value;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out[at++] = held >> bits;
      held &= (1 << bits) - 1;
    }
  }
  if (bits >= 6 || held !== 0) throw new CryptoError('decode', 'not canonical base64url');
  return out;
}

/** The UTF-8 encoding of a string without lone surrogates. @throws CryptoError `invalid_argument` */
export function utf8(text: string): Uint8Array {
  const out: number[] = [];
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    if (code >= 0xd800 && code <= 0xdfff) {
      throw new CryptoError('invalid_argument', 'a lone surrogate has no UTF-8 encoding');
    }
    if (code < 0x80) out.push(code);
    else if (code < 0x800) out.push(0xc0 | (code >> 6), 0x80 | (code & 63));
    else if (code < 0x10000) {
      out.push(0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63));
    } else {
      out.push(
        0xf0 | (code >> 18),
        0x80 | ((code >> 12) & 63),
        0x80 | ((code >> 6) & 63),
        0x80 | (code & 63),
      );
    }
  }
  return Uint8Array.from(out);
}

/** The least code point of a UTF-8 sequence with 1, 2 or 3 continuation bytes. */
const UTF8_LEAST = [0, 0x80, 0x800, 0x10000] as const;
/** How many code points are joined at once: String.fromCodePoint takes them as arguments. */
const UTF8_CHUNK = 4096;

/**
 * The string of a UTF-8 encoding (RFC 3629): no overlong forms, no surrogates, nothing above
 * U+10FFFF. A byte order mark is a character like any other. @throws CryptoError `decode`
 */
export function fromUtf8(bytes: Uint8Array): string {
  let out = '';
  let points: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at++] as number;
    const more = lead < 0x80 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
    // 0x80 to 0xc1 continue a sequence or begin an overlong one.
    if ((more > 0 && lead < 0xc2) || lead > 0xf4 || at + more > bytes.length) throw notUtf8();
    let point = more === 0 ? lead : lead & (0x3f >> more);
    for (const end = at + more; at < end; at++) {
      const next = bytes[at] as number;
      if ((next & 0xc0) !== 0x80) throw notUtf8();
      point = (point << 6) | (next & 0x3f);
    }
    if (point < (UTF8_LEAST[more] as number) || point > 0x10ffff) throw notUtf8();
    if (point >= 0xd800 && point <= 0xdfff) throw notUtf8();
    points.push(point);
    if (points.length === UTF8_CHUNK) {
      out += String.fromCodePoint(...points);
      points = [];
    }
  }
  return out + String.fromCodePoint(...points);
}

function notUtf8(): CryptoError {
  return new CryptoError('decode', 'not UTF-8');
}
