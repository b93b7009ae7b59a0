import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { isTimeZone } from '../domain/days.ts';

/** Settings that cannot be used; the message says which, and why. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text && /^https?:/.test(text);
}

function isMailServer(text: string): boolean {
  return /^smtps?:\/\/[^/]/.test(text) && URL.canParse(text);
}

/** What one party is set up with. Unknown keys are refused. */
const SETTINGS = z
  .strictObject({
    party: z.enum(['guardian', 'employer']),
    /** What people know this party as; stands on every page. */
    name: z.string().trim().min(1).max(60),
    /** What people know the other party as. */
    other_name: z.string().trim().min(1).max(60),
    /** Where this party answers, as browsers and the other party reach it: scheme, host and port. */
    url: z
      .string()
      .refine(isOrigin, 'http or https, host and port, such as https://chorus.example'),
    /** Where it listens; TLS ends in front of it. */
    host: z.string().min(1).default('127.0.0.1'),
    port: z.int().min(1).max(65_535),
    /** Folder of the database, the key folder and the log; relative to this file. */
    data: z.string().min(1),
    /** In which days begin and end. */
    time_zone: z
      .string()
      .refine(isTimeZone, 'not a time zone, such as Europe/Berlin')
      .default('UTC'),
    /** How long before it opens a round is planned, in days. */
    plan_days_ahead: z.int().min(1).max(60).default(7),
    /** The mail server that takes this party's mail; without one, no mail is sent. */
    smtp_url: z.string().refine(isMailServer, 'not like smtp://mail.example.com:587').optional(),
    /** Whom mail is from: an address, or a name and an address in angle brackets. */
    mail_from: z.string().includes('@').max(320).optional(),
  })
  .refine(({ smtp_url, mail_from }) => (smtp_url === undefined) === (mail_from === undefined), {
    error: 'smtp_url and mail_from go together',
    path: ['mail_from'],
  });

export type Settings = z.infer<typeof SETTINGS>;

/** The name of the settings file in the current folder, where neither argument nor variable says so. */
export const SETTINGS_FILE = 'chorus.json';

/** Which variable of the environment replaces which setting. */
const VARIABLES = {
  CHORUS_URL: 'url',
  CHORUS_HOST: 'host',
  CHORUS_PORT: 'port',
  CHORUS_DATA: 'data',
  CHORUS_TIME_ZONE: 'time_zone',
  CHORUS_SMTP_URL: 'smtp_url',
  CHORUS_MAIL_FROM: 'mail_from',
} as const satisfies Record<string, keyof Settings>;

/** Variables of the evaluation, which means nothing here but may be set. */
const OTHER_VARIABLES = ['CHORUS_SETTINGS', 'CHORUS_GUARDIAN_PORT', 'CHORUS_EMPLOYER_PORT'];

/** The settings in this JSON value. @throws SettingsError with every fault in words */
export function parseSettings(value: unknown, where: string): Settings {
  const parsed = SETTINGS.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new SettingsError(`${where}:\n${z.prettifyError(parsed.error)}`);
}

/**
 * One party's settings: its file, and over it the environment.
 * @param file the file named on the command line, if any
 * @throws SettingsError
 */
export function readSettings(file: string | undefined, env: NodeJS.ProcessEnv): Settings {
  const path = resolve(file ?? env.CHORUS_SETTINGS ?? SETTINGS_FILE);
  if (!existsSync(path)) {
    throw new SettingsError(
      `there is no settings file ${path}; make one with npx chorus init guardian|employer`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new SettingsError(`${path} is not JSON: ${(error as Error).message}`);
  }
  const settings = parseSettings({ ...(value as object), ...overrides(env) }, path);
  return { ...settings, data: resolve(dirname(path), settings.data) };
}

function overrides(env: NodeJS.ProcessEnv): Record<string, string | number> {
  const out: Record<string, string | number> = {};
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith('CHORUS_') || text === undefined || text === '') continue;
    const key = VARIABLES[name as keyof typeof VARIABLES];
    if (key !== undefined) out[key] = key === 'port' ? Number(text) : text;
    else if (!OTHER_VARIABLES.includes(name)) {
      throw new SettingsError(`${name} is not a variable of Chorus`);
    }
  }
  return out;
}
