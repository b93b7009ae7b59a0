import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRoster, type RosterReading } from '../../../server/domain/roster.ts';

const HEADER = 'e-mail,name,unit,manager of,language';

/** Each refusal as "row code". */
function refusals(reading: RosterReading): string[] {
  expect(reading.rows).toEqual([]);
  expect(reading.refused).toBeGreaterThan(0);
  return reading.refusals.map(({ row, code }) => `${row} ${code}`);
}

function refusalsOf(...rows: string[]): string[] {
  return refusals(parseRoster([HEADER, ...rows].join('\n')));
}

describe('a roster file', () => {
  it('is read with every column, in the one form of each field', () => {
    const text = [
      HEADER,
      'Person.1@Example.com, Person  1 ,C/Ops/Drivers,"c / ops; C / Ops / DRIVERS",de-at',
      'person2@example.com,"Person ""2"", the second",C / Ops,,',
    ].join('\r\n');
    expect(parseRoster(text)).toEqual({
      rows: [
        {
          row: 2,
          email: 'person.1@example.com',
          name: 'Person 1',
          unit: 'C / Ops / Drivers',
          managerOf: ['C / Ops', 'C / Ops / Drivers'],
          language: 'de-AT',
        },
        {
          row: 3,
          email: 'person2@example.com',
          name: 'Person "2", the second',
          unit: 'C / Ops',
          managerOf: [],
          language: null,
        },
      ],
      refusals: [],
      refused: 0,
    });
  });

  it('may have its columns in any order and spelling, only those needed, and semicolons', () => {
    const rows = parseRoster('UNIT PATH;E_Mail;Name\nC;person1@example.com;Person 1').rows;
    expect(rows).toEqual([
      expect.objectContaining({ unit: 'C', email: 'person1@example.com', managerOf: [] }),
    ]);
    const managed = parseRoster(
      'email;name;unit;manager of\nperson1@example.com;P;C / A;"C; C / A"',
    );
    expect(managed.rows[0]?.managerOf).toEqual(['C', 'C / A']);
  });

  it('may mix its line ends, have blank rows and a byte order mark; rows count all of them', () => {
    const text = `\ufeff${HEADER}\r\n\r\na@example.com,A,C,,\rb@example.com,B,C,,\n,,,,\nc@example.com,C,C,,\n`;
    for (const input of [text, Buffer.from(text)]) {
      expect(parseRoster(input).rows.map(({ row, name }) => [row, name])).toEqual([
        [3, 'A'],
        [4, 'B'],
        [6, 'C'],
      ]);
    }
  });

  it('has units that are one in any capitals, spelled alike', () => {
    const { rows } = parseRoster(
      `${HEADER}\na@example.com,A,c/OPS/x,,\nb@example.com,B,C/Ops,C/ops/X,\nc@example.com,C,C/ops,,`,
    );
    expect(rows.map(({ unit }) => unit)).toEqual(['C / OPS / x', 'C / OPS', 'C / OPS']);
    expect(rows[1]?.managerOf).toEqual(['C / OPS / x']);
  });

  it('is refused in another encoding, with what to do', () => {
    const text = `${HEADER}\na@example.com,Zoë,C,,\n`;
    const utf16 = Buffer.from(`\ufeff${text}`, 'utf16le');
    const utf16be = Buffer.from(utf16).swap16();
    const latin = Buffer.from(text, 'latin1');
    expect(refusals(parseRoster(utf16))).toEqual(['1 unreadable']);
    expect(refusals(parseRoster(utf16be))).toEqual(['1 unreadable']);
    expect(refusals(parseRoster(latin))).toEqual(['2 unreadable']);
    const crlf = Buffer.from(text.replaceAll('\n', '\r\n'), 'latin1');
    expect(refusals(parseRoster(crlf))).toEqual(['2 unreadable']);
    expect(parseRoster(latin).refusals[0]?.sentence).toBe(
      'The file is not written in UTF-8, perhaps in Windows-1252. Save it as “CSV UTF-8” and try again.',
    );
    // Without its mark, UTF-16 is full of zero bytes.
    const bare = Buffer.from(text.replace('ë', 'e'), 'utf16le');
    expect(refusals(parseRoster(bare))).toContain('1 unknown-column');
  });

  it('is refused if it is empty', () => {
    expect(refusals(parseRoster(''))).toEqual(['1 unreadable']);
    expect(refusals(parseRoster('\n \r\n,,\n'))).toEqual(['1 unreadable']);
    expect(refusals(parseRoster(HEADER))).toEqual(['1 empty']);
  });

  it('is refused for an unknown, a missing and a repeated column, all named', () => {
    const reading = parseRoster('name,Salary,name\nP,1,P');
    expect(refusals(reading)).toEqual([
      '1 unknown-column',
      '1 repeated-column',
      '1 missing-column',
      '1 missing-column',
    ]);
    expect(reading.refusals.map(({ sentence }) => sentence.split('. ')[0])).toEqual([
      'There is an unknown column called “Salary”',
      'The column name is there twice.',
      'The column e-mail is missing',
      'The column unit is missing',
    ]);
    expect(refusals(parseRoster('e-mail\tname\tunit\na@example.com\tA\tC'))).toContain(
      '1 unknown-column',
    );
    expect(refusals(parseRoster('__proto__,constructor\n1,2'))).toContain('1 unknown-column');
  });

  it('is refused row by row, every one of them', () => {
    const row = refusalsOf(
      'a@example.com,A,C,,',
      'b@example.com,B,C,',
      'c@example.com,"C" x,C,,',
      'd@example.com,"D,C,,',
      'e@example.com,E,C,,',
      'A@EXAMPLE.COM,A,c,,',
      'a@example.com,A,C / Ops,,',
      'no address,F,C,,',
      ',G,C,,',
      'h@example.com,,C,,',
      'i@example.com,I, ,,',
      'j@example.com,J,C // X,,',
      'k@example.com,K,C,C / Nowhere,',
      'l@example.com,L,C,C /; /,',
      'm@example.com,M,C,,klingonese',
      'n@example.com,N\u0007,C,,',
      'o@example.com,O\u202e,C,,',
      `p@example.com,${'P'.repeat(201)},C,,`,
      `${'q'.repeat(65)}@example.com,Q,C,,`,
      `r@example.com,R,${'x'.repeat(5000)},,`,
    );
    expect(row).toEqual([
      '3 broken-row',
      '4 broken-row',
      '5 broken-row',
      '7 duplicate-person',
      '8 two-units',
      '9 email',
      '10 email',
      '11 name',
      '12 unit',
      '13 unit',
      '14 unknown-unit',
      '15 unit',
      '15 unit',
      '16 language',
      '17 control-character',
      '18 control-character',
      '19 too-long',
      '20 too-long',
      '21 too-long',
    ]);
  });

  it('names every fault of a row, and the earlier row of a person, but no person', () => {
    expect(refusalsOf('x,,,,')).toEqual(['2 email', '2 name', '2 unit']);
    const reading = parseRoster(
      `${HEADER}\nsecret@example.com,Secret,C,,\nsecret@example.com,Secret,C / D,,`,
    );
    expect(reading.refusals[0]?.sentence).toContain('already in row 2');
    expect(JSON.stringify(reading.refusals)).not.toMatch(/secret/i);
  });

  it('shows the first hundred refusals by row and counts them all', () => {
    const rows = Array.from({ length: 3000 }, (_, i) => `person${i}@example.com,P,C,C / Nowhere,`);
    rows[2999] = 'broken';
    const reading = parseRoster([HEADER, ...rows].join('\n'));
    expect(refusals(reading)).toHaveLength(100);
    expect(reading.refused).toBe(3000);
    expect(reading.refusals.at(-1)?.row).toBe(101);
  });

  it('accepts a person’s name with the joiners that some scripts need', () => {
    expect(parseRoster(`${HEADER}\na@example.com,A\u200cB,C,,`).refused).toBe(0);
  });

  it.each([
    'a@b',
    '@example.com',
    'a@example..com',
    'a b@example.com',
    'A <a@example.com>',
    'ä@example.com',
  ])('holds no %j as an address', (email) => {
    expect(refusalsOf(`${email},A,C,,`)).toEqual(['2 email']);
  });

  it('tells how far it is', () => {
    const rows = Array.from({ length: 12_000 }, (_, i) => `person${i}@example.com,P,C,,`);
    const told: number[] = [];
    parseRoster([HEADER, ...rows].join('\n'), (read) => told.push(read));
    expect(told).toEqual([5000, 10_000, 12_000]);
  });

  it('never fails otherwise, whatever it holds', () => {
    const pieces = fc.constantFrom(
      HEADER,
      ',',
      ';',
      '"',
      '\n',
      '\r',
      'a@example.com',
      'C / A',
      '\0',
    );
    const texts = fc
      .array(fc.oneof(pieces, fc.string({ unit: 'binary' })))
      .map((all) => all.join(''));
    fc.assert(
      fc.property(
        fc.oneof(
          texts,
          texts.map((text) => `${HEADER}\n${text}`),
          fc.uint8Array(),
        ),
        (input) => {
          const { rows, refusals: shown, refused } = parseRoster(input);
          expect(refused === 0).toBe(rows.length > 0);
          expect(shown.length).toBe(Math.min(100, refused));
        },
      ),
      { numRuns: 500 },
    );
  });
});
