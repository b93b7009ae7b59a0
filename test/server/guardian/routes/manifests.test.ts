import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { equalBytes, fromBase64url, toBase64url } from '../../../../crypto/bytes.ts';
import { MEDIA_TYPE } from '../../../../crypto/dap/media-types.ts';
import { decodeHpkeConfigList } from '../../../../crypto/dap/upload.ts';
import { HPKE_SUITE } from '../../../../crypto/hpke.ts';
import { SLICES } from '../../../../crypto/id-list.ts';
import { openManifest } from '../../../../crypto/manifest.ts';
import { sha256 } from '../../../../crypto/sha256.ts';
import { DAY_MS } from '../../../../server/domain/days.ts';
import { encodeSheet } from '../../../../server/domain/sheets.ts';
import {
  closeTestRound,
  finished,
  openTestRound,
  startTwoParties,
  type TestRound,
  type TwoParties,
  until,
} from '../../../support/parties.ts';
import { refusedWith } from '../../../support/played-party.ts';

/** What anyone may read of a round, without a token. */

let parties: TwoParties;
let round: TestRound;

beforeAll(async () => {
  parties = await startTwoParties();
  round = await openTestRound(parties, [23, 30, 40]);
});

afterAll(() => parties.close());

const get = (path: string) => fetch(parties.urls.guardian + path);
const base = (hash = round.hash) => `/manifests/${toBase64url(hash)}`;

async function json(path: string): Promise<Record<string, string>> {
  const response = await get(path);
  expect(response.status).toBe(200);
  return (await response.json()) as Record<string, string>;
}

describe('manifest', () => {
  test('what is served passes every check, from the hash in the link down to the task', async () => {
    const signed = await json(base());
    expect(signed.state).toBe('open');
    const sheet = new Uint8Array(
      await (await get(`/sheets/${round.head.sheet_hash}`)).arrayBuffer(),
    );
    for (const [index, size] of [23, 30, 40].entries()) {
      const member = (await json(`${base()}/entries/${index}`)) as unknown as {
        entry: string;
        path: string[];
      };
      const { entry, task } = openManifest({
        hash: round.hash,
        head: fromBase64url(signed.head as string),
        guardianSignature: fromBase64url(signed.guardian_signature as string),
        employerSignature: fromBase64url(signed.employer_signature as string),
        index,
        entry: fromBase64url(member.entry),
        path: member.path.map(fromBase64url),
        sheet,
      });
      expect(entry).toMatchObject({ index, roster_size: size });
      expect(task.taskId).toEqual(round.tasks[index]?.taskId);
    }
  });

  test.each([
    ['unknown', toBase64url(new Uint8Array(32))],
    ['too short', 'AAAA'],
    ['not base64url', `${'A'.repeat(42)}+`],
    ['not canonical', `${'A'.repeat(42)}B`],
  ])('a hash that is %s: 404', async (_name, hash) => {
    for (const path of ['', '/entries', '/entries/0', '/list', '/list/0']) {
      expect(await refusedWith(get(`/manifests/${hash}${path}`))).toBe('404 notFound');
    }
    expect(await refusedWith(get(`/sheets/${hash}`))).toBe('404 notFound');
  });

  test.each(['3', '-1', '00', '1.0', 'x', '1e0', '%30%30'])(
    'an entry that is none: %s',
    async (i) => {
      expect(await refusedWith(get(`${base()}/entries/${i}`))).toBe('404 notFound');
    },
  );

  test('nothing is served that only the guardian has signed', async () => {
    parties.wires.guardian.before = (url) => {
      if (url.endsWith('/manifest')) throw new Error('cut');
    };
    const plan = {
      number: 2,
      days: { start: 20_200, duration: 7 },
      sheetHash: fromBase64url(round.head.sheet_hash),
    };
    await expect(parties.guardian.plan(plan)).rejects.toThrow('does not answer');
    const [waiting] = parties.guardian.rounds().filter(({ round }) => round.number === 2);
    const hash = waiting?.round.manifestHash as Buffer;
    for (const path of ['', '/entries', '/entries/0', '/list', '/list/0']) {
      expect(await refusedWith(get(`${base(hash)}${path}`))).toBe('404 notFound');
    }
    parties.wires.guardian.before = () => {};
    // Planned again it is the same manifest, now signed by both.
    expect(equalBytes(await parties.guardian.plan(plan), hash)).toBe(true);
    expect((await json(base(hash))).state).toBe('planned');
  });
});

describe('sheet', () => {
  test('is the exact bytes that were signed', async () => {
    const response = await get(`/sheets/${round.head.sheet_hash}`);
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
    const bytes = new Uint8Array(await response.arrayBuffer());
    expect(bytes).toEqual(encodeSheet(round.sheet));
    expect(toBase64url(sha256(bytes))).toBe(round.head.sheet_hash);
  });
});

describe('script', () => {
  test('the one that the manifest names, by its hash', async () => {
    const response = await get(`/scripts/${round.head.script_hash}.js`);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toMatch(/^text\/javascript/);
    const bytes = new Uint8Array(await response.arrayBuffer());
    expect(toBase64url(sha256(bytes))).toBe(round.head.script_hash);
  });

  test('another one: 404', async () => {
    for (const name of [`${'A'.repeat(43)}.js`, 'answer.js', '..%2f..%2fpackage.json']) {
      expect(await refusedWith(get(`/scripts/${name}`))).toBe('404 notFound');
    }
  });
});

describe('hpke_config', () => {
  test('names the guardian’s key of the open round', async () => {
    const response = await get('/hpke_config');
    expect(response.headers.get('content-type')).toBe(MEDIA_TYPE.hpkeConfigList);
    const configs = decodeHpkeConfigList(new Uint8Array(await response.arrayBuffer()));
    expect(configs).toEqual([
      {
        id: round.head.guardian.hpke.config_id,
        kemId: HPKE_SUITE.kem,
        kdfId: HPKE_SUITE.kdf,
        aeadId: HPKE_SUITE.aead,
        publicKey: fromBase64url(round.head.guardian.hpke.public_key),
      },
    ]);
  });
});

describe('list', () => {
  test('before the round is finished: notYet, and no slice', async () => {
    expect(await refusedWith(get(`${base()}/list`))).toBe('409 notYet');
    expect(await refusedWith(get(`${base()}/list/0`))).toBe('404 notFound');
  });

  test('of a round whose groups are all withheld: 256 empty slices', async () => {
    closeTestRound(parties, round);
    await finished(parties);
    expect((await json(base())).state).toBe('closed');
    const { root } = await json(`${base()}/list`);
    const empty = sha256(new Uint8Array(0));
    expect(root).toBe(toBase64url(sha256(...Array<Uint8Array>(SLICES).fill(empty))));
    for (const slice of [0, 9, 99, 255]) {
      const response = await get(`${base()}/list/${slice}`);
      expect(response.headers.get('content-type')).toMatch(/^application\/octet-stream/);
      expect((await response.arrayBuffer()).byteLength).toBe(0);
    }
    for (const slice of ['256', '999', '-1', '00', '01', 'x', '1.5']) {
      expect(await refusedWith(get(`${base()}/list/${slice}`))).toBe('404 notFound');
    }
  });

  test('no round is open any more: hpke_config has nothing to name', async () => {
    expect(await refusedWith(get('/hpke_config'))).toBe('409 notYet');
  });
});

test('none of it can be written', async () => {
  for (const path of [
    base(),
    `${base()}/list`,
    '/hpke_config',
    `/sheets/${round.head.sheet_hash}`,
  ]) {
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
      const reply = fetch(parties.urls.guardian + path, { method });
      expect(await refusedWith(reply)).toBe('404 notFound');
    }
  }
});

describe('past its retention', () => {
  const goOn = (days: number) => {
    const { start, duration } = round.head.days;
    parties.clock.advance((start + duration + days) * DAY_MS);
    parties.guardian.nudge();
  };

  test('the list is gone for good, the manifest stays while there are totals', async () => {
    goOn(365);
    await until(async () => (await get(`${base()}/list`)).status === 410);
    expect(await refusedWith(get(`${base()}/list`))).toBe('410 retentionOver');
    expect((await get(`${base()}/entries`)).status).toBe(200);
    // Every group was withheld: there are no totals, and nothing else to wait for.
    goOn(3650);
    await until(async () => (await get(`${base()}/entries`)).status === 410);
    expect(await refusedWith(get(`${base()}/entries/0`))).toBe('410 retentionOver');
    expect((await get(base())).status).toBe(200);
  });
});
