import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { init } from '../../../server/cli/init.ts';
import { CommandRefused, UsageError } from '../../../server/cli/io.ts';
import { readSettings } from '../../../server/cli/settings.ts';
import { refusal, testIo } from '../../support/cli.ts';
import { testFolder } from '../../support/folder.ts';

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);

describe.each(['guardian', 'employer'])('init %s', (party) => {
  test('writes settings that can be read, and a key, for their owner alone', () => {
    const folder = testFolder();
    const path = join(folder, 'chorus.json');
    const io = testIo();
    init([party], path, io);
    expect(readSettings(path, {})).toMatchObject({ party, data: join(folder, party) });
    const identity = join(folder, party, 'keys', 'identity.json');
    const { signing_seed } = JSON.parse(readFileSync(identity, 'utf8'));
    expect(Buffer.from(signing_seed, 'base64url')).toHaveLength(32);
    expect([path, identity].map(mode)).toEqual(['600', '600']);
    expect([join(folder, party), join(folder, party, 'keys')].map(mode)).toEqual(['700', '700']);
    expect(io.text()).toContain('npx chorus pair URL CODE');
    expect(io.text()).not.toContain(signing_seed);
  });

  test('draws another key each time', () => {
    const seeds = [0, 1].map(() => {
      const folder = testFolder();
      init([party], join(folder, 'chorus.json'), testIo());
      return readFileSync(join(folder, party, 'keys', 'identity.json'), 'utf8');
    });
    expect(seeds[0]).not.toBe(seeds[1]);
  });

  test('never overwrites: neither settings nor a key', async () => {
    const folder = testFolder();
    const path = join(folder, 'chorus.json');
    writeFileSync(path, 'mine');
    expect(await refusal(() => init([party], path, testIo()))).toBeInstanceOf(CommandRefused);
    expect(readFileSync(path, 'utf8')).toBe('mine');
    expect(existsSync(join(folder, party))).toBe(false);

    const first = join(folder, 'first.json');
    init([party], first, testIo());
    const key = readFileSync(join(folder, party, 'keys', 'identity.json'), 'utf8');
    const second = join(folder, 'second.json');
    const refused = await refusal(() => init([party], second, testIo()));
    expect(refused).toBeInstanceOf(CommandRefused);
    expect(refused.message).toContain('has an identity already');
    expect(existsSync(second)).toBe(false);
    expect(readFileSync(join(folder, party, 'keys', 'identity.json'), 'utf8')).toBe(key);
  });
});

test.each([[[]], [['judge']], [['guardian', 'employer']]])(
  'init %j is no command',
  async (args) => {
    const path = join(testFolder(), 'chorus.json');
    expect(await refusal(() => init(args, path, testIo()))).toBeInstanceOf(UsageError);
    expect(existsSync(path)).toBe(false);
  },
);
