import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { type CommandIo, CommandRefused, UsageError } from '../../../server/cli/io.ts';
import { type StaffParts, staff } from '../../../server/cli/staff.ts';
import { LINK_MS } from '../../../server/domain/staff.ts';
import { systemRandomness } from '../../../server/party.ts';
import { openStores } from '../../../server/storage/stores.ts';
import { testFolder } from '../../support/folder.ts';
import { MIGRATIONS } from '../../support/parties.ts';

const NOW = 1_700_000_000_000;
const URL_ = 'https://chorus.example';
const UNITS = [{ path: 'Northlight / Warehouse / Inbound' }];

let parts: StaffParts;
let out: string[];
let err: string[];

beforeEach(() => {
  const stores = openStores('employer', join(testFolder(), 'employer'), MIGRATIONS, {
    now: () => NOW,
  });
  onTestFinished(() => void stores.db.close());
  parts = {
    ...stores,
    randomness: systemRandomness,
    url: URL_,
    roster: { unitSizes: () => UNITS },
  };
});

/** Runs `chorus staff …` as it would be typed. */
async function run(line: readonly string[], party: 'guardian' | 'employer' = 'employer') {
  out = [];
  err = [];
  const io: CommandIo = {
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    interactive: false,
    confirm: async () => false,
    progress: () => {},
  };
  await staff(line, party, async () => parts, io);
  return out.join('\n');
}

describe('add', () => {
  test('gives a role, in small letters, and says where to sign in', async () => {
    const said = await run(['add', ' Ada@Northlight.Example ', 'admin']);
    expect(said).toContain(`${URL_}/sign-in`);
    expect(parts.staff.all()).toMatchObject([{ email: 'ada@northlight.example', role: 'admin' }]);
  });

  test('gives a manager units, tidied, each once', async () => {
    const unit = ' northlight  /warehouse';
    await run(['add', 'a@example.com', 'manager', '--unit', unit, '--unit=northlight / warehouse']);
    expect(parts.staff.withEmail('a@example.com')?.units).toEqual(['northlight / warehouse']);
    expect(err).toEqual([]);
  });

  test('warns of a unit that nobody is in, and takes it', async () => {
    await run(['add', 'a@example.com', 'manager', '--unit', 'Northlight / Ware']);
    expect(err.join()).toContain('Nobody is in “Northlight / Ware”');
    expect(parts.staff.withEmail('a@example.com')?.role).toBe('manager');
  });

  test('another role replaces the one before, and says that sessions have ended', async () => {
    await run(['add', 'a@example.com', 'admin']);
    const id = parts.staff.withEmail('a@example.com')?.id as number;
    parts.signIns.begin(new Uint8Array(32), id, NOW);
    expect(await run(['add', 'a@example.com', 'auditor'])).toContain('sessions have ended');
    expect(parts.signIns.session(new Uint8Array(32), NOW)).toBeUndefined();
    expect(parts.staff.all()).toHaveLength(1);
  });

  test.each<[string, string[], 'guardian' | 'employer']>([
    ['no address', ['add', 'ada', 'admin'], 'employer'],
    ['two addresses', ['add', 'a@example.com, b@example.com', 'admin'], 'employer'],
    ['a header in the address', ['add', 'a@example.com\nbcc: b@example.com', 'admin'], 'employer'],
    ['an unknown role', ['add', 'a@example.com', 'root'], 'employer'],
    ['the guardian’s role at the employer', ['add', 'a@example.com', 'guardian'], 'employer'],
    ['the employer’s role at the guardian', ['add', 'a@example.com', 'admin'], 'guardian'],
    ['a manager at the guardian', ['add', 'a@example.com', 'manager', '--unit', 'A'], 'guardian'],
    ['a manager of nothing', ['add', 'a@example.com', 'manager'], 'employer'],
    ['an admin of units', ['add', 'a@example.com', 'admin', '--unit', 'A'], 'employer'],
    ['an empty unit', ['add', 'a@example.com', 'manager', '--unit', 'A / '], 'employer'],
  ])('refuses %s, and changes nothing', async (_name, line, party) => {
    await expect(run(line, party)).rejects.toThrow(CommandRefused);
    expect(parts.staff.all()).toEqual([]);
  });
});

describe('list', () => {
  test('names everybody with role and units', async () => {
    expect(await run(['list'])).toContain('Nobody has a role yet');
    await run(['add', 'b@example.com', 'manager', '--unit', 'Northlight / Warehouse']);
    await run(['add', 'a@example.com', 'auditor']);
    expect(await run(['list'])).toBe(
      [
        'Address        Role     Units',
        'a@example.com  auditor',
        'b@example.com  manager  Northlight / Warehouse',
      ].join('\n'),
    );
  });
});

describe('remove', () => {
  test('takes role, sessions and links', async () => {
    await run(['add', 'a@example.com', 'admin']);
    const id = parts.staff.withEmail('a@example.com')?.id as number;
    parts.signIns.begin(new Uint8Array(32), id, NOW);
    expect(await run(['remove', 'A@example.com'])).toContain('have ended');
    expect(parts.staff.all()).toEqual([]);
    expect(parts.signIns.session(new Uint8Array(32), NOW)).toBeUndefined();
  });

  test('refuses somebody without a role', async () => {
    await expect(run(['remove', 'a@example.com'])).rejects.toThrow('has no role here');
  });
});

describe('link', () => {
  test('prints a link that is stored hashed only', async () => {
    await run(['add', 'a@example.com', 'admin']);
    const link = await run(['link', 'a@example.com']);
    expect(link).toMatch(/^https:\/\/chorus\.example\/sign-in\/[A-Za-z0-9_-]{43}$/);
    expect(err.join()).toContain(`${LINK_MS / 60_000} minutes`);
    const kept = parts.db.prepare<[], Buffer>('SELECT hash FROM sign_in_links').pluck().all();
    expect(kept).toHaveLength(1);
    expect(kept[0]?.toString('base64url')).not.toBe(link.split('/').at(-1));
  });

  test('refuses somebody without a role', async () => {
    await expect(run(['link', 'a@example.com'])).rejects.toThrow(CommandRefused);
  });
});

test.each<[string[]]>([
  [[]],
  [['list', 'a@example.com']],
  [['add']],
  [['add', 'a@example.com']],
  [['add', 'a@example.com', 'admin', 'auditor']],
  [['add', 'a@example.com', 'admin', '--units', 'A']],
  [['add', 'a@example.com', 'manager', '--unit']],
  [['remove']],
  [['remove', 'a@example.com', 'b@example.com']],
  [['link']],
  [['grant', 'a@example.com']],
])('%j is answered with how it goes', async (line) => {
  await expect(run(line)).rejects.toThrow(UsageError);
});
