/** What the evaluation shows of a mail. */
export interface ReadMail {
  readonly subject: string;
  /** Its plain text, or nothing. */
  readonly text: string;
}

/**
 * Subject and plain text of a message as this program writes them (RFC 5322, RFC 2045 to 2047):
 * UTF-8, one level of parts. Not a reader for mail of anybody else.
 * @param source one character a byte
 */
export function readMail(source: string): ReadMail {
  const { headers, body } = split(source);
  const boundary = /boundary="?([^";]+)"?/i.exec(headers.get('content-type') ?? '')?.[1];
  const parts =
    boundary === undefined
      ? [{ headers, body }]
      : body
          .split(`--${boundary}`)
          .slice(1)
          .map((part) => split(part.replace(/^\r?\n/, '')));
  const plain = parts.find(({ headers: own }) =>
    (own.get('content-type') ?? 'text/plain').startsWith('text/plain'),
  );
  const encoding = plain?.headers.get('content-transfer-encoding')?.toLowerCase() ?? '7bit';
  return {
    subject: decodeWords(headers.get('subject') ?? ''),
    text:
      plain === undefined ? '' : decodeBody(plain.body, encoding).replaceAll('\r\n', '\n').trim(),
  };
}

function split(source: string): { headers: Map<string, string>; body: string } {
  const end = /\r?\n\r?\n/.exec(source);
  const head = end === null ? source : source.slice(0, end.index);
  const headers = new Map<string, string>();
  for (const line of head.replaceAll(/\r?\n[ \t]+/g, ' ').split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return { headers, body: end === null ? '' : source.slice(end.index + end[0].length) };
}

function decodeBody(body: string, encoding: string): string {
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString('utf8');
  if (encoding === 'quoted-printable') return quotedPrintable(body.replaceAll(/=\r?\n/g, ''));
  return Buffer.from(body, 'latin1').toString('utf8');
}

function quotedPrintable(text: string): string {
  const bytes = text.replaceAll(/=([0-9A-F]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** Encoded words of a header (RFC 2047); the space between two of them is not part of the text. */
function decodeWords(text: string): string {
  return text
    .replaceAll(/\?=\s+=\?/g, '?==?')
    .replaceAll(/=\?utf-8\?([bq])\?([^?]*)\?=/gi, (_, kind: string, word: string) =>
      kind.toLowerCase() === 'b'
        ? Buffer.from(word, 'base64').toString('utf8')
        : quotedPrintable(word.replaceAll('_', ' ')),
    );
}
