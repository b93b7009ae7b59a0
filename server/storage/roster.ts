import type { UnitSize } from '../domain/org.ts';
import type { Person } from '../domain/roster.ts';
import type { Database } from './database.ts';
import { deleteTraceless } from './rewrite.ts';

/** A unit as a round was planned with it. */
export interface RoundUnit extends UnitSize {
  /** Index of the group that the people directly at the unit are in. */
  readonly groupIndex: number;
}

/** A person as a round invites them. */
export interface Member {
  /** Kept as long as the address is on the roster. */
  readonly person: number;
  readonly email: string;
  readonly name: string;
  /** Path of their unit. */
  readonly unit: string;
  readonly language: string | null;
}

/** A person without the units that they manage, as a row of the table. */
type PersonRow = Omit<Person, 'managerOf'> & { readonly id: number };

const PEOPLE_A_REPORT = 5000;

/** The employer's units and people, and what was frozen of them for each round. */
export class RosterStore {
  readonly #db;
  readonly #version;
  readonly #raise;
  readonly #people;
  readonly #members;
  readonly #managed;
  readonly #unitSizes;
  readonly #addUnit;
  readonly #units;
  readonly #sweepUnits;
  readonly #put;
  readonly #addManager;
  readonly #clearManagers;
  readonly #remove;
  readonly #thaw;
  readonly #freeze;
  readonly #roundUnits;

  constructor(db: Database) {
    this.#db = db;
    this.#version = db.prepare<[], number>('SELECT version FROM roster').pluck();
    this.#raise = db.prepare('UPDATE roster SET version = version + 1');
    this.#people = db.prepare<[], PersonRow>(
      `SELECT people.id, email, name, units.path AS unit, language
       FROM people JOIN units ON units.id = unit_id ORDER BY email`,
    );
    this.#members = db.prepare<[number, number], Member>(
      `SELECT people.id AS person, email, name, units.path AS unit, language
       FROM people JOIN units ON units.id = unit_id
       WHERE people.id > ? ORDER BY people.id LIMIT ?`,
    );
    this.#managed = db.prepare<[], { personId: number; path: string }>(
      `SELECT person_id AS personId, path FROM managers JOIN units ON units.id = unit_id
       ORDER BY path`,
    );
    this.#unitSizes = db.prepare<[], UnitSize>(
      `SELECT path, COUNT(*) AS people FROM people JOIN units ON units.id = unit_id
       GROUP BY unit_id ORDER BY path`,
    );
    this.#addUnit = db.prepare('INSERT OR IGNORE INTO units (path) VALUES (?)');
    this.#units = db.prepare<[], { id: number; path: string }>('SELECT id, path FROM units');
    this.#sweepUnits = db.prepare(
      `DELETE FROM units WHERE id NOT IN (SELECT unit_id FROM people)
       AND id NOT IN (SELECT unit_id FROM managers)`,
    );
    this.#put = db
      .prepare<[string, string, number, string | null], number>(
        `INSERT INTO people (email, name, unit_id, language) VALUES (?, ?, ?, ?)
         ON CONFLICT (email) DO UPDATE
         SET name = excluded.name, unit_id = excluded.unit_id, language = excluded.language
         RETURNING id`,
      )
      .pluck();
    this.#addManager = db.prepare('INSERT INTO managers (person_id, unit_id) VALUES (?, ?)');
    this.#clearManagers = db.prepare('DELETE FROM managers');
    this.#remove = db.prepare('DELETE FROM people WHERE id = ?');
    this.#thaw = db.prepare('DELETE FROM round_units WHERE round = ?');
    this.#freeze = db.prepare(
      `INSERT INTO round_units (round, path, people, group_index)
       VALUES (:round, :path, :people, :groupIndex)`,
    );
    this.#roundUnits = db.prepare<[number], RoundUnit>(
      `SELECT path, people, group_index AS groupIndex FROM round_units
       WHERE round = ? ORDER BY path`,
    );
  }

  /** Which roster this is; see `replace`. */
  version(): number {
    return this.#version.get() as number;
  }

  /** Everyone, by address. */
  people(): Person[] {
    const managed = new Map<number, string[]>();
    for (const { personId, path } of this.#managed.all()) {
      const paths = managed.get(personId);
      if (paths === undefined) managed.set(personId, [path]);
      else paths.push(path);
    }
    return this.#people
      .all()
      .map(({ id, ...person }) => ({ ...person, managerOf: managed.get(id) ?? [] }));
  }

  /** Some people by their ids, of those that are greater than `after`. */
  members(after: number, limit: number): Member[] {
    return this.#members.all(after, limit);
  }

  /** What the guardian may know: units with people directly at them, and how many. No person. */
  unitSizes(): UnitSize[] {
    return this.#unitSizes.all();
  }

  /**
   * Puts these people, with distinct addresses, in place of the roster, in one transaction; who
   * stays keeps their id. Nothing stays of who is removed, once the caller
   * has truncated the WAL.
   *
   * @param version of the roster that the change was shown against
   * @param progress called every 5,000 people, and at the end, with the people written so far
   * @returns false, and nothing is changed, if the roster is no longer that one
   */
  replace(
    people: readonly Person[],
    version: number,
    progress: (written: number) => void = () => {},
  ): boolean {
    return deleteTraceless(this.#db, (touched) => {
      if (this.version() !== version) return false;
      const left = new Map(this.#people.all().map((row) => [row.email, row]));
      const unitIds = this.#unitIds(people);
      this.#clearManagers.run();
      people.forEach((person, i) => {
        const { email, name, unit, managerOf, language } = person;
        const known = left.get(email);
        left.delete(email);
        const same = known?.name === name && known.unit === unit && known.language === language;
        const id = same ? known.id : this.#put.get(email, name, unitIds(unit), language);
        // What a row said before is deleted too.
        if (known !== undefined && !same) touched.add('people');
        for (const path of managerOf) this.#addManager.run(id, unitIds(path));
        if ((i + 1) % PEOPLE_A_REPORT === 0) progress(i + 1);
      });
      for (const { id } of left.values()) this.#remove.run(id);
      if (left.size > 0) touched.add('people');
      if (this.#sweepUnits.run().changes > 0) touched.add('units');
      this.#raise.run();
      progress(people.length);
      return true;
    });
  }

  /** Adds the units of these people. @returns the id of each by its path */
  #unitIds(people: readonly Person[]): (path: string) => number {
    const paths = new Set<string>();
    for (const { unit, managerOf } of people) {
      paths.add(unit);
      for (const path of managerOf) paths.add(path);
    }
    for (const path of paths) this.#addUnit.run(path);
    const ids = new Map(this.#units.all().map(({ id, path }) => [path, id]));
    return (path) => ids.get(path) as number;
  }

  /**
   * Keeps the units and groups that a round is planned with, in place of what an earlier draft of
   * the round kept. For rounds whose manifest is not signed yet.
   */
  freeze(round: number, units: readonly RoundUnit[]): void {
    const frozen = this.#db.transaction(() => {
      this.#thaw.run(round);
      for (const unit of units) this.#freeze.run({ round, ...unit });
    });
    frozen();
  }

  /** The units of a round, by path; none if it is not frozen. */
  roundUnits(round: number): RoundUnit[] {
    return this.#roundUnits.all(round);
  }
}
