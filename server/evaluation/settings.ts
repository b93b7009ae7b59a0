import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { DAY_MS } from '../domain/days.ts';

/** A setting that cannot be used; the message says which, and what to do. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

export interface Settings {
  readonly data: string;
  readonly guardianPort: number;
  readonly employerPort: number;
  readonly fresh: boolean;
  readonly json: boolean;
}

/** @throws SettingsError for an unknown argument or a port that is none */
export function readSettings(argv: readonly string[], env: NodeJS.ProcessEnv): Settings {
  let values: { fresh?: boolean; json?: boolean };
  try {
    ({ values } = parseArgs({
      args: [...argv],
      options: { fresh: { type: 'boolean' }, json: { type: 'boolean' } },
    }));
  } catch (error) {
    throw new SettingsError(`${(error as Error).message} (npm start knows --fresh and --json)`);
  }
  const settings = {
    data: resolve(env.CHORUS_DATA || 'data'),
    guardianPort: port(env, 'CHORUS_GUARDIAN_PORT', 4301),
    employerPort: port(env, 'CHORUS_EMPLOYER_PORT', 4302),
    fresh: values.fresh ?? false,
    json: values.json ?? false,
  };
  if (settings.guardianPort === settings.employerPort) {
    throw new SettingsError('CHORUS_GUARDIAN_PORT and CHORUS_EMPLOYER_PORT are the same');
  }
  return settings;
}

function port(env: NodeJS.ProcessEnv, name: string, fallback: number): number {
  const text = env[name];
  if (text === undefined || text === '') return fallback;
  if (!/^\d{1,5}$/.test(text) || Number(text) < 1 || Number(text) > 65_535) {
    throw new SettingsError(`${name} is ${JSON.stringify(text)}, not a port from 1 to 65535`);
  }
  return Number(text);
}

const SAMPLE_STATE = z.strictObject({
  version: z.literal(1),
  /** The day on which this sample was begun, since 1970 (UTC). */
  begun_day: z.int(),
  /** What the sample people's reports are made from, so that a repeated one is the same. */
  seed: z.string(),
});

export type SampleState = z.infer<typeof SAMPLE_STATE>;

const MARKER = 'evaluation.json';

/**
 * The evaluation's folder, made or found again; `fresh` removes what an earlier evaluation left.
 * @throws SettingsError if the folder holds something else
 */
export function prepareFolder(settings: Settings): SampleState {
  const marker = join(settings.data, MARKER);
  if (existsSync(settings.data) && !existsSync(marker) && readdirSync(settings.data).length > 0) {
    throw new SettingsError(
      `${settings.data} holds something that is not an evaluation; set CHORUS_DATA to another folder`,
    );
  }
  if (settings.fresh) rmSync(settings.data, { recursive: true, force: true });
  mkdirSync(settings.data, { recursive: true, mode: 0o700 });
  if (existsSync(marker)) {
    const state = readMarker(marker);
    if (state !== undefined) return state;
    throw new SettingsError(`${marker} is damaged; start again with npm start -- --fresh`);
  }
  const state: SampleState = {
    version: 1,
    begun_day: Math.floor(Date.now() / DAY_MS),
    seed: randomBytes(32).toString('base64url'),
  };
  writeFileSync(marker, JSON.stringify(state), { mode: 0o600 });
  return state;
}

function readMarker(path: string): SampleState | undefined {
  try {
    return SAMPLE_STATE.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    return undefined;
  }
}
