import type { Role, Staff } from '../domain/staff.ts';
import type { Database } from './database.ts';

type StaffRow = Omit<Staff, 'units'>;

const COLUMNS = 'id, email, role';

/** Who has which role at this party. */
export class StaffStore {
  readonly #db;
  readonly #withEmail;
  readonly #withId;
  readonly #all;
  readonly #units;
  readonly #insert;
  readonly #remove;
  readonly #addUnit;
  readonly #clearUnits;

  constructor(db: Database) {
    this.#db = db;
    this.#withEmail = db.prepare<[string], StaffRow>(
      `SELECT ${COLUMNS} FROM staff WHERE email = ?`,
    );
    this.#withId = db.prepare<[number], StaffRow>(`SELECT ${COLUMNS} FROM staff WHERE id = ?`);
    this.#all = db.prepare<[], StaffRow>(`SELECT ${COLUMNS} FROM staff ORDER BY email`);
    this.#units = db
      .prepare<[number], string>('SELECT path FROM staff_units WHERE staff_id = ? ORDER BY path')
      .pluck();
    this.#insert = db
      .prepare<[string, Role, number], number>(
        'INSERT INTO staff (email, role, added_ms) VALUES (?, ?, ?) RETURNING id',
      )
      .pluck();
    this.#remove = db.prepare('DELETE FROM staff WHERE email = ?');
    this.#addUnit = db.prepare('INSERT OR IGNORE INTO staff_units (staff_id, path) VALUES (?, ?)');
    this.#clearUnits = db.prepare('DELETE FROM staff_units WHERE staff_id = ?');
  }

  withEmail(email: string): Staff | undefined {
    return this.#whole(this.#withEmail.get(email));
  }

  withId(id: number): Staff | undefined {
    return this.#whole(this.#withId.get(id));
  }

  /** By address. */
  all(): Staff[] {
    return this.#all.all().map((row) => this.#whole(row) as Staff);
  }

  /**
   * Gives a role, in place of the one that the person had. Another role than before ends every
   * session and link of the person; other units take effect at once.
   * @returns what the person had before
   */
  put(person: Omit<Staff, 'id'>, nowMs: number): Staff | undefined {
    const { email, role, units } = person;
    const put = this.#db.transaction(() => {
      const before = this.withEmail(email);
      if (before !== undefined && before.role !== role) this.#remove.run(email);
      const kept = before?.role === role ? before.id : undefined;
      const id = kept ?? (this.#insert.get(email, role, nowMs) as number);
      this.#clearUnits.run(id);
      for (const path of units) this.#addUnit.run(id, path);
      return before;
    });
    return put.immediate();
  }

  /** Takes the role away, and with it every session and link. @returns whether there was one */
  remove(email: string): boolean {
    return this.#remove.run(email).changes === 1;
  }

  #whole(row: StaffRow | undefined): Staff | undefined {
    return row && { ...row, units: this.#units.all(row.id) };
  }
}
