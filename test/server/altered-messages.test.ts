import { afterAll, beforeAll, expect, test } from 'vitest';
import { toBase64url } from '../../crypto/bytes.ts';
import {
  decodeAggregationJobResp,
  encodeAggregationJobResp,
  type VerifyResp,
} from '../../crypto/dap/aggregation.ts';
import type { Database } from '../../server/storage/database.ts';
import { flipped } from '../support/cheating-reports.ts';
import {
  answerAll,
  closeTestRound,
  finished,
  openTestRound,
  startTwoParties,
  type TestRound,
  type TwoParties,
} from '../support/parties.ts';
import { contextOf } from '../support/played-party.ts';
import type { TestTask } from '../support/test-tokens.ts';

/**
 * One reply of the other party is altered, once, in each group. Either the work goes on as if the
 * party had been away, or both parties withhold the group; never do they count otherwise.
 */

interface Story {
  readonly name: string;
  /** Whose reply it is, and to which call. */
  readonly to: 'guardian' | 'employer';
  readonly call: RegExp;
  readonly alter: (body: Uint8Array, response: Response) => Response;
  readonly ends: 'confirmed' | 'lot-too-small' | 'seal-mismatch' | 'other-party';
}

const like = (response: Response, body: Uint8Array | string): Response =>
  new Response(body as Uint8Array<ArrayBuffer>, {
    status: response.status,
    headers: response.headers,
  });

function words(change: (resps: readonly VerifyResp[]) => readonly VerifyResp[]): Story['alter'] {
  return (body, response) =>
    like(response, encodeAggregationJobResp(change(decodeAggregationJobResp(body))));
}

const bytes =
  (change: (body: Uint8Array) => Uint8Array | string): Story['alter'] =>
  (body, response) =>
    like(response, change(body));

const problem =
  (status: number, type: string): Story['alter'] =>
  () =>
    new Response(JSON.stringify({ type, title: 'No.', status, detail: 'No.' }), { status });

const lost: Story['alter'] = () => {
  throw new Error('cut');
};

const JOB = /\/aggregation_jobs$/;
const SEAL = /\/seal$/;
const SHARE = /\/aggregate_shares$/;
const COLLECTION = /\/collection_jobs/;
const REVEAL = /\/reveal$/;

const toEmployers = { to: 'guardian', call: JOB } as const;
const STORIES: readonly Story[] = [
  { name: 'a lot’s reply is lost', ...toEmployers, alter: lost, ends: 'confirmed' },
  {
    name: 'a lot’s reply is in another order',
    ...toEmployers,
    alter: words((resps) => [...resps].reverse()),
    ends: 'confirmed',
  },
  {
    name: 'a lot’s reply is one short',
    ...toEmployers,
    alter: words((resps) => resps.slice(1)),
    ends: 'confirmed',
  },
  {
    name: 'a lot’s reply has one twice',
    ...toEmployers,
    alter: words((resps) => [...resps, resps[0] as VerifyResp]),
    ends: 'confirmed',
  },
  { name: 'a lot’s reply is empty', ...toEmployers, alter: words(() => []), ends: 'confirmed' },
  {
    name: 'a lot’s reply is cut off',
    ...toEmployers,
    alter: bytes((body) => body.subarray(0, -1)),
    ends: 'confirmed',
  },
  {
    name: 'a lot’s reply is a page',
    ...toEmployers,
    alter: bytes(() => '<html>'),
    ends: 'confirmed',
  },
  {
    name: 'a lot is answered with 503',
    ...toEmployers,
    alter: problem(503, 'urn:chorus:error:unavailable'),
    ends: 'confirmed',
  },
  {
    name: 'a lot is answered with 401',
    ...toEmployers,
    alter: problem(401, 'urn:chorus:error:unauthorized'),
    ends: 'confirmed',
  },
  {
    name: 'the employer says finish, without the message that Prio3 needs',
    ...toEmployers,
    alter: words((resps) => resps.map(({ reportId }) => ({ type: 'finish', reportId }))),
    ends: 'lot-too-small',
  },
  {
    name: 'the employer says reject of a report that it counted',
    ...toEmployers,
    alter: words(([first, ...rest]) => [
      {
        type: 'reject',
        reportId: (first as VerifyResp).reportId,
        reportError: 'hpke_decrypt_error',
      },
      ...rest,
    ]),
    ends: 'seal-mismatch',
  },
  {
    name: 'the employer’s message for one report is false',
    ...toEmployers,
    alter: words(([first, ...rest]) => [
      first?.type === 'continue'
        ? { ...first, payload: flipped(first.payload, 8 * (first.payload.length - 1)) }
        : (first as VerifyResp),
      ...rest,
    ]),
    ends: 'seal-mismatch',
  },
  {
    name: 'the employer says that it has withheld the group',
    ...toEmployers,
    alter: problem(409, 'urn:chorus:error:withheld'),
    ends: 'other-party',
  },
  { name: 'the seal’s reply is lost', to: 'guardian', call: SEAL, alter: lost, ends: 'confirmed' },
  {
    name: 'the seal has another commitment',
    to: 'guardian',
    call: SEAL,
    alter: (body, response) => {
      const seal = JSON.parse(new TextDecoder().decode(body)) as object;
      return like(
        response,
        JSON.stringify({ ...seal, commitment: toBase64url(new Uint8Array(32)) }),
      );
    },
    ends: 'confirmed',
  },
  {
    name: 'the seal is no JSON',
    to: 'guardian',
    call: SEAL,
    alter: bytes(() => '{'),
    ends: 'confirmed',
  },
  {
    name: 'the seal is refused as different',
    to: 'guardian',
    call: SEAL,
    alter: problem(409, 'urn:chorus:error:sealMismatch'),
    ends: 'seal-mismatch',
  },
  {
    name: 'the share’s reply is lost',
    to: 'guardian',
    call: SHARE,
    alter: lost,
    ends: 'confirmed',
  },
  {
    name: 'the share’s reply is cut off',
    to: 'guardian',
    call: SHARE,
    alter: bytes((body) => body.subarray(0, -1)),
    ends: 'confirmed',
  },
  {
    name: 'the result’s Location leads elsewhere',
    to: 'employer',
    call: /\/collection_jobs$/,
    alter: (body, response) => {
      const headers = new Headers(response.headers);
      headers.delete('location');
      return new Response(body as Uint8Array<ArrayBuffer>, { status: 201, headers });
    },
    ends: 'confirmed',
  },
  {
    name: 'a bit of the result is flipped',
    to: 'employer',
    call: COLLECTION,
    alter: bytes((body) => (body.length > 0 ? flipped(body, 8 * 2000) : body)),
    ends: 'confirmed',
  },
  {
    name: 'the result has another count',
    to: 'employer',
    call: COLLECTION,
    alter: bytes((body) => (body.length > 0 ? flipped(body, 8 * 7) : body)),
    ends: 'confirmed',
  },
  {
    name: 'the reveal’s reply is lost',
    to: 'employer',
    call: REVEAL,
    alter: lost,
    ends: 'confirmed',
  },
  {
    name: 'the guardian’s signature is none',
    to: 'employer',
    call: REVEAL,
    alter: bytes(() => JSON.stringify({ signature: toBase64url(new Uint8Array(64)) })),
    ends: 'confirmed',
  },
];

let parties: TwoParties;
let round: TestRound;
let guardian: Database;
let employer: Database;
const altered = new Set<string>();

beforeAll(async () => {
  parties = await startTwoParties();
  guardian = parties.database('guardian');
  employer = parties.database('employer');
  round = await openTestRound(
    parties,
    STORIES.map(() => 40),
  );
  for (const [i] of STORIES.entries()) {
    await answerAll(parties, round.tasks[i] as TestTask, Array(9).fill([0, 1]));
  }
  const groups = STORIES.map((_, i) => toBase64url(contextOf(round, i).taskId));
  for (const party of ['guardian', 'employer'] as const) {
    parties.wires[party].after = async (url, response) => {
      const { pathname } = new URL(url);
      const story = STORIES[groups.findIndex((task) => pathname.includes(task))];
      if (
        story === undefined ||
        story.to !== party ||
        !story.call.test(pathname) ||
        altered.has(story.name)
      ) {
        return response;
      }
      const body = new Uint8Array(await response.arrayBuffer());
      // Where a result is not there yet there is nothing to alter.
      if (story.call === COLLECTION && body.length === 0) return like(response, body);
      altered.add(story.name);
      return story.alter(body, response);
    };
  }
  closeTestRound(parties, round);
  await finished(parties);
});

afterAll(async () => {
  guardian.close();
  employer.close();
  await parties.close();
});

test.each(STORIES)('$name: $ends', ({ name, ends }) => {
  expect(altered.has(name)).toBe(true);
  const { taskId } = contextOf(
    round,
    STORIES.findIndex((story) => story.name === name),
  );
  const [own, others] = [guardian, employer].map((db) => ({
    ...db
      .prepare<[Uint8Array], { state: string; reason: string | null }>(
        'SELECT state, withheld_reason AS reason FROM tasks WHERE task_id = ?',
      )
      .get(taskId),
    published: db
      .prepare<[Uint8Array], Buffer>('SELECT published FROM results WHERE task_id = ?')
      .pluck()
      .get(taskId)
      ?.toString(),
  }));
  if (ends === 'confirmed') {
    expect(own).toMatchObject({ state: 'confirmed', reason: null });
    expect(JSON.parse(own?.published as string)).toMatchObject({ count: 9 });
    expect(others).toEqual(own);
  } else {
    expect(own).toEqual({ state: 'withheld', reason: ends, published: undefined });
    expect(others).toMatchObject({ state: 'withheld', published: undefined });
    // It was told why, or asked for the result before it was told.
    expect([ends, 'other-party']).toContain(others?.reason);
  }
});

test('the log tells of the other party’s absence and return', () => {
  const kinds = guardian.prepare<[], string>(`SELECT DISTINCT kind FROM events`).pluck().all();
  expect(kinds).toEqual(expect.arrayContaining(['peer-away', 'peer-back']));
});
