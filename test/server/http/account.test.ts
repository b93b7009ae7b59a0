import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LIGHT_WORDS } from '../../../server/domain/noise-presets.ts';
import {
  answerAll,
  closeTestRound,
  finished,
  openTestRound,
  startTwoParties,
  TEST_NOISE,
  type TwoParties,
} from '../../support/parties.ts';
import { staffCookie } from '../../support/staff.ts';
import type { TestTask } from '../../support/test-tokens.ts';

const PARTIES = ['guardian', 'employer'] as const;
let parties: TwoParties;

beforeAll(async () => {
  parties = await startTwoParties();
});
afterAll(() => parties.close());

async function pageOf(party: (typeof PARTIES)[number], path: string): Promise<string> {
  const role = party === 'guardian' ? 'auditor' : 'admin';
  const headers = { cookie: staffCookie(parties, party, role), accept: 'text/html' };
  const response = await fetch(parties.urls[party] + path, { headers });
  expect(response.status).toBe(200);
  return response.text();
}

test.each(PARTIES)(
  'before any round the account of the %s is empty, and says so',
  async (party) => {
    const text = await pageOf(party, '/account');
    expect(text).toContain('No round has begun yet.');
    expect(text).not.toContain(LIGHT_WORDS);
  },
);

describe('after a Light round', () => {
  beforeAll(async () => {
    const round = await openTestRound(parties, [40]);
    await answerAll(parties, round.tasks[0] as TestTask, Array(9).fill([0, 1]));
    closeTestRound(parties, round);
    await finished(parties, 1);
  });

  test.each(PARTIES)('every page of the %s says what Light means, and the sum', async (party) => {
    const own = party === 'guardian' ? ['/answer', '/receipt'] : ['/surveys'];
    for (const path of ['/', '/trends', '/trends/groups/0', '/account', '/how', ...own]) {
      const text = await pageOf(party, path);
      expect(text, path).toContain(LIGHT_WORDS);
      // Two questions with a variance of 5.
      expect(text, path).toContain('add up to a ρ of 0.4 now.');
    }
  });

  test.each(PARTIES)(
    'the account of the %s names the round, its cost, and no cap',
    async (party) => {
      const text = await pageOf(party, '/account');
      expect(text).toContain('No survey that counts now sets a cap.');
      expect(text).toContain('A test <span class="quiet small">Light</span>');
      expect(text).toContain('<td role="cell" data-label="Cost">0.4</td>');
    },
  );
});

test.each(PARTIES)(
  'with a Strong round beside it the %s shows the cap and the part',
  async (party) => {
    if (party === 'guardian') await openTestRound(parties, [50], { noise: TEST_NOISE.both }, 2);
    const text = await pageOf(party, '/account');
    expect(text).toContain('<strong>0.65 of 1</strong>');
    expect(text).toContain('value="0.65"');
  },
);
