import { parse } from 'csv-parse/sync';

/** One row as the file has it. Rows count from 1, blank ones too; the header is one of them. */
export interface CsvRow {
  readonly row: number;
  /** `undefined` if its quotes cannot be read. */
  readonly fields: readonly string[] | undefined;
}

/** Why a whole file cannot be read; the message is for people. */
export class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile';
  /** Where it was noticed. */
  readonly row: number;

  constructor(row: number, message: string) {
    super(message);
    this.row = row;
  }
}

/** Rows that are parsed in one go. */
const BATCH = 1000;
const SAVE_AS = 'Save it as “CSV UTF-8” and try again.';

/**
 * The text of a file. Nothing is guessed: a file in another encoding than UTF-8 could be read with
 * one letter of a name wrong, and nobody would notice.
 * @throws UnreadableFile
 */
export function csvText(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    throw new UnreadableFile(1, `The file is written in UTF-16. ${SAVE_AS}`);
  }
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    return decoder.decode(bytes);
  } catch {
    throw new UnreadableFile(
      firstBadRow(bytes, decoder),
      `The file is not written in UTF-8, perhaps in Windows-1252. ${SAVE_AS}`,
    );
  }
}

/** Line ends are single bytes in UTF-8, so that every row can be tried by itself. */
function firstBadRow(bytes: Uint8Array, decoder: { decode(input: Uint8Array): string }): number {
  let start = 0;
  let row = 1;
  for (let at = 0; at <= bytes.length; at++) {
    const byte = bytes[at];
    if (byte !== 0x0a && byte !== 0x0d && byte !== undefined) continue;
    try {
      decoder.decode(bytes.subarray(start, at));
    } catch {
      return row;
    }
    if (byte === 0x0d && bytes[at + 1] === 0x0a) at++;
    start = at + 1;
    row++;
  }
  return row;
}

/**
 * The rows of CSV text that are not blank: comma or semicolon, whichever the first row uses; CRLF,
 * LF and CR in any mixture. A field holds no line end, so that a quote left open breaks its own row
 * and no other. A batch that is not as regular as that is parsed row by row.
 */
export function* csvRows(text: string): Generator<CsvRow> {
  const lines = text.replace(/^\ufeff/, '').split(/\r\n|\n|\r/);
  const delimiter = /^[^,]*;/.test(lines.find((line) => !isBlank(line)) ?? '') ? ';' : ',';
  for (let start = 0; start < lines.length; start += BATCH) {
    const rows: number[] = [];
    const batch: string[] = [];
    lines.slice(start, start + BATCH).forEach((line, i) => {
      if (isBlank(line)) return;
      rows.push(start + i + 1);
      batch.push(line);
    });
    const parsed = fieldsOf(batch.join('\n'), delimiter);
    const regular = parsed?.length === batch.length;
    for (let i = 0; i < batch.length; i++) {
      const fields = regular ? parsed[i] : fieldsOf(batch[i] as string, delimiter)?.[0];
      yield { row: rows[i] as number, fields };
    }
  }
}

/** Spreadsheets leave rows of separators behind where something was deleted. */
function isBlank(line: string): boolean {
  return /^[\s,;]*$/.test(line);
}

function fieldsOf(text: string, delimiter: string): string[][] | undefined {
  if (text === '') return [];
  try {
    return parse(text, { delimiter, record_delimiter: '\n', relax_column_count: true });
  } catch {
    return undefined;
  }
}
