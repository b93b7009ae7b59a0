import { existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { sodiumReady } from '../../crypto/sodium.ts';
import { pairParties } from '../../server/evaluation/pairing.ts';
import { Refusal } from '../../server/http/refusal.ts';
import { openParty, type PartyConfig, PartyWork, systemRandomness } from '../../server/party.ts';
import { PeerAway, PeerRefusal } from '../../server/peer/client.ts';
import { testFolder } from '../support/folder.ts';
import { MIGRATIONS } from '../support/parties.ts';

beforeAll(sodiumReady);

const URLS = { guardian: 'http://127.0.0.1:1', employer: 'http://127.0.0.1:2' };

function config(folder: string): PartyConfig {
  return {
    folder: join(folder, 'guardian'),
    url: URLS.guardian,
    host: '127.0.0.1',
    port: 0,
    names: { guardian: 'The guardian', employer: 'The employer' },
    evaluation: true,
    timeZone: 'UTC',
    planDaysAhead: 1,
    clock: { now: () => 1_700_000_000_000 },
    randomness: systemRandomness,
    fetch,
    migrations: MIGRATIONS,
    pages: { views: '', assets: '' },
    intervalMs: 5,
  };
}

function open(folder: string) {
  const base = openParty('guardian', config(folder));
  onTestFinished(() => {
    base.db.close();
  });
  return base;
}

describe('openParty', () => {
  test('wants an identity and a pairing, and invents neither', () => {
    const folder = testFolder();
    expect(() => openParty('guardian', config(folder))).toThrow();
    pairParties(folder, URLS);
    open(folder);
    writeFileSync(join(folder, 'guardian', 'keys', 'pairing.json'), '{"url":"http://x/"}');
    expect(() => openParty('guardian', config(folder))).toThrow();
  });

  test('shows and logs no secret', () => {
    const folder = testFolder();
    pairParties(folder, URLS);
    const base = open(folder);
    const keys = ['identity', 'pairing'].flatMap((name) => {
      const path = join(folder, 'guardian', 'keys', `${name}.json`);
      const { signing_seed, token } = JSON.parse(readFileSync(path, 'utf8'));
      return [signing_seed, token].filter((secret) => secret !== undefined);
    });
    expect(keys).toHaveLength(2);
    base.log.info({ base, seed: base.signingSeed, token: base.pairing.token }, 'all of it');
    const log = readFileSync(join(folder, 'guardian', 'guardian.log'), 'utf8');
    const shown =
      inspect(base, { depth: 9, showHidden: true }) + JSON.stringify(base.pairing) + log;
    expect(log).toContain('all of it');
    for (const secret of keys) expect(shown).not.toContain(secret);
  });
});

describe('work', () => {
  test('is logged once while a step keeps failing the same way, again when it recovered', async () => {
    const folder = testFolder();
    pairParties(folder, URLS);
    const base = open(folder);
    const outcomes = ['a', 'a', 'b', 'b', '', 'b'];
    let times = 0;
    const run = async () => {
      const message = outcomes[times++] ?? '';
      if (message !== '') throw new Error(message);
      return false;
    };
    const work = new PartyWork(base, 'employer', [{ name: 'odd', run }], 1);
    work.clockwork.start();
    while (times < outcomes.length + 1) await new Promise((resolve) => setImmediate(resolve));
    await work.clockwork.stop();
    const lines = readFileSync(join(folder, 'guardian', 'guardian.log'), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => (JSON.parse(line) as { err: { message: string } }).err.message);
    expect(lines).toEqual(['a', 'b', 'b']);
  });

  test('is told in the words of a refusal, and else sent to the log', async () => {
    const folder = testFolder();
    pairParties(folder, URLS);
    const base = open(folder);
    let times = 0;
    let early = true;
    const failing = (name: string, error: () => Error | undefined) => ({
      name,
      run: async () => {
        times++;
        const failure = error();
        if (failure !== undefined) throw failure;
        return false;
      },
    });
    const work = new PartyWork(
      base,
      'employer',
      [
        failing('plan', () => new Refusal('planMismatch', 'No sheet is approved.')),
        failing('count', () => new Error(`EACCES ${folder}`)),
        failing('seal', () => new PeerAway('away')),
        failing('wait', () => new PeerRefusal('notYet', 'later')),
        failing('open', () => (early ? new Refusal('notYet', 'early') : undefined)),
      ],
      1,
    );
    work.clockwork.start();
    const turn = () => new Promise((resolve) => setImmediate(resolve));
    // Every step of a first turn, or of the turn under way, has failed by then.
    while (times < 10) await turn();
    expect(work.failures).toEqual([
      'Could not plan: No sheet is approved.',
      'Could not count: see the log.',
      'Could not open: early.',
    ]);
    early = false;
    for (const until = times + 10; times < until; ) await turn();
    await work.clockwork.stop();
    expect(work.failures).toEqual([
      'Could not plan: No sheet is approved.',
      'Could not count: see the log.',
    ]);
  });

  test('an absence is one event, however long, and so is the return', async () => {
    const folder = testFolder();
    pairParties(folder, URLS);
    const base = open(folder);
    let times = 0;
    const run = async () => {
      if (++times < 5) throw new PeerAway('away');
      return false;
    };
    const work = new PartyWork(base, 'employer', [{ name: 'call', run }], 1);
    work.clockwork.start();
    while (times < 3) await new Promise((resolve) => setImmediate(resolve));
    expect(work.away).toBe(true);
    while (times < 7) await new Promise((resolve) => setImmediate(resolve));
    await work.clockwork.stop();
    expect(work.away).toBe(false);
    expect(base.events.recent(9).map(({ kind }) => kind)).toEqual(['peer-back', 'peer-away']);
  });

  // Every write to this device fails as on a full disk.
  test.skipIf(!existsSync('/dev/full'))('a log on a full disk ends nothing', async () => {
    const folder = testFolder();
    pairParties(folder, URLS);
    mkdirSync(join(folder, 'guardian'), { recursive: true });
    symlinkSync('/dev/full', join(folder, 'guardian', 'guardian.log'));
    expect(statSync(join(folder, 'guardian', 'guardian.log')).isCharacterDevice()).toBe(true);
    const base = open(folder);
    let times = 0;
    const bad = async () => {
      throw new Error(`fault ${times}`);
    };
    const good = async () => {
      times++;
      return false;
    };
    const work = new PartyWork(
      base,
      'employer',
      [
        { name: 'bad', run: bad },
        { name: 'good', run: good },
      ],
      1,
    );
    work.clockwork.start();
    while (times < 4) await new Promise((resolve) => setImmediate(resolve));
    await work.clockwork.stop();
    for (let i = 0; i < 1000; i++) base.log.error({ i, text: 'x'.repeat(1000) }, 'still nothing');
  });
});
