import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toHex, utf8 } from '../../../crypto/bytes.ts';
import { sha256 } from '../../../crypto/sha256.ts';
import type { Person } from '../../../server/domain/roster.ts';
import { type Database, openDatabase, truncateWal } from '../../../server/storage/database.ts';
import { RosterStore } from '../../../server/storage/roster.ts';
import { findInFolder, Needles } from '../../support/needles.ts';
import { MIGRATIONS } from '../../support/parties.ts';

let folder: string;
let db: Database;
let roster: RosterStore;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'chorus-'));
  db = openDatabase(join(folder, 'employer.sqlite'), [
    join(MIGRATIONS, 'common'),
    join(MIGRATIONS, 'employer'),
  ]);
  roster = new RosterStore(db);
});

afterEach(() => {
  db.close();
  rmSync(folder, { recursive: true, force: true });
});

function person(n: number, fields: Partial<Person> = {}): Person {
  const email = `person${n}@example.com`;
  return { email, name: `Person ${n}`, unit: 'C / A', managerOf: [], language: null, ...fields };
}

function idOf(n: number): unknown {
  return db.prepare('SELECT id FROM people WHERE email = ?').pluck().get(person(n).email);
}

describe('the roster', () => {
  it('is empty at first, and then what was put there', () => {
    expect([roster.people(), roster.unitSizes(), roster.version()]).toEqual([[], [], 0]);
    const people = [
      person(1, { managerOf: ['C', 'C / A'] }),
      person(2, { unit: 'C', language: 'de-AT' }),
      person(3),
    ];
    expect(roster.replace(people, 0)).toBe(true);
    expect(roster.people()).toEqual(people);
    expect(roster.version()).toBe(1);
  });

  it('is replaced: who stays keeps the id, and what is left over goes', () => {
    roster.replace([person(1, { managerOf: ['C'] }), person(2), person(3, { unit: 'C / B' })], 0);
    const id = idOf(2);
    const people = [person(2, { unit: 'C / D', name: 'Person Two' }), person(4)];
    expect(roster.replace(people, 1)).toBe(true);
    expect(roster.people()).toEqual(people);
    expect(idOf(2)).toBe(id);
    const units = db.prepare('SELECT path FROM units ORDER BY path').pluck().all();
    expect(units).toEqual(['C / A', 'C / D']);
    expect(db.prepare('SELECT COUNT(*) FROM managers').pluck().get()).toBe(0);
  });

  it('is replaced as a whole or not at all', () => {
    roster.replace([person(1), person(2)], 0);
    const before = [roster.people(), roster.unitSizes(), roster.version()];
    const broken = [person(3), person(4, { unit: null as unknown as string })];
    expect(() => roster.replace(broken, 1)).toThrow();
    expect(() =>
      roster.replace([person(3), person(4)], 1, () => {
        throw new Error('no');
      }),
    ).toThrow('no');
    expect([roster.people(), roster.unitSizes(), roster.version()]).toEqual(before);
  });

  it('is not replaced if it changed since somebody looked', () => {
    roster.replace([person(1)], 0);
    expect(roster.replace([person(2)], 0)).toBe(false);
    expect(roster.people()).toEqual([person(1)]);
  });

  it('may be emptied', () => {
    roster.replace([person(1, { managerOf: ['C / A'] })], 0);
    roster.replace([], 1);
    expect([roster.people(), roster.unitSizes()]).toEqual([[], []]);
  });

  it('gives the guardian paths and direct counts, and never a person', () => {
    const managed = person(1, { managerOf: ['C'] });
    roster.replace([managed, person(2), person(3, { unit: 'C / A / B' })], 0);
    expect(roster.unitSizes()).toEqual([
      { path: 'C / A', people: 2 },
      { path: 'C / A / B', people: 1 },
    ]);
  });
});

describe('the units of a round', () => {
  const UNITS = [
    { path: 'C', people: 1, groupIndex: 0 },
    { path: 'C / A', people: 40, groupIndex: 1 },
  ];

  it('stay as they were frozen, whatever becomes of the roster', () => {
    roster.replace([person(1)], 0);
    roster.freeze(7, UNITS);
    roster.replace([person(2, { unit: 'D' })], 1);
    expect(roster.roundUnits(7)).toEqual(UNITS);
    expect(roster.roundUnits(8)).toEqual([]);
  });

  it('are those of the last draft, each round by itself', () => {
    roster.freeze(7, UNITS);
    roster.freeze(8, UNITS);
    const others = [{ path: 'C', people: 9, groupIndex: 0 }];
    roster.freeze(7, others);
    expect(roster.roundUnits(7)).toEqual(others);
    expect(roster.roundUnits(8)).toEqual(UNITS);
  });

  it('are frozen as a whole or not at all', () => {
    const before = [{ path: 'C', people: 9, groupIndex: 0 }];
    roster.freeze(7, before);
    for (const bad of [
      { path: 'C', people: 2, groupIndex: 0 },
      { path: 'X', people: 0, groupIndex: 0 },
    ]) {
      expect(() => roster.freeze(7, [...UNITS, bad])).toThrow();
      expect(roster.roundUnits(7)).toEqual(before);
    }
  });
});

describe('who is removed, and what a person was called before', () => {
  it('is in no byte of any file', () => {
    const needles = new Needles();
    const secret = (i: number, label: string) => {
      const text = toHex(sha256(utf8(`${label} ${i}`))).slice(0, 32);
      needles.add(label, utf8(text));
      return text;
    };
    const people = Array.from({ length: 9000 }, (_, i) => {
      const label = i % 3 === 0 ? 'stays' : i % 3 === 1 ? 'goes' : 'changes';
      return person(i, { email: `${secret(i, label)}@example.com` });
    });
    const named = people.map((one, i) =>
      i % 3 === 2 ? { ...one, name: secret(i, 'old name') } : one,
    );
    roster.replace(named, roster.version());
    const look = () => {
      truncateWal(db);
      return [...findInFolder(needles, folder)].sort();
    };
    expect(look()).toEqual(['changes', 'goes', 'old name', 'stays']);
    roster.replace(
      people.filter((_, i) => i % 3 !== 1),
      roster.version(),
    );
    expect(look()).toEqual(['changes', 'stays']);
    expect(db.pragma('foreign_keys', { simple: true })).toBe(1);
  });
});
