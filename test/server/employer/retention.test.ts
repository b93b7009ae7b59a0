import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { toBase64url } from '../../../crypto/bytes.ts';
import {
  daysWords,
  encodeChange,
  hashOfChange,
  RETENTIONS,
  type RetentionKind,
  RetentionRefused,
} from '../../../server/domain/retention.ts';
import { openEmployer } from '../../../server/employer/employer.ts';
import type { EmployerParts } from '../../../server/employer/parts.ts';
import { cancelRetention, changeRetention } from '../../../server/employer/retention.ts';
import { openGuardian } from '../../../server/guardian/guardian.ts';
import type { GuardianParts } from '../../../server/guardian/parts.ts';
import { approveChange, receiveChange, refuseChange } from '../../../server/guardian/retention.ts';
import { Refusal } from '../../../server/http/refusal.ts';
import {
  approveTestSheet,
  startTwoParties,
  type TwoParties,
  testSheet,
  until,
} from '../../support/parties.ts';

let parties: TwoParties;
let employer: EmployerParts;
let guardian: GuardianParts;
let sheet: Uint8Array;

beforeAll(async () => {
  parties = await startTwoParties();
  employer = await openEmployer(parties.config('employer'));
  guardian = await openGuardian(parties.config('guardian'));
  sheet = await approveTestSheet(parties, testSheet({ retention: { trends_days: 200 } }));
  await until(() => employer.sheets.withHash(sheet)?.state === 'approved');
});

afterAll(async () => {
  employer.db.close();
  guardian.db.close();
  await parties.close();
});

afterEach(() => {
  parties.wires.employer.before = () => {};
  parties.wires.employer.after = (_url, response) => response;
});

const scope = (kind: RetentionKind, of: Uint8Array | null = null) => ({ kind, sheet: of });
const both = (kind: RetentionKind) => [
  employer.retention.days(scope(kind)),
  guardian.retention.days(scope(kind)),
];
const change = (kind: RetentionKind, days: number, of: Uint8Array | null = null) => {
  const changed = changeRetention(employer, scope(kind, of), days);
  parties.employer.nudge();
  return changed;
};
const refused = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof RetentionRefused || error instanceof Refusal) return error.message;
    throw error;
  }
  throw new Error('it was not refused');
};

describe('a shorter retention', () => {
  test('counts at the employer at once, and at the guardian when that hears of it', async () => {
    parties.wires.employer.before = () => {
      throw new Error('cut');
    };
    expect(change('lists', 300).state).toBe('applied');
    expect(both('lists')).toEqual([300, 365]);
    parties.wires.employer.before = () => {};
    parties.employer.nudge();
    await until(() => both('lists')[1] === 300);
    await until(() => employer.retention.untold().length === 0);
    expect(guardian.retention.waiting()).toEqual([]);
  });

  test('is followed once, though the reply was lost', async () => {
    let lost = 0;
    parties.wires.employer.after = (url, response) => {
      if (url.endsWith('/peer/retention') && lost++ === 0) throw new Error('cut');
      return response;
    };
    change('lists', 200);
    await until(() => employer.retention.untold().length === 0);
    expect(lost).toBe(2);
    expect(both('lists')).toEqual([200, 200]);
  });

  test('of a survey bounds that survey alone', async () => {
    change('trends', 100, sheet);
    await until(() => guardian.retention.days(scope('trends', sheet), 200) === 100);
    expect(both('trends')).toEqual([3650, 3650]);
  });
});

describe('a longer retention', () => {
  test('waits until the guardian has signed it', async () => {
    const { hash, state } = change('counts', 100);
    expect(state).toBe('waiting');
    await until(() => guardian.retention.waiting().length === 1);
    expect(both('counts')).toEqual([90, 90]);
    approveChange(guardian, hash);
    expect(both('counts')).toEqual([90, 100]);
    parties.employer.nudge();
    await until(() => both('counts')[0] === 100);
    expect(employer.retention.withHash(hash)?.guardianSignature).toHaveLength(64);
    expect(refused(() => approveChange(guardian, hash))).toContain('applied already');
    expect(refused(() => refuseChange(guardian, hash, 'No.'))).toContain('applied already');
  });

  test('is refused with a reason that the employer gets', async () => {
    const { hash } = change('counts', 200);
    await until(() => guardian.retention.waiting().length === 1);
    refuseChange(guardian, hash, 'Too long.');
    parties.employer.nudge();
    await until(() => employer.retention.withHash(hash)?.state === 'refused');
    expect(employer.retention.withHash(hash)?.reason).toBe('Too long.');
    expect(both('counts')).toEqual([100, 100]);
    expect(employer.events.recent(1)[0]?.sentence).toContain('Too long.');
  });

  test('can be taken back, also where the guardian has consented meanwhile', async () => {
    const { hash } = change('mail', 20);
    await until(() => guardian.retention.waiting().length === 1);
    approveChange(guardian, hash);
    cancelRetention(employer, hash);
    parties.employer.nudge();
    await until(() => both('mail')[1] === 14);
    expect(employer.retention.days(scope('mail'))).toBe(14);
    expect(refused(() => cancelRetention(employer, hash))).toContain('does not wait');
  });

  test('is replaced by another change of the same setting', async () => {
    const first = change('mail', 30);
    const second = change('mail', 13);
    expect(employer.retention.withHash(first.hash)?.state).toBe('cancelled');
    await until(() => guardian.retention.withHash(second.hash)?.state === 'applied');
    expect(both('mail')).toEqual([13, 13]);
    expect(guardian.retention.waiting()).toEqual([]);
  });

  test('is told again to a guardian that has lost it', async () => {
    const { hash } = change('mail', 15);
    await until(() => guardian.retention.waiting().length === 1);
    guardian.db.prepare('DELETE FROM retention_changes WHERE hash = ?').run(hash);
    parties.employer.nudge();
    await until(() => guardian.retention.waiting().length === 1);
    cancelRetention(employer, hash);
    parties.employer.nudge();
    await until(() => guardian.retention.waiting().length === 0);
  });

  test.each([
    ['is not signed', { state: 'applied', signature: null, reason: null }],
    [
      'is signed by nobody',
      { state: 'applied', signature: toBase64url(new Uint8Array(64)), reason: null },
    ],
    ['is something else', { state: 'applied' }],
  ])('does not count where the consent %s', async (_name, answer) => {
    const { hash } = change('mail', 50);
    let asked = 0;
    parties.wires.employer.after = (url, response) => {
      if (!url.endsWith(toBase64url(hash))) return response;
      asked++;
      return Response.json(answer);
    };
    parties.employer.nudge();
    await until(() => asked > 1);
    expect(employer.retention.withHash(hash)?.state).toBe('waiting');
    cancelRetention(employer, hash);
  });
});

describe('is refused in words', () => {
  test.each(RETENTIONS)(
    '$kind of 0, of 10,000, of half a day, of no number',
    ({ kind, least, most }) => {
      for (const days of [0, -1, 10_000, least - 1, most + 1, 30.5, Number.NaN]) {
        expect(refused(() => changeRetention(employer, scope(kind), days))).toContain(
          `from ${least} to ${most}`,
        );
      }
    },
  );

  test('what changes nothing, what is stale, and what nobody can set', () => {
    const days = employer.retention.days(scope('logs'));
    expect(refused(() => changeRetention(employer, scope('logs'), days))).toContain('already');
    expect(refused(() => changeRetention(employer, scope('logs'), 100, days - 1))).toContain(
      `is ${daysWords(days)} now`,
    );
    const nobody = new Uint8Array(32);
    expect(refused(() => changeRetention(employer, scope('trends', nobody), 50))).toContain(
      'no such',
    );
    expect(refused(() => changeRetention(employer, scope('logs', sheet), 50))).toContain('no such');
    expect(employer.retention.days(scope('logs'))).toBe(days);
  });

  test('a survey beyond its sheet, or beyond the installation', () => {
    expect(refused(() => changeRetention(employer, scope('trends', sheet), 201))).toContain(
      'at most 200 days',
    );
    expect(refused(() => changeRetention(employer, scope('lists', sheet), 201))).toContain(
      'the installation keeps 200 days',
    );
  });
});

describe('the guardian takes nothing from the employer that', () => {
  const next = () => guardian.retention.lastNumber() + 100;

  test.each([0, 10_000, 29])('is out of bounds: %i days', (days) => {
    const bytes = encodeChange({ ...scope('lists'), number: next(), days });
    expect(refused(() => receiveChange(guardian, bytes, false))).not.toBe('');
    expect(guardian.retention.withHash(bytes)).toBeUndefined();
  });

  test('is for a survey that it never approved, or beyond that survey’s sheet', () => {
    for (const of of [new Uint8Array(32), sheet]) {
      const bytes = encodeChange({ ...scope('trends', of), number: next(), days: 201 });
      refused(() => receiveChange(guardian, bytes, false));
    }
  });

  test.each([
    'x',
    '{}',
    '{"days":50,"kind":"all","number":9,"sheet":null,"version":1}',
    '{"days":50,"kind":"lists","number":9,"sheet":null,"version":2}',
    '{"days":50,"kind":"lists","number":9,"sheet":"AA","version":1}',
    '{"days":50,"kind":"lists","number":9,"sheet":7,"version":1}',
    '{"days":50,"kind":"lists","number":0,"sheet":null,"version":1}',
    '{ "days":50,"kind":"lists","number":9,"sheet":null,"version":1}',
  ])('is no change: %s', (text) => {
    expect(refused(() => receiveChange(guardian, Buffer.from(text), false))).toContain(
      'not a change',
    );
  });

  test('lengthens by taking back what was followed', () => {
    const shorter = { ...scope('invitations'), number: next(), days: 100 };
    expect(receiveChange(guardian, encodeChange(shorter), false).state).toBe('applied');
    refused(() => receiveChange(guardian, encodeChange(shorter), true));
    expect(guardian.retention.days(scope('invitations'))).toBe(100);
    expect(guardian.retention.withHash(hashOfChange(shorter))?.state).toBe('applied');
  });

  test('has the number of another change, which somebody may be about to agree to', () => {
    const read = { ...scope('logs'), number: next(), days: 400 };
    receiveChange(guardian, encodeChange(read), false);
    const other = encodeChange({ ...read, days: 1000 });
    expect(refused(() => receiveChange(guardian, other, false))).toContain('another change');
    expect(guardian.retention.withNumber(read.number)?.days).toBe(400);
    receiveChange(guardian, encodeChange(read), true);
  });

  test('or what was followed for a survey, while the installation keeps as little', () => {
    const own = { ...scope('invitations', sheet), number: next(), days: 50 };
    receiveChange(guardian, encodeChange(own), false);
    const all = { ...scope('invitations'), number: next(), days: 50 };
    receiveChange(guardian, encodeChange(all), false);
    expect(refused(() => receiveChange(guardian, encodeChange(own), true))).toContain('more would');
    const back = { ...scope('invitations'), number: next(), days: 90 };
    approveChange(guardian, receiveChange(guardian, encodeChange(back), false).hash);
    expect(guardian.retention.days(scope('invitations', sheet))).toBe(50);
  });

  test('is without the employer’s token', async () => {
    for (const path of ['', `/${toBase64url(new Uint8Array(32))}`]) {
      const response = await fetch(`${parties.urls.guardian}/peer/retention${path}`, {
        method: path === '' ? 'POST' : 'GET',
      });
      expect(response.status).toBe(401);
    }
  });
});

test('a change can be taken back where it would be out of bounds by now', async () => {
  const own = change('trends', 150, sheet);
  await until(() => guardian.retention.waiting().length === 1);
  change('trends', 120);
  await until(() => both('trends')[1] === 120);
  cancelRetention(employer, own.hash);
  parties.employer.nudge();
  await until(() => guardian.retention.waiting().length === 0);
});
