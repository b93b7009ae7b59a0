import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { toBase64url } from '../../../crypto/bytes.ts';
import { sha256 } from '../../../crypto/sha256.ts';
import type { Sheet } from '../../../crypto/sheet.ts';
import { CommandRefused, UsageError } from '../../../server/cli/io.ts';
import { employerSurvey, guardianSurvey } from '../../../server/cli/survey.ts';
import { parseSheetFile } from '../../../server/domain/sheet-file.ts';
import { encodeSheet } from '../../../server/domain/sheets.ts';
import { openEmployer } from '../../../server/employer/employer.ts';
import type { EmployerParts } from '../../../server/employer/parts.ts';
import { openGuardian } from '../../../server/guardian/guardian.ts';
import type { GuardianParts } from '../../../server/guardian/parts.ts';
import { Refusal } from '../../../server/http/refusal.ts';
import { refusal, testIo } from '../../support/cli.ts';
import { testFolder } from '../../support/folder.ts';
import {
  startTwoParties,
  type TwoParties,
  testPeople,
  testSheet,
  until,
} from '../../support/parties.ts';

/** The commands over connections of their own, beside the running services. */
let parties: TwoParties;
let guardian: GuardianParts;
let employer: EmployerParts;
let title = 0;
let sheet: Sheet;

beforeAll(async () => {
  parties = await startTwoParties();
  guardian = await openGuardian(parties.config('guardian'));
  employer = await openEmployer(parties.config('employer'));
});

afterAll(async () => {
  guardian.db.close();
  employer.db.close();
  await parties.close();
});

beforeEach(() => {
  sheet = testSheet({ title: `Survey ${++title}` });
});

/** As it is submitted: its notice says the chance of being guessed. */
const hashOf = (of: Sheet) => sha256(encodeSheet(parseSheetFile(of)));
const short = (of: Sheet) => toBase64url(hashOf(of)).slice(0, 10);

function file(content: unknown): string {
  const path = join(testFolder(), 'sheet.json');
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

/** What a command says. */
async function atEmployer(...args: string[]): Promise<string> {
  const io = testIo();
  await employerSurvey(args, async () => employer, io);
  return io.text();
}

async function atGuardian(...args: string[]): Promise<string> {
  const io = testIo();
  await guardianSurvey(args, async () => guardian, io);
  return io.text();
}

async function submitted(): Promise<void> {
  await atEmployer('submit', file(sheet));
  await until(() => guardian.sheets.withHash(hashOf(sheet)) !== undefined);
}

const stateAt = (parts: EmployerParts | GuardianParts) =>
  parts.sheets.withHash(hashOf(sheet))?.state;

describe('check', () => {
  test('says what the sheet means, opens nothing and sends nothing', async () => {
    const io = testIo();
    const path = file({ ...sheet, schedule: { first_day: '2027-01-31' }, end_day: '2027-12-31' });
    await employerSurvey(['check', path], () => expect.fail('it opened the party'), io);
    const text = io.text();
    for (const words of [
      `Title        ${sheet.title}`,
      'Groups       of at least 23 people',
      'Minimum      8 answers a group; smaller ones are destroyed unopened',
      'Rounds       quarterly, 14 days each',
      'First        2027-01-31',
      'Last day     2027-12-31',
      'Low | Middle | High | Prefer not to say',
      'The sheet is valid.',
    ]) {
      expect(text).toContain(words);
    }
    expect(stateAt(guardian)).toBe(undefined);
  });

  test('names every fault of a bad sheet with its place', async () => {
    const path = file({ ...sheet, k: 7, cadence: 'daily', end_day: 'soon', more: 1, title: '' });
    const refused = await refusal(() => atEmployer('check', path));
    expect(refused).toBeInstanceOf(CommandRefused);
    for (const words of ['at k', 'at cadence', 'at end_day', 'at title', '"more"', '2026-11-21']) {
      expect(refused.message).toContain(words);
    }
    expect(refused.message.startsWith(`${path}:\n`)).toBe(true);
  });

  test.each(['{', '', '[1,'])('of what is not JSON: %j', async (text) => {
    expect((await refusal(() => atEmployer('check', file(text)))).message).toContain('is not JSON');
  });

  test('of a file that is not there', async () => {
    const path = join(testFolder(), 'none.json');
    expect((await refusal(() => atEmployer('check', path))).message).toContain('cannot be read');
  });

  test('says when no round fits before the last day', async () => {
    const text = await atEmployer('check', file({ ...sheet, end_day: sheet.schedule.first_day }));
    expect(text).toContain('none before the last day');
  });
});

describe('submit', () => {
  test('brings the sheet to the guardian', async () => {
    expect(await atEmployer('submit', file(sheet))).toBe(
      `Submitted as ${short(sheet)}; the guardian decides.\n`,
    );
    expect([stateAt(employer), stateAt(guardian)]).toEqual(['submitted', 'submitted']);
    expect(await atEmployer('list')).toMatch(
      new RegExp(`${short(sheet)}  submitted .* ${sheet.title}`),
    );
    expect(await atGuardian('list')).toContain(sheet.title);
  });

  test('while the guardian is away keeps it, and it goes there by itself', async () => {
    const cut = () => {
      throw new Error('cut');
    };
    parties.wires.employer.before = cut;
    expect(await atEmployer('submit', file(sheet))).toContain('when that answers');
    expect([stateAt(employer), stateAt(guardian)]).toEqual(['draft', undefined]);
    parties.wires.employer.before = () => {};
    await until(() => stateAt(guardian) === 'submitted' && stateAt(employer) === 'submitted');
  });

  test('of a sheet that is not valid to the guardian, of another version, says why', async () => {
    parties.wires.employer.before = (url, init) => {
      if (init?.method !== 'POST' || !url.endsWith('/peer/sheets')) return;
      const bytes = encodeSheet({ ...parseSheetFile(sheet), k: 7 });
      init.body = new TextEncoder().encode(JSON.stringify({ sheet: toBase64url(bytes) }));
    };
    const refused = await refusal(() => atEmployer('submit', file(sheet)));
    parties.wires.employer.before = () => {};
    expect(refused).toBeInstanceOf(CommandRefused);
    expect(refused.message).toContain('the guardian does not take it: the sheet is not valid: k: ');
    expect(stateAt(employer)).toBe('refused');
  });

  test('of a bad sheet sends and keeps nothing', async () => {
    const before = employer.sheets.all();
    expect(await refusal(() => atEmployer('submit', file({ ...sheet, k: 7 })))).toBeInstanceOf(
      CommandRefused,
    );
    expect(employer.sheets.all()).toEqual(before);
  });

  test('of the very same sheet again says how that stands', async () => {
    await submitted();
    const again = await refusal(() => atEmployer('submit', file(sheet)));
    expect(again.message).toBe(`this very sheet is submitted already, as ${short(sheet)}`);
  });
});

describe('approve', () => {
  test('signs the sheet, and the employer hears of it', async () => {
    await submitted();
    expect(await atGuardian('approve', short(sheet), 'Light')).toContain(
      `Rounds of “${sheet.title}”`,
    );
    await until(() => stateAt(employer) === 'approved');
    const signature = (parts: EmployerParts | GuardianParts) =>
      parts.sheets.withHash(hashOf(sheet))?.guardianSignature;
    expect(signature(employer)).toEqual(signature(guardian));
    expect(await atEmployer('show', short(sheet))).toMatch(/^Sheet \S{43}: approved\n/);
  });

  test('twice, or after a refusal, is refused', async () => {
    await submitted();
    await atGuardian('approve', short(sheet), 'Light');
    for (const args of [
      ['approve', short(sheet), 'Light'],
      ['refuse', short(sheet), 'No.'],
    ]) {
      const refused = await refusal(() => atGuardian(...args));
      expect(refused).toBeInstanceOf(Refusal);
      expect(refused.message).toBe('the sheet is approved already');
    }
  });
});

test('a Light survey is approved by its name only', async () => {
  await submitted();
  for (const words of [[], ['yes']]) {
    const refused = await refusal(() => atGuardian('approve', short(sheet), ...words));
    expect(refused).toBeInstanceOf(CommandRefused);
    expect(refused.message).toContain('can be averaged out over many rounds');
    expect(refused.message).toContain(`approve ${short(sheet)} Light`);
  }
  expect(stateAt(guardian)).toBe('submitted');
});

test('preview shows every preset, the account, and each group, and sends nothing', async () => {
  parties.employer.importRoster(testPeople([60, 30, 200]));
  const text = await atEmployer('preview', file(sheet));
  for (const words of [
    '290 people are on the roster.',
    'Light *',
    'one answer could be guessed with 62 in 100 after one round',
    'Finer: large enough',
    'too small, in',
    'share number, mean number',
  ]) {
    expect(text).toContain(words);
  }
  expect(stateAt(guardian)).toBe(undefined);
});

describe('refuse', () => {
  test('tells the employer why, in the words that were typed', async () => {
    await submitted();
    await atGuardian('refuse', short(sheet), 'Too', 'many', 'questions.');
    await until(() => stateAt(employer) === 'refused');
    expect(await atEmployer('show', short(sheet))).toContain(
      'Refused because: Too many questions.',
    );
    expect(await atGuardian('show', short(sheet))).toContain(
      'Refused because: Too many questions.',
    );
    const approve = await refusal(() => atGuardian('approve', short(sheet), 'Light'));
    expect(approve.message).toBe('the sheet is refused already');
  });

  test('without a reason is no command', async () => {
    await submitted();
    expect(await refusal(() => atGuardian('refuse', short(sheet)))).toBeInstanceOf(UsageError);
    expect(stateAt(guardian)).toBe('submitted');
  });
});

describe('a sheet', () => {
  test('that there is not, or that could be several, is refused', async () => {
    await submitted();
    for (const verb of ['show', 'approve']) {
      const none = await refusal(() => atGuardian(verb, '!'));
      expect(none.message).toBe('no sheet begins with !');
      const several = await refusal(() => atGuardian(verb, ''));
      expect(several.message).toContain('several sheets begin with');
    }
    expect(stateAt(guardian)).toBe('submitted');
  });

  test('says the same at both parties, but for its state', async () => {
    await submitted();
    expect(await atEmployer('show', short(sheet))).toBe(await atGuardian('show', short(sheet)));
  });
});

test.each([
  [],
  ['list', 'more'],
  ['check'],
  ['check', 'a', 'b'],
  ['submit'],
  ['approve', 'x'],
  ['refuse', 'x', 'y'],
  ['delete', 'x'],
])('the employer has no command %s %s', async (...args) => {
  const io = testIo();
  const open = () => expect.fail('it opened the party');
  const given = args.filter((arg) => typeof arg === 'string');
  expect(await refusal(() => employerSurvey(given, open, io))).toBeInstanceOf(UsageError);
});

test.each([[], ['list', 'more'], ['show'], ['approve'], ['refuse']])(
  'the guardian has no command %s %s',
  async (...args) => {
    const given = args.filter((arg) => typeof arg === 'string');
    expect(await refusal(() => atGuardian(...given))).toBeInstanceOf(UsageError);
  },
);

test('only the guardian approves, only the employer submits', async () => {
  await submitted();
  expect(await refusal(() => atGuardian('submit', short(sheet)))).toBeInstanceOf(UsageError);
  expect(await refusal(() => atGuardian('approve', short(sheet), 'x', 'y'))).toBeInstanceOf(
    UsageError,
  );
  expect(stateAt(guardian)).toBe('submitted');
});
