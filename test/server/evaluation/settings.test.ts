import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  prepareFolder,
  readSettings,
  type Settings,
  SettingsError,
} from '../../../server/evaluation/settings.ts';
import { testFolder } from '../../support/folder.ts';

describe('readSettings', () => {
  test('needs nothing', () => {
    expect(readSettings([], {})).toEqual({
      data: resolve('data'),
      guardianPort: 4301,
      employerPort: 4302,
      fresh: false,
      json: false,
    });
  });

  test('takes the two arguments and the three variables', () => {
    const env = { CHORUS_DATA: 'x', CHORUS_GUARDIAN_PORT: '1', CHORUS_EMPLOYER_PORT: '65535' };
    expect(readSettings(['--json', '--fresh'], env)).toEqual({
      data: resolve('x'),
      guardianPort: 1,
      employerPort: 65_535,
      fresh: true,
      json: true,
    });
  });

  test('an empty variable is as good as none', () => {
    const env = { CHORUS_DATA: '', CHORUS_GUARDIAN_PORT: '', CHORUS_EMPLOYER_PORT: '' };
    expect(readSettings([], env)).toEqual(readSettings([], {}));
  });

  test.each([['--frehs'], ['fresh'], ['-f'], ['--fresh=yes'], ['--json', '--help']])(
    'refuses the arguments %s, and names those there are',
    (...argv) => {
      expect(() => readSettings(argv, {})).toThrow(SettingsError);
      expect(() => readSettings(argv, {})).toThrow('--fresh and --json');
    },
  );

  test.each(['0', '65536', '-1', '43a1', '4301.5', ' 4301', '1e3', '0x10', '999999'])(
    'refuses the port %s, and names the variable',
    (port) => {
      for (const name of ['CHORUS_GUARDIAN_PORT', 'CHORUS_EMPLOYER_PORT']) {
        expect(() => readSettings([], { [name]: port })).toThrow(SettingsError);
        expect(() => readSettings([], { [name]: port })).toThrow(name);
      }
    },
  );

  test('refuses one port for both', () => {
    const env = { CHORUS_GUARDIAN_PORT: '5000', CHORUS_EMPLOYER_PORT: '5000' };
    expect(() => readSettings([], env)).toThrow(SettingsError);
    expect(() => readSettings([], { CHORUS_EMPLOYER_PORT: '4301' })).toThrow(SettingsError);
  });
});

describe('prepareFolder', () => {
  const settings = (data: string, changes: Partial<Settings> = {}): Settings => ({
    ...readSettings([], {}),
    data,
    ...changes,
  });

  test('makes a folder that is for its owner alone, and finds it again', () => {
    const data = join(testFolder(), 'deep', 'data');
    const state = prepareFolder(settings(data));
    expect(statSync(data).mode & 0o777).toBe(0o700);
    expect(Buffer.from(state.seed, 'base64url')).toHaveLength(32);
    expect(prepareFolder(settings(data))).toEqual(state);
  });

  test('takes an empty folder', () => {
    const data = testFolder();
    expect(prepareFolder(settings(data)).version).toBe(1);
  });

  test('fresh begins anew, with another seed and nothing left', () => {
    const data = testFolder();
    const state = prepareFolder(settings(data));
    writeFileSync(join(data, 'left'), 'x');
    const again = prepareFolder(settings(data, { fresh: true }));
    expect(again.seed).not.toBe(state.seed);
    expect(existsSync(join(data, 'left'))).toBe(false);
  });

  test('a folder that holds something else is never touched, not even by fresh', () => {
    const data = testFolder();
    writeFileSync(join(data, 'thesis.txt'), 'precious');
    for (const fresh of [false, true]) {
      expect(() => prepareFolder(settings(data, { fresh }))).toThrow(SettingsError);
      expect(() => prepareFolder(settings(data, { fresh }))).toThrow('CHORUS_DATA');
    }
    expect(readFileSync(join(data, 'thesis.txt'), 'utf8')).toBe('precious');
    expect(existsSync(join(data, 'evaluation.json'))).toBe(false);
  });

  test.each([
    ['empty', ''],
    ['cut off', '{"version":1,'],
    ['zeros', '\0\0\0\0'],
    ['of another version', '{"version":2,"begun_day":1,"seed":"x"}'],
    ['without a seed', '{"version":1,"begun_day":1}'],
    ['with a field more', '{"version":1,"begun_day":1,"seed":"x","more":1}'],
  ])('a marker that is damaged (%s) is named, with the way out', (_name, text) => {
    const data = testFolder();
    mkdirSync(join(data, 'guardian'));
    writeFileSync(join(data, 'evaluation.json'), text);
    expect(() => prepareFolder(settings(data))).toThrow(SettingsError);
    expect(() => prepareFolder(settings(data))).toThrow('--fresh');
    expect(existsSync(join(data, 'guardian'))).toBe(true);
    expect(prepareFolder(settings(data, { fresh: true })).version).toBe(1);
    expect(existsSync(join(data, 'guardian'))).toBe(false);
  });
});
