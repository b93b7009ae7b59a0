import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { sha256 } from '../../../crypto/sha256.ts';
import { openDatabase } from '../../../server/storage/database.ts';
import { type SheetState, SheetStore } from '../../../server/storage/sheets.ts';
import { testFolder } from '../../support/folder.ts';
import { MIGRATIONS } from '../../support/parties.ts';

const BYTES = Uint8Array.of(1);
const HASH = sha256(BYTES);
const SIGNATURE = new Uint8Array(64).fill(7);

function open(): SheetStore {
  const db = openDatabase(join(testFolder(), 'x.sqlite'), [join(MIGRATIONS, 'common')]);
  onTestFinished(() => {
    db.close();
  });
  return new SheetStore(db);
}

/** A store with one sheet in this state. */
function holding(state: SheetState): SheetStore {
  const sheets = open();
  sheets.insert(HASH, BYTES, 'submitted', 1);
  if (state === 'refused') sheets.refuse(HASH, 'No.', 2);
  else if (state === 'approved') sheets.approve(HASH, SIGNATURE, 2);
  else sheets.move(HASH, 'submitted', state, 2);
  return sheets;
}

const STATES: readonly SheetState[] = ['draft', 'submitted', 'approved', 'refused', 'retired'];

test('a sheet is kept once, as it was first', () => {
  const sheets = open();
  sheets.insert(HASH, BYTES, 'draft', 5);
  sheets.insert(HASH, BYTES, 'submitted', 6);
  expect(sheets.all()).toEqual([
    {
      hash: Buffer.from(HASH),
      bytes: Buffer.from(BYTES),
      state: 'draft',
      guardianSignature: null,
      reason: null,
      changedMs: 5,
    },
  ]);
  expect(sheets.withHash(sha256(HASH))).toBe(undefined);
});

describe.each(STATES)('a sheet that is %s', (state) => {
  const decidable = state === 'submitted';

  test(`is ${decidable ? '' : 'not '}approved`, () => {
    const sheets = holding(state);
    const before = sheets.withHash(HASH);
    expect(sheets.approve(HASH, SIGNATURE, 9)).toBe(decidable);
    const after = sheets.withHash(HASH);
    if (!decidable) expect(after).toEqual(before);
    else {
      expect(after).toMatchObject({ state: 'approved', changedMs: 9 });
      expect(after?.guardianSignature).toEqual(Buffer.from(SIGNATURE));
    }
  });

  test(`is ${decidable ? '' : 'not '}refused`, () => {
    const sheets = holding(state);
    const before = sheets.withHash(HASH);
    expect(sheets.refuse(HASH, 'Too long.', 9)).toBe(decidable);
    const after = sheets.withHash(HASH);
    if (!decidable) expect(after).toEqual(before);
    else expect(after).toMatchObject({ state: 'refused', reason: 'Too long.', changedMs: 9 });
  });

  test('moves from its own state only', () => {
    for (const from of STATES) {
      const sheets = holding(state);
      expect(sheets.move(HASH, from, 'retired', 9)).toBe(from === state);
      expect(sheets.withHash(HASH)?.state).toBe(from === state ? 'retired' : state);
    }
  });
});

test('sheets come in the order of their last change', () => {
  const sheets = open();
  const hashes = [1, 2, 3].map((n) => sha256(Uint8Array.of(n)));
  hashes.forEach((hash, i) => {
    sheets.insert(hash, BYTES, 'submitted', i);
  });
  sheets.approve(hashes[0] as Uint8Array, SIGNATURE, 10);
  sheets.approve(hashes[2] as Uint8Array, SIGNATURE, 11);
  const order = (found: { hash: Buffer }[]) =>
    found.map(({ hash }) => hashes.findIndex((one) => hash.equals(one)));
  expect(order(sheets.all())).toEqual([1, 0, 2]);
  expect(order(sheets.inState('approved'))).toEqual([0, 2]);
  expect(order(sheets.inState('submitted'))).toEqual([1]);
});
