import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { concat, fromBase64url, toBase64url } from '../../../../crypto/bytes.ts';
import { canonicalJson, parseCanonicalJson } from '../../../../crypto/canonical.ts';
import {
  decodeIdSlice,
  encodeIdList,
  idListRoot,
  type ListedReport,
} from '../../../../crypto/id-list.ts';
import {
  type ManifestEntry,
  type ManifestHead,
  manifestHash,
  openHead,
  type PlannedGroup,
  signManifest,
} from '../../../../crypto/manifest.ts';
import { merkleRoot } from '../../../../crypto/merkle.ts';
import type { Secret } from '../../../../crypto/secret.ts';
import { sha256 } from '../../../../crypto/sha256.ts';
import type { Sheet } from '../../../../crypto/sheet.ts';
import { sign, signingPublicKey, verifySignature } from '../../../../crypto/signing.ts';
import { DAY_MS } from '../../../../server/domain/days.ts';
import { encodeSheet } from '../../../../server/domain/sheets.ts';
import { systemRandomness } from '../../../../server/party.ts';
import type { Database } from '../../../../server/storage/database.ts';
import { cheatingReport, HELPER_RUBBISH } from '../../../support/cheating-reports.ts';
import { planManifest } from '../../../support/manifest.ts';
import {
  answerAll,
  approveTestSheet,
  closeTestRound,
  finished,
  openTestRound,
  standing,
  startTwoParties,
  type TestRound,
  type TwoParties,
  testPeople,
  testSheet,
  until,
  upload,
} from '../../../support/parties.ts';
import { callAs, keyFile, refusedWith, signingSeed } from '../../../support/played-party.ts';
import type { TestTask } from '../../../support/test-tokens.ts';
import { replaced } from '../../../support/vdaf-reports.ts';

/** What the guardian asks of the employer about a whole round: keys, manifest, close, list. */

let parties: TwoParties;
/** A round that is really run; its list is held back on the wire until the tests have seen it. */
let round: TestRound;
let looking: Database;
let guardianSeed: Secret<Uint8Array>;
/** The body of the guardian’s own list request. */
let listBody: { slices: string[]; signature: string };

const post = (path: string, body: object, token?: string | null) =>
  callAs(parties, 'guardian', path, { body, ...(token === undefined ? {} : { token }) });

/** Everything that planning may change. */
function planning() {
  const all = (sql: string) => looking.prepare<[], object>(sql).all();
  return {
    rounds: all('SELECT * FROM rounds'),
    tasks: all('SELECT * FROM tasks'),
    sheets: all('SELECT * FROM sheets'),
    units: all('SELECT * FROM round_units'),
  };
}

beforeAll(async () => {
  parties = await startTwoParties();
  guardianSeed = signingSeed(parties, 'guardian');
  looking = parties.database('employer');
  round = await openTestRound(parties, [40, 40]);
  const task = round.tasks[0] as TestTask;
  await answerAll(parties, task, Array(9).fill([0, 1]));
  await answerAll(parties, round.tasks[1] as TestTask, Array(3).fill([0, 1]));
  expect(await upload(parties, task, cheatingReport(task, HELPER_RUBBISH).report)).toBe(undefined);
});

afterAll(async () => {
  looking.close();
  await parties.close();
});

function testGate(path: string) {
  test.each([
    ['without a token', () => null],
    ['with the employer’s own token', () => parties.token('employer')],
    ['with any other token', () => toBase64url(new Uint8Array(32))],
  ])('%s: 401', async (_name, token) => {
    expect(await refusedWith(post(path, {}, token()))).toBe('401 unauthorized');
  });

  test('another media type: 415', async () => {
    const reply = callAs(parties, 'guardian', path, { type: 'text/plain', body: {} });
    expect(await refusedWith(reply)).toBe('415 wrongMediaType');
  });

  test('no JSON, or other fields: 400', async () => {
    for (const body of [new Uint8Array(0), Uint8Array.of(0xff), [], { more: 1 }]) {
      expect(await refusedWith(post(path, body))).toBe('400 invalidMessage');
    }
  });
}

/** A proposal as the guardian makes it. */
function proposal(bytes: Uint8Array, seed = guardianSeed) {
  return {
    sheet_hash: toBase64url(sha256(bytes)),
    sheet_signature: toBase64url(sign(seed, 'chorus sheet v1', sha256(bytes))),
  };
}

/** A sheet that the guardian has and has not decided on. @returns its bytes */
async function submitted(sheet: Sheet): Promise<Uint8Array> {
  const hash = parties.employer.submit(sheet);
  const state = looking.prepare<[Uint8Array], string>('SELECT state FROM sheets WHERE hash = ?');
  await until(() => state.pluck().get(hash) === 'submitted');
  return encodeSheet(sheet);
}

interface Keys {
  units: { path: string; people: number }[];
  hpke: { config_id: number; public_key: string };
  collector: { config_id: number; public_key: string };
}

async function keysOf(number: number, body: object): Promise<Keys> {
  const response = await post(`/peer/rounds/${number}/keys`, body);
  expect(response.status).toBe(200);
  return (await response.json()) as Keys;
}

/** The token keys of a proposed round, as the guardian asks for them. */
async function tokenKeysOf(number: number, groups: number): Promise<Uint8Array[]> {
  const response = await post(`/peer/rounds/${number}/token-keys`, { groups });
  expect(response.status).toBe(200);
  const { token_keys } = (await response.json()) as { token_keys: string[] };
  return token_keys.map(fromBase64url);
}

describe('keys', () => {
  testGate('/peer/rounds/50/keys');

  test('an input and a collector key of the round; asked again, the same', async () => {
    const body = proposal(encodeSheet(testSheet()));
    const keys = await keysOf(300, body);
    expect(keys.hpke.config_id).toBe(300 % 256);
    expect(keys.collector.config_id).toBe(300 % 256);
    for (const key of [keys.hpke, keys.collector]) {
      expect(fromBase64url(key.public_key)).toHaveLength(1216);
    }
    expect(keys.hpke.public_key).not.toBe(keys.collector.public_key);
    expect(await keysOf(300, body)).toEqual(keys);
    expect(keys.units).toEqual([
      { path: 'All / Group 0', people: 40 },
      { path: 'All / Group 1', people: 40 },
    ]);
    expect((await keysOf(301, body)).hpke.public_key).not.toBe(keys.hpke.public_key);
  });

  test('a sheet that the guardian did not sign: 400, and no key is made', async () => {
    const bytes = await submitted(testSheet({ title: 'Another' }));
    const before = planning();
    const good = proposal(bytes);
    for (const body of [
      proposal(bytes, signingSeed(parties, 'employer')),
      { ...good, sheet_signature: toBase64url(new Uint8Array(64)) },
      { ...good, sheet_hash: toBase64url(sha256(encodeSheet(testSheet()))) },
      {
        ...good,
        sheet_signature: toBase64url(sign(guardianSeed, 'chorus manifest v1', sha256(bytes))),
      },
    ]) {
      expect(await refusedWith(post('/peer/rounds/51/keys', body))).toBe('400 invalidMessage');
    }
    expect(planning()).toEqual(before);
    expect(() => keyFile(parties, 'employer', 'round-51')).toThrow();
  });

  test('a signed sheet that this party did not submit: planMismatch, and no key is made', async () => {
    const before = planning();
    for (const bytes of [
      encodeSheet(testSheet({ title: 'Never seen' })),
      canonicalJson({ ...testSheet(), k: 7 }),
      canonicalJson({ ...testSheet(), more: 1 }),
      new Uint8Array(0),
    ]) {
      const reply = post('/peer/rounds/51/keys', proposal(bytes));
      expect(await refusedWith(reply)).toBe('409 planMismatch');
    }
    expect(planning()).toEqual(before);
    expect(() => keyFile(parties, 'employer', 'round-51')).toThrow();
  });

  test('a signed sheet whose approval had not arrived is approved with it', async () => {
    const bytes = await submitted(testSheet({ title: 'Approved by its round' }));
    await keysOf(52, proposal(bytes));
    const row = looking.prepare('SELECT state, guardian_signature AS s FROM sheets WHERE hash = ?');
    expect(row.get(sha256(bytes))).toEqual({
      state: 'approved',
      s: Buffer.from(fromBase64url(proposal(bytes).sheet_signature)),
    });
  });

  test('a company too small for one group: planMismatch in words, and no key is made', async () => {
    const before = planning();
    parties.employer.importRoster(testPeople([22]));
    const reply = await post('/peer/rounds/51/keys', proposal(encodeSheet(testSheet())));
    expect(reply.status).toBe(409);
    expect(await reply.json()).toMatchObject({
      type: 'urn:chorus:error:planMismatch',
      detail: expect.stringMatching(
        /^22 people are on the roster, and a group takes 23: .* 1 more/,
      ),
    });
    parties.employer.importRoster(testPeople([40, 40]));
    expect(planning()).toEqual(before);
    expect(() => keyFile(parties, 'employer', 'round-51')).toThrow();
  });

  test('a round that has a manifest: roundTaken', async () => {
    const reply = post('/peer/rounds/1/keys', proposal(encodeSheet(testSheet())));
    expect(await refusedWith(reply)).toBe('409 roundTaken');
  });

  test.each(['0', '-1', '01', '1.5', 'one', '9999999999', '%31%32x'])(
    'a number that is none: %s',
    async (number) => {
      const body = proposal(encodeSheet(testSheet()));
      expect(await refusedWith(post(`/peer/rounds/${number}/keys`, body))).toBe('404 notFound');
    },
  );
});

describe('manifest', () => {
  const NUMBER = 60;
  const sheet = testSheet();
  const verifyKeys = [systemRandomness(32), systemRandomness(32)];
  let keys: Keys;
  let tokenKeys: Uint8Array[];
  let head: ManifestHead;
  let entries: readonly Uint8Array[];

  const groups = (): PlannedGroup[] =>
    verifyKeys.map((key, i) => ({
      name: `Group ${i}`,
      department: `Group ${i}`,
      rosterSize: 40,
      verifyKeyHash: sha256(key),
      tokenKey: tokenKeys[i] as Uint8Array,
    }));

  testGate('/peer/rounds/60/manifest');

  beforeAll(async () => {
    keys = await keysOf(NUMBER, proposal(encodeSheet(sheet)));
    tokenKeys = await tokenKeysOf(NUMBER, 2);
    const planned = planManifest(
      {
        version: 1,
        sheet_hash: toBase64url(sha256(encodeSheet(sheet))),
        round: NUMBER,
        days: { start: 30_000, duration: 7 },
        time_zone: 'UTC',
        guardian: { ...round.head.guardian },
        employer: { ...round.head.employer, hpke: keys.hpke, collector: keys.collector },
        script_hash: round.head.script_hash,
      },
      sheet,
      groups(),
    );
    head = parseCanonicalJson(planned.head) as unknown as ManifestHead;
    entries = planned.entries;
  });

  interface Plan {
    readonly head?: object;
    readonly headBytes?: Uint8Array;
    readonly seed?: Secret<Uint8Array>;
    readonly signature?: Uint8Array;
    readonly entries?: readonly Uint8Array[];
    readonly verifyKeys?: readonly Uint8Array[];
  }

  /** The guardian’s request, freshly signed unless `signature` is given. */
  function planBody(plan: Plan = {}) {
    const bytes = plan.headBytes ?? canonicalJson((plan.head ?? head) as never);
    return {
      head: toBase64url(bytes),
      guardian_signature: toBase64url(
        plan.signature ?? signManifest(plan.seed ?? guardianSeed, bytes),
      ),
      entries: (plan.entries ?? entries).map(toBase64url),
      verify_keys: (plan.verifyKeys ?? verifyKeys).map(toBase64url),
    };
  }

  const propose = (plan: Plan = {}, number = NUMBER) =>
    post(`/peer/rounds/${number}/manifest`, planBody(plan));

  /** The head with one field replaced, at any depth. */
  function altered(path: string, value: unknown, of: object = head): object {
    const [key, ...rest] = path.split('.') as [string, ...string[]];
    const field = (of as Record<string, unknown>)[key];
    return {
      ...of,
      [key]: rest.length === 0 ? value : altered(rest.join('.'), value, field as object),
    };
  }

  const otherKey = toBase64url(new Uint8Array(32).fill(9));
  const otherHpke = toBase64url(new Uint8Array(1216).fill(9));

  test('any field altered under the guardian’s signature: 400', async () => {
    const before = planning();
    const signature = signManifest(guardianSeed, canonicalJson(head as never));
    const paths = (value: object, at = ''): string[] =>
      Object.entries(value).flatMap(([key, field]) =>
        typeof field === 'object' && field !== null
          ? paths(field, `${at}${key}.`)
          : [`${at}${key}`],
      );
    const all = paths(head);
    expect(all).toHaveLength(19);
    for (const path of all) {
      const value = path.split('.').reduce<unknown>((of, key) => (of as never)[key], head);
      const other =
        typeof value === 'number'
          ? value + 1
          : `${String(value).startsWith('A') ? 'B' : 'A'}${String(value).slice(1)}`;
      const reply = propose({ head: altered(path, other), signature });
      expect(await refusedWith(reply), path).toBe('400 invalidMessage');
    }
    expect(planning()).toEqual(before);
  });

  test('signed by anyone but the guardian, or for something else: 400', async () => {
    const before = planning();
    const bytes = canonicalJson(head as never);
    for (const plan of [
      { seed: signingSeed(parties, 'employer') },
      { signature: new Uint8Array(64) },
      { signature: sign(guardianSeed, 'chorus sheet v1', manifestHash(bytes)) },
    ]) {
      expect(await refusedWith(propose(plan))).toBe('400 invalidMessage');
    }
    expect(planning()).toEqual(before);
  });

  test.each<[string, unknown]>([
    ['round', NUMBER + 1],
    ['guardian.url', 'http://elsewhere.example/'],
    ['guardian.signing_key', otherKey],
    ['employer.url', 'http://elsewhere.example/'],
    ['employer.signing_key', otherKey],
    ['employer.hpke.config_id', NUMBER + 1],
    ['employer.hpke.public_key', otherHpke],
    ['employer.collector.config_id', NUMBER + 1],
    ['employer.collector.public_key', otherHpke],
    ['sheet_hash', otherKey],
    ['days.start', 39_995],
    ['days.start', 20_100],
    ['script_hash', otherKey],
    ['days.duration', 8],
    ['time_zone', 'Nowhere/At_All'],
  ])('the guardian signs another %s than was agreed: planMismatch', async (path, value) => {
    const before = planning();
    expect(await refusedWith(propose({ head: altered(path, value) }))).toBe('409 planMismatch');
    expect(planning()).toEqual(before);
  });

  test.each<[string, unknown]>([
    ['version', 2],
    ['days.start', 30_001],
    ['days.duration', 6],
    ['groups', 3],
    ['root', otherKey],
    ['guardian.hpke.config_id', -1],
    ['guardian.hpke.public_key', 'not base64url!'],
  ])('a head that contradicts its entries or itself in %s: 400', async (path, value) => {
    const before = planning();
    expect(await refusedWith(propose({ head: altered(path, value) }))).toBe('400 invalidMessage');
    expect(planning()).toEqual(before);
  });

  test('a head that is not canonical, or has a field more: 400', async () => {
    for (const headBytes of [
      canonicalJson({ ...head, more: 1 } as never),
      new TextEncoder().encode(JSON.stringify(head, null, 1)),
      new Uint8Array(0),
    ]) {
      expect(await refusedWith(propose({ headBytes }))).toBe('400 invalidMessage');
    }
  });

  /** A consistent head over entries of which one is altered. */
  function withEntry(change: (entry: ManifestEntry) => object): Plan {
    const first = parseCanonicalJson(entries[0] as Uint8Array) as unknown as ManifestEntry;
    const changed = [canonicalJson(change(first) as never), ...entries.slice(1)];
    return { head: altered('root', toBase64url(merkleRoot(changed))), entries: changed };
  }

  test.each<[string, (entry: ManifestEntry) => object]>([
    ['index', (entry) => ({ ...entry, index: 1 })],
    ['name', (entry) => ({ ...entry, name: 'Others' })],
    ['roster_size', (entry) => ({ ...entry, roster_size: 41 })],
    ['verify_key_hash', (entry) => ({ ...entry, verify_key_hash: otherKey })],
    ['token_key', (entry) => ({ ...entry, token_key: otherKey })],
    [
      'task_configuration',
      (entry) => ({ ...entry, task_configuration: `A${entry.task_configuration.slice(1)}` }),
    ],
    ['a field more', (entry) => ({ ...entry, more: 1 })],
    ['a field fewer', ({ department: _, ...entry }) => entry],
  ])('an entry altered in %s, with a root that fits: 400', async (_name, change) => {
    const before = planning();
    expect(await refusedWith(propose(withEntry(change)))).toBe('400 invalidMessage');
    expect(planning()).toEqual(before);
  });

  test('entries that are not those of the root: 400', async () => {
    const before = planning();
    for (const others of [entries.slice(1), [...entries].reverse(), [...entries, ...entries]]) {
      expect(await refusedWith(propose({ entries: others }))).toBe('400 invalidMessage');
    }
    expect(planning()).toEqual(before);
  });

  test('verify keys that are not those of the entries: planMismatch', async () => {
    const before = planning();
    const [first, second] = verifyKeys as [Uint8Array, Uint8Array];
    for (const others of [[first], [second, first], [first, second, second]]) {
      expect(await refusedWith(propose({ verifyKeys: others }))).toBe('409 planMismatch');
    }
    expect(planning()).toEqual(before);
  });

  test.each<[string, (groups: PlannedGroup[]) => PlannedGroup[]]>([
    [
      'each other’s',
      ([a, b]) =>
        [
          { ...a, tokenKey: b?.tokenKey },
          { ...b, tokenKey: a?.tokenKey },
        ] as never,
    ],
    ['one for both', ([a, b]) => [a, { ...b, tokenKey: a?.tokenKey }] as never],
    ['another round’s', ([a, b]) => [{ ...a, tokenKey: round.tasks[0]?.spki }, b] as never],
    ['bytes that are no key', ([a, b]) => [a, { ...b, tokenKey: new Uint8Array(342) }] as never],
    ['none', ([a, b]) => [a, { ...b, tokenKey: new Uint8Array(0) }] as never],
  ])('token keys that this party did not give, %s: planMismatch', async (_name, change) => {
    const before = planning();
    const { head: headBytes, entries } = planManifest(head, sheet, change(groups()));
    expect(await refusedWith(propose({ headBytes, entries }))).toBe('409 planMismatch');
    expect(planning()).toEqual(before);
  });

  test.each<[string, (groups: PlannedGroup[]) => PlannedGroup[]]>([
    [
      'one person more in a group',
      ([a, b]) => [{ ...a, rosterSize: 41 } as PlannedGroup, b as never],
    ],
    [
      'one person less in a group',
      ([a, b]) => [{ ...a, rosterSize: 39 } as PlannedGroup, b as never],
    ],
    [
      'people moved',
      ([a, b]) =>
        [
          { ...a, rosterSize: 57 },
          { ...b, rosterSize: 23 },
        ] as never,
    ],
    ['another name', ([a, b]) => [{ ...a, name: 'The loud ones' } as PlannedGroup, b as never]],
    ['another department', ([a, b]) => [{ ...a, department: 'All' } as PlannedGroup, b as never]],
    ['another order', ([a, b]) => [b, a] as never],
    ['a group fewer', ([a]) => [a as PlannedGroup]],
    ['a group more', ([a, b]) => [a, b, { ...a, name: 'Group 2' }] as never],
    ['everyone in one group', ([a]) => [{ ...a, name: 'All', rosterSize: 80 } as PlannedGroup]],
  ])('groups that the roster does not make, %s: planMismatch', async (_name, change) => {
    const before = planning();
    // Each with the token key of its place: what is wrong is the groups alone.
    const changed = change(groups()).map((group, i) => ({
      ...group,
      tokenKey: tokenKeys[i] ?? group.tokenKey,
    }));
    const { head: headBytes, entries } = planManifest(head, sheet, changed);
    const keysOfThem = changed.map(
      ({ name }) => verifyKeys[name === 'Group 1' ? 1 : 0] as Uint8Array,
    );
    const reply = propose({ headBytes, entries, verifyKeys: keysOfThem });
    expect(await refusedWith(reply)).toBe('409 planMismatch');
    expect(planning()).toEqual(before);
  });

  test('a round for which no keys were asked: planMismatch', async () => {
    const reply = propose({ head: altered('round', 61) }, 61);
    expect(await refusedWith(reply)).toBe('409 planMismatch');
  });

  test('what was agreed is signed, after all of them; again, with the same signature', async () => {
    const response = await propose();
    expect(response.status).toBe(200);
    const { signature } = (await response.json()) as { signature: string };
    const bytes = canonicalJson(head as never);
    openHead({
      hash: manifestHash(bytes),
      head: bytes,
      guardianSignature: signManifest(guardianSeed, bytes),
      employerSignature: fromBase64url(signature),
    });
    const before = planning();
    expect(await (await propose()).json()).toEqual({ signature });
    expect(planning()).toEqual(before);
  });

  test('a second manifest for the same round: planMismatch, and the first stays', async () => {
    const before = planning();
    const second = planManifest({ ...head, script_hash: otherKey }, sheet, groups());
    const reply = propose({ headBytes: second.head, entries: second.entries });
    expect(await refusedWith(reply)).toBe('409 planMismatch');
    const again = post(`/peer/rounds/${NUMBER}/keys`, proposal(encodeSheet(sheet)));
    expect(await refusedWith(again)).toBe('409 roundTaken');
    expect(planning()).toEqual(before);
  });
});

describe('close', () => {
  const close = (number: number | string, closes_ms: unknown, token?: string | null) =>
    post(`/peer/rounds/${number}/close`, { closes_ms }, token);
  const own = () => standing(parties, 1, 'employer')?.round;

  test('without a token, or with the employer’s own: 401', async () => {
    expect(await refusedWith(close(1, parties.clock.now(), null))).toBe('401 unauthorized');
    expect(await refusedWith(close(1, parties.clock.now(), parties.token('employer')))).toBe(
      '401 unauthorized',
    );
    expect(standing(parties, 1, 'employer')?.round.state).toBe('open');
  });

  test('a round that does not exist: 404', async () => {
    for (const number of [77, 'x', 0])
      expect(await refusedWith(close(number, parties.clock.now()))).toBe('404 notFound');
  });

  test('a moment at which the round is not open, or none: invalidMessage', async () => {
    const { opensMs, closesMs } = own() as { opensMs: number; closesMs: number };
    const none = [undefined, null, 'now', -1, 1.5, Number.MAX_SAFE_INTEGER + 1];
    for (const moment of [...none, 0, opensMs - 1, closesMs, closesMs + DAY_MS]) {
      expect(await refusedWith(close(1, moment)), String(moment)).toBe('400 invalidMessage');
    }
    expect(own()?.state).toBe('open');
  });

  test('a moment that is still to come by this clock: notYet', async () => {
    expect(await refusedWith(close(1, parties.clock.now() + 1))).toBe('409 notYet');
    expect(own()?.state).toBe('open');
  });

  test('closes at that moment, with the deadline that follows; again it changes nothing', async () => {
    const moment = parties.clock.now() + DAY_MS;
    parties.clock.advance(moment + 1000);
    expect((await close(1, moment)).status).toBe(204);
    const closed = own();
    const deadlineMs = moment + 7 * DAY_MS;
    expect(closed).toMatchObject({ state: 'closed', closesMs: moment, deadlineMs });
    const events = () => looking.prepare('SELECT COUNT(*) FROM events').pluck().get();
    const before = events();
    expect((await close(1, moment)).status).toBe(204);
    expect(own()).toEqual(closed);
    expect(events()).toBe(before);
  });

  test('where it is no evaluation, the guardian’s word closes a round too', async () => {
    const real = await startTwoParties({ evaluation: false });
    try {
      real.clock.advance(20_000 * DAY_MS);
      real.employer.importRoster(testPeople([40]));
      const schedule = { first_day: 20_000, round_days: 7 };
      const sheetHash = await approveTestSheet(real, testSheet({ schedule }));
      await real.guardian.plan({ number: 1, sheetHash, days: { start: 20_000, duration: 7 } });
      await until(() => standing(real, 1, 'employer')?.round.state === 'open');
      const reply = await callAs(real, 'guardian', '/peer/rounds/1/close', {
        body: { closes_ms: real.clock.now() },
      });
      expect(reply.status).toBe(204);
      expect(standing(real, 1, 'employer')?.round.state).toBe('closed');
      expect(standing(real, 1)?.round.state).toBe('open');
    } finally {
      await real.close();
    }
  });
});

describe('list', () => {
  const path = '/peer/rounds/1/list';
  testGate(path);

  function body(slices: readonly Uint8Array[], seed = guardianSeed, hash = round.hash) {
    return {
      slices: slices.map(toBase64url),
      signature: toBase64url(sign(seed, 'chorus list v1', hash, idListRoot(slices))),
    };
  }

  const send = (slices: readonly Uint8Array[]) => post(path, body(slices));
  const list = () => standing(parties, 1, 'employer')?.round.listRoot;
  let slices: Uint8Array[];
  let listed: ListedReport[];

  test('while a group is undecided here: notYet', async () => {
    expect(await refusedWith(send(encodeIdList([])))).toBe('409 notYet');
    expect(list()).toBe(null);
  });

  test('the guardian’s own list arrives when the round’s last group is done', async () => {
    parties.wires.guardian.before = (url, init) => {
      if (!url.endsWith('/list')) return;
      listBody = JSON.parse(new TextDecoder().decode(init?.body as Uint8Array));
      throw new Error('cut');
    };
    closeTestRound(parties, round);
    await until(() => listBody !== undefined);
    slices = listBody.slices.map(fromBase64url);
    listed = slices.flatMap(decodeIdSlice);
    expect(listed.map(({ outcome }) => outcome).sort()).toEqual([
      ...Array(9).fill('counted'),
      'refused',
    ]);
  });

  test('an id dropped, added, or told otherwise: listMismatch, and nothing is signed', async () => {
    const fresh: ListedReport = { reportId: systemRandomness(16), outcome: 'counted' };
    const [first, ...others] = listed.filter(({ outcome }) => outcome === 'counted') as [
      ListedReport,
      ...ListedReport[],
    ];
    const refused = listed.find(({ outcome }) => outcome === 'refused') as ListedReport;
    const all = [first, ...others, refused];
    const told: ListedReport[][] = [
      [],
      [...others, refused],
      [first, ...others],
      [...all, fresh],
      [...others, refused, fresh],
      [{ ...first, outcome: 'withdrawn' }, ...others, refused],
      [{ ...first, outcome: 'refused', error: 'vdaf_verify_error' }, ...others, refused],
      [first, ...others, { reportId: refused.reportId, outcome: 'counted' }],
    ];
    for (const reports of told) {
      expect(await refusedWith(send(encodeIdList(reports)))).toBe('409 listMismatch');
    }
    expect(list()).toBe(null);
  });

  test('slices that are no list: refused', async () => {
    expect(await refusedWith(send(slices.slice(1)))).toBe('409 listMismatch');
    expect(await refusedWith(send([...slices, new Uint8Array(0)]))).toBe('409 listMismatch');
    expect(await refusedWith(send([]))).toBe('409 listMismatch');
    // One that was counted: a refused one may have the error that is put in below.
    const [full] = slices.filter((slice) => slice[16] === 0) as [Uint8Array];
    const at = slices.indexOf(full);
    for (const bad of [
      replaced(slices, at, concat(full, Uint8Array.of(0))),
      replaced(slices, at, full.subarray(0, -1)),
      replaced(slices, at, concat(full, full)),
      replaced(slices, at, concat(full.subarray(0, 17), Uint8Array.of(1))),
      replaced(slices, (at + 1) % 256, full),
    ]) {
      expect(await refusedWith(send(bad))).toBe('400 invalidMessage');
    }
    expect(list()).toBe(null);
  });

  test('a list that the guardian did not sign, or signed for another round: 400', async () => {
    for (const bad of [
      { ...listBody, signature: toBase64url(new Uint8Array(64)) },
      body(slices, signingSeed(parties, 'employer')),
      body(slices, guardianSeed, new Uint8Array(32)),
    ]) {
      expect(await refusedWith(post(path, bad))).toBe('400 invalidMessage');
    }
    expect(list()).toBe(null);
  });

  test('a round that does not exist: 404', async () => {
    expect(await refusedWith(post('/peer/rounds/77/list', listBody))).toBe('404 notFound');
  });

  test('the true list is signed; again, with the same signature; another one never', async () => {
    const response = await post(path, listBody);
    expect(response.status).toBe(200);
    const { signature } = (await response.json()) as { signature: string };
    const key = signingPublicKey(signingSeed(parties, 'employer'));
    const root = idListRoot(slices);
    verifySignature(key, fromBase64url(signature), 'chorus list v1', round.hash, root);
    expect(await (await post(path, listBody)).json()).toEqual({ signature });
    expect(await refusedWith(send(encodeIdList([])))).toBe('409 listMismatch');
    expect(list()?.equals(root)).toBe(true);
    // The guardian’s own attempt gets the same answer once the wire holds.
    parties.wires.guardian.before = () => {};
    parties.guardian.nudge();
    await finished(parties);
    expect(toBase64url(standing(parties, 1)?.round.listEmployerSignature as Buffer)).toBe(
      signature,
    );
  });

  test('once it is counted, a round closes at no other moment; at its own it still does', async () => {
    const before = standing(parties, 1, 'employer')?.round;
    const { opensMs, closesMs } = before as { opensMs: number; closesMs: number };
    const events = () => looking.prepare('SELECT COUNT(*) FROM events').pluck().get();
    const said = events();
    for (const closes_ms of [opensMs, closesMs - 1]) {
      expect(await refusedWith(post('/peer/rounds/1/close', { closes_ms }))).toBe('409 tooLate');
    }
    expect((await post('/peer/rounds/1/close', { closes_ms: closesMs })).status).toBe(204);
    expect(standing(parties, 1, 'employer')?.round).toEqual(before);
    expect(events()).toBe(said);
  });

  test('after it, nothing says any more which group an id was in', () => {
    const count = (table: string) =>
      looking.prepare<[], number>(`SELECT COUNT(*) FROM ${table}`).pluck().get();
    expect([
      count('outcomes'),
      count('seals'),
      count('buckets'),
      count('aggregation_jobs'),
    ]).toEqual([0, 0, 0, 0]);
  });
});
