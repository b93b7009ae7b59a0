import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { toBase64url } from '../../crypto/bytes.ts';
import { canonicalJson, type JsonValue, parseCanonicalJson } from '../../crypto/canonical.ts';
import {
  checkHead,
  type ManifestHead,
  manifestHash,
  openEntry,
  openHead,
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
import { amid, bytes, codeOf, mutated } from './support.ts';

/**
 * A manifest from anyone at all, also from two parties who sign rubbish together: whatever it
 * holds, opening it ends in the group's task, or in one of the three codes that say why not.
 */
const CODES = ['manifest', 'signature', 'decode'];

const seed = new Secret(new Uint8Array(32).fill(7));
const SHEET: Sheet = {
  version: 1,
  title: 'A test',
  purpose: 'To test.',
  notice: { employer: 'E', guardian: 'G', contact: 'C', points: [] },
  recipients: [],
  k: 10,
  noise: {
    preset: 'strong',
    part: { numerator: 1, denominator: 1 },
    variance: { numerator: 12, denominator: 1 },
    by: 'both',
  },
  cadence: 'monthly',
  schedule: { first_day: 20_000, round_days: 14 },
  response_percent: 60,
  retention: { trends_days: 1 },
  deadline_days: 1,
  end_day: 1,
  questions: [
    {
      id: 'a',
      name: 'a',
      text: '?',
      why: '.',
      options: ['1', '2'],
      favourable: 'low',
      bands: [150, 168],
    },
  ],
  derived: [],
};

type Served = Parameters<typeof openManifest>[0];
let honest: Served;
let entries: readonly Uint8Array[];

beforeAll(async () => {
  await sodiumReady();
  const key = { config_id: 1, public_key: 'AAAA' };
  const signing_key = toBase64url(signingPublicKey(seed));
  const planned = planManifest(
    {
      version: 1,
      sheet_hash: toBase64url(sha256(canonicalJson(SHEET))),
      round: 3,
      days: { start: 20_000, duration: 14 },
      time_zone: 'UTC',
      guardian: { url: 'https://g/', signing_key, hpke: key },
      employer: { url: 'https://e/', signing_key, hpke: key, collector: key },
      script_hash: 'AAAA',
    },
    SHEET,
    ['One', 'Two', 'Three'].map((name) => ({
      name,
      department: 'All',
      rosterSize: 40,
      verifyKeyHash: new Uint8Array(32),
      tokenKey: new Uint8Array(342),
    })),
  );
  entries = planned.entries;
  honest = serve(planned.head, entries);
});

/** With signatures of both and every hash right: what only the content can be wrong in. */
function serve(head: Uint8Array, list: readonly Uint8Array[], sheet: unknown = SHEET): Served {
  return {
    hash: manifestHash(head),
    head,
    guardianSignature: signManifest(seed, head),
    employerSignature: signManifest(seed, head),
    index: 1,
    entry: list[1] as Uint8Array,
    path: new MerkleTree(list).inclusionPath(1),
    sheet: canonicalJson(sheet),
  };
}

const object = (encoded: Uint8Array) => parseCanonicalJson(encoded) as { [key: string]: JsonValue };

/** JSON that can be written canonically, with the values that matter here more often. */
const json = fc
  .oneof(
    fc.constantFrom<unknown>(0, -1, 1, 2 ** 53 - 1, '', 'AAAA', 'A', 'ü ', [], {}, null, true),
    fc.jsonValue(),
  )
  .filter((value) => codeOf(() => canonicalJson(value)) === undefined);

/** A copy in which one value, at any depth, is another. */
const withAnother = (value: JsonValue): fc.Arbitrary<unknown> =>
  typeof value !== 'object' || value === null || Object.keys(value).length === 0
    ? json
    : fc.oneof(
        { weight: 1, arbitrary: json },
        {
          weight: 9,
          arbitrary: fc
            .constantFrom(...Object.entries(value))
            .chain(([key, inner]) =>
              withAnother(inner).map((other) =>
                Array.isArray(value)
                  ? value.map((each, i) => (String(i) === key ? other : each))
                  : { ...value, [key]: other },
              ),
            ),
        },
      );

function expectOpenedOrRefused(served: Served): void {
  expect([undefined, ...CODES]).toContain(codeOf(() => openManifest(served)));
}

describe('openManifest', () => {
  it('opens what is honest', () => {
    expect(openManifest(honest).entry.name).toBe('Two');
    expect(openManifest({ ...honest, head: amid(honest.head) }).head.round).toBe(3);
  });

  it('refuses other bytes in any part of it', () => {
    const parts = ['hash', 'head', 'guardianSignature', 'employerSignature', 'entry', 'sheet'];
    fc.assert(
      fc.property(fc.constantFrom(...parts), fc.infiniteStream(bytes()), (part, stream) => {
        const other = stream.next().value as Uint8Array;
        const code = codeOf(() => openManifest({ ...honest, [part]: other }));
        expect(CODES).toContain(code);
      }),
    );
    const near = fc
      .constantFrom<keyof Served>('hash', 'head', 'guardianSignature', 'entry', 'sheet')
      .chain((part) => mutated(honest[part] as Uint8Array).map((other) => [part, other] as const));
    fc.assert(
      fc.property(near, ([part, other]) => {
        const code = codeOf(() => openManifest({ ...honest, [part]: other }));
        const isSame = toBase64url(other) === toBase64url(honest[part] as Uint8Array);
        if (isSame) expect(code).toBeUndefined();
        else expect(CODES).toContain(code);
      }),
    );
  });

  it('refuses any other path and index', () => {
    const other = fc.record({
      index: fc.oneof(fc.integer(), fc.double(), fc.maxSafeInteger()),
      path: fc.array(fc.oneof(bytes(), fc.constantFrom(...honest.path)), { maxLength: 4 }),
    });
    fc.assert(
      fc.property(other, ({ index, path }) => {
        const isSame =
          index === 1 && path.length === 2 && path.every((p, i) => p === honest.path[i]);
        const code = codeOf(() => openManifest({ ...honest, index, path }));
        expect(code).toBe(isSame ? undefined : 'manifest');
      }),
    );
  });
});

describe('what both parties signed', () => {
  it('in the head', () => {
    fc.assert(
      fc.property(withAnother(object(honest.head)), (head) => {
        expectOpenedOrRefused(serve(canonicalJson(head), entries));
        const code = codeOf(() => checkHead(head));
        expect([undefined, 'manifest', 'decode']).toContain(code);
      }),
      { numRuns: 150 },
    );
  });

  it('in an entry', () => {
    fc.assert(
      fc.property(withAnother(object(honest.entry)), (entry) => {
        const list = [entries[0] as Uint8Array, canonicalJson(entry), entries[2] as Uint8Array];
        const head = { ...object(honest.head), root: toBase64url(merkleRoot(list)) };
        const served = serve(canonicalJson(head), list);
        expectOpenedOrRefused(served);
        const all = codeOf(() => {
          const head = openHead(served);
          requireEntries(head, list);
          list.forEach((bytes, index) => {
            openEntry(head, SHEET, index, bytes);
          });
        });
        expect([undefined, ...CODES]).toContain(all);
      }),
      { numRuns: 100 },
    );
  });

  it('in the sheet', () => {
    fc.assert(
      fc.property(withAnother(SHEET as unknown as JsonValue), (sheet) => {
        const sheet_hash = toBase64url(sha256(canonicalJson(sheet)));
        const head = canonicalJson({ ...object(honest.head), sheet_hash });
        expectOpenedOrRefused(serve(head, entries, sheet));
      }),
      { numRuns: 100 },
    );
  });

  it.each<[string, Partial<ManifestHead>]>([
    [
      'a URL outside of ASCII',
      { guardian: { url: 'ü', signing_key: '', hpke: { config_id: 1, public_key: '' } } },
    ],
    ['a first day that no field holds', { days: { start: 2 ** 53 - 1, duration: 14 } }],
  ])('%s is refused as `manifest`', (_name, change) => {
    const head = { ...(object(honest.head) as object), ...change } as ManifestHead;
    const signing_key = toBase64url(signingPublicKey(seed));
    const signed = canonicalJson({ ...head, guardian: { ...head.guardian, signing_key } });
    expect(codeOf(() => openManifest(serve(signed, entries)))).toBe('manifest');
  });
});
