import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startEmployer } from '../employer/employer.ts';
import { startGuardian } from '../guardian/guardian.ts';
import { PortTaken } from '../http/serve.ts';
import { smtpMailer } from '../mail/smtp.ts';
import { type PartyConfig, systemRandomness } from '../party.ts';
import { KeyFiles } from '../storage/key-files.ts';
import { type CommandIo, CommandRefused } from './io.ts';
import type { Settings } from './settings.ts';

const PROJECT = fileURLToPath(new URL('../../../', import.meta.url));
/** How often a party looks for work by itself, in milliseconds. */
const INTERVAL_MS = 5_000;

/** How a party is started from its settings, as a service or for one command. */
export function partyConfig(settings: Settings): PartyConfig {
  return {
    folder: settings.data,
    url: settings.url,
    host: settings.host,
    port: settings.port,
    names:
      settings.party === 'guardian'
        ? { guardian: settings.name, employer: settings.other_name }
        : { guardian: settings.other_name, employer: settings.name },
    evaluation: false,
    timeZone: settings.time_zone,
    planDaysAhead: settings.plan_days_ahead,
    clock: { now: () => Date.now() },
    ...(settings.smtp_url !== undefined &&
      settings.mail_from !== undefined && {
        mailer: smtpMailer({ url: settings.smtp_url, from: settings.mail_from }),
      }),
    randomness: systemRandomness,
    fetch,
    migrations: `${PROJECT}migrations`,
    pages: { views: `${PROJECT}views`, assets: `${PROJECT}dist/assets` },
    intervalMs: INTERVAL_MS,
  };
}

/** @throws CommandRefused if the party was not made yet, with what to do */
export function requireIdentity({ data }: Settings): void {
  if (existsSync(join(data, 'keys', 'identity.json'))) return;
  throw new CommandRefused(`${data} has no identity; npx chorus init makes one`);
}

/** @throws CommandRefused if the party was not made, or is not paired yet, with what to do */
export function requirePaired(settings: Settings): void {
  requireIdentity(settings);
  if (new KeyFiles(join(settings.data, 'keys')).read('pairing') !== undefined) return;
  throw new CommandRefused(`this ${settings.party} is not paired yet; npx chorus pair does that`);
}

/**
 * Runs a party until it is told to stop.
 * @throws CommandRefused if it is not set up, or its port is taken
 */
export async function serve(
  settings: Settings,
  io: CommandIo,
  stopped: (stop: () => void) => void,
): Promise<void> {
  requirePaired(settings);
  const start = settings.party === 'guardian' ? startGuardian : startEmployer;
  const party = await start(partyConfig(settings)).catch((error) => {
    if (error instanceof PortTaken) {
      throw new CommandRefused(`port ${settings.port} is taken; set another one in the settings`);
    }
    throw error;
  });
  io.out(`The ${settings.party} answers on ${settings.url} (${settings.host}:${settings.port}).`);
  await new Promise<void>((resolve) => stopped(resolve));
  io.out('Stopping …');
  await party.close();
}
