import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { compareBytes } from '../../../crypto/bytes.ts';
import { sha256 } from '../../../crypto/sha256.ts';
import { shuffle } from '../../../server/domain/lots.ts';
import { systemRandomness } from '../../../server/party.ts';
import { type Database, openDatabase, truncateWal } from '../../../server/storage/database.ts';
import { InvitationStore } from '../../../server/storage/invitations.ts';
import { MailQueue } from '../../../server/storage/mail-queue.ts';
import { transact } from '../../../server/storage/stores.ts';
import { testFolder } from '../../support/folder.ts';
import { Needles } from '../../support/needles.ts';
import { MIGRATIONS } from '../../support/parties.ts';

interface Opened {
  readonly db: Database;
  readonly file: string;
  readonly store: InvitationStore;
}

const opened: Opened[] = [];

function open(): Opened {
  const file = join(testFolder(), 'employer.sqlite');
  const db = openDatabase(file, [join(MIGRATIONS, 'common'), join(MIGRATIONS, 'employer')]);
  const one = { db, file, store: new InvitationStore(db) };
  opened.push(one);
  return one;
}

afterEach(() => {
  for (const { db } of opened.splice(0)) db.close();
});

const bytes = (...parts: (string | number)[]) => sha256(new TextEncoder().encode(parts.join(' ')));
const hashOf = (person: number, issue = 1, round = 1) => bytes('code', round, person, issue);

/** People and codes of a round, as the employer writes them down. */
function begin({ db, store }: Opened, people: number, round = 1): void {
  transact(db, () => {
    const codes: { hash: Uint8Array; group: number; issue: number }[] = [];
    for (let person = 1; person <= people; person++) {
      const groupIndex = person % 3;
      store.insertInvitee(round, {
        person,
        email: `person-${person}@example.com`,
        name: `Person ${person}`,
        unit: `All / ${groupIndex}`,
        language: null,
        groupIndex,
      });
      for (const issue of [1, 2]) {
        codes.push({ hash: hashOf(person, issue, round), group: groupIndex, issue });
      }
    }
    codes.sort((a, b) => compareBytes(a.hash, b.hash));
    for (const { hash, group, issue } of codes) {
      store.insertCode(round, hash, group, issue === 1);
    }
    store.begin(round, people);
  });
  truncateWal(db);
}

function use({ db, store }: Opened, person: number): void {
  const id = store.code(hashOf(person))?.id as number;
  transact(db, () => store.use(id, bytes('request', person)));
  truncateWal(db);
}

describe('codes', () => {
  it('are found by their hash, active or not, unused', () => {
    const one = open();
    begin(one, 5);
    expect(one.store.code(hashOf(4))).toEqual({
      id: expect.any(Number),
      round: 1,
      groupIndex: 1,
      active: true,
      requestHash: undefined,
    });
    expect(one.store.code(hashOf(4, 2))?.active).toBe(false);
    expect(one.store.code(hashOf(6))).toBeUndefined();
  });

  it('are used once', () => {
    const one = open();
    begin(one, 5);
    const id = one.store.code(hashOf(2))?.id as number;
    expect(one.store.use(id, bytes('a'))).toBe(true);
    expect(one.store.use(id, bytes('b'))).toBe(false);
    expect(one.store.code(hashOf(2))?.requestHash).toEqual(Buffer.from(bytes('a')));
  });

  it('change places with a reissue, which is counted', () => {
    const one = open();
    begin(one, 5);
    one.store.reissue(1, 3, hashOf(3), hashOf(3, 2));
    expect(one.store.code(hashOf(3))?.active).toBe(false);
    expect(one.store.code(hashOf(3, 2))?.active).toBe(true);
    expect(one.store.invitee(1, 3)?.issue).toBe(2);
    expect(one.store.of(1)).toMatchObject({ people: 5, reissued: 1, codesUsed: null });
  });
});

describe('the end of a round', () => {
  it('keeps the counts, and nobody and no code', () => {
    const one = open();
    begin(one, 50);
    for (const person of [7, 3, 11]) use(one, person);
    one.store.end(1);
    expect(one.store.of(1)).toMatchObject({ people: 50, codesUsed: 3 });
    expect(one.store.live()).toEqual([]);
    expect(one.store.invitees(1)).toEqual([]);
    expect(one.store.code(hashOf(7))).toBeUndefined();
  });

  it('leaves another round as it is', () => {
    const one = open();
    begin(one, 20);
    begin(one, 20, 2);
    one.store.end(1);
    expect(one.store.invitees(2)).toHaveLength(20);
    expect(one.store.code(hashOf(7, 1, 2))?.active).toBe(true);
    expect(one.store.live().map(({ round }) => round)).toEqual([2]);
  });

  it('leaves nothing of what was used in any file, another round beside it or not', () => {
    for (const beside of [false, true]) {
      const one = open();
      const needles = new Needles();
      begin(one, 300);
      if (beside) begin(one, 300, 2);
      for (let person = 1; person <= 200; person++) {
        needles.add(`request of ${person}`, bytes('request', person));
        use(one, person);
      }
      expect(needles.find(readFileSync(one.file)).size).toBe(200);
      transact(one.db, () => one.store.end(1));
      truncateWal(one.db);
      for (const end of ['', '-wal', '-shm']) {
        expect(needles.find(readFileSync(one.file + end))).toEqual(new Set());
      }
    }
  });

  it('of a draft leaves no counts', () => {
    const one = open();
    begin(one, 5, 2);
    one.store.discard(2);
    expect(one.store.invitees(2)).toEqual([]);
    expect(one.store.code(hashOf(1, 1, 2))).toBeUndefined();
  });
});

/*
 * What a taker of the files could read of the order in which codes were used: nothing. Whatever the
 * order, the same codes leave the same bytes, in every file and after every use; and a use changes
 * nothing but the bytes of its own row.
 */
describe('the order of use', () => {
  const PEOPLE = 400;
  const USED = Array.from({ length: 80 }, (_, i) => 1 + 4 * i);

  function filesAfter(order: readonly number[]): Buffer[] {
    const one = open();
    begin(one, PEOPLE);
    for (const person of order) use(one, person);
    const files = [readFileSync(one.file), readFileSync(`${one.file}-wal`)];
    one.db.close();
    return files;
  }

  it('is in no byte of any file', () => {
    const rising = filesAfter(USED);
    const falling = filesAfter([...USED].reverse());
    const shuffled = filesAfter(shuffle(USED, systemRandomness));
    for (const files of [falling, shuffled]) {
      expect(files.map((file, i) => file.equals(rising[i] as Buffer))).toEqual([true, true]);
    }
    expect(rising[1]).toHaveLength(0);
  });

  it('nor which were used together', () => {
    const alone = filesAfter(USED);
    const one = open();
    begin(one, PEOPLE);
    for (let at = 0; at < USED.length; at += 16) {
      transact(one.db, () => {
        for (const person of USED.slice(at, at + 16).reverse()) {
          one.store.use(one.store.code(hashOf(person))?.id as number, bytes('request', person));
        }
      });
      truncateWal(one.db);
    }
    one.db.close();
    expect(readFileSync(one.file).equals(alone[0] as Buffer)).toBe(true);
  });

  it('is in no byte after a new start either', () => {
    const plain = filesAfter(USED);
    const restarted = open();
    begin(restarted, PEOPLE);
    let again = restarted;
    for (const person of [...USED].reverse()) {
      again.db.close();
      const db = openDatabase(restarted.file, [
        join(MIGRATIONS, 'common'),
        join(MIGRATIONS, 'employer'),
      ]);
      again = { db, file: restarted.file, store: new InvitationStore(db) };
      use(again, person);
    }
    again.db.close();
    expect(readFileSync(restarted.file).equals(plain[0] as Buffer)).toBe(true);
  });

  it('a use changes the 32 bytes of its own row, and no other', () => {
    const one = open();
    begin(one, PEOPLE);
    let before = readFileSync(one.file);
    for (const person of USED.slice(0, 40)) {
      use(one, person);
      expect(statSync(`${one.file}-wal`).size).toBe(0);
      const after = readFileSync(one.file);
      expect(after).toHaveLength(before.length);
      const at = after.indexOf(bytes('request', person));
      const changed: number[] = [];
      for (let i = 0; i < after.length; i++) if (after[i] !== before[i]) changed.push(i);
      expect(changed.filter((i) => i < at || i >= at + 32)).toEqual([]);
      before = after;
    }
  });

  it('rows lie in the order of their hashes, not of the people', () => {
    const one = open();
    begin(one, PEOPLE);
    const rows = one.db
      .prepare<[], Buffer>('SELECT code_hash FROM codes ORDER BY id')
      .pluck()
      .all();
    expect(rows.every((hash, i) => i === 0 || compareBytes(rows[i - 1] as Buffer, hash) < 0)).toBe(
      true,
    );
  });
});

describe('the mail queue', () => {
  function queue() {
    const one = open();
    begin(one, 3);
    return { ...one, mail: new MailQueue(one.db) };
  }

  it('has one mail a person and kind, until it is taken', () => {
    const { mail } = queue();
    mail.addAll(1, 'invitation', 10);
    mail.addAll(1, 'invitation', 20);
    mail.add(1, 2, 'invitation', 30);
    expect(mail.due(9, 10)).toEqual([]);
    expect(mail.due(10, 10).map(({ person, kind }) => [person, kind])).toEqual([
      [1, 'invitation'],
      [2, 'invitation'],
      [3, 'invitation'],
    ]);
    mail.addAll(1, 'reminder', 10);
    expect(mail.count(1)).toEqual({ queued: 6, refused: 0 });
    const [first] = mail.due(10, 1);
    mail.taken(first?.id as number);
    expect(mail.count(1).queued).toBe(5);
    mail.addAll(1, 'invitation', 20);
    expect(mail.count(1).queued).toBe(6);
  });

  it('keeps what is deferred for later, and what is refused for the count', () => {
    const { mail } = queue();
    mail.addAll(1, 'invitation', 10);
    const [a, b] = mail.due(10, 3);
    mail.defer(a?.id as number, 50);
    mail.refuse(b?.id as number);
    expect(mail.due(49, 10).map(({ person }) => person)).toEqual([3]);
    expect(mail.due(50, 10).map(({ person, attempts }) => [person, attempts])).toEqual([
      [3, 0],
      [1, 1],
    ]);
    expect(mail.count(1)).toEqual({ queued: 2, refused: 1 });
    expect(mail.refusedPeople(1)).toEqual([2]);
    mail.deleteOfRound(1);
    expect(mail.count(1)).toEqual({ queued: 0, refused: 0 });
  });
});
