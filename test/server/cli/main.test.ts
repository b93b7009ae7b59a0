import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { sodiumReady } from '../../../crypto/sodium.ts';
import { pairParties } from '../../../server/evaluation/pairing.ts';
import { testFolder } from '../../support/folder.ts';
import { freePort, until } from '../../support/parties.ts';
import { root } from '../../views/sample.ts';

/** The program as people start it: built, in a process of its own. */
const PROGRAM = join(root, 'dist/server/cli/main.js');

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function start(folder: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    cwd: folder,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const texts = { out: '', err: '' };
  child.stdout.on('data', (data) => {
    texts.out += data;
  });
  child.stderr.on('data', (data) => {
    texts.err += data;
  });
  const ended = new Promise<Ended>((resolve) =>
    child.once('close', (code) => resolve({ code, ...texts })),
  );
  onTestFinished(async () => {
    if (child.exitCode === null) child.kill('SIGKILL');
    await ended;
  });
  return { child: child as ChildProcess, texts, ended };
}

const run = (folder: string, args: readonly string[], env?: NodeJS.ProcessEnv) =>
  start(folder, args, env).ended;

beforeAll(async () => {
  await sodiumReady();
  expect(existsSync(PROGRAM), 'npm run build').toBe(true);
});

/** Two paired parties with their settings files, on free ports. */
async function madeParties() {
  const folder = testFolder();
  const ports = { guardian: await freePort(), employer: await freePort() };
  const urls = {
    guardian: `http://127.0.0.1:${ports.guardian}`,
    employer: `http://127.0.0.1:${ports.employer}`,
  };
  pairParties(folder, urls);
  for (const party of ['guardian', 'employer'] as const) {
    const settings = {
      ...{ party, name: 'One', other_name: 'Other', url: urls[party], port: ports[party] },
      data: party,
    };
    writeFileSync(join(folder, `${party}.json`), JSON.stringify(settings));
  }
  return { folder, urls };
}

describe('exit codes', () => {
  test('0 and the help, on stdout', async () => {
    const { code, out, err } = await run(testFolder(), ['help']);
    expect([code, err]).toEqual([0, '']);
    for (const words of [
      'Usage: npx chorus COMMAND [--settings FILE]',
      'chorus init guardian|employer',
      'chorus pair URL CODE',
      'chorus roster import FILE [--dry-run]',
      'chorus survey check FILE',
      'chorus survey list | show SHEET | approve SHEET [Light] | refuse SHEET REASON',
      'chorus round list | status NUMBER | plan [--first YYYY-MM-DD] | open NUMBER | close NUMBER',
      'CHORUS_SETTINGS',
    ]) {
      expect(out).toContain(words);
    }
  });

  test('2 and how it goes, on stderr, for what is no command', async () => {
    const folder = testFolder();
    const [unknown, half] = await Promise.all([
      run(folder, ['bogus']),
      run(folder, ['init', 'judge']),
    ]);
    expect([unknown.code, unknown.out]).toEqual([2, '']);
    expect(unknown.err).toMatch(/^Usage: npx chorus COMMAND/);
    expect([half.code, half.out]).toEqual([2, '']);
    expect(half.err).toBe('Usage: npx chorus init guardian|employer [--settings FILE]\n');
  });

  test('1 and one sentence, for what is refused', async () => {
    const folder = testFolder();
    const none = await run(folder, ['round', 'list']);
    expect([none.code, none.out]).toEqual([1, '']);
    expect(none.err).toMatch(/^Chorus: there is no settings file .*chorus\.json; make one with/);
    expect((await run(folder, ['init', 'guardian'])).code).toBe(0);
    const [again, unpaired, variable] = await Promise.all([
      run(folder, ['init', 'guardian']),
      run(folder, ['round', 'list']),
      run(folder, ['round', 'list'], { CHORUS_PROT: '1' }),
    ]);
    for (const { code, out, err } of [again, unpaired, variable]) {
      expect([code, out]).toEqual([1, '']);
      expect(err).toMatch(/^Chorus: .*\n$/);
    }
    expect(unpaired.err).toContain('this guardian is not paired yet; npx chorus pair does that');
    expect(variable.err).toContain('CHORUS_PROT is not a variable of Chorus');
  });
});

test('each command is the one of its party', async () => {
  const { folder } = await madeParties();
  const results = await Promise.all([
    run(folder, ['--settings', 'guardian.json', 'roster', 'groups']),
    run(folder, ['employer', '--settings', 'guardian.json']),
    run(folder, ['round', 'plan', '--settings', 'employer.json']),
    run(folder, ['survey', 'list', '--settings', 'employer.json']),
  ]);
  expect(results.map(({ code }) => code)).toEqual([1, 1, 2, 0]);
  expect(results[0]?.err).toBe('Chorus: this is the guardian; the command is the employer’s\n');
});

test('both parties run as services: they answer, find each other, and end when told to', async () => {
  const { folder, urls } = await madeParties();
  const services = (['guardian', 'employer'] as const).map((party) => ({
    party,
    ...start(folder, [party], { CHORUS_SETTINGS: `${party}.json` }),
  }));
  for (const { party, texts } of services) {
    await until(() => texts.out.includes('\n'));
    expect(texts.out).toContain(`The ${party} answers on ${urls[party]} (127.0.0.1:`);
    const health = await fetch(`${urls[party]}/health`);
    expect([health.status, await health.json()]).toEqual([200, { party, ok: true }]);
  }
  const taken = await run(folder, ['guardian', '--settings', 'guardian.json']);
  expect([taken.code, taken.err]).toEqual([1, expect.stringMatching(/^Chorus: port \d+ is taken/)]);
  const sheet = join(root, 'server/cli/samples/sheet.json');
  const submitted = await run(folder, ['survey', 'submit', sheet, '--settings', 'employer.json']);
  expect(submitted.out).toMatch(/^Submitted as \S{10}; the guardian decides\.\n$/);
  const list = await run(folder, ['survey', 'list', '--settings', 'guardian.json']);
  expect(list.out).toContain('submitted');
  for (const [i, { child, ended, texts }] of services.entries()) {
    child.kill(i === 0 ? 'SIGTERM' : 'SIGINT');
    expect(await ended).toMatchObject({ code: 0, err: '' });
    expect(texts.out).toMatch(/Stopping …\n$/);
  }
  for (const { party } of services) {
    const log = readFileSync(join(folder, party, `${party}.log`), 'utf8');
    expect(log).not.toMatch(/127\.0\.0\.1|example|share|"err"/);
    // Nothing is left to be recovered.
    expect(existsSync(join(folder, party, `${party}.sqlite-wal`))).toBe(false);
  }
});
