import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { init } from '../../../server/cli/init.ts';
import { CommandRefused, UsageError } from '../../../server/cli/io.ts';
import { readSettings } from '../../../server/cli/settings.ts';
import { emptyTables } from '../../../server/storage/decommission.ts';
import { openStores, type Stores } from '../../../server/storage/stores.ts';
import { refusal, testIo } from '../../support/cli.ts';
import { testFolder } from '../../support/folder.ts';
import { MIGRATIONS } from '../../support/parties.ts';
import type { PartyName } from '../../support/rounds.ts';

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

  describe('in a folder that holds a database and no key', () => {
    const AT = Date.UTC(2026, 10, 21, 12);

    /** @returns how it was refused; what it left is looked at here */
    async function refusedIn(folder: string, settings?: string): Promise<string> {
      const path = join(folder, 'chorus.json');
      if (settings !== undefined) writeFileSync(path, settings);
      const refused = await refusal(() => init([party], path, testIo()));
      expect(refused).toBeInstanceOf(CommandRefused);
      expect(existsSync(join(folder, party, 'keys', 'identity.json'))).toBe(false);
      expect(existsSync(path)).toBe(settings !== undefined);
      return refused.message;
    }

    function stored(work: (stores: Stores) => void): string {
      const folder = testFolder();
      const data = join(folder, party);
      const stores = openStores(party as PartyName, data, MIGRATIONS, { now: () => AT });
      work(stores);
      stores.db.close();
      return folder;
    }

    test('since it was decommissioned: says when, and to begin in another folder', async () => {
      const folder = stored((stores) => emptyTables(stores, [], AT));
      const other = join(testFolder(), 'chorus.json');
      for (const settings of [undefined, '{}']) {
        expect(await refusedIn(folder, settings)).toBe(
          `${join(folder, party)} was decommissioned on 2026-11-21, and what is left there is only kept until it is due; ` +
            `begin in another folder: npx chorus init ${party} --settings FOLDER/chorus.json`,
        );
      }
      init([party], other, testIo());
      expect(readSettings(other, {}).party).toBe(party);
    });

    test('since its keys are gone: says that a new one does not fit', async () => {
      const message = await refusedIn(stored(() => {}));
      expect(message).toContain('holds a database whose keys are gone; a new key does not fit it');
      expect(message).toContain('--settings FOLDER/chorus.json');
    });
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
