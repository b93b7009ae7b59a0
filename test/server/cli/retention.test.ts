import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { toBase64url } from '../../../crypto/bytes.ts';
import { Secret } from '../../../crypto/secret.ts';
import { sodiumReady } from '../../../crypto/sodium.ts';
import { CommandRefused, UsageError } from '../../../server/cli/io.ts';
import { employerRetention, guardianRetention } from '../../../server/cli/retention.ts';
import { DAY_MS } from '../../../server/domain/days.ts';
import type { EmployerParts } from '../../../server/employer/parts.ts';
import type { GuardianParts } from '../../../server/guardian/parts.ts';
import { systemRandomness } from '../../../server/party.ts';
import { openStores, type Stores } from '../../../server/storage/stores.ts';
import { refusal, testIo } from '../../support/cli.ts';
import { testFolder } from '../../support/folder.ts';
import { MIGRATIONS } from '../../support/parties.ts';
import { insertFinished } from '../../support/retained.ts';

beforeAll(sodiumReady);

let stores: Stores;
let now: number;
let sheet: string;

beforeEach(() => {
  now = 0;
  stores = openStores('employer', join(testFolder(), 'data'), MIGRATIONS, { now: () => now });
  onTestFinished(() => void stores.db.close());
  sheet = toBase64url(insertFinished(stores, { number: 1, closes: 10, trendsDays: 200 }));
});

/** Runs `chorus retention …` as it would be typed, at either party. */
async function run(
  line: string,
  party: 'employer' | 'guardian' = 'employer',
  answer?: boolean,
): Promise<string> {
  const io = testIo(answer);
  const signingSeed = new Secret(systemRandomness(32));
  const parts = { ...stores, signingSeed, logPath: 'no.log' } as unknown as EmployerParts &
    GuardianParts;
  const command = party === 'employer' ? employerRetention : guardianRetention;
  await command(line.split(' '), async () => parts, io);
  return io.text();
}
const days = (kind: 'mail' | 'trends') => stores.retention.days({ kind, sheet: null });

test('a shorter time is set at once, a longer one waits, and can be taken back', async () => {
  expect(await run('set mail 10')).toContain('Set.');
  expect(days('mail')).toBe(10);
  expect(await run('set mail 12')).toContain('waits for the guardian');
  expect(days('mail')).toBe(10);
  const list = await run('list');
  expect(list).toMatch(/^mail +10 days +14 +1 to 60 /m);
  expect(list).toContain('2. Mail queue: 12 days: waiting');
  expect(await run('cancel 2')).toContain('Taken back');
  expect(await run('list')).toContain('2. Mail queue: 12 days: cancelled');
});

test('what a shorter time deletes is said, and done only when the word is typed', async () => {
  now = 60 * DAY_MS;
  for (const answer of [undefined, false]) {
    const error = await refusal(() => run('set trends 40', 'employer', answer));
    expect(error.message).toBe('nothing was changed');
    expect(days('trends')).toBe(3650);
  }
  const said = await run('set trends 40', 'employer', true);
  expect(said).toContain('for good:\n  6 released totals of round 1\nSet.');
  expect(days('trends')).toBe(40);
});

test('a survey is named by the start of its hash', async () => {
  await run(`set trends 100 --survey ${sheet.slice(0, 8)}`);
  expect(days('trends')).toBe(3650);
  expect(await run('list')).toContain('Published trends of “Kept 200”: 100 days: applied');
});

test('the guardian agrees or refuses by number', async () => {
  await run('set mail 20');
  expect(await run('approve 1', 'guardian')).toContain('Approved');
  expect(days('mail')).toBe(20);
  await run('set mail 30');
  expect(await run('refuse 2 A week is enough.', 'guardian')).toContain('Refused');
  expect(days('mail')).toBe(20);
  expect(await run('list', 'guardian')).toContain('2. Mail queue: 30 days: refused: A week');
});

describe('is refused', () => {
  test.each([
    'set mail 0',
    'set mail 61',
    'set mail ten',
    'set mail 14',
    'set post 10',
    'cancel 7',
  ])('%s', async (line) => {
    expect(await refusal(() => run(line))).toBeInstanceOf(CommandRefused);
    expect(stores.retention.all()).toEqual([]);
  });

  test.each(['set trends 201', 'set mail 10'])('%s for a survey of 200 days', async (line) => {
    expect(await refusal(() => run(`${line} --survey ${sheet}`))).toBeInstanceOf(CommandRefused);
  });

  test.each([
    '',
    'set',
    'set mail',
    'set mail 10 x',
    'list x',
    'cancel',
    'list --survey x',
    'set --x',
  ])('a call like “%s”', async (line) => {
    expect(await refusal(() => run(line))).toBeInstanceOf(UsageError);
  });

  test.each(['', 'approve', 'approve 1 2', 'refuse 1', 'set mail 10'])(
    'at the guardian a call like “%s”',
    async (line) => {
      expect(await refusal(() => run(line, 'guardian'))).toBeInstanceOf(UsageError);
    },
  );
});
