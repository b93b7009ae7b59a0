import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';

/**
 * Removes the lines of a pino log that are not younger than `sinceMs`, and lines that are none: half
 * a line is what a crash in here leaves, and the next run takes it away. The file is written in
 * place, as a running service goes on appending to it.
 * @param trial whether only to count
 * @returns how many lines that is
 */
export function sweepLogFile(path: string, sinceMs: number, trial = false): number {
  if (!existsSync(path)) return 0;
  const file = openSync(path, trial ? 'r' : 'r+');
  try {
    if (!fstatSync(file).isFile()) return 0;
    const bytes = readFrom(file, 0);
    // A last line without an end is still being written.
    const end = bytes.lastIndexOf('\n') + 1;
    const lines = bytes.subarray(0, end).toString('utf8').split('\n').slice(0, -1);
    const kept = lines.filter((line) => timeOf(line) > sinceMs);
    const removed = lines.length - kept.length;
    if (trial || removed === 0) return removed;
    const whole = Buffer.from(kept.map((line) => `${line}\n`).join(''));
    writeSync(file, whole, 0, whole.length, 0);
    const appended = readFrom(file, end);
    writeSync(file, appended, 0, appended.length, whole.length);
    ftruncateSync(file, whole.length + appended.length);
    fsyncSync(file);
    return removed;
  } finally {
    closeSync(file);
  }
}

/** How many lines a log has, and the time of the oldest, in milliseconds since 1970. */
export function lookAtLogFile(path: string): { lines: number; oldestMs: number | null } {
  if (!existsSync(path)) return { lines: 0, oldestMs: null };
  const file = openSync(path, 'r');
  try {
    if (!fstatSync(file).isFile()) return { lines: 0, oldestMs: null };
    const lines = readFrom(file, 0).toString('utf8').split('\n').slice(0, -1);
    const times = lines.map(timeOf).filter((time) => time > Number.NEGATIVE_INFINITY);
    return {
      lines: lines.length,
      oldestMs: times.reduce<number | null>((a, b) => Math.min(a ?? b, b), null),
    };
  } finally {
    closeSync(file);
  }
}

function readFrom(file: number, from: number): Buffer {
  const bytes = Buffer.alloc(Math.max(0, fstatSync(file).size - from));
  const read = readSync(file, bytes, 0, bytes.length, from);
  return bytes.subarray(0, read);
}

/** When a line was written; minus infinity if it does not say so. */
function timeOf(line: string): number {
  try {
    const { time } = JSON.parse(line) as { time?: unknown };
    return typeof time === 'number' ? time : Number.NEGATIVE_INFINITY;
  } catch {
    return Number.NEGATIVE_INFINITY;
  }
}
