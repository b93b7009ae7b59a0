import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseSettings, readSettings, SettingsError } from '../../../server/cli/settings.ts';
import { testFolder } from '../../support/folder.ts';

const GOOD = {
  party: 'guardian',
  name: 'Works council',
  other_name: 'The company',
  url: 'https://guardian.example',
  port: 4301,
  data: 'guardian',
};

function written(value: unknown): string {
  const path = join(testFolder(), 'chorus.json');
  writeFileSync(path, typeof value === 'string' ? value : JSON.stringify(value));
  return path;
}

function refused(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    if (error instanceof SettingsError) return error.message;
    throw error;
  }
  throw new Error('it was not refused');
}

test('what is not said has its default', () => {
  expect(parseSettings(GOOD, 'x')).toEqual({
    ...GOOD,
    host: '127.0.0.1',
    time_zone: 'UTC',
    plan_days_ahead: 7,
  });
});

describe('refused with its place and in words', () => {
  test.each<[string, unknown]>([
    ['party', 'judge'],
    ['party', undefined],
    ['name', ''],
    ['name', '   '],
    ['name', 'x'.repeat(61)],
    ['other_name', undefined],
    ['other_name', 7],
    ['url', 'guardian.example'],
    ['url', 'https://guardian.example/'],
    ['url', 'https://guardian.example/chorus'],
    ['url', 'https://me@guardian.example'],
    ['url', 'ftp://guardian.example'],
    ['url', 'HTTPS://guardian.example'],
    ['url', ''],
    ['url', undefined],
    ['host', ''],
    ['port', 0],
    ['port', 65_536],
    ['port', 43.5],
    ['port', '4301'],
    ['port', undefined],
    ['data', ''],
    ['data', undefined],
    ['time_zone', 'Berlin'],
    ['time_zone', ''],
    ['plan_days_ahead', 0],
    ['plan_days_ahead', 61],
    ['plan_days_ahead', 1.5],
  ])('%s: %j', (key, value) => {
    const message = refused(() => parseSettings({ ...GOOD, [key]: value }, 'there.json'));
    expect(message).toMatch(/^there\.json:\n✖ \S/);
    expect(message).toContain(`→ at ${key}`);
  });

  test('a key that is none of ours', () => {
    expect(refused(() => parseSettings({ ...GOOD, Port: 1 }, 'x'))).toContain('"Port"');
  });

  test('every fault at once', () => {
    const message = refused(() => parseSettings({ more: 1 }, 'x'));
    for (const key of ['more', 'party', 'name', 'other_name', 'url', 'port', 'data']) {
      expect(message).toContain(key);
    }
  });

  test.each([null, [], 'guardian', 7])('a file that holds %j', (value) => {
    expect(refused(() => readSettings(written(JSON.stringify(value)), {}))).toContain('✖');
  });

  test('a file that is not JSON, or not there', () => {
    expect(refused(() => readSettings(written('{"party":'), {}))).toContain('is not JSON');
    const path = join(testFolder(), 'none.json');
    expect(refused(() => readSettings(path, {}))).toContain('npx chorus init guardian|employer');
  });
});

describe('the environment', () => {
  test('replaces what the file says, and nothing of it when empty', () => {
    const path = written(GOOD);
    const env = {
      CHORUS_URL: 'https://other.example',
      CHORUS_HOST: '0.0.0.0',
      CHORUS_PORT: '80',
      CHORUS_DATA: '/srv/chorus',
      CHORUS_TIME_ZONE: 'Asia/Tokyo',
      OTHER: 'x',
    };
    expect(readSettings(path, env)).toMatchObject({
      url: 'https://other.example',
      host: '0.0.0.0',
      port: 80,
      data: '/srv/chorus',
      time_zone: 'Asia/Tokyo',
      name: GOOD.name,
    });
    expect(readSettings(path, { CHORUS_PORT: '' }).port).toBe(4301);
  });

  test('names the file where no argument does', () => {
    const env = { CHORUS_SETTINGS: written(GOOD) };
    expect(readSettings(undefined, env).name).toBe(GOOD.name);
    const other = written({ ...GOOD, name: 'Another' });
    expect(readSettings(other, env).name).toBe('Another');
  });

  test.each(['CHORUS_PROT', 'CHORUS_', 'CHORUS_NAME', 'CHORUS_TEST_SEED'])(
    'a variable that is none of ours is refused: %s',
    (name) => {
      expect(refused(() => readSettings(written(GOOD), { [name]: '1' }))).toContain(name);
    },
  );

  test.each(['CHORUS_GUARDIAN_PORT', 'CHORUS_EMPLOYER_PORT'])('%s is the evaluation’s', (name) => {
    expect(readSettings(written(GOOD), { [name]: '1' }).port).toBe(4301);
  });

  test.each(['x', '43.5', '-1', '65536', ' '])('a port that is none: %j', (port) => {
    expect(refused(() => readSettings(written(GOOD), { CHORUS_PORT: port }))).toContain('port');
  });
});

test('a relative data folder lies beside the settings file, an absolute one where it says', () => {
  const path = written(GOOD);
  expect(readSettings(path, {}).data).toBe(join(path, '..', 'guardian'));
  expect(readSettings(written({ ...GOOD, data: '/srv/guardian' }), {}).data).toBe('/srv/guardian');
});
