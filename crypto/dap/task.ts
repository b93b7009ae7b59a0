import { concat, fromUtf8, utf8 } from '../bytes.ts';
import { decodeWith, encodeWith, type Reader, type Writer } from '../codec.ts';
import { CryptoError } from '../errors.ts';
import { sha256 } from '../sha256.ts';
import { PRIO3_SURVEY, type SurveyParameters } from '../vdaf/circuits/survey.ts';
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
 * `TaskConfiguration` (DAP §Task Configuration), narrowed to the tasks that we run: VDAF
 * Prio3Survey, batch mode time_interval (whose batch_config is empty), and exactly one extension,
 * task_interval.
 */
export interface TaskConfiguration {
  /** 1 to 255 bytes. */
  readonly taskInfo: Uint8Array;
  /** Printable ASCII, 1 to 65535 characters; compared and encoded as it is written. */
  readonly leaderAggregatorEndpoint: string;
  readonly helperAggregatorEndpoint: string;
  /** In seconds; the unit of every time and duration of the task. */
  readonly timePrecision: number;
  readonly minBatchSize: number;
  /** The `vdaf_configuration`. */
  readonly survey: SurveyParameters;
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
    writer.u32(PRIO3_SURVEY).opaque16(encodeSurveyParameters(configuration.survey));
    writeExtensions(writer, [
      {
        extensionType: TASK_INTERVAL_TYPE,
        extensionData: encodeInterval(configuration.taskInterval),
      },
    ]);
  });
}

/**
 * A participant must not take part in a task that it does not wholly understand: other VDAFs,
 * other batch modes, other extensions and a missing task_interval are refused. @throws CryptoError `decode`
 */
export function decodeTaskConfiguration(bytes: Uint8Array): TaskConfiguration {
  return decodeWith(bytes, (reader) => {
    const taskInfo = reader.opaque8(1);
    const leaderAggregatorEndpoint = readUrl(reader);
    const helperAggregatorEndpoint = readUrl(reader);
    const timePrecision = reader.safeU64();
    const minBatchSize = reader.safeU64();
    const batchMode = readEnum(reader, BATCH_MODE);
    if (batchMode !== 'time_interval') throw refuse(`batch mode ${batchMode}`);
    if (reader.opaque16().length > 0) throw refuse('time_interval has no batch_config');
    const vdafType = reader.u32();
    if (vdafType !== PRIO3_SURVEY) throw refuse(`VDAF ${vdafType}`);
    const survey = decodeSurveyParameters(reader.opaque16());
    const taskInterval = readTaskInterval(reader);
    return {
      taskInfo,
      leaderAggregatorEndpoint,
      helperAggregatorEndpoint,
      timePrecision,
      minBatchSize,
      survey,
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

/** The bounds of `block_lengths` in bytes: 1 to 16383 questions. */
const BLOCK_LENGTHS_MIN = 4;
const BLOCK_LENGTHS_MAX = 2 ** 16 - 4;

/**
 * The `vdaf_configuration` of Prio3Survey:
 * `struct { uint32 chunk_length; uint32 block_lengths<4..2^16-4>; }`
 *
 * @throws CryptoError `invalid_argument`
 */
export function encodeSurveyParameters(survey: SurveyParameters): Uint8Array {
  if (!isPositive(survey)) {
    throw new CryptoError('invalid_argument', 'chunks and blocks have at least one element');
  }
  const blocks = encodeWith(survey.blockLengths, (writer, lengths) => {
    for (const length of lengths) writer.u32(length);
  });
  return encodeWith(survey, (writer) => {
    writer.u32(survey.chunkLength).opaque16(blocks, BLOCK_LENGTHS_MIN, BLOCK_LENGTHS_MAX);
  });
}

/** @throws CryptoError `decode` */
export function decodeSurveyParameters(bytes: Uint8Array): SurveyParameters {
  const survey = decodeWith(bytes, (reader) => ({
    chunkLength: reader.u32(),
    blockLengths: decodeWith(reader.opaque16(BLOCK_LENGTHS_MIN, BLOCK_LENGTHS_MAX), (list) =>
      list.all((element) => element.u32()),
    ),
  }));
  if (!isPositive(survey)) throw refuse('an empty chunk or block');
  return survey;
}

function isPositive({ chunkLength, blockLengths }: SurveyParameters): boolean {
  return chunkLength > 0 && blockLengths.every((length) => length > 0);
}

function refuse(message: string): CryptoError {
  return new CryptoError('decode', message);
}
