import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { toBase64url } from '../../crypto/bytes.ts';
import { dateAt } from '../domain/days.ts';
import { systemRandomness } from '../party.ts';
import { decommissionedMsIn } from '../storage/decommission.ts';
import { KeyFiles } from '../storage/key-files.ts';
import { type CommandIo, CommandRefused, table, UsageError } from './io.ts';
import { parseSettings, SETTINGS_FILE } from './settings.ts';

export const INIT_USAGE = 'chorus init guardian|employer [--settings FILE]';

/** What a new settings file says; a person changes names and addresses afterwards. */
const NEW = {
  guardian: {
    party: 'guardian',
    name: 'Works council',
    other_name: 'The company',
    url: 'http://localhost:4301',
    host: '127.0.0.1',
    port: 4301,
    data: 'guardian',
    time_zone: 'Europe/Berlin',
    plan_days_ahead: 7,
  },
  employer: {
    party: 'employer',
    name: 'The company',
    other_name: 'Works council',
    url: 'http://127.0.0.1:4302',
    host: '127.0.0.1',
    port: 4302,
    data: 'employer',
    time_zone: 'Europe/Berlin',
    plan_days_ahead: 7,
  },
} as const;

/**
 * Writes a party's settings file and draws its signing key. Neither is ever overwritten.
 * @throws CommandRefused, UsageError
 */
export function init(args: readonly string[], file: string | undefined, io: CommandIo): void {
  const [party, ...rest] = args;
  if ((party !== 'guardian' && party !== 'employer') || rest.length > 0) {
    throw new UsageError(INIT_USAGE);
  }
  const path = resolve(file ?? SETTINGS_FILE);
  const settings = parseSettings(NEW[party], path);
  const folder = join(dirname(path), settings.data);
  // First: a settings file that stays after the end is not what keeps a party from being made.
  refuseForeignData(party, folder);
  if (existsSync(path)) throw new CommandRefused(`${path} exists; it is left as it is`);
  const keys = new KeyFiles(join(folder, 'keys'));
  if (keys.read('identity') !== undefined) {
    throw new CommandRefused(`${folder} has an identity already`);
  }
  keys.write('identity', { signing_seed: toBase64url(systemRandomness(32)) });
  writeFileSync(path, `${JSON.stringify(settings, null, 2)}\n`, { flag: 'wx', mode: 0o600 });
  io.out(`The ${party} is made: settings in ${path}, key in ${join(settings.data, 'keys')}.`);
  io.out('Change names and addresses there, then pair with the other party:');
  for (const line of table([
    ['  on the side that waits', 'npx chorus pair'],
    ['  on the other side', 'npx chorus pair URL CODE'],
  ])) {
    io.out(line);
  }
}

/** @throws CommandRefused if a database is there without its key: a new key would not fit it */
function refuseForeignData(party: string, folder: string): void {
  const database = join(folder, `${party}.sqlite`);
  if (!existsSync(database) || existsSync(join(folder, 'keys', 'identity.json'))) return;
  const endedMs = decommissionedMsIn(database);
  const why =
    endedMs === undefined
      ? 'holds a database whose keys are gone; a new key does not fit it'
      : `was decommissioned on ${dateAt(endedMs)}, and what is left there is only kept until it is due`;
  const command = `npx chorus init ${party} --settings FOLDER/chorus.json`;
  throw new CommandRefused(`${folder} ${why}; begin in another folder: ${command}`);
}
