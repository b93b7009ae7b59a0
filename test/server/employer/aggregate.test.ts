import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  decodeAggregationJobResp,
  type ReportShare,
  type VerifyInit,
  type VerifyResp,
} from '../../../crypto/dap/aggregation.ts';
import type { Extension } from '../../../crypto/dap/types.ts';
import { Secret } from '../../../crypto/secret.ts';
import { sha256 } from '../../../crypto/sha256.ts';
import { noticeHash } from '../../../crypto/sheet.ts';
import { systemRandomness } from '../../../server/party.ts';
import type { Database } from '../../../server/storage/database.ts';
import {
  type Cheat,
  cheatingReport,
  flipped,
  HELPER_RUBBISH,
} from '../../support/cheating-reports.ts';
import {
  closeTestRound,
  openTestRound,
  sealed,
  standing,
  startTwoParties,
  type TestRound,
  type TwoParties,
  until,
} from '../../support/parties.ts';
import {
  callAs,
  contextOf,
  jobBody,
  refusedWith,
  sealClaim,
  sendJob,
  taskPath,
  verifyInitOf,
} from '../../support/played-party.ts';
import { signToken, type TestTask, tokenKeyOf } from '../../support/test-tokens.ts';

interface Sent {
  readonly reportId: Uint8Array;
  readonly init: VerifyInit<Omit<ReportShare, 'metadata'>>;
}

const K = 8;
/** People of each group. */
const ROSTER = 90;
/** So many that checking them takes several turns: requests at the same time do overlap. */
const MANY = 40;

/** One group for each story. */
const STORIES = [
  'one lot',
  'two lots',
  'a restart',
  'at once',
  'refused first',
  'sealed',
  'withheld',
  'not entitled',
  'elsewhere',
  'full',
] as const;
type Story = (typeof STORIES)[number];

let parties: TwoParties;
let round: TestRound;
let looking: Database;

const index = (story: Story) => STORIES.indexOf(story);
const taskOf = (story: Story) => round.tasks[index(story)] as TestTask;
const newSeed = () => new Secret(systemRandomness(32));

function answer(story: Story, seed = newSeed()): Sent {
  const { report, reportId } = sealed(taskOf(story), [1, 2], seed);
  return { reportId, init: verifyInitOf(parties, round, index(story), report) };
}

const answers = (story: Story, count: number) => Array.from({ length: count }, () => answer(story));

function cheating(story: Story, cheat: Cheat): Sent {
  const { report, reportId } = cheatingReport(taskOf(story), cheat);
  return { reportId, init: verifyInitOf(parties, round, index(story), report) };
}

const bodyOf = (sent: readonly Sent[]) => jobBody(sent.map(({ init }) => init));

/** What the employer says to each report of a lot: `continue`, or the error. */
async function send(story: Story, lot: readonly Sent[]): Promise<string[]> {
  return words(await sendJob(parties, round, index(story), bodyOf(lot)));
}

async function words(response: Response): Promise<string[]> {
  expect(response.status).toBe(201);
  const resps = decodeAggregationJobResp(new Uint8Array(await response.arrayBuffer()));
  return resps.map((resp: VerifyResp) => (resp.type === 'reject' ? resp.reportError : resp.type));
}

const counted = (count: number) => Array(count).fill('continue');

/** Everything that a job may change of one group. */
function state(story: Story) {
  const { taskId } = contextOf(round, index(story));
  const all = (sql: string) => looking.prepare<[Uint8Array], unknown>(sql).raw().all(taskId);
  return {
    count: looking
      .prepare<[Uint8Array], number>('SELECT count FROM buckets WHERE task_id = ?')
      .pluck()
      .get(taskId),
    outcomes: all('SELECT hex(report_id), outcome, reason FROM outcomes WHERE task_id = ?'),
    tokens: all('SELECT hex(nonce) FROM counted_tokens WHERE task_id = ?'),
  };
}

function outcomeOf({ reportId }: Sent): unknown {
  return looking.prepare('SELECT outcome, reason FROM outcomes WHERE report_id = ?').get(reportId);
}

const REFUSED = { outcome: 'refused', reason: 'employer:report_replayed' };

beforeAll(async () => {
  parties = await startTwoParties();
  round = await openTestRound(
    parties,
    STORIES.map(() => ROSTER),
  );
  looking = parties.database('employer');
  await parties.stop('guardian');
  closeTestRound(parties, round);
  await until(() => standing(parties, 1, 'employer')?.round.state === 'closed');
});

afterAll(async () => {
  looking.close();
  await parties.close();
});

test('no more is counted than the roster has people, however the lots are cut', async () => {
  const first = await send('full', answers('full', ROSTER - K));
  expect(first).toEqual(counted(ROSTER - K));
  const [more, last] = [answers('full', K), answers('full', 2)];
  expect(await send('full', [...more, ...last])).toEqual([
    ...counted(K),
    ...Array(2).fill('report_dropped'),
  ]);
  expect(state('full')).toMatchObject({ count: ROSTER });
  expect(outcomeOf(last[0] as Sent)).toEqual({
    outcome: 'refused',
    reason: 'employer:report_dropped',
  });
});

describe('a guardian that sends two reports with one token', () => {
  test('in one lot: the first is counted', async () => {
    const seed = newSeed();
    const [first, second] = [answer('one lot', seed), answer('one lot', seed)];
    const lot = [first, ...answers('one lot', K), second];
    expect(await send('one lot', lot)).toEqual([...counted(K + 1), 'report_replayed']);
    expect(outcomeOf(first)).toEqual({ outcome: 'counted', reason: null });
    expect(outcomeOf(second)).toEqual(REFUSED);
    expect(state('one lot')).toMatchObject({ count: K + 1 });
    expect(state('one lot').tokens).toHaveLength(K + 1);
  });

  test('in two lots, and the same request again gets the same reply', async () => {
    const seed = newSeed();
    await send('two lots', [answer('two lots', seed), ...answers('two lots', K - 1)]);
    const lot = bodyOf([answer('two lots', seed), ...answers('two lots', K)]);
    const replies: Response[] = [];
    for (let i = 0; i < 3; i++) {
      const reply = await sendJob(parties, round, index('two lots'), lot);
      expect(await words(reply.clone())).toEqual(['report_replayed', ...counted(K)]);
      replies.push(reply);
    }
    expect(new Set(replies.map(({ headers }) => headers.get('location'))).size).toBe(1);
    expect(state('two lots')).toMatchObject({ count: 2 * K });
    expect(state('two lots').tokens).toHaveLength(2 * K);
  });

  test('before and after a restart of the employer', async () => {
    const seed = newSeed();
    const first = bodyOf([answer('a restart', seed), ...answers('a restart', K - 1)]);
    const reply = await sendJob(parties, round, index('a restart'), first);
    const before = state('a restart');
    await parties.restart('employer');
    // A connection that was kept alive is found closed by the first request that uses it.
    await until(() =>
      callAs(parties, 'guardian', '/health').then(
        ({ ok }) => ok,
        () => false,
      ),
    );
    const again = await sendJob(parties, round, index('a restart'), first);
    expect(Buffer.from(await again.arrayBuffer())).toEqual(Buffer.from(await reply.arrayBuffer()));
    expect(state('a restart')).toEqual(before);
    const second = answer('a restart', seed);
    expect(await send('a restart', [second, ...answers('a restart', K)])).toEqual([
      'report_replayed',
      ...counted(K),
    ]);
    expect(outcomeOf(second)).toEqual(REFUSED);
  });

  test('in two jobs at once: one of them is counted', async () => {
    const seed = newSeed();
    const jobs = [0, 1].map(() => [answer('at once', seed), ...answers('at once', MANY)]);
    const replies = await Promise.all(jobs.map((lot) => send('at once', lot)));
    expect(replies.map(([first]) => first).sort()).toEqual(['continue', 'report_replayed']);
    expect(state('at once')).toMatchObject({ count: 2 * MANY + 1 });
  });

  test('with another signature of the same key for the token, too', async () => {
    const seed = newSeed();
    const task = taskOf('elsewhere');
    const again = cheating('elsewhere', {
      signingSeed: seed.reveal(),
      ...withToken((nonce) => signToken(task, nonce, tokenKeyOf(task))),
    });
    const lot = [answer('elsewhere', seed), ...answers('elsewhere', K), again];
    expect(await send('elsewhere', lot)).toEqual([...counted(K + 1), 'report_replayed']);
  });
});

test('a token counts nothing with a report that is refused, and may count another', async () => {
  const seed = newSeed();
  const rubbish = cheating('refused first', { ...HELPER_RUBBISH, signingSeed: seed.reveal() });
  const lot = [rubbish, answer('refused first', seed), ...answers('refused first', K)];
  expect(await send('refused first', lot)).toEqual(['vdaf_verify_error', ...counted(K + 1)]);
});

test('once the group is sealed, its tokens are forgotten', async () => {
  const lot = answers('sealed', K);
  expect(await send('sealed', lot)).toEqual(counted(K));
  expect(state('sealed').tokens).toHaveLength(K);
  const body = sealClaim(lot.map(({ reportId }) => reportId));
  const path = `${taskPath(round, index('sealed'))}/seal`;
  expect((await callAs(parties, 'guardian', path, { body })).status).toBe(200);
  expect(state('sealed').tokens).toEqual([]);
});

test('so are those of a group that is withheld', async () => {
  expect(await send('withheld', answers('withheld', K))).toEqual(counted(K));
  const small = bodyOf(answers('withheld', K - 1));
  expect(await refusedWith(sendJob(parties, round, index('withheld'), small))).toBe(
    '409 lotTooSmall',
  );
  expect(state('withheld')).toEqual({ count: undefined, outcomes: [], tokens: [] });
});

/** The same extension with other data. */
const saying = (of: Extension, extensionData: Uint8Array): Extension => ({ ...of, extensionData });

/** Another token, made for the nonce of the key that signs the report. */
function withToken(make: (nonce: Uint8Array) => Uint8Array): Cheat {
  return {
    extensions: (signature, consent, token) => {
      const nonce = sha256(signature.extensionData.subarray(0, 32));
      return [consent, saying(token, make(nonce)), signature];
    },
  };
}

test('a guardian that lets anything in: the employer counts nobody who is not entitled', async () => {
  const own = taskOf('not entitled');
  const other = taskOf('elsewhere');
  const { sheet } = round;
  const notice = { ...sheet.notice, points: [...sheet.notice.points, 'And more.'] };
  const cheats: Readonly<Record<string, Cheat>> = {
    'the token of another group': withToken((nonce) => signToken(other, nonce, tokenKeyOf(other))),
    'this group’s challenge and key, signed with the key of another': withToken((nonce) =>
      signToken(own, nonce, tokenKeyOf(other)),
    ),
    'another group’s challenge, signed with the right key': withToken((nonce) =>
      signToken({ ...own, challengeHash: other.challengeHash }, nonce, tokenKeyOf(own)),
    ),
    'somebody else’s token': withToken(() => signToken(own, systemRandomness(32), tokenKeyOf(own))),
    'a token with one bit of its signature flipped': withToken((nonce) =>
      flipped(signToken(own, nonce, tokenKeyOf(own)), 8 * 100),
    ),
    'a token of zeros': withToken(() => new Uint8Array(354)),
    'no token': { extensions: (signature, consent) => [consent, signature] },
    'no consent': { extensions: (signature, _consent, token) => [token, signature] },
    'consent to another notice': {
      extensions: (signature, consent, token) => [
        saying(consent, noticeHash({ ...sheet, notice })),
        token,
        signature,
      ],
    },
    'the signature of another report': { signature: (signature) => flipped(signature, 9) },
  };
  const bad = Object.entries(cheats).map(
    ([name, cheat]) => [name, cheating('not entitled', cheat)] as const,
  );
  const lot = [...bad.map(([, sent]) => sent), ...answers('not entitled', K)];
  const said = await send('not entitled', lot);
  expect(bad.map(([name], i) => `${name}: ${said[i]}`)).toEqual(
    bad.map(([name]) => `${name}: invalid_message`),
  );
  expect(said.slice(bad.length)).toEqual(counted(K));
  expect(state('not entitled')).toMatchObject({ count: K });
  expect(state('not entitled').tokens).toHaveLength(K);
});
