import { describe, expect, test } from 'vitest';
import { readMail } from '../../../server/evaluation/mail-message.ts';

const lines = (...text: string[]) => Buffer.from(text.join('\r\n'), 'utf8').toString('latin1');

describe('a mail', () => {
  test('of plain text', () => {
    expect(readMail(lines('Subject: Hello', 'X: 1', '', 'One.', 'Two.', ''))).toEqual({
      subject: 'Hello',
      text: 'One.\nTwo.',
    });
  });

  test('with encoded words, over two lines', () => {
    const source = lines(
      'Subject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe_aus?=',
      ' =?UTF-8?B?IGRlbSBXZXJr?=',
      '',
      '',
    );
    expect(readMail(source).subject).toBe('Grüße aus dem Werk');
  });

  test.each([
    ['quoted-printable', 'Gr=C3=BC=C3=9Fe =3D soft=\r\nly'],
    ['base64', 'R3LDvMOfZSA9IHNvZnRseQ=='],
    ['8bit', 'Grüße = softly'],
  ])('in parts, its text %s', (encoding, body) => {
    const source = lines(
      'Content-Type: multipart/alternative;',
      ' boundary="--_x"',
      '',
      '----_x',
      'Content-Type: text/plain; charset=utf-8',
      `Content-Transfer-Encoding: ${encoding}`,
      '',
      body,
      '----_x',
      'Content-Type: text/html; charset=utf-8',
      '',
      '<p>No.</p>',
      '----_x--',
      '',
    );
    expect(readMail(source).text).toBe('Grüße = softly');
  });

  test.each(['', '\r\n\r\n', 'Subject', 'Content-Type: multipart/mixed; boundary=x\r\n\r\n'])(
    'that is none, %j, has no text',
    (source) => expect(readMail(source).text).toBe(''),
  );
});
