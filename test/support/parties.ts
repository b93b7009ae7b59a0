import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromBase64url, toBase64url } from '../../crypto/bytes.ts';
import { parseCanonicalJson } from '../../crypto/canonical.ts';
import { MEDIA_TYPE } from '../../crypto/dap/media-types.ts';
import { buildReport } from '../../crypto/dap/report.ts';
import type { ReportError } from '../../crypto/dap/types.ts';
import { decodeUploadErrors } from '../../crypto/dap/upload.ts';
import {
  checkHead,
  type ManifestHead,
  type ManifestKey,
  openEntry,
} from '../../crypto/manifest.ts';
import { Secret } from '../../crypto/secret.ts';
import { noticeHash, type Sheet } from '../../crypto/sheet.ts';
import { sodiumReady } from '../../crypto/sodium.ts';
import { taskChallengeHash } from '../../crypto/token-challenge.ts';
import { prio3Survey } from '../../crypto/vdaf/circuits/survey.ts';
import { DAY_MS } from '../../server/domain/days.ts';
import { noiseWords } from '../../server/domain/noise-presets.ts';
import type { Person } from '../../server/domain/roster.ts';
import { type Employer, startEmployer } from '../../server/employer/employer.ts';
import { EvaluationClock } from '../../server/evaluation/clock.ts';
import { pairParties } from '../../server/evaluation/pairing.ts';
import { type Guardian, startGuardian } from '../../server/guardian/guardian.ts';

import type { Mailer } from '../../server/mail/mailer.ts';

import { type Party, type PartyConfig, systemRandomness } from '../../server/party.ts';
import type { Clock } from '../../server/storage/clock.ts';
import { type Database, openDatabase } from '../../server/storage/database.ts';
import { ASSETS, PROJECT } from './project.ts';
import { entitled, type TestTask } from './test-tokens.ts';
import { tokenKeyPool } from './token-key-pool.ts';

export const MIGRATIONS = join(PROJECT, 'migrations');

/** Far behind any test: the schedule itself plans nothing. */
const FIRST_DAY = 39_000;

/**
 * Noise by the guardian, without a cap, so that tests may open as many rounds as they like; and by
 * both, of which a round of the test sheet costs ρ = 1/4 of a cap of 1.
 */
export const TEST_NOISE: Readonly<Record<Sheet['noise']['by'], Sheet['noise']>> = {
  guardian: {
    preset: 'light',
    part: { numerator: 0, denominator: 1 },
    variance: { numerator: 5, denominator: 1 },
    by: 'guardian',
  },
  both: {
    preset: 'strong',
    part: { numerator: 1, denominator: 1 },
    variance: { numerator: 8, denominator: 1 },
    by: 'both',
  },
};

/**
 * A small valid sheet: two questions of three options each, and k as small as it may be. Its notice
 * says what its noise can and cannot do.
 */
export function testSheet(changes: Partial<Sheet> = {}): Sheet {
  const { noise = TEST_NOISE.guardian, cadence = 'quarterly' } = changes;
  const question = (id: string) => ({
    id,
    name: id,
    text: `How is ${id}?`,
    why: 'To test.',
    options: ['Low', 'Middle', 'High'],
    favourable: 'high' as const,
    bands: [200, 235],
  });
  return {
    version: 1,
    title: 'A test',
    purpose: 'To test.',
    notice: {
      employer: 'The employer',
      guardian: 'The guardian',
      contact: 'nobody@example.com',
      points: ['It is a test.', ...noiseWords({ noise, cadence })],
    },
    recipients: ['Nobody'],
    k: 8,
    noise,
    cadence,
    schedule: { first_day: FIRST_DAY, round_days: 7 },
    response_percent: 100,
    retention: { trends_days: 3650 },
    deadline_days: 7,
    end_day: 40_000,
    questions: [question('energy'), question('stress')],
    derived: [],
    ...changes,
  };
}

/** What a party sends over the network, and a place to break it. */
export interface Wire {
  /** Called before each request of this party; may throw, as a broken connection does. */
  before: (url: string, init: RequestInit | undefined) => void | Promise<void>;
  /** Called with each reply before this party sees it; may throw, or give another one. */
  after: (url: string, response: Response) => Response | Promise<Response>;
}

export function openWire(): Wire {
  return { before: () => {}, after: (_url, response) => response };
}

/** Two real parties on loopback, one clock, and wires that can be cut. */
export interface TwoParties {
  readonly folder: string;
  readonly clock: EvaluationClock;
  readonly urls: { readonly guardian: string; readonly employer: string };
  readonly wires: { readonly guardian: Wire; readonly employer: Wire };
  guardian: Guardian;
  employer: Employer;
  /** Ends one party (its database stays) and starts it again. */
  restart(party: 'guardian' | 'employer'): Promise<void>;
  stop(party: 'guardian' | 'employer'): Promise<void>;
  start(party: 'guardian' | 'employer'): Promise<void>;
  /** What a party is started with; also to open a second connection of it. */
  config(party: 'guardian' | 'employer'): PartyConfig;
  /** A second connection to a party's database, to look or to break. Close it afterwards. */
  database(party: 'guardian' | 'employer'): Database;
  /** The token with which a party calls the other. */
  token(party: 'guardian' | 'employer'): string;
  close(): Promise<void>;
}

export async function startTwoParties(
  options: {
    evaluation?: boolean;
    randomness?: PartyConfig['randomness'];
    mailer?: Mailer;
    /** Time for links and sessions; the present, whatever day the parties are moved to. */
    staffClock?: Clock;
    /** What both parties see of the clock that the test moves. */
    seen?: (clock: Clock) => Clock;
  } = {},
): Promise<TwoParties> {
  await sodiumReady();
  const folder = mkdtempSync(join(tmpdir(), 'chorus-test-'));
  const ports = { guardian: await freePort(), employer: await freePort() };
  const urls = {
    guardian: `http://127.0.0.1:${ports.guardian}`,
    employer: `http://127.0.0.1:${ports.employer}`,
  };
  pairParties(folder, urls);
  const clock = new EvaluationClock();
  const newTokenKey = tokenKeyPool();
  const wires = { guardian: openWire(), employer: openWire() };
  const config = (party: 'guardian' | 'employer'): PartyConfig => ({
    folder: join(folder, party),
    url: urls[party],
    host: '127.0.0.1',
    port: ports[party],
    names: { guardian: 'The guardian', employer: 'The employer' },
    evaluation: options.evaluation ?? true,
    timeZone: 'UTC',
    planDaysAhead: 1,
    clock: options.seen?.(clock) ?? clock,
    staffClock: options.staffClock ?? { now: () => Date.now() },
    ...(options.mailer && { mailer: options.mailer }),
    randomness: options.randomness ?? systemRandomness,
    newTokenKey,
    fetch: async (input, init) => {
      const wire = wires[party];
      await wire.before(String(input), init);
      return wire.after(String(input), await fetch(input, init));
    },
    migrations: MIGRATIONS,
    pages: { views: join(PROJECT, 'views'), assets: ASSETS },
    intervalMs: 20,
  });
  const parties: TwoParties = {
    folder,
    clock,
    urls,
    wires,
    config,
    guardian: await startGuardian(config('guardian')),
    employer: await startEmployer(config('employer')),
    async restart(party) {
      await parties.stop(party);
      await parties.start(party);
    },
    stop: (party) => parties[party].close(),
    async start(party) {
      if (party === 'guardian') parties.guardian = await startGuardian(config('guardian'));
      else parties.employer = await startEmployer(config('employer'));
    },
    database: (party) =>
      openDatabase(join(folder, party, `${party}.sqlite`), [
        join(MIGRATIONS, 'common'),
        join(MIGRATIONS, party),
      ]),
    token(party) {
      const path = join(folder, party, 'keys', 'pairing.json');
      return (JSON.parse(readFileSync(path, 'utf8')) as { token: string }).token;
    },
    async close() {
      await Promise.allSettled([parties.guardian.close(), parties.employer.close()]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return parties;
}

/** One planned round of test groups, as a client sees it. */
export interface TestRound {
  readonly hash: Uint8Array;
  readonly head: ManifestHead;
  readonly sheet: Sheet;
  readonly tasks: readonly TestTask[];
}

/** One unit a group, with so many people; numbered so that the planner keeps their order. */
export function testPeople(sizes: readonly number[]): Person[] {
  const digits = String(sizes.length - 1).length;
  return sizes.flatMap((size, group) =>
    Array.from({ length: size }, (_, person) => ({
      email: `person-${group}-${person}@example.com`,
      name: `Person ${person}`,
      unit: `All / Group ${String(group).padStart(digits, '0')}`,
      managerOf: [],
      language: null,
    })),
  );
}

/** Submits a sheet and approves it. @returns its hash */
export async function approveTestSheet(parties: TwoParties, sheet: Sheet): Promise<Uint8Array> {
  const sheetHash = parties.employer.submit(sheet);
  await until(() => parties.guardian.approve(sheetHash));
  return sheetHash;
}

/** Plans a round of a week and moves the clock into it. `sizes` are roster sizes, one a group. */
export async function openTestRound(
  parties: TwoParties,
  sizes: readonly number[],
  changes: Partial<Sheet> = {},
  number = 1,
): Promise<TestRound> {
  const sheet = testSheet(changes);
  const start = 20_000 + 100 * number;
  parties.clock.advance((start - 1) * DAY_MS);
  parties.employer.importRoster(testPeople(sizes));
  const sheetHash = await approveTestSheet(parties, sheet);
  const days = { start, duration: 7 };
  const hash = await parties.guardian.plan({ number, sheetHash, days });
  const round = await readTestRound(parties, hash, sheet);
  parties.clock.advance(start * DAY_MS);
  parties.employer.nudge();
  parties.guardian.nudge();
  await until(() => standing(parties, number)?.round.state === 'open');
  return round;
}

export async function readTestRound(
  parties: TwoParties,
  hash: Uint8Array,
  sheet: Sheet,
): Promise<TestRound> {
  const base = `${parties.urls.guardian}/manifests/${toBase64url(hash)}`;
  const signed = (await (await fetch(base)).json()) as { head: string };
  const { entries } = (await (await fetch(`${base}/entries`)).json()) as { entries: string[] };
  const head = checkHead(parseCanonicalJson(fromBase64url(signed.head)));
  const recipient = (key: ManifestKey) => ({
    configId: key.config_id,
    publicKey: fromBase64url(key.public_key),
  });
  return {
    hash,
    head,
    sheet,
    tasks: entries.map((bytes, index) => {
      const { entry, task } = openEntry(head, sheet, index, fromBase64url(bytes));
      return {
        taskId: task.taskId,
        taskConfiguration: task.configuration,
        vdaf: prio3Survey(task.survey),
        leader: recipient(head.guardian.hpke),
        helper: recipient(head.employer.hpke),
        time: head.days.start,
        consent: noticeHash(sheet),
        spki: fromBase64url(entry.token_key),
        challengeHash: taskChallengeHash(task.taskId, head.employer, head.guardian),
      };
    }),
  };
}

/** Moves the clock past the round's last day; the parties count by themselves. */
export function closeTestRound(parties: TwoParties, round: TestRound): void {
  const { start, duration } = round.head.days;
  parties.clock.advance((start + duration) * DAY_MS);
  parties.employer.nudge();
  parties.guardian.nudge();
}

/** A sealed report with this answer, as the browser makes it. */
export function sealed(
  task: TestTask,
  answer: readonly number[],
  seed: Secret<Uint8Array> = new Secret(systemRandomness(32)),
): ReturnType<typeof buildReport> {
  return buildReport(entitled(task, seed), answer, seed, systemRandomness);
}

/** @returns undefined if accepted, or the first error */
export async function upload(
  parties: TwoParties,
  task: Pick<TestTask, 'taskId'>,
  report: Uint8Array,
): Promise<ReportError | undefined> {
  const response = await fetch(
    `${parties.urls.guardian}/tasks/${toBase64url(task.taskId)}/reports`,
    {
      method: 'POST',
      headers: { 'content-type': MEDIA_TYPE.uploadRequest },
      body: report as Uint8Array<ArrayBuffer>,
    },
  );
  const body = new Uint8Array(await response.arrayBuffer());
  if (!response.ok) throw new Error(`upload answered ${response.status}`);
  return body.length === 0 ? undefined : decodeUploadErrors(body)[0]?.error;
}

/** Seals and uploads each answer. @throws Error if one is refused */
export async function answerAll(
  parties: TwoParties,
  task: TestTask,
  answers: readonly (readonly number[])[],
): Promise<void> {
  for (const answer of answers) {
    const error = await upload(parties, task, sealed(task, answer).report);
    if (error !== undefined) throw new Error(`refused: ${error}`);
  }
}

/** How a round stands at a party. */
export function standing(
  parties: TwoParties,
  number: number,
  party: 'guardian' | 'employer' = 'guardian',
): ReturnType<Party['rounds']>[number] | undefined {
  return parties[party].rounds().find(({ round }) => round.number === number);
}

/** Waits until the guardian has every group of a round confirmed or withheld, and the list signed. */
export function finished(parties: TwoParties, number = 1): Promise<void> {
  return until(() => standing(parties, number)?.round.listEmployerSignature != null, 45_000);
}

/** Waits for something that the parties do by themselves. @throws Error after `limitMs` */
export async function until(
  reached: () => boolean | Promise<boolean>,
  limitMs = 15_000,
): Promise<void> {
  const end = Date.now() + limitMs;
  while (!(await reached())) {
    if (Date.now() > end) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A port that nobody has just now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
