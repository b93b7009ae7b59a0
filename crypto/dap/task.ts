import { concat, fromUtf8, utf8 } from '../bytes.ts';
import { decodeWith, encodeWith, Reader, type Writer } from '../codec.ts';
import { CryptoError } from '../errors.ts';
import { sha256 } from '../sha256.ts';
import {
  BATCH_MODE,
  DAP_VERSION,
  decodeInterval,
  encodeInterval,
  type Interval,
  readEnum,
  readExtensions,
  TASK_ID_SIZE,
  writeExtensions,
} from './types.ts';

/** `task_interval`, the only task extension there is (DAP §Task Extensions). */
const TASK_INTERVAL_TYPE = 1;
/** Hashed in front of every configuration, so that a task ID is the digest of nothing else. */
const TASK_ID_PREFIX = sha256(utf8('dap-taskprov task id'));

/**
 * `TaskConfiguration` (DAP §Task Configuration), narrowed to the tasks that we run: batch mode
 * time_interval (whose batch_config is empty), and exactly one extension, task_interval.
 */
export interface TaskConfiguration {
  /** 1 to 255 bytes. */
  readonly taskInfo: Uint8Array;
  /** Printable ASCII, 1 to 65535 characters; compared and encoded as it is written. */
  readonly leaderAggregatorEndpoint: string;
  readonly helperAggregatorEndpoint: string;
  /** In seconds; the unit of every time and duration of the task. */
  readonly timePrecision: bigint;
  readonly minBatchSize: bigint;
  /** A VDAF algorithm identifier, 32 bits. */
  readonly vdafType: number;
  /** At most 65535 bytes: for Prio3Survey see `encodeSurveyConfiguration`. */
  readonly vdafConfiguration: Uint8Array;
  /** When the task runs; reports of another time are refused. */
  readonly taskInterval: Interval;
}

/** @throws CryptoError `invalid_argument` */
export function encodeTaskConfiguration(configuration: TaskConfiguration): Uint8Array {
  return encodeWith(configuration, (writer) => {
    writer.opaque8(configuration.taskInfo, 1);
    writeUrl(writer, configuration.leaderAggregatorEndpoint);
    writeUrl(writer, configuration.helperAggregatorEndpoint);
    writer.u64(configuration.timePrecision).u64(configuration.minBatchSize);
    writer.u8(BATCH_MODE.time_interval).opaque16(new Uint8Array(0));
    writer.u32(configuration.vdafType).opaque16(configuration.vdafConfiguration);
    writeExtensions(writer, [
      {
        extensionType: TASK_INTERVAL_TYPE,
        extensionData: encodeInterval(configuration.taskInterval),
      },
    ]);
  });
}

/**
 * A participant must not take part in a task that it does not wholly understand: other batch modes,
 * other extensions and a missing task_interval are refused. @throws CryptoError `decode`
 */
export function decodeTaskConfiguration(bytes: Uint8Array): TaskConfiguration {
  return decodeWith(bytes, (reader) => {
    const taskInfo = reader.opaque8(1);
    const leaderAggregatorEndpoint = readUrl(reader);
    const helperAggregatorEndpoint = readUrl(reader);
    const timePrecision = reader.u64();
    const minBatchSize = reader.u64();
    const batchMode = readEnum(reader, BATCH_MODE);
    if (batchMode !== 'time_interval') throw refuse(`batch mode ${batchMode}`);
    if (reader.opaque16().length > 0) throw refuse('time_interval has no batch_config');
    const vdafType = reader.u32();
    const vdafConfiguration = reader.opaque16();
    const taskInterval = readTaskInterval(reader);
    return {
      taskInfo,
      leaderAggregatorEndpoint,
      helperAggregatorEndpoint,
      timePrecision,
      minBatchSize,
      vdafType,
      vdafConfiguration,
      taskInterval,
    };
  });
}

function readTaskInterval(reader: Reader): Interval {
  const [interval, ...others] = readExtensions(reader);
  if (interval?.extensionType !== TASK_INTERVAL_TYPE || others.length > 0) {
    throw refuse('the task extensions are not task_interval alone');
  }
  return decodeInterval(interval.extensionData);
}

function writeUrl(writer: Writer, url: string): void {
  if (!isUrl(url)) throw new CryptoError('invalid_argument', 'a URL is printable ASCII');
  writer.opaque16(utf8(url), 1);
}

function readUrl(reader: Reader): string {
  const url = fromUtf8(reader.opaque16(1));
  if (!isUrl(url)) throw refuse('a URL is printable ASCII');
  return url;
}

function isUrl(text: string): boolean {
  return /^[\x21-\x7e]+$/.test(text);
}

/**
 * The task ID of an encoded configuration, 32 bytes: whoever knows the ID has agreed to every rule
 * of the task. (The derivation of draft-ietf-ppm-dap-taskprov; DAP itself leaves the ID open.)
 */
export function taskId(taskConfiguration: Uint8Array): Uint8Array {
  return sha256(TASK_ID_PREFIX, taskConfiguration);
}

/**
 * The VDAF's application context for a task, 38 bytes (DAP §Client Behavior).
 * @throws CryptoError `invalid_argument` if the ID has not 32 bytes
 */
export function vdafContext(taskId: Uint8Array): Uint8Array {
  requireTaskId(taskId);
  return concat(utf8(DAP_VERSION), taskId);
}

/** @throws CryptoError `invalid_argument` if the ID has not 32 bytes */
export function requireTaskId(taskId: Uint8Array): void {
  if (taskId.length !== TASK_ID_SIZE) {
    throw new CryptoError('invalid_argument', 'a task ID has 32 bytes');
  }
}

/**
 * The `vdaf_configuration` of Prio3Survey:
 * `struct { uint32 chunk_length; uint32 block_lengths<4..2^16-4>; }`
 */
export interface SurveyConfiguration {
  /** Elements per gadget call, at least 1. */
  readonly chunkLength: number;
  /** Options per question, each at least 1; 1 to 16383 questions. */
  readonly blockLengths: readonly number[];
}

const BLOCK_LENGTHS_MIN = 4;
const BLOCK_LENGTHS_MAX = 2 ** 16 - 4;

/** @throws CryptoError `invalid_argument` */
export function encodeSurveyConfiguration(configuration: SurveyConfiguration): Uint8Array {
  if (!isPositive(configuration)) {
    throw new CryptoError('invalid_argument', 'chunks and blocks have at least one element');
  }
  const blocks = encodeWith(configuration.blockLengths, (writer, lengths) => {
    for (const length of lengths) writer.u32(length);
  });
  return encodeWith(configuration, (writer) => {
    writer.u32(configuration.chunkLength).opaque16(blocks, BLOCK_LENGTHS_MIN, BLOCK_LENGTHS_MAX);
  });
}

/** @throws CryptoError `decode` */
export function decodeSurveyConfiguration(bytes: Uint8Array): SurveyConfiguration {
  const configuration = decodeWith(bytes, (reader) => ({
    chunkLength: reader.u32(),
    blockLengths: new Reader(reader.opaque16(BLOCK_LENGTHS_MIN, BLOCK_LENGTHS_MAX)).all((list) =>
      list.u32(),
    ),
  }));
  if (!isPositive(configuration)) throw refuse('an empty chunk or block');
  return configuration;
}

function isPositive(configuration: SurveyConfiguration): boolean {
  return configuration.chunkLength > 0 && configuration.blockLengths.every((length) => length > 0);
}

function refuse(message: string): CryptoError {
  return new CryptoError('decode', message);
}
