import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { equalBytes, toBase64url } from '../../../crypto/bytes.ts';
import { sha256 } from '../../../crypto/sha256.ts';
import { sign } from '../../../crypto/signing.ts';
import { DAY_MS } from '../../../server/domain/days.ts';
import { encodeSheet } from '../../../server/domain/sheets.ts';
import { openGuardian } from '../../../server/guardian/guardian.ts';
import { planRound, type RoundPlan } from '../../../server/guardian/plan.ts';
import { Refusal } from '../../../server/http/refusal.ts';
import { PeerRefusal } from '../../../server/peer/client.ts';
import type { Database } from '../../../server/storage/database.ts';
import { SheetStore } from '../../../server/storage/sheets.ts';
import { restartEmployer } from '../../support/invitations.ts';
import {
  approveTestSheet,
  readTestRound,
  standing,
  startTwoParties,
  type TwoParties,
  testPeople,
  testSheet,
} from '../../support/parties.ts';
import { signingSeed } from '../../support/played-party.ts';
import { roundKeysIn } from '../../support/rounds.ts';

let parties: TwoParties;
let sheetHash: Uint8Array;
let number = 0;
/** Second connections, to look. */
let look: Record<'guardian' | 'employer', Database>;

beforeAll(async () => {
  parties = await startTwoParties();
  look = { guardian: parties.database('guardian'), employer: parties.database('employer') };
  parties.clock.advance(19_999 * DAY_MS);
  parties.employer.importRoster(testPeople([40]));
  sheetHash = await approveTestSheet(parties, testSheet());
});

afterAll(async () => {
  look.guardian.close();
  look.employer.close();
  await parties.close();
});

/** A round of its own for each test. */
beforeEach(() => {
  number++;
  parties.employer.importRoster(testPeople([40]));
});

afterEach(mend);

/** From now on the reply to this call is lost, also to the guardian's own schedule. */
function cutAfter(call: string): void {
  parties.wires.guardian.after = (url, response) => {
    if (url.endsWith(call)) throw new Error('cut');
    return response;
  };
}

function mend(): void {
  parties.wires.guardian.before = () => {};
  parties.wires.guardian.after = (_url, response) => response;
}

const plan = (changes: Partial<RoundPlan> = {}): RoundPlan => ({
  number,
  days: { start: 20_000 + 7 * number, duration: 7 },
  sheetHash,
  ...changes,
});

/** The sizes of a round’s groups, as a party has them. */
const sizesOf = (party: 'guardian' | 'employer') =>
  look[party]
    .prepare<[number], number>(
      `SELECT roster_size FROM tasks JOIN rounds USING (manifest_hash)
       WHERE number = ? ORDER BY group_index`,
    )
    .pluck()
    .all(number);

const signedAt = (party: 'guardian' | 'employer', hash: Uint8Array) => {
  const round = standing(parties, number, party)?.round;
  return (
    round !== undefined && equalBytes(round.manifestHash, hash) && round.employerSignature !== null
  );
};

/** Neither party knows of this round, and neither has its keys. */
function expectNothing(): void {
  for (const party of ['guardian', 'employer'] as const) {
    expect(standing(parties, number, party)).toBe(undefined);
    const keys = roundKeysIn(parties.folder, party);
    expect(keys.filter((name) => name.includes(`-${number}.`))).toEqual([]);
  }
}

/** Counts this party’s calls by the last word of their path. */
function countCalls(): string[] {
  const calls: string[] = [];
  parties.wires.guardian.before = (url) => {
    const { pathname } = new URL(url);
    if (pathname.startsWith(`/peer/rounds/${number}/`)) {
      calls.push(pathname.split('/').at(-1) as string);
    }
  };
  return calls;
}

describe('what is not approved', () => {
  test('a sheet that nobody submitted is sent nowhere', async () => {
    const calls = countCalls();
    const unknown = sha256(encodeSheet(testSheet({ title: 'Unknown' })));
    await expect(parties.guardian.plan(plan({ sheetHash: unknown }))).rejects.toMatchObject({
      code: 'planMismatch',
      message: 'there is no such sheet',
    });
    expect(calls).toEqual([]);
    expectNothing();
  });

  test('nor is one that waits for its approval', async () => {
    const calls = countCalls();
    const waiting = parties.employer.submit(testSheet({ title: 'Waiting' }));
    const state = look.guardian.prepare('SELECT state FROM sheets WHERE hash = ?').pluck();
    while (state.get(waiting) === undefined) await new Promise((done) => setTimeout(done, 5));
    await expect(parties.guardian.plan(plan({ sheetHash: waiting }))).rejects.toMatchObject({
      code: 'planMismatch',
      message: 'the sheet is submitted, not approved',
    });
    expect(calls).toEqual([]);
    expectNothing();
  });

  test.each<[string, RoundPlan['days']]>([
    ['longer than the sheet’s rounds', { start: 20_000, duration: 8 }],
    ['of no day', { start: 20_000, duration: 0 }],
    ['that end after the sheet', { start: 39_995, duration: 7 }],
  ])('days %s', async (_name, days) => {
    const calls = countCalls();
    const refused = parties.guardian.plan(plan({ days }));
    await expect(refused).rejects.toBeInstanceOf(Refusal);
    await expect(refused).rejects.toMatchObject({ code: 'planMismatch' });
    expect(calls).toEqual([]);
    expectNothing();
  });
});

describe('where a reply is lost', () => {
  test.each(['/keys', '/manifest'])('to %s, planning again goes on', async (call) => {
    cutAfter(call);
    await expect(parties.guardian.plan(plan())).rejects.toThrow('does not answer');
    mend();
    const hash = await parties.guardian.plan(plan());
    expect(equalBytes(await parties.guardian.plan(plan()), hash)).toBe(true);
    for (const party of ['guardian', 'employer'] as const) expect(signedAt(party, hash)).toBe(true);
  });

  test.each(['/keys', '/manifest'])(
    'to %s, and the guardian restarts, its schedule goes on with what it had begun',
    async (call) => {
      cutAfter(call);
      await expect(parties.guardian.plan(plan())).rejects.toThrow('does not answer');
      const drafted = standing(parties, number)?.round.manifestHash;
      await parties.restart('guardian');
      mend();
      const hash = await parties.guardian.plan(plan());
      if (drafted !== undefined) expect(equalBytes(drafted, hash)).toBe(true);
      expect(drafted === undefined).toBe(call === '/keys');
      for (const party of ['guardian', 'employer'] as const) {
        expect(signedAt(party, hash)).toBe(true);
      }
    },
  );

  test.each(['/keys', '/manifest'])('to %s, and the employer restarts: as well', async (call) => {
    cutAfter(call);
    await expect(parties.guardian.plan(plan())).rejects.toThrow('does not answer');
    await restartEmployer(parties);
    mend();
    // A connection kept from before the restart may break first: then it is asked again.
    const hash = await parties.guardian.plan(plan()).catch(() => parties.guardian.plan(plan()));
    for (const party of ['guardian', 'employer'] as const) expect(signedAt(party, hash)).toBe(true);
  });
});

describe('two plans at once', () => {
  test('in one process are one: the employer is asked once', async () => {
    const calls = countCalls();
    const hashes = await Promise.all(
      Array.from({ length: 4 }, () => parties.guardian.plan(plan())),
    );
    expect(new Set(hashes.map((hash) => toBase64url(hash))).size).toBe(1);
    expect(calls).toEqual(['keys', 'token-keys', 'manifest']);
  });

  test('from several connections, as the service and commands have them, are one manifest', async () => {
    const others = await Promise.all([0, 1, 2].map(() => openGuardian(parties.config('guardian'))));
    const hashes = await Promise.all([
      parties.guardian.plan(plan()),
      ...others.map((parts) => planRound(parts, plan())),
    ]);
    for (const { db } of others) db.close();
    for (const hash of hashes) {
      expect(toBase64url(hash)).toBe(toBase64url(hashes[0] as Uint8Array));
      expect(signedAt('employer', hash)).toBe(true);
    }
    const { head } = await readTestRound(parties, hashes[0] as Uint8Array, testSheet());
    expect(head.groups).toBe(1);
  });
});

test('a sheet that was approved before its notice had to say the chance is planned on', async () => {
  const sheet = testSheet({ title: 'Approved long ago' });
  const silent = { ...sheet, notice: { ...sheet.notice, points: ['It is a test.'] } };
  const bytes = encodeSheet(silent);
  const old = sha256(bytes);
  const signature = sign(signingSeed(parties, 'guardian'), 'chorus sheet v1', old);
  for (const party of ['guardian', 'employer'] as const) {
    const sheets = new SheetStore(look[party]);
    sheets.insert(old, bytes, 'submitted', 0);
    expect(sheets.approve(old, signature, 0)).toBe(true);
  }
  const hash = await parties.guardian.plan(plan({ sheetHash: old }));
  expect(signedAt('employer', hash)).toBe(true);
});

describe('the roster', () => {
  test('changed after the keys: nobody would be invited by it, so the round is drawn anew', async () => {
    let changes = 0;
    parties.wires.guardian.before = (url) => {
      if (!url.endsWith('/manifest') || changes++ > 0) return;
      parties.employer.importRoster(testPeople([50, 60]));
    };
    const refused = parties.guardian.plan(plan());
    await expect(refused).rejects.toBeInstanceOf(PeerRefusal);
    await expect(refused).rejects.toMatchObject({ code: 'planMismatch' });
    for (const party of ['guardian', 'employer'] as const) {
      expect(standing(parties, number, party)).toBe(undefined);
    }
    expect(roundKeysIn(parties.folder, 'guardian')).not.toContain(`round-${number}.json`);
    const hash = await parties.guardian.plan(plan());
    expect([sizesOf('guardian'), sizesOf('employer')]).toEqual([
      [50, 60],
      [50, 60],
    ]);
    expect(signedAt('employer', hash)).toBe(true);
  });

  test('replaced after the keys by one of the same sizes: the round stays, its people are the new', async () => {
    parties.wires.guardian.before = (url) => {
      if (!url.endsWith('/manifest')) return;
      const people = testPeople([40]).map((person) => ({
        ...person,
        email: `new-${person.email}`,
      }));
      parties.employer.importRoster(people);
    };
    const hash = await parties.guardian.plan(plan());
    expect([sizesOf('guardian'), sizesOf('employer')]).toEqual([[40], [40]]);
    expect(signedAt('employer', hash)).toBe(true);
    const invited = parties.employer.codes(number).map(({ email }) => email);
    expect(invited).toHaveLength(40);
    expect(invited.every((email) => email.startsWith('new-'))).toBe(true);
  });

  test('changed and asked for again before the manifest: the draft is discarded and drawn anew', async () => {
    let again = 0;
    parties.wires.guardian.before = async (url, init) => {
      if (!url.endsWith('/manifest') || again++ > 0) return;
      parties.employer.importRoster(testPeople([50, 60]));
      // What a second connection of the guardian would do: ask for the keys once more.
      const keys = await fetch(url.replace('/manifest', '/keys'), {
        ...init,
        body: JSON.stringify({
          sheet_hash: toBase64url(sheetHash),
          sheet_signature: toBase64url(
            look.guardian
              .prepare<[Uint8Array], Buffer>('SELECT guardian_signature FROM sheets WHERE hash = ?')
              .pluck()
              .get(sheetHash) as Buffer,
          ),
        }),
      });
      expect(keys.status).toBe(200);
    };
    const refused = parties.guardian.plan(plan());
    await expect(refused).rejects.toBeInstanceOf(PeerRefusal);
    await expect(refused).rejects.toMatchObject({ code: 'planMismatch' });
    expect(standing(parties, number)).toBe(undefined);
    expect(roundKeysIn(parties.folder, 'guardian')).not.toContain(`round-${number}.json`);
    const hash = await parties.guardian.plan(plan());
    expect([sizesOf('guardian'), sizesOf('employer')]).toEqual([
      [50, 60],
      [50, 60],
    ]);
    expect(signedAt('employer', hash)).toBe(true);
  });

  test('changed once the manifest is signed: the round stays as it is, the next one is new', async () => {
    const hash = await parties.guardian.plan(plan());
    parties.employer.importRoster(testPeople([70]));
    expect(equalBytes(await parties.guardian.plan(plan()), hash)).toBe(true);
    expect([sizesOf('guardian'), sizesOf('employer')]).toEqual([[40], [40]]);
    number++;
    await parties.guardian.plan(plan());
    expect(sizesOf('employer')).toEqual([70]);
  });

  test('of a company too small: refused in words, and neither party keeps anything', async () => {
    parties.employer.importRoster(testPeople([22]));
    const refused = parties.guardian.plan(plan());
    await expect(refused).rejects.toMatchObject({ code: 'planMismatch' });
    await expect(refused).rejects.toThrow(/^22 people are on the roster, and a group takes 23/);
    expectNothing();
  });
});

describe('an employer that', () => {
  const answer = (call: string, reply: () => Response) => {
    parties.wires.guardian.after = (url, response) => (url.endsWith(call) ? reply() : response);
  };

  test('signs with something else is not taken', async () => {
    answer('/manifest', () => Response.json({ signature: toBase64url(new Uint8Array(64)) }));
    await expect(parties.guardian.plan(plan())).rejects.toThrow();
    expect(standing(parties, number)?.round.employerSignature).toBe(null);
    parties.wires.guardian.after = (_url, response) => response;
    await parties.guardian.plan(plan());
  });

  test.each<[string, object]>([
    ['no units', {}],
    ['a person for a unit', { units: [{ path: 'C', people: 40, email: 'a@example.com' }] }],
    ['half a person', { units: [{ path: 'C', people: 40.5 }] }],
    ['fewer than nobody', { units: [{ path: 'C', people: -1 }] }],
  ])('says %s is taken to be away', async (_name, units) => {
    const key = { config_id: 1, public_key: toBase64url(new Uint8Array(1216)) };
    answer('/keys', () => Response.json({ hpke: key, collector: key, ...units }));
    await expect(parties.guardian.plan(plan())).rejects.toMatchObject({ name: 'PeerAway' });
    expect(standing(parties, number)).toBe(undefined);
  });

  test('invents too few people for a group is refused by the guardian’s own planner', async () => {
    const key = { config_id: 1, public_key: toBase64url(new Uint8Array(1216)) };
    const units = [{ path: 'C', people: 22 }];
    answer('/keys', () => Response.json({ hpke: key, collector: key, units }));
    await expect(parties.guardian.plan(plan())).rejects.toMatchObject({ code: 'too-small' });
    expect(standing(parties, number)).toBe(undefined);
  });

  test('refuses is refused', async () => {
    answer(
      '/keys',
      () =>
        new Response(JSON.stringify({ type: 'urn:chorus:error:planMismatch', detail: 'No.' }), {
          status: 409,
        }),
    );
    const refused = parties.guardian.plan(plan());
    await expect(refused).rejects.toBeInstanceOf(PeerRefusal);
    await expect(refused).rejects.toMatchObject({ code: 'planMismatch', message: 'No.' });
    expect(standing(parties, number)).toBe(undefined);
  });
});
