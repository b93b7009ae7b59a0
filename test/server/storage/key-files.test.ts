import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { KeyFiles } from '../../../server/storage/key-files.ts';
import { testFolder } from '../../support/folder.ts';

const mode = (path: string) => statSync(path).mode & 0o777;

function start() {
  const folder = join(testFolder(), 'party', 'keys');
  return { folder, files: new KeyFiles(folder) };
}

describe('key files', () => {
  test('are read as they were written; what was never written is undefined', () => {
    const { files } = start();
    expect(files.read('round-1')).toBe(undefined);
    files.write('round-1', { seed: 'a', list: [1] });
    expect(files.read('round-1')).toEqual({ seed: 'a', list: [1] });
    files.write('round-1', { seed: 'b' });
    expect(files.read('round-1')).toEqual({ seed: 'b' });
    expect(files.read('round-11')).toBe(undefined);
  });

  test('are for their owner alone: 0600 in a folder of 0700', () => {
    const { folder, files } = start();
    files.write('identity', {});
    expect(mode(folder)).toBe(0o700);
    expect(mode(join(folder, 'identity.json'))).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['identity.json']);
  });

  test('an existing folder is closed to others', () => {
    const folder = join(testFolder(), 'keys');
    mkdirSync(folder, { mode: 0o755 });
    chmodSync(folder, 0o755);
    new KeyFiles(folder);
    expect(mode(folder)).toBe(0o700);
  });

  test('a deleted key is gone, its bytes overwritten; deleting nothing is no error', () => {
    const { folder, files } = start();
    files.write('round-1', { seed: 'needle' });
    files.write('round-2', { seed: 'other' });
    // A second name for the same bytes, to see what becomes of them.
    const witness = join(folder, '..', 'witness');
    linkSync(join(folder, 'round-1.json'), witness);
    files.delete('round-1');
    expect(files.read('round-1')).toBe(undefined);
    expect(readdirSync(folder)).toEqual(['round-2.json']);
    const left = readFileSync(witness);
    expect(left.length).toBe('{"seed":"needle"}'.length);
    expect(left.every((byte) => byte === 0)).toBe(true);
    files.delete('round-1');
    files.delete('never');
    expect(files.read('round-2')).toEqual({ seed: 'other' });
  });

  test('a draft that a crash left is never read', () => {
    const { folder, files } = start();
    writeFileSync(join(folder, 'round-1.json.draft'), '{"seed":"half');
    expect(files.read('round-1')).toBe(undefined);
    files.write('round-1', { seed: 'whole' });
    expect(files.read('round-1')).toEqual({ seed: 'whole' });
    expect(readdirSync(folder)).toEqual(['round-1.json']);
  });

  test('a draft is wiped with its key, and at the next start', () => {
    const { folder, files } = start();
    const draft = join(folder, 'round-1.json.draft');
    const witness = join(folder, '..', 'witness');
    for (const wipe of [() => files.delete('round-1'), () => new KeyFiles(folder).wipeDrafts()]) {
      writeFileSync(draft, '{"seed":"needle"}');
      writeFileSync(witness, '');
      const name = `${witness}-${Math.random()}`;
      linkSync(draft, name);
      wipe();
      expect(existsSync(draft)).toBe(false);
      expect(readFileSync(name).includes('needle')).toBe(false);
    }
  });

  test('a start leaves the keys alone, and a single command the drafts of the service', () => {
    const { folder, files } = start();
    files.write('identity', { seed: 'a' });
    writeFileSync(join(folder, 'round-1.json.draft'), '{"seed":"half');
    const again = new KeyFiles(folder);
    expect(existsSync(join(folder, 'round-1.json.draft'))).toBe(true);
    again.wipeDrafts();
    expect(again.read('identity')).toEqual({ seed: 'a' });
    expect(readdirSync(folder)).toEqual(['identity.json']);
  });
});
