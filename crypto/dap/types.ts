import { decodeWith, encodeWith, type Reader, type Writer } from '../codec.ts';
import { CryptoError } from '../errors.ts';

/**
 * DAP §Basic Type Definitions, and what several messages share. Every `read…` takes its struct off
 * a Reader and throws CryptoError `decode`; every `write…` throws `invalid_argument`.
 */

/** The draft in use; part of every domain separation tag. */
export const DAP_VERSION = 'dap-18';

/** `opaque TaskID[32]` */
export const TASK_ID_SIZE = 32;
/** `opaque ReportID[16]`; also the VDAF's nonce. */
export const REPORT_ID_SIZE = 16;

/** `Role` */
export const ROLE = { collector: 0, client: 1, leader: 2, helper: 3 } as const;
/** The two roles that hold a share. */
export type AggregatorRole = 'leader' | 'helper';

/** `BatchMode` (§Batch Modes) */
export const BATCH_MODE = { time_interval: 1, leader_selected: 2 } as const;
/** A batch mode by its name. */
export type BatchMode = keyof typeof BATCH_MODE;

/** `ReportError`: why a report was refused, in an upload or in an aggregation job. */
export const REPORT_ERROR = {
  batch_collected: 1,
  report_replayed: 2,
  report_dropped: 3,
  hpke_unknown_config_id: 4,
  hpke_decrypt_error: 5,
  vdaf_verify_error: 6,
  task_expired: 7,
  invalid_message: 8,
  report_too_early: 9,
  task_not_started: 10,
  outdated_config: 11,
} as const;
/** A report error by its name. */
export type ReportError = keyof typeof REPORT_ERROR;

/** A one-byte enum by the names of `table`; a number without a name is refused. */
export function readEnum<T extends string>(reader: Reader, table: Readonly<Record<T, number>>): T {
  const value = reader.u8();
  for (const name of Object.keys(table) as T[]) if (table[name] === value) return name;
  throw new CryptoError('decode', `${value} is no value of this enum`);
}

/** `struct { HpkeConfigId config_id; opaque enc<1..2^16-1>; opaque payload<1..2^32-1>; }` */
export interface HpkeCiphertext {
  /** Which of the recipient's HPKE configurations it was sealed to, 0 to 255. */
  readonly configId: number;
  readonly enc: Uint8Array;
  readonly payload: Uint8Array;
}

/** Takes an HpkeCiphertext off the reader. */
export function readHpkeCiphertext(reader: Reader): HpkeCiphertext {
  return { configId: reader.u8(), enc: reader.opaque16(1), payload: reader.opaque32(1) };
}

/** `enc` has 1 to 65535 bytes, `payload` 1 to 2^32 − 1. */
export function writeHpkeCiphertext(writer: Writer, ciphertext: HpkeCiphertext): void {
  writer.u8(ciphertext.configId).opaque16(ciphertext.enc, 1).opaque32(ciphertext.payload, 1);
}

/**
 * Half-open: `start` is inside, `start + duration` is not. Both count the task's time_precision.
 *
 * Times, durations and counts are uint64 on the wire and safe integers here: what lies beyond
 * 2^53 − 1 (285 million years of seconds) is refused.
 */
export interface Interval {
  readonly start: number;
  readonly duration: number;
}

/** Takes an Interval off the reader: 16 bytes. */
export function readInterval(reader: Reader): Interval {
  return { start: reader.safeU64(), duration: reader.safeU64() };
}

/** Both are safe integers from 0 on. */
export function writeInterval(writer: Writer, interval: Interval): void {
  writer.u64(interval.start).u64(interval.duration);
}

/** 16 bytes. */
export function encodeInterval(interval: Interval): Uint8Array {
  return encodeWith(interval, writeInterval);
}

/** @throws CryptoError `decode` */
export function decodeInterval(bytes: Uint8Array): Interval {
  return decodeWith(bytes, readInterval);
}

/**
 * One element of any of DAP's extension lists (task, report, aggregation job, collection job):
 * `struct { uint16 extension_type; opaque extension_data<0..2^16-1>; }`
 */
export interface Extension {
  readonly extensionType: number;
  readonly extensionData: Uint8Array;
}

/**
 * `Extension extensions<0..2^16-1>`, syntax only. Which types are known, and that they increase, is
 * for the caller to check: each list has an error of its own for that.
 */
export function readExtensions(reader: Reader): readonly Extension[] {
  return decodeWith(reader.opaque16(), (list) =>
    list.all((element) => ({
      extensionType: element.u16(),
      extensionData: element.opaque16(),
    })),
  );
}

/** At most 65535 bytes in all, in the order given. */
export function writeExtensions(writer: Writer, extensions: readonly Extension[]): void {
  writer.opaque16(
    encodeWith(extensions, (list) => {
      for (const { extensionType, extensionData } of extensions) {
        list.u16(extensionType).opaque16(extensionData);
      }
    }),
  );
}

/** Refuses a list that is not in strictly increasing order of type. @throws CryptoError `decode` */
export function requireIncreasing(extensions: readonly Extension[]): void {
  let last = -1;
  for (const { extensionType } of extensions) {
    if (extensionType <= last) {
      throw new CryptoError('decode', 'extensions are not in strictly increasing order');
    }
    last = extensionType;
  }
}
