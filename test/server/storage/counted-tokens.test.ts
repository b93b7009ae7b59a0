import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CountedTokenStore } from '../../../server/storage/counted-tokens.ts';
import { openDatabase } from '../../../server/storage/database.ts';
import { testFolder } from '../../support/folder.ts';
import { MIGRATIONS } from '../../support/parties.ts';

const TASK = Buffer.alloc(32, 1);
const OTHER = Buffer.alloc(32, 2);

test('a token is spent once in a group, also after a restart, until the group is forgotten', () => {
  const folder = testFolder();
  const open = () => {
    const db = openDatabase(join(folder, 'a.sqlite'), [
      join(MIGRATIONS, 'common'),
      join(MIGRATIONS, 'employer'),
    ]);
    db.pragma('foreign_keys = OFF');
    return { db, tokens: new CountedTokenStore(db) };
  };
  const [nonce, another] = [randomBytes(32), randomBytes(32)];
  const first = open();
  expect(first.tokens.spend(TASK, nonce)).toBe(true);
  expect(first.tokens.spend(TASK, nonce)).toBe(false);
  expect(first.tokens.spend(TASK, another)).toBe(true);
  expect(first.tokens.spend(OTHER, nonce)).toBe(true);
  first.db.close();

  const { db, tokens } = open();
  expect(tokens.spend(TASK, nonce)).toBe(false);
  tokens.forget(TASK);
  expect(tokens.spend(TASK, nonce)).toBe(true);
  expect(tokens.spend(OTHER, nonce)).toBe(false);
  db.close();
});
