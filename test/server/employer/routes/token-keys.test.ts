import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { fromBase64url, toBase64url } from '../../../../crypto/bytes.ts';
import { decodeTokenSpki } from '../../../../crypto/token-key.ts';
import { DAY_MS } from '../../../../server/domain/days.ts';
import {
  approveTestSheet,
  startTwoParties,
  type TwoParties,
  testPeople,
  testSheet,
  until,
} from '../../../support/parties.ts';
import { callAs, refusedWith } from '../../../support/played-party.ts';

/** Lets a test hold up the making of keys. */
const gate = vi.hoisted(() => ({ open: true, waiting: [] as (() => void)[] }));

vi.mock('../../../support/token-key-pool.ts', async (original) => {
  const real = await original<typeof import('../../../support/token-key-pool.ts')>();
  return {
    ...real,
    tokenKeyPool: () => {
      const next = real.tokenKeyPool();
      return async () => {
        if (!gate.open) await new Promise<void>((resolve) => gate.waiting.push(resolve));
        return next();
      };
    },
  };
});

const letOne = () => gate.waiting.shift()?.();

let parties: TwoParties;
let sheetHash: Uint8Array;

beforeEach(async () => {
  gate.open = true;
  gate.waiting = [];
  parties = await startTwoParties();
  parties.clock.advance(20_000 * DAY_MS);
  parties.employer.importRoster(testPeople([30, 30, 30]));
  sheetHash = await approveTestSheet(parties, testSheet());
});

afterEach(async () => {
  gate.open = true;
  for (const go of gate.waiting) go();
  await parties.close();
});

const ask = (body: object, token?: string | null) =>
  callAs(parties, 'guardian', '/peer/rounds/1/token-keys', {
    body,
    ...(token === undefined ? {} : { token }),
  });

const keysIn = async (reply: Response) =>
  ((await reply.json()) as { token_keys: string[] }).token_keys;

/** Proposes round 1, as the guardian does before it asks for token keys. */
async function propose(): Promise<void> {
  const db = parties.database('guardian');
  const signature = db
    .prepare<[Uint8Array], Buffer>('SELECT guardian_signature FROM sheets WHERE hash = ?')
    .pluck()
    .get(sheetHash) as Buffer;
  db.close();
  const reply = await callAs(parties, 'guardian', '/peer/rounds/1/keys', {
    body: { sheet_hash: toBase64url(sheetHash), sheet_signature: toBase64url(signature) },
  });
  expect(reply.status).toBe(200);
}

const plan = () =>
  parties.guardian.plan({ number: 1, sheetHash, days: { start: 20_001, duration: 7 } });

describe('token keys of a proposed round', () => {
  test('are one RSA key for each group; asked again, also after a restart, the same', async () => {
    await propose();
    const keys = await keysIn(await ask({ groups: 3 }));
    expect(new Set(keys).size).toBe(3);
    for (const key of keys) expect(decodeTokenSpki(fromBase64url(key))).toHaveLength(256);
    expect(await keysIn(await ask({ groups: 3 }))).toEqual(keys);
    await parties.restart('employer');
    await until(() =>
      ask({ groups: 3 }).then(
        async (reply) => (await keysIn(reply)).join() === keys.join(),
        () => false,
      ),
    );
  });

  test('are told to be on their way until all are there', async () => {
    await propose();
    gate.open = false;
    const detail = async () =>
      ((await (await ask({ groups: 3 })).json()) as { detail: string }).detail;
    expect(await refusedWith(ask({ groups: 3 }))).toBe('409 notYet');
    expect(await detail()).toBe('token keys are being made: 0 of 3');
    letOne();
    await until(async () => (await detail()) === 'token keys are being made: 1 of 3');
    // The employer's own page says so too.
    gate.open = true;
    while (gate.waiting.length > 0) letOne();
    await until(async () => (await ask({ groups: 3 })).ok);
  });

  test('a party that stops while it makes keys stops, and goes on when it is started', async () => {
    await propose();
    gate.open = false;
    expect(await refusedWith(ask({ groups: 3 }))).toBe('409 notYet');
    const stopped = parties.stop('employer');
    while (gate.waiting.length > 0) letOne();
    await stopped;
    gate.open = true;
    await parties.start('employer');
    await until(() =>
      ask({ groups: 3 }).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
  });

  test('of another number than the roster makes groups: planMismatch, and none are made', async () => {
    await propose();
    for (const groups of [2, 4, 1_000_000]) {
      expect(await refusedWith(ask({ groups }))).toBe('409 planMismatch');
    }
    const files = readdirSync(join(parties.folder, 'employer', 'keys'));
    expect(files.filter((name) => name.startsWith('tokens-'))).toEqual([]);
  });

  test('of a round that was not proposed: planMismatch', async () => {
    expect(await refusedWith(ask({ groups: 3 }))).toBe('409 planMismatch');
  });

  test('of a round that has a manifest: roundTaken', async () => {
    await plan();
    expect(await refusedWith(ask({ groups: 3 }))).toBe('409 roundTaken');
  });

  test('without a token 401; malformed 400', async () => {
    expect(await refusedWith(ask({ groups: 3 }, null))).toBe('401 unauthorized');
    expect(await refusedWith(ask({ groups: 3 }, parties.token('employer')))).toBe(
      '401 unauthorized',
    );
    for (const body of [{}, { groups: 0 }, { groups: 1.5 }, { groups: 3, more: 1 }]) {
      expect(await refusedWith(ask(body))).toBe('400 invalidMessage');
    }
  });
});

describe('a manifest', () => {
  test('with another token key than the employer’s is not signed', async () => {
    // The guardian hears other keys than the employer has.
    let alter = true;
    parties.wires.guardian.after = async (url, response) => {
      if (!url.endsWith('/token-keys') || !alter) return response;
      const keys = await keysIn(response);
      return Response.json({ token_keys: [keys[1], keys[0], keys[2]] });
    };
    await expect(plan()).rejects.toMatchObject({
      code: 'planMismatch',
      message: expect.stringContaining('token keys'),
    });
    alter = false;
    await plan();
    expect(parties.employer.rounds()).toHaveLength(1);
  });

  test('with one key for two groups is not even made', async () => {
    parties.wires.guardian.after = async (url, response) => {
      if (!url.endsWith('/token-keys')) return response;
      const keys = await keysIn(response);
      return Response.json({ token_keys: [keys[0], keys[0], keys[2]] });
    };
    await expect(plan()).rejects.toThrow('one token key to each group');
  });
});
