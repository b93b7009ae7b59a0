import { afterAll, beforeAll, expect, test } from 'vitest';
import { toBase64url, toHex } from '../../../crypto/bytes.ts';
import { Secret } from '../../../crypto/secret.ts';
import { sign } from '../../../crypto/signing.ts';
import { systemRandomness } from '../../../server/party.ts';
import {
  finished,
  openTestRound,
  sealed,
  startTwoParties,
  type TestRound,
  type TwoParties,
  upload,
} from '../../support/parties.ts';
import { signedList } from '../../support/rounds.ts';
import { staffCookie } from '../../support/staff.ts';
import type { TestTask } from '../../support/test-tokens.ts';

/** Receipts that are used in the second of closing. */

const PEOPLE = 40;

let parties: TwoParties;
let round: TestRound;

beforeAll(async () => {
  parties = await startTwoParties();
  round = await openTestRound(parties, [PEOPLE]);
});

afterAll(() => parties.close());

function closeNow(): Promise<Response> {
  return fetch(`${parties.urls.guardian}/evaluation/close-round`, {
    method: 'POST',
    redirect: 'manual',
    headers: {
      cookie: staffCookie(parties, 'guardian', 'guardian'),
      'sec-fetch-site': 'same-origin',
    },
  });
}

test('each is told what then stands in the signed list: withdrawn, or too late and counted', async () => {
  const task = round.tasks[0] as TestTask;
  const answers: { readonly seed: Secret<Uint8Array>; readonly reportId: Uint8Array }[] = [];
  for (let i = 0; i < PEOPLE; i++) {
    const seed = new Secret(systemRandomness(32));
    const { report, reportId } = sealed(task, [i % 3, 0], seed);
    expect(await upload(parties, task, report)).toBe(undefined);
    answers.push({ seed, reportId });
  }
  const withdraw = async ({ seed, reportId }: (typeof answers)[number]) => {
    const path = `/tasks/${toBase64url(task.taskId)}/reports/${toBase64url(reportId)}/withdrawal`;
    const signature = sign(seed, 'chorus withdraw v1', task.taskId, reportId);
    const { status } = await fetch(parties.urls.guardian + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ signature: toBase64url(signature) }),
    });
    return { id: toHex(reportId), status };
  };
  // Five are answered before the button is pressed, five are on their way, ten come after it.
  const leaving = answers.slice(0, 20);
  const early = leaving.slice(0, 10).map(withdraw);
  await Promise.all(early.slice(0, 5));
  expect((await closeNow()).status).toBe(303);
  const told = await Promise.all([...early, ...leaving.slice(10).map(withdraw)]);
  await finished(parties);
  expect(told).toHaveLength(20);
  const list = await signedList(parties.urls.guardian, round);
  expect(list.size).toBe(PEOPLE);
  for (const { id, status } of told) {
    expect([204, 409]).toContain(status);
    expect(list.get(id)?.outcome).toBe(status === 204 ? 'withdrawn' : 'counted');
  }
  const late = told.filter(({ status }) => status === 409).length;
  expect(late).toBeGreaterThanOrEqual(10);
  expect(late).toBeLessThanOrEqual(15);
});
