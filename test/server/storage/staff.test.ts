import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { sha256 } from '../../../crypto/sha256.ts';
import { IDLE_MS, LINK_MS, SESSION_MS } from '../../../server/domain/staff.ts';
import { type Database, openDatabase, truncateWal } from '../../../server/storage/database.ts';
import { SignInStore } from '../../../server/storage/sign-ins.ts';
import { StaffStore } from '../../../server/storage/staff.ts';
import { testFolder } from '../../support/folder.ts';
import { MIGRATIONS } from '../../support/parties.ts';

const NOW = 1_700_000_000_000;
const hash = (text: string) => Buffer.from(sha256(Buffer.from(text)));

let folder: string;
let db: Database;
let staff: StaffStore;
let signIns: SignInStore;

beforeEach(() => {
  folder = testFolder();
  db = openDatabase(join(folder, 'employer.sqlite'), [join(MIGRATIONS, 'common')]);
  onTestFinished(() => void db.close());
  staff = new StaffStore(db);
  signIns = new SignInStore(db);
});

const put = (email: string, role: 'admin' | 'manager' = 'admin', units: string[] = []) =>
  staff.put({ email, role, units }, NOW);
const idOf = (email: string) => staff.withEmail(email)?.id as number;

describe('who has a role', () => {
  test('is listed by address, each with one role and their units in order', () => {
    put('b@example.com', 'manager', ['All / Z', 'All / A']);
    put('a@example.com');
    expect(staff.all()).toEqual([
      { id: expect.any(Number), email: 'a@example.com', role: 'admin', units: [] },
      {
        id: expect.any(Number),
        email: 'b@example.com',
        role: 'manager',
        units: ['All / A', 'All / Z'],
      },
    ]);
    expect(staff.withEmail('c@example.com')).toBeUndefined();
    expect(staff.withId(99)).toBeUndefined();
  });

  test('the same role again changes the units, and ends nothing', () => {
    put('a@example.com', 'manager', ['All / A']);
    signIns.begin(hash('s'), idOf('a@example.com'), NOW);
    expect(put('a@example.com', 'manager', ['All / B'])?.units).toEqual(['All / A']);
    expect(staff.withEmail('a@example.com')?.units).toEqual(['All / B']);
    expect(signIns.session(hash('s'), NOW)?.staffId).toBe(idOf('a@example.com'));
  });

  test.each<[string, () => unknown]>([
    ['another role', () => put('a@example.com', 'manager', ['All'])],
    ['no role', () => staff.remove('a@example.com')],
  ])('%s ends every session and link, and nobody else’s', (_name, change) => {
    put('a@example.com');
    put('b@example.com');
    for (const name of ['a', 'b']) {
      const id = idOf(`${name}@example.com`);
      signIns.begin(hash(`session ${name}`), id, NOW);
      signIns.addLink(hash(`link ${name}`), id, NOW + LINK_MS);
    }
    change();
    expect(signIns.session(hash('session a'), NOW)).toBeUndefined();
    expect(signIns.link(hash('link a'), NOW)).toBeUndefined();
    expect(signIns.redeem(hash('link a'), hash('new'), NOW)).toBeUndefined();
    expect(signIns.session(hash('session b'), NOW)?.staffId).toBe(idOf('b@example.com'));
    expect(signIns.link(hash('link b'), NOW)).toBe(idOf('b@example.com'));
  });

  test('a removed address is in no file', () => {
    put('somebody-special@example.com');
    expect(staff.remove('somebody-special@example.com')).toBe(true);
    expect(staff.remove('somebody-special@example.com')).toBe(false);
    truncateWal(db);
    for (const file of ['employer.sqlite', 'employer.sqlite-wal']) {
      expect(readFileSync(join(folder, file)).includes('somebody-special')).toBe(false);
    }
  });

  test('there is no role that is none', () => {
    expect(() =>
      staff.put({ email: 'a@example.com', role: 'root' as never, units: [] }, NOW),
    ).toThrow();
    expect(staff.all()).toEqual([]);
  });
});

describe('links', () => {
  beforeEach(() => void put('a@example.com'));

  test('are used once', () => {
    signIns.addLink(hash('link'), idOf('a@example.com'), NOW + LINK_MS);
    expect(signIns.link(hash('link'), NOW)).toBe(idOf('a@example.com'));
    expect(signIns.redeem(hash('link'), hash('one'), NOW)).toBe(idOf('a@example.com'));
    expect(signIns.redeem(hash('link'), hash('two'), NOW)).toBeUndefined();
    expect(signIns.link(hash('link'), NOW)).toBeUndefined();
    expect(signIns.session(hash('one'), NOW)).toBeDefined();
    expect(signIns.session(hash('two'), NOW)).toBeUndefined();
  });

  test('end to the millisecond', () => {
    signIns.addLink(hash('link'), idOf('a@example.com'), NOW + LINK_MS);
    expect(signIns.link(hash('link'), NOW + LINK_MS - 1)).toBeDefined();
    expect(signIns.link(hash('link'), NOW + LINK_MS)).toBeUndefined();
    expect(signIns.redeem(hash('link'), hash('s'), NOW + LINK_MS)).toBeUndefined();
    expect(signIns.redeem(hash('link'), hash('s'), NOW + LINK_MS - 1)).toBeDefined();
  });

  test('a session that cannot be stored leaves the link unused', () => {
    signIns.begin(hash('taken'), idOf('a@example.com'), NOW);
    signIns.addLink(hash('link'), idOf('a@example.com'), NOW + LINK_MS);
    expect(() => signIns.redeem(hash('link'), hash('taken'), NOW)).toThrow();
    expect(signIns.link(hash('link'), NOW)).toBeDefined();
  });
});

describe('sessions', () => {
  beforeEach(() => {
    put('a@example.com');
    signIns.begin(hash('s'), idOf('a@example.com'), NOW);
  });

  test('end when unused for eight hours, to the millisecond', () => {
    expect(signIns.session(hash('s'), NOW + IDLE_MS - 1)).toBeDefined();
    expect(signIns.session(hash('s'), NOW + IDLE_MS)).toBeUndefined();
    signIns.touch(hash('s'), NOW + IDLE_MS - 1);
    expect(signIns.session(hash('s'), NOW + 2 * IDLE_MS - 2)).toBeDefined();
    expect(signIns.session(hash('s'), NOW + 2 * IDLE_MS - 1)).toBeUndefined();
  });

  test('a use that was written late takes nothing back', () => {
    signIns.touch(hash('s'), NOW + 1000);
    signIns.touch(hash('s'), NOW + 500);
    expect(signIns.session(hash('s'), NOW)?.seenMs).toBe(NOW + 1000);
  });

  test('end after seven days, however much they are used', () => {
    for (let at = NOW; at < NOW + SESSION_MS; at += IDLE_MS / 2) signIns.touch(hash('s'), at);
    signIns.touch(hash('s'), NOW + SESSION_MS - 1);
    expect(signIns.session(hash('s'), NOW + SESSION_MS - 1)).toBeDefined();
    expect(signIns.session(hash('s'), NOW + SESSION_MS)).toBeUndefined();
  });

  test('are ended one by one, or all of a person with the links under way', () => {
    put('b@example.com');
    const id = idOf('a@example.com');
    signIns.begin(hash('s2'), id, NOW);
    signIns.begin(hash('b'), idOf('b@example.com'), NOW);
    signIns.end(hash('s'));
    expect(signIns.session(hash('s'), NOW)).toBeUndefined();
    expect(signIns.session(hash('s2'), NOW)).toBeDefined();
    signIns.begin(hash('s'), id, NOW);
    signIns.addLink(hash('link'), id, NOW + LINK_MS);
    signIns.endAll(id);
    expect(signIns.session(hash('s'), NOW)).toBeUndefined();
    expect(signIns.session(hash('s2'), NOW)).toBeUndefined();
    expect(signIns.link(hash('link'), NOW)).toBeUndefined();
    expect(signIns.session(hash('b'), NOW)).toBeDefined();
  });
});
