import { existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { toBase64url } from '../../../crypto/bytes.ts';
import { Secret } from '../../../crypto/secret.ts';
import { init } from '../../../server/cli/init.ts';
import { CommandRefused, UsageError } from '../../../server/cli/io.ts';
import { pair } from '../../../server/cli/pair.ts';
import { requirePaired } from '../../../server/cli/serve.ts';
import { readSettings, type Settings } from '../../../server/cli/settings.ts';
import { systemRandomness } from '../../../server/party.ts';
import { encodeCard, newPairingCode } from '../../../server/peer/pair.ts';
import { refusal, testIo } from '../../support/cli.ts';
import { testFolder } from '../../support/folder.ts';
import { freePort, until } from '../../support/parties.ts';

let guardian: Settings;
let employer: Settings;

/** A party that is made and not paired, on a port of its own. */
async function made(party: 'guardian' | 'employer'): Promise<Settings> {
  const path = join(testFolder(), 'chorus.json');
  init([party], path, testIo());
  const port = await freePort();
  const env = { CHORUS_PORT: String(port), CHORUS_URL: `http://127.0.0.1:${port}` };
  return readSettings(path, env);
}

beforeEach(async () => {
  guardian = await made('guardian');
  employer = await made('employer');
});

/** One side waits. @returns what it says, the code that it shows, and its end */
async function waiting(settings: Settings) {
  const io = testIo();
  const end = pair([], settings, io, fetch);
  // Its end is looked at later.
  end.catch(() => {});
  await until(() => io.lines.length === 2);
  const [, url, code] = /npx chorus pair (\S+) (\S+)/.exec(io.lines[1] as string) as never as [
    string,
    string,
    string,
  ];
  return { io, end, url, code };
}

const paired = ({ data }: Settings) => existsSync(join(data, 'keys', 'pairing.json'));
const keyFile = ({ data }: Settings, name: string) =>
  JSON.parse(readFileSync(join(data, 'keys', `${name}.json`), 'utf8')) as Record<string, string>;
const fingerprintIn = (text: string) => /same fingerprint: (.*)/.exec(text)?.[1];

describe.each(['guardian', 'employer'] as const)('while the %s waits', (waits) => {
  const sides = () => (waits === 'guardian' ? [guardian, employer] : [employer, guardian]);

  test('the other one pairs with its code: both show the same fingerprint', async () => {
    const [first, second] = sides() as [Settings, Settings];
    const there = await waiting(first);
    expect(there.url).toBe(first.url);
    const here = testIo();
    // The code in two words and small letters, as somebody types it.
    const typed = there.code.toLowerCase();
    const words = [typed.slice(0, 11), typed.slice(11)];
    await pair([there.url, ...words], second, here, fetch);
    await there.end;
    expect(fingerprintIn(here.text())).toMatch(/^[0-9a-f ]{24}$/);
    expect(fingerprintIn(there.io.text())).toBe(fingerprintIn(here.text()));
    const [a, b] = [keyFile(first, 'pairing'), keyFile(second, 'pairing')];
    expect([a.url, b.url]).toEqual([second.url, first.url]);
    expect(a.token).not.toBe(b.token);
    expect(statSync(join(first.data, 'keys', 'pairing.json')).mode & 0o777).toBe(0o600);
    for (const settings of [first, second]) requirePaired(settings);
    for (const secret of [a.token, b.token, keyFile(first, 'identity').signing_seed]) {
      expect(there.io.text() + here.text()).not.toContain(secret);
    }
  });
});

describe('refused, and neither side is paired:', () => {
  test('a wrong code', async () => {
    const there = await waiting(guardian);
    const wrong = newPairingCode(systemRandomness).reveal();
    const refused = await refusal(() => pair([there.url, wrong], employer, testIo(), fetch));
    expect(refused).toBeInstanceOf(CommandRefused);
    expect(refused.message).toBe('the code is another one');
    expect([paired(guardian), paired(employer)]).toEqual([false, false]);
    // The right one still counts.
    await pair([there.url, there.code], employer, testIo(), fetch);
    await there.end;
    expect([paired(guardian), paired(employer)]).toEqual([true, true]);
  });

  test('five wrong codes end the waiting, and the right one comes too late', async () => {
    const there = await waiting(guardian);
    for (let i = 0; i < 5; i++) {
      const wrong = newPairingCode(systemRandomness).reveal();
      await refusal(() => pair([there.url, wrong], employer, testIo(), fetch));
    }
    expect((await refusal(() => there.end)).message).toContain('too many wrong codes');
    const late = await refusal(() => pair([there.url, there.code], employer, testIo(), fetch));
    expect(late.message).toContain('does not answer');
    expect([paired(guardian), paired(employer)]).toEqual([false, false]);
  });

  test.each(['', 'ABCDE', `${'A'.repeat(25)}U`])('what is no code: %j', async (code) => {
    let calls = 0;
    const counted: typeof fetch = (...args) => {
      calls++;
      return fetch(...args);
    };
    const refused = await refusal(() => pair([guardian.url, code], employer, testIo(), counted));
    expect(refused.message).toContain('26 letters and digits');
    expect(calls).toBe(0);
  });

  test('two of the same kind', async () => {
    const there = await waiting(guardian);
    const other = await made('guardian');
    const refused = await refusal(() => pair([there.url, there.code], other, testIo(), fetch));
    expect(refused).toBeInstanceOf(CommandRefused);
    await pair([there.url, there.code], employer, testIo(), fetch);
    await there.end;
    expect(paired(other)).toBe(false);
  });

  test('nobody there, an address that is none, or something else that answers', async () => {
    const code = newPairingCode(systemRandomness).reveal();
    const empty = `http://127.0.0.1:${await freePort()}`;
    const page: typeof fetch = async () => new Response('<html>Hello</html>');
    for (const [url, fetchFunction] of [
      [empty, fetch],
      ['nowhere', fetch],
      [empty, page],
    ] as const) {
      const refused = await refusal(() => pair([url, code], employer, testIo(), fetchFunction));
      expect(refused).toBeInstanceOf(CommandRefused);
      expect(refused.message).toContain('does not answer');
    }
    expect(paired(employer)).toBe(false);
  });
});

describe('somebody in the middle', () => {
  const swapped = {
    key: { signing_key: toBase64url(systemRandomness(32)) },
    url: { url: 'https://elsewhere.example' },
    token: { token_hash: toBase64url(systemRandomness(32)) },
  };
  const SWAPS = Object.entries(swapped);

  test.each(SWAPS)('who swaps the %s on the way there is noticed there', async (_name, change) => {
    const there = await waiting(guardian);
    const middle: typeof fetch = (url, init) =>
      fetch(url, {
        ...init,
        body: JSON.stringify({ ...JSON.parse(String(init?.body)), ...change }),
      });
    const refused = await refusal(() => pair([there.url, there.code], employer, testIo(), middle));
    expect(refused.message).toBe('the code is another one');
    expect([paired(guardian), paired(employer)]).toEqual([false, false]);
    await pair([there.url, there.code], employer, testIo(), fetch);
    await there.end;
  });

  test.each(SWAPS)('who swaps the %s on the way back is noticed here', async (_name, change) => {
    const there = await waiting(guardian);
    const middle: typeof fetch = async (...args) => {
      const reply = (await (await fetch(...args)).json()) as object;
      return Response.json({ ...reply, ...change });
    };
    const refused = await refusal(() => pair([there.url, there.code], employer, testIo(), middle));
    expect(refused.message).toContain('was not made with this code');
    expect(paired(employer)).toBe(false);
    await there.end;
  });

  test('who answers with a code of their own, or with the message itself, is noticed', async () => {
    const code = newPairingCode(systemRandomness);
    const card = {
      party: 'guardian' as const,
      url: guardian.url,
      signingKey: systemRandomness(32),
      tokenHash: systemRandomness(32),
    };
    const own: typeof fetch = async (_url, init) =>
      Response.json(encodeCard(card, new Secret('0'.repeat(26)), JSON.parse(String(init?.body))));
    const echo: typeof fetch = async (_url, init) => Response.json(JSON.parse(String(init?.body)));
    for (const middle of [own, echo]) {
      const refused = await refusal(() =>
        pair([guardian.url, code.reveal()], employer, testIo(), middle),
      );
      expect(refused.message).toContain('was not made with this code');
    }
    expect(paired(employer)).toBe(false);
  });
});

test('pairing twice is refused on both sides, and the pairing stays', async () => {
  const there = await waiting(guardian);
  await pair([there.url, there.code], employer, testIo(), fetch);
  await there.end;
  const before = [guardian, employer].map((settings) => keyFile(settings, 'pairing'));
  for (const [settings, args] of [
    [guardian, []],
    [employer, []],
    [employer, [there.url, there.code]],
  ] as const) {
    const refused = await refusal(() => pair(args, settings, testIo(), fetch));
    expect(refused).toBeInstanceOf(CommandRefused);
    expect(refused.message).toContain('is paired with');
  }
  expect([guardian, employer].map((settings) => keyFile(settings, 'pairing'))).toEqual(before);
});

test('what is no card is answered without a word about this program', async () => {
  const there = await waiting(guardian);
  const post = (body: string, type = 'application/json') =>
    fetch(`${there.url}/pair`, { method: 'POST', headers: { 'content-type': type }, body });
  for (const reply of [
    await post('{"party":'),
    await post(`{"a":"${'x'.repeat(20_000)}"}`),
    await fetch(`${there.url}/`),
  ]) {
    expect(reply.status).toBeGreaterThanOrEqual(400);
    expect(reply.headers.get('x-powered-by')).toBe(null);
    expect(await reply.text()).not.toMatch(/node_modules|server\/|at .*\.[jt]s/);
  }
  await pair([there.url, there.code], employer, testIo(), fetch);
  await there.end;
});

test('not before the party is made; not while its port is taken; not with half of the words', async () => {
  const empty = { ...guardian, data: join(testFolder(), 'none') };
  expect((await refusal(() => pair([], empty, testIo(), fetch))).message).toContain('chorus init');
  expect(await refusal(() => pair([guardian.url], employer, testIo(), fetch))).toBeInstanceOf(
    UsageError,
  );
  expect((await refusal(() => requirePaired(guardian))).message).toContain('npx chorus pair');
  expect((await refusal(() => requirePaired(empty))).message).toContain('npx chorus init');
  expect(existsSync(empty.data)).toBe(false);
  const server = createServer().listen(guardian.port, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const refused = await refusal(() => pair([], guardian, testIo(), fetch));
  expect(refused.message).toContain('is the guardian running?');
  await new Promise((resolve) => server.close(resolve));
});
