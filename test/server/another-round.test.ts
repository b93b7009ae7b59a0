import { afterAll, beforeAll, expect, test } from 'vitest';
import { toBase64url } from '../../crypto/bytes.ts';
import { buildReport } from '../../crypto/dap/report.ts';
import { Secret } from '../../crypto/secret.ts';
import { sign } from '../../crypto/signing.ts';
import { systemRandomness } from '../../server/party.ts';
import { codesOfGroup, postToken, tokenAsk, tokenOfCode } from '../support/invitations.ts';
import {
  finished,
  openTestRound,
  sealed,
  startTwoParties,
  type TestRound,
  type TwoParties,
  upload,
} from '../support/parties.ts';
import { refusedWith } from '../support/played-party.ts';
import { type TestTask, tokenFor } from '../support/test-tokens.ts';

/** Whatever belongs to one round is good for nothing in another, of the same survey and people. */

let parties: TwoParties;
let earlier: TestRound;
let now: TestRound;
let oldCode: Uint8Array;
let late: { readonly seed: Secret<Uint8Array>; readonly reportId: Uint8Array };

const taskOf = (round: TestRound) => round.tasks[0] as TestTask;

/** Everything that could change by it. */
function stored() {
  const [guardian, employer] = [parties.database('guardian'), parties.database('employer')];
  try {
    return [
      guardian.prepare('SELECT hex(report_id) FROM box').all(),
      guardian.prepare('SELECT hex(nonce) FROM spent').all(),
      guardian.prepare('SELECT hex(report_id), outcome FROM outcomes').all(),
      employer.prepare('SELECT hex(code_hash), hex(request_hash) FROM codes').all(),
    ];
  } finally {
    guardian.close();
    employer.close();
  }
}

beforeAll(async () => {
  parties = await startTwoParties();
  earlier = await openTestRound(parties, [30], {}, 1);
  oldCode = codesOfGroup(parties, earlier, 0)[0]?.code as Uint8Array;
  const seed = new Secret(systemRandomness(32));
  const { report, reportId } = sealed(taskOf(earlier), [0, 1], seed);
  expect(await upload(parties, taskOf(earlier), report)).toBe(undefined);
  late = { seed, reportId };
  now = await openTestRound(parties, [30], {}, 2);
  await finished(parties, 1);
});

afterAll(() => parties.close());

test('a token of it does not entitle to an answer', async () => {
  const before = stored();
  const seed = new Secret(systemRandomness(32));
  const token = tokenFor(taskOf(earlier), seed);
  const { report } = buildReport({ ...taskOf(now), token }, [0, 0], seed, systemRandomness);
  expect(await upload(parties, taskOf(now), report)).toBe('invalid_message');
  expect(stored()).toEqual(before);
});

test('a report of it does not fit here, nor one from here there', async () => {
  const before = stored();
  const [old, fresh] = [sealed(taskOf(earlier), [0, 0]), sealed(taskOf(now), [0, 0])];
  expect(await upload(parties, taskOf(now), old.report)).toBe('outdated_config');
  expect(await upload(parties, taskOf(earlier), fresh.report)).not.toBe(undefined);
  expect(stored()).toEqual(before);
});

test('a code of it gets no token: expired with its own key, unknown with this round’s', async () => {
  const before = stored();
  const asked = (round: TestRound) => postToken(parties, tokenAsk(taskOf(round), oldCode).body);
  expect(await refusedWith(asked(earlier))).toBe('410 codeExpired');
  expect(await refusedWith(asked(now))).toBe('404 codeUnknown');
  expect(stored()).toEqual(before);
});

test('a code of this round with a key of the other one: wrongKey, and it stays good', async () => {
  const before = stored();
  const code = codesOfGroup(parties, now, 0)[0]?.code as Uint8Array;
  const asked = postToken(parties, tokenAsk(taskOf(earlier), code).body);
  expect(await refusedWith(asked)).toBe('409 wrongKey');
  expect(stored()).toEqual(before);
  expect(await tokenOfCode(parties, taskOf(now), code)).toHaveLength(354);
});

test('a receipt of it withdraws nothing, in either', async () => {
  const { seed, reportId } = late;
  const withdrawn = (round: TestRound) => {
    const { taskId } = taskOf(round);
    const path = `/tasks/${toBase64url(taskId)}/reports/${toBase64url(reportId)}/withdrawal`;
    const signature = sign(seed, 'chorus withdraw v1', taskId, reportId);
    return fetch(parties.urls.guardian + path, {
      method: 'POST',
      headers: { accept: 'application/problem+json', 'content-type': 'application/json' },
      body: JSON.stringify({ signature: toBase64url(signature) }),
    });
  };
  const before = stored();
  expect(await refusedWith(withdrawn(now))).toBe('404 notFound');
  expect(await refusedWith(withdrawn(earlier))).toBe('409 tooLate');
  expect(stored()).toEqual(before);
});
