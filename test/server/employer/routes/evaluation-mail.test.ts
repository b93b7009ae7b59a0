import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { toBase64url } from '../../../../crypto/bytes.ts';
import { startEmployer } from '../../../../server/employer/employer.ts';
import type { EvaluationMail } from '../../../../server/party.ts';
import {
  closeTestRound,
  openTestRound,
  startTwoParties,
  type TestRound,
  type TwoParties,
  until,
} from '../../../support/parties.ts';

let parties: TwoParties;
let round: TestRound;
let received: EvaluationMail[];

beforeAll(async () => {
  parties = await startTwoParties();
  round = await openTestRound(parties, [30]);
  await parties.stop('employer');
  parties.employer = await startEmployer({
    ...parties.config('employer'),
    evaluationMail: () => received,
  });
  received = [
    mail('old@example.com', 'Old invitation', new Uint8Array(32)),
    mail('ada@example.com', 'Your invitation: <b>A test</b>', round.hash),
    mail('bob@example.com', 'Your invitation: A test', round.hash),
    { to: 'staff@example.com', subject: 'Sign in', text: 'No such link.', atMs: 3000 },
  ];
  await until(() =>
    fetch(`${parties.urls.employer}/health`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
});

afterAll(() => parties.close());

function mail(to: string, subject: string, hash: Uint8Array): EvaluationMail {
  const link = `${parties.urls.guardian}/answer#${'a'.repeat(22)}.0.${toBase64url(hash)}`;
  return { to, subject, text: `Before.\n\n${link}\n\n<i>After.</i>`, atMs: 1_700_000_000_000 };
}

const page = async (path: string) => {
  const reply = await fetch(parties.urls.employer + path, { headers: { accept: 'text/html' } });
  return { status: reply.status, html: await reply.text() };
};

describe('the mail of the sample people', () => {
  test('of the open round, newest first, on a page that says that it exists only here', async () => {
    const { status, html } = await page('/evaluation/mail');
    expect(status).toBe(200);
    expect(html).toContain('exists in the evaluation only');
    expect([...html.matchAll(/href="\/evaluation\/mail\/(\d+)"/g)].map(([, n]) => n)).toEqual([
      '3',
      '2',
      '1',
    ]);
    expect(html).toContain('&lt;b&gt;A test&lt;/b&gt;');
    expect(html).not.toContain('old@example.com');
  });

  test('found by a part of an address', async () => {
    const { html } = await page('/evaluation/mail?to=BOB');
    expect(html).toContain('bob@example.com');
    expect(html).not.toContain('ada@example.com');
    expect((await page('/evaluation/mail?to=nobody')).html).toContain('No mail to such an address');
  });

  test('one of them, its link to be followed, the rest as text', async () => {
    const { html } = await page('/evaluation/mail/1');
    expect(html).toContain(`<a href="${parties.urls.guardian}/answer#aaaa`);
    expect(html).toContain('&lt;i&gt;After.&lt;/i&gt;');
  });

  test.each(['0', '4', '-1', 'x', '1e0'])(
    'a number that none has, %s: not found',
    async (number) => {
      expect((await page(`/evaluation/mail/${number}`)).status).toBe(404);
    },
  );

  test('is gone with the round', async () => {
    closeTestRound(parties, round);
    await until(async () => !(await page('/evaluation/mail')).html.includes('ada@example.com'));
    expect((await page('/evaluation/mail/1')).status).toBe(404);
  });
});

test('outside an evaluation there is no such page', async () => {
  const others = await startTwoParties({ evaluation: false });
  try {
    const reply = await fetch(`${others.urls.employer}/evaluation/mail`);
    expect(reply.status).toBe(404);
  } finally {
    await others.close();
  }
});
