import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { RetentionKind } from '../../../server/domain/retention.ts';
import { openEmployer } from '../../../server/employer/employer.ts';
import type { EmployerParts } from '../../../server/employer/parts.ts';
import { cancelRetention, changeRetention } from '../../../server/employer/retention.ts';
import { openGuardian } from '../../../server/guardian/guardian.ts';
import type { GuardianParts } from '../../../server/guardian/parts.ts';
import { approveChange, refuseChange } from '../../../server/guardian/retention.ts';
import type { StoredChange } from '../../../server/storage/retention.ts';
import {
  approveTestSheet,
  startTwoParties,
  type TwoParties,
  testSheet,
  until,
} from '../../support/parties.ts';

/** What a guardian hears again of the settings whose database was restored from a backup. */

let parties: TwoParties;
let employer: EmployerParts;
let guardian: GuardianParts;
let sheet: Uint8Array;

beforeAll(async () => {
  parties = await startTwoParties();
  employer = await openEmployer(parties.config('employer'));
  guardian = await openGuardian(parties.config('guardian'));
  sheet = await approveTestSheet(parties, testSheet());
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
const both = (kind: RetentionKind, of: Uint8Array | null = null) =>
  [employer, guardian].map(({ retention }) => retention.days(scope(kind, of)));
const change = (kind: RetentionKind, days: number, of: Uint8Array | null = null) => {
  const changed = changeRetention(employer, scope(kind, of), days);
  parties.employer.nudge();
  return changed;
};
/** What the guardian knew before this work, and is put back to after it. */
async function forgets(work: () => Promise<void>): Promise<void> {
  const backup = guardian.db.serialize();
  await work();
  guardian.db.close();
  await parties.stop('guardian');
  const path = join(parties.folder, 'guardian', 'guardian.sqlite');
  for (const suffix of ['-wal', '-shm']) rmSync(path + suffix, { force: true });
  writeFileSync(path, backup);
  await parties.start('guardian');
  guardian = await openGuardian(parties.config('guardian'));
}

/** The employer's next look at what the guardian knows. */
function anHourLater(): void {
  parties.clock.advance(parties.clock.now() + 3_600_000);
  parties.employer.nudge();
}

const isTold = () => until(() => employer.retention.untold().length === 0);
const stateAt = (parts: GuardianParts | EmployerParts, { hash }: { hash: Uint8Array }) =>
  parts.retention.withHash(hash)?.state;

test('every shorter setting', async () => {
  const before = [both('sessions')[1], both('logs')[1]];
  await forgets(async () => {
    for (const days of [5, 3]) change('sessions', days);
    change('logs', 300);
    await isTold();
    expect([both('sessions'), both('logs')]).toEqual([
      [3, 3],
      [300, 300],
    ]);
  });
  expect([both('sessions')[1], both('logs')[1]]).toEqual(before);
  anHourLater();
  await until(() => both('sessions')[1] === 3 && both('logs')[1] === 300);
  await isTold();
  expect(guardian.retention.waiting()).toEqual([]);
});

test('a setting that was shortened, and lengthened again with its consent: it is not asked', async () => {
  await forgets(async () => {
    change('invitations', 50);
    const { hash } = change('invitations', 100);
    await until(() => guardian.retention.waiting().length === 1);
    approveChange(guardian, hash);
    parties.employer.nudge();
    await until(() => both('invitations')[0] === 100);
  });
  expect(both('invitations')).toEqual([100, 180]);
  anHourLater();
  await until(() => both('invitations')[1] === 100);
  expect(guardian.retention.waiting()).toEqual([]);
});

test('a survey’s own setting, once that of the installation is not shorter anyhow', async () => {
  change('lists', 100);
  await isTold();
  await forgets(async () => {
    const { hash } = change('lists', 300);
    await until(() => guardian.retention.waiting().length === 1);
    approveChange(guardian, hash);
    await until(() => both('lists')[0] === 300);
    change('lists', 200, sheet);
    await until(() => both('lists', sheet)[1] === 200);
    change('lists', 90);
    await until(() => both('lists')[1] === 90);
  });
  anHourLater();
  await until(() => both('lists')[1] === 90);
  await isTold();
  const { hash } = change('lists', 300);
  await until(() => guardian.retention.waiting().length === 1);
  approveChange(guardian, hash);
  await until(() => both('lists')[0] === 300);
  anHourLater();
  await until(() => both('lists', sheet)[1] === 200);
  expect(both('lists', sheet)).toEqual([200, 200]);
});

test('what was taken back, and what it refused itself', async () => {
  const back = change('mail', 40);
  await until(() => stateAt(guardian, back) === 'waiting');
  const no = change('counts', 150);
  await until(() => stateAt(guardian, no) === 'waiting');
  await forgets(async () => {
    cancelRetention(employer, back.hash);
    await isTold();
    refuseChange(guardian, no.hash, 'No.');
    parties.employer.nudge();
    await until(() => stateAt(employer, no) === 'refused');
    parties.employer.nudge();
    await until(() => stateAt(guardian, back) === 'cancelled');
  });
  expect(guardian.retention.waiting()).toHaveLength(2);
  anHourLater();
  await until(() => guardian.retention.waiting().length === 0);
  expect([stateAt(guardian, back), stateAt(guardian, no)]).toEqual(['cancelled', 'cancelled']);
  expect([stateAt(employer, back), stateAt(employer, no)]).toEqual(['cancelled', 'refused']);
});

test('a longer one, as a question: it keeps nothing longer before', async () => {
  let longer: StoredChange | undefined;
  await forgets(async () => {
    longer = change('logs', 320);
    await until(() => stateAt(guardian, longer as StoredChange) === 'waiting');
    approveChange(guardian, longer.hash);
    parties.employer.nudge();
    await until(() => both('logs')[0] === 320);
  });
  anHourLater();
  await until(() => guardian.retention.waiting().length === 1);
  expect(both('logs')).toEqual([320, 300]);
  approveChange(guardian, (longer as StoredChange).hash);
  expect(both('logs')).toEqual([320, 320]);
});

test.each([
  { asked: 'before it forgot that too', kind: 'invitations', from: 50, to: 80, late: false },
  { asked: 'only afterwards', kind: 'counts', from: 45, to: 60, late: true },
] as const)(
  'what a longer one would begin from, which was asked for $asked: nobody here agreed to it',
  async ({ kind, from, to, late }) => {
    let longer: StoredChange | undefined;
    await forgets(async () => {
      change(kind, from);
      if (!late) longer = change(kind, to);
      await isTold();
    });
    expect(both(kind)[1]).toBeGreaterThan(to);
    if (late) longer = change(kind, to);
    else parties.employer.nudge();
    const { hash } = longer as StoredChange;
    await until(() => stateAt(guardian, { hash }) !== undefined);
    expect(stateAt(guardian, { hash })).toBe('waiting');
    expect(both(kind)).toEqual([from, from]);
    cancelRetention(employer, hash);
    parties.employer.nudge();
    await isTold();
  },
);

test('nothing that it knows, and it is asked once an hour', async () => {
  const calls: string[] = [];
  parties.wires.employer.before = (url, init) => {
    calls.push(`${init?.method} ${new URL(url).pathname}`);
  };
  anHourLater();
  await until(() => calls.length > 0);
  for (let turn = 0; turn < 5; turn++) {
    parties.employer.nudge();
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  expect(calls).toEqual(['GET /peer/retention']);
});

test('no setting that was replaced, and swept there', async () => {
  const logs = employer.retention.all().filter(({ kind }) => kind === 'logs');
  const replaced = logs.find(({ days }) => days === 300) as StoredChange;
  guardian.db.prepare('DELETE FROM retention_changes WHERE hash = ?').run(replaced.hash);
  let asked = 0;
  parties.wires.employer.after = (_url, response) => {
    asked++;
    return response;
  };
  anHourLater();
  await until(() => asked > 0);
  parties.employer.nudge();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(guardian.retention.withHash(replaced.hash)).toBeUndefined();
});

test.each([{}, { known: [{}] }, { known: [{ hash: 'x', state: 'applied' }] }])(
  'nothing where it answers %j: it is asked again',
  async (answer) => {
    const before = employer.retention.all();
    let asked = 0;
    parties.wires.employer.after = () => {
      asked++;
      return Response.json(answer);
    };
    anHourLater();
    await until(() => asked > 1);
    expect(employer.retention.all()).toEqual(before);
    expect(employer.retention.untold()).toEqual([]);
    parties.wires.employer.after = (_url, response) => response;
  },
);
