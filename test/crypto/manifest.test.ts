import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { toBase64url } from '../../crypto/bytes.ts';
import { canonicalJson, parseCanonicalJson } from '../../crypto/canonical.ts';
import { decodeTaskConfiguration, taskId } from '../../crypto/dap/task.ts';
import {
  checkHead,
  entryTokenKeyId,
  type ManifestEntry,
  type ManifestHead,
  manifestHash,
  openEntry,
  openManifest,
  requireEntries,
  signManifest,
} from '../../crypto/manifest.ts';
import { MerkleTree, merkleRoot } from '../../crypto/merkle.ts';
import { Secret } from '../../crypto/secret.ts';
import { sha256 } from '../../crypto/sha256.ts';
import type { Sheet } from '../../crypto/sheet.ts';
import { signingPublicKey } from '../../crypto/signing.ts';
import { sodiumReady } from '../../crypto/sodium.ts';
import { planManifest } from '../support/manifest.ts';
import { codeOf, random } from './support.ts';

const SHEET: Sheet = {
  version: 1,
  title: 'A test',
  purpose: 'To test.',
  notice: { employer: 'E', guardian: 'G', contact: 'C', points: ['One.'] },
  recipients: ['R'],
  k: 10,
  noise: {
    preset: 'light',
    part: { numerator: 0, denominator: 1 },
    variance: { numerator: 5, denominator: 1 },
    by: 'guardian',
  },
  cadence: 'quarterly',
  schedule: { first_day: 20_000, round_days: 14 },
  response_percent: 60,
  retention: { trends_days: 100 },
  deadline_days: 7,
  end_day: 30_000,
  questions: ['energy', 'stress'].map((id) => ({
    id,
    name: id,
    text: 'How?',
    why: 'So.',
    options: ['Low', 'High'],
    favourable: 'high',
    bands: [200, 235],
  })),
  derived: [],
};
const INDEX = 2;
const GROUPS = 5;

let seeds: { guardian: Secret<Uint8Array>; employer: Secret<Uint8Array> };
let served: Parameters<typeof openManifest>[0];
let entries: readonly Uint8Array[];

/** The parts of a manifest with this head, as an honest guardian serves them. */
function serve(head: Uint8Array, list: readonly Uint8Array[]): typeof served {
  return {
    hash: manifestHash(head),
    head,
    guardianSignature: signManifest(seeds.guardian, head),
    employerSignature: signManifest(seeds.employer, head),
    index: INDEX,
    entry: list[INDEX] as Uint8Array,
    path: new MerkleTree(list).inclusionPath(INDEX),
    sheet: canonicalJson(SHEET),
  };
}

beforeAll(sodiumReady);
beforeEach(() => {
  seeds = { guardian: new Secret(random(32)), employer: new Secret(random(32)) };
  const key = () => ({ config_id: 1, public_key: toBase64url(random(1216)) });
  const planned = planManifest(
    {
      version: 1,
      sheet_hash: toBase64url(sha256(canonicalJson(SHEET))),
      round: 3,
      days: { start: 20_000, duration: 14 },
      time_zone: 'Europe/Berlin',
      guardian: {
        url: 'https://guardian.example/',
        signing_key: toBase64url(signingPublicKey(seeds.guardian)),
        hpke: key(),
      },
      employer: {
        url: 'https://employer.example/',
        signing_key: toBase64url(signingPublicKey(seeds.employer)),
        hpke: key(),
        collector: key(),
      },
      script_hash: toBase64url(random(32)),
    },
    SHEET,
    Array.from({ length: GROUPS }, (_, i) => ({
      name: `Group ${i}`,
      department: 'All',
      rosterSize: 40 + i,
      verifyKeyHash: random(32),
      tokenKey: random(342),
    })),
  );
  entries = planned.entries;
  served = serve(planned.head, entries);
});

const headOf = () => parseCanonicalJson(served.head) as unknown as ManifestHead;
const entryOf = () => parseCanonicalJson(served.entry) as unknown as ManifestEntry;

/** Every field of a JSON object, as paths like `days.start`. */
function paths(value: object, at = ''): string[] {
  return Object.entries(value).flatMap(([key, field]) =>
    typeof field === 'object' ? paths(field as object, `${at}${key}.`) : [`${at}${key}`],
  );
}

/** A copy with one field changed, or (without a change) left out. */
function altered(value: object, path: string, change?: (field: unknown) => unknown): object {
  const [key, ...rest] = path.split('.') as [string, ...string[]];
  const { [key]: field, ...others } = value as Record<string, unknown>;
  if (rest.length > 0) {
    return { ...others, [key]: altered(field as object, rest.join('.'), change) };
  }
  return change === undefined ? others : { ...others, [key]: change(field) };
}

const other = (field: unknown) =>
  typeof field === 'number'
    ? field + 1
    : `${String(field).startsWith('A') ? 'B' : 'A'}${String(field).slice(1)}`;

const HEAD_PATHS = [
  'version',
  'sheet_hash',
  'round',
  'days.start',
  'days.duration',
  'time_zone',
  'guardian.url',
  'guardian.signing_key',
  'guardian.hpke.config_id',
  'guardian.hpke.public_key',
  'employer.url',
  'employer.signing_key',
  'employer.hpke.config_id',
  'employer.hpke.public_key',
  'employer.collector.config_id',
  'employer.collector.public_key',
  'script_hash',
  'groups',
  'root',
];

describe('openManifest', () => {
  it('leads from the hash in the link to the group’s task', () => {
    const { head, entry, sheet, task } = openManifest(served);
    expect(head).toEqual(headOf());
    expect(sheet).toEqual(SHEET);
    expect(entry).toMatchObject({ index: INDEX, name: 'Group 2', roster_size: 42 });
    expect(task.taskId).toEqual(taskId(task.configuration));
    expect(decodeTaskConfiguration(task.configuration)).toMatchObject({
      leaderAggregatorEndpoint: 'https://guardian.example/',
      helperAggregatorEndpoint: 'https://employer.example/',
      timePrecision: 86_400,
      minBatchSize: 10,
      taskInterval: { start: 20_000, duration: 14 },
      survey: { blockLengths: [3, 3] },
    });
    expect([...paths(head)].sort()).toEqual([...HEAD_PATHS].sort());
  });

  it.each(HEAD_PATHS)('refuses another %s in the head than the link names', (path) => {
    const head = canonicalJson(altered(headOf(), path, other));
    expect(codeOf(() => openManifest({ ...served, head }))).toBe('manifest');
  });

  it.each(HEAD_PATHS)('refuses another %s under the old signatures, with a link to it', (path) => {
    const head = canonicalJson(altered(headOf(), path, other));
    const hash = manifestHash(head);
    const code = codeOf(() => openManifest({ ...served, head, hash }));
    expect(['signature', 'manifest', 'decode']).toContain(code);
  });

  it.each(HEAD_PATHS)('refuses a head without %s, or with it of another type', (path) => {
    for (const change of [undefined, () => null, () => [], () => 1.5, () => -1, () => '=']) {
      const value = altered(headOf(), path, change);
      // A URL and a time zone are any text; everything else has a form of its own.
      if (/url$|time_zone/.test(path) && change?.() === '=') continue;
      expect(['manifest', 'decode']).toContain(codeOf(() => checkHead(value)));
    }
  });

  it('refuses a field more, anywhere', () => {
    for (const path of ['more', 'days.more', 'guardian.more', 'employer.collector.more']) {
      expect(codeOf(() => checkHead(altered(headOf(), path, () => 1)))).toBe('manifest');
    }
    for (const value of [null, 1, 'x', [], undefined]) {
      expect(codeOf(() => checkHead(value))).toBe('manifest');
    }
  });

  it('wants the signatures of both, each of its own key', () => {
    const { head, guardianSignature, employerSignature } = served;
    const stranger = signManifest(new Secret(random(32)), head);
    const none = new Uint8Array(0);
    for (const signatures of [
      { guardianSignature: none },
      { employerSignature: none },
      { guardianSignature: stranger },
      { employerSignature: stranger },
      { guardianSignature: employerSignature },
      { employerSignature: guardianSignature },
      { guardianSignature: employerSignature, employerSignature: guardianSignature },
    ]) {
      expect(codeOf(() => openManifest({ ...served, ...signatures }))).toBe('signature');
    }
  });

  it('refuses a head that is not canonical, under signatures of itself', () => {
    const head = new TextEncoder().encode(JSON.stringify(headOf(), null, 1));
    expect(codeOf(() => openManifest({ ...served, ...serve(head, entries) }))).toBe('decode');
  });

  it('refuses another sheet, or one byte more', () => {
    for (const sheet of [
      canonicalJson({ ...SHEET, k: 11 }),
      Uint8Array.of(...served.sheet, 32),
      new Uint8Array(0),
    ]) {
      expect(codeOf(() => openManifest({ ...served, sheet }))).toBe('manifest');
    }
  });

  it('refuses another group’s entry, path or index', () => {
    const tree = new MerkleTree(entries);
    for (const change of [
      { index: 1 },
      { index: -1 },
      { index: GROUPS },
      { index: 2.5 },
      { entry: entries[1] as Uint8Array },
      { path: tree.inclusionPath(1) },
      { path: served.path.slice(1) },
      { path: [...served.path, random(32)] },
      { path: [...served.path].reverse() },
      { path: [] },
      { path: [random(31), ...served.path.slice(1)] },
      { index: 1, entry: entries[1] as Uint8Array },
    ]) {
      expect(codeOf(() => openManifest({ ...served, ...change }))).toBe('manifest');
    }
    // Not refused for being another group: only for not fitting together.
    openManifest({
      ...served,
      index: 1,
      entry: entries[1] as Uint8Array,
      path: tree.inclusionPath(1),
    });
  });

  describe('an entry altered, under a root and signatures that fit', () => {
    /** What both parties would have to sign together: the browser still sees that it is wrong. */
    function withEntry(value: object): typeof served {
      const list = entries.map((entry, i) => (i === INDEX ? canonicalJson(value) : entry));
      const head = canonicalJson({ ...headOf(), root: toBase64url(merkleRoot(list)) });
      return serve(head, list);
    }

    it.each(['index', 'name', 'roster_size', 'verify_key_hash', 'token_key', 'task_configuration'])(
      'in %s is refused',
      (path) => {
        const change = path === 'token_key' ? () => toBase64url(random(32)) : other;
        const code = codeOf(() => openManifest(withEntry(altered(entryOf(), path, change))));
        expect(['manifest', 'decode']).toContain(code);
      },
    );

    it('with a field fewer or more is refused', () => {
      for (const path of Object.keys(entryOf())) {
        expect(codeOf(() => openManifest(withEntry(altered(entryOf(), path))))).toBe('manifest');
      }
      const more = altered(entryOf(), 'more', () => 1);
      expect(codeOf(() => openManifest(withEntry(more)))).toBe('manifest');
    });
  });

  it.each<[string, (value: ManifestHead) => object]>([
    ['round', (head) => ({ ...head, round: 4 })],
    ['first day', (head) => altered(head, 'days.start', other)],
    ['number of days', (head) => altered(head, 'days.duration', other)],
    ['guardian’s URL', (head) => altered(head, 'guardian.url', () => 'https://else.example/')],
    ['employer’s URL', (head) => altered(head, 'employer.url', () => 'https://else.example/')],
  ])('refuses entries planned for another %s, though both signed the head', (_name, change) => {
    const head = canonicalJson(change(headOf()));
    expect(codeOf(() => openManifest(serve(head, entries)))).toBe('manifest');
  });

  it('refuses entries planned for another sheet, though both signed the head', () => {
    for (const changed of [
      { ...SHEET, k: 9 },
      { ...SHEET, questions: [...SHEET.questions].slice(1) },
      { ...SHEET, title: 'Another' },
      { ...SHEET, noise: { ...SHEET.noise, variance: { numerator: 6, denominator: 1 } } },
    ]) {
      const sheet = canonicalJson(changed);
      const head = canonicalJson({ ...headOf(), sheet_hash: toBase64url(sha256(sheet)) });
      expect(codeOf(() => openManifest({ ...serve(head, entries), sheet }))).toBe('manifest');
    }
  });
});

describe('all entries', () => {
  it('are those of the head, and open one by one', () => {
    requireEntries(headOf(), entries);
    const opened = entries.map((bytes, i) => openEntry(headOf(), SHEET, i, bytes));
    expect(opened.map(({ entry }) => entry.index)).toEqual([0, 1, 2, 3, 4]);
    expect(new Set(opened.map(({ task }) => toBase64url(task.taskId))).size).toBe(GROUPS);
  });

  it('are refused if they are fewer, more, or others than the head has', () => {
    const [first, second, ...rest] = entries as [Uint8Array, Uint8Array, ...Uint8Array[]];
    for (const list of [
      [],
      entries.slice(1),
      [...entries, first],
      [second, first, ...rest],
      [first, first, ...rest],
    ]) {
      expect(codeOf(() => requireEntries(headOf(), list))).toBe('manifest');
    }
  });

  it('are refused for a number of groups that the root does not have', () => {
    const head = { ...headOf(), groups: GROUPS + 1 };
    expect(codeOf(() => requireEntries(head, entries))).toBe('manifest');
  });

  it('are refused in each other’s place', () => {
    expect(codeOf(() => openEntry(headOf(), SHEET, 0, entries[1] as Uint8Array))).toBe('manifest');
  });
});

describe('the id of an entry’s token key', () => {
  it('is the SHA-256 of the key as it is planned', () => {
    expect(entryTokenKeyId({ token_key: '' })).toEqual(sha256(new Uint8Array(0)));
    expect(entryTokenKeyId({ token_key: 'AAAA' })).toEqual(sha256(new Uint8Array(3)));
    const key = random(342);
    expect(entryTokenKeyId({ token_key: toBase64url(key) })).toEqual(sha256(key));
  });
});
