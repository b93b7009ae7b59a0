import { CryptoError } from './errors.ts';

/**
 * Reads the TLS presentation language (RFC 8446 §3) from one byte string, front to back. Whatever
 * the bytes hold, a method either returns or throws CryptoError `decode`.
 *
 * Byte strings are returned as views of the input, not copies: keep the input unchanged.
 */
export class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    // A plain view: a Buffer's subarray() would be a Buffer again, with another toJSON and inspect.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** How many bytes have been read. */
  get position(): number {
    return this.#at;
  }

  /** How many bytes are left. */
  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  /** `length` bytes: `opaque x[length]`. */
  opaque(length: number): Uint8Array {
    if (length > this.remaining) {
      throw new CryptoError('decode', `${length} bytes wanted, ${this.remaining} left`);
    }
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  /** `uint8` */
  u8(): number {
    return this.#uint(1);
  }

  /** `uint16` */
  u16(): number {
    return this.#uint(2);
  }

  /** `uint32` */
  u32(): number {
    return this.#uint(4);
  }

  /** `uint64`, its whole range. */
  u64(): bigint {
    return (BigInt(this.#uint(4)) << 32n) | BigInt(this.#uint(4));
  }

  /** `uint64` for times and counts: a value beyond 2^53 − 1 is refused. */
  safeU64(): number {
    const value = Number(this.u64());
    if (!Number.isSafeInteger(value)) throw new CryptoError('decode', `${value} is too large`);
    return value;
  }

  /** `opaque x<min..2^8-1>` */
  opaque8(min = 0): Uint8Array {
    return this.#vector(this.u8(), min);
  }

  /** `opaque x<min..max>` with a two-byte length; `max` < 2^16. */
  opaque16(min = 0, max = 0xffff): Uint8Array {
    return this.#vector(this.u16(), min, max);
  }

  /** `opaque x<min..2^32-1>` */
  opaque32(min = 0): Uint8Array {
    return this.#vector(this.u32(), min);
  }

  /** The bytes from `start` (an earlier `position`) to here, as they came. */
  since(start: number): Uint8Array {
    return this.#bytes.subarray(start, this.#at);
  }

  /** Elements until nothing is left; `element` must read at least one byte. */
  all<T>(element: (reader: Reader) => T): T[] {
    const out: T[] = [];
    while (this.remaining > 0) out.push(element(this));
    return out;
  }

  /** Refuses trailing bytes. Every decoder of a whole message ends with it. */
  end(): void {
    if (this.remaining > 0) throw new CryptoError('decode', `${this.remaining} trailing bytes`);
  }

  #uint(size: number): number {
    let value = 0;
    // Multiplied, not shifted: a shift would make bit 31 the sign.
    for (const byte of this.opaque(size)) value = value * 256 + byte;
    return value;
  }

  #vector(length: number, min: number, max = length): Uint8Array {
    if (length < min || length > max) {
      throw new CryptoError('decode', `a vector of ${length} bytes, not ${min}..${max}`);
    }
    return this.opaque(length);
  }
}

/**
 * Writes the TLS presentation language (RFC 8446 §3). A value that does not fit its field throws
 * CryptoError `invalid_argument`. Methods return the writer, so that a struct reads as one chain.
 */
export class Writer {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  /** `opaque x[length]`: the bytes alone; another length than the stated one is refused. */
  opaque(bytes: Uint8Array, length = bytes.length): this {
    if (bytes.length !== length) {
      throw new CryptoError('invalid_argument', `${bytes.length} bytes, not ${length}`);
    }
    this.#parts.push(bytes);
    this.#length += length;
    return this;
  }

  /** `uint8` */
  u8(value: number): this {
    return this.#uint(value, 1);
  }

  /** `uint16` */
  u16(value: number): this {
    return this.#uint(value, 2);
  }

  /** `uint32` */
  u32(value: number): this {
    return this.#uint(value, 4);
  }

  /** `uint64`; a number must be a safe integer. */
  u64(value: bigint | number): this {
    if (typeof value === 'number' && !Number.isSafeInteger(value)) throw doesNotFit(value, 8);
    const wide = BigInt(value);
    // What does not fit does not fit the upper half either.
    return this.u32(Number(wide >> 32n)).u32(Number(wide & 0xffff_ffffn));
  }

  /** `opaque x<min..2^8-1>` */
  opaque8(bytes: Uint8Array, min = 0): this {
    return this.#vector(bytes, 1, min, 0xff);
  }

  /** `opaque x<min..max>` with a two-byte length; `max` < 2^16. */
  opaque16(bytes: Uint8Array, min = 0, max = 0xffff): this {
    return this.#vector(bytes, 2, min, max);
  }

  /** `opaque x<min..2^32-1>` */
  opaque32(bytes: Uint8Array, min = 0): this {
    return this.#vector(bytes, 4, min, 0xffff_ffff);
  }

  /** Everything written so far, in a new array. */
  finish(): Uint8Array {
    const out = new Uint8Array(this.#length);
    let at = 0;
    for (const part of this.#parts) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  }

  #uint(value: number, size: number): this {
    if (!Number.isInteger(value) || value < 0 || value >= 256 ** size) {
      throw doesNotFit(value, size);
    }
    const bytes = new Uint8Array(size);
    for (let i = size - 1, rest = value; i >= 0; i--, rest = Math.floor(rest / 256)) {
      bytes[i] = rest % 256;
    }
    return this.opaque(bytes);
  }

  #vector(bytes: Uint8Array, size: number, min: number, max: number): this {
    if (bytes.length < min || bytes.length > max) {
      throw new CryptoError('invalid_argument', `${bytes.length} bytes, not ${min}..${max}`);
    }
    return this.#uint(bytes.length, size).opaque(bytes);
  }
}

function doesNotFit(value: number | bigint, size: number): CryptoError {
  return new CryptoError('invalid_argument', `${value} does not fit in ${size} bytes`);
}

/** What `read` makes of all of `bytes`. @throws CryptoError `decode`, also for trailing bytes */
export function decodeWith<T>(bytes: Uint8Array, read: (reader: Reader) => T): T {
  const reader = new Reader(bytes);
  const value = read(reader);
  reader.end();
  return value;
}

/** The bytes that `write` writes of `value`. @throws CryptoError `invalid_argument` */
export function encodeWith<T>(value: T, write: (writer: Writer, value: T) => void): Uint8Array {
  const writer = new Writer();
  write(writer, value);
  return writer.finish();
}
