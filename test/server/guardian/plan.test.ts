import { afterAll, beforeAll, expect, test } from 'vitest';
import { ZodError } from 'zod';
import { equalBytes, toBase64url } from '../../../crypto/bytes.ts';
import type { RoundPlan } from '../../../server/guardian/plan.ts';
import { PeerRefusal } from '../../../server/peer/client.ts';
import { startTwoParties, type TwoParties, testSheet } from '../../support/parties.ts';

let parties: TwoParties;

beforeAll(async () => {
  parties = await startTwoParties();
});

afterAll(() => parties.close());

const plan = (number: number, changes: Partial<RoundPlan> = {}): RoundPlan => ({
  number,
  days: { start: 20_000, duration: 7 },
  sheet: testSheet(),
  groups: [{ name: 'Group 0', department: 'All', rosterSize: 20 }],
  ...changes,
});

const numbers = (party: 'guardian' | 'employer') =>
  parties[party].rounds().map(({ round }) => round.number);

test('a sheet that is not valid is signed by nobody and sent nowhere', async () => {
  const calls: string[] = [];
  parties.wires.guardian.before = (url) => {
    calls.push(url);
  };
  for (const sheet of [
    { ...testSheet(), k: 7 },
    { ...testSheet(), more: 1 },
  ]) {
    await expect(parties.guardian.plan(plan(1, { sheet }))).rejects.toBeInstanceOf(ZodError);
  }
  parties.wires.guardian.before = () => {};
  expect(calls).toEqual([]);
  expect([numbers('guardian'), numbers('employer')]).toEqual([[], []]);
});

test.each(['/keys', '/manifest'])(
  'where a reply to %s is lost, planning again goes on',
  async (call) => {
    const number = call === '/keys' ? 2 : 3;
    let lost = 0;
    parties.wires.guardian.after = (url, response) => {
      if (url.endsWith(call) && lost++ === 0) throw new Error('cut');
      return response;
    };
    await expect(parties.guardian.plan(plan(number))).rejects.toThrow('does not answer');
    const hash = await parties.guardian.plan(plan(number));
    parties.wires.guardian.after = (_url, response) => response;
    expect(equalBytes(await parties.guardian.plan(plan(number)), hash)).toBe(true);
    for (const party of ['guardian', 'employer'] as const) {
      const [round] = parties[party].rounds().filter(({ round }) => round.number === number);
      expect(equalBytes(round?.round.manifestHash as Buffer, hash)).toBe(true);
      expect(round?.round.employerSignature).not.toBe(null);
    }
  },
);

test('a signature of the employer that is none is not taken', async () => {
  parties.wires.guardian.after = (url, response) =>
    url.endsWith('/manifest')
      ? Response.json({ signature: toBase64url(new Uint8Array(64)) })
      : response;
  await expect(parties.guardian.plan(plan(4))).rejects.toThrow();
  const waiting = parties.guardian.rounds().find(({ round }) => round.number === 4);
  expect(waiting?.round.employerSignature).toBe(null);
  parties.wires.guardian.after = (_url, response) => response;
  await parties.guardian.plan(plan(4));
});

test('what the employer refuses is refused', async () => {
  parties.wires.guardian.after = (url, response) =>
    url.endsWith('/keys')
      ? new Response(JSON.stringify({ type: 'urn:chorus:error:planMismatch', detail: 'No.' }), {
          status: 409,
        })
      : response;
  const refused = parties.guardian.plan(plan(5));
  await expect(refused).rejects.toBeInstanceOf(PeerRefusal);
  await expect(refused).rejects.toMatchObject({ code: 'planMismatch' });
  expect(numbers('guardian')).not.toContain(5);
});
