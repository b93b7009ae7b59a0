import { describe, expect, test } from 'vitest';
import { DAY_MS } from '../../../server/domain/days.ts';
import { halfTime, invitationLink, remindedLately } from '../../../server/domain/invitations.ts';

describe('an invitation’s link', () => {
  const invitation = {
    code: Uint8Array.from({ length: 16 }, (_, i) => 255 - i),
    groupIndex: 17,
    manifestHash: new Uint8Array(32).fill(7),
  };

  test('leads to the guardian, with everything in the fragment', () => {
    const link = new URL(invitationLink('https://guardian.example', invitation));
    expect(link.origin + link.pathname + link.search).toBe('https://guardian.example/answer');
    const [code, group, hash, ...rest] = link.hash.slice(1).split('.');
    expect(Buffer.from(code as string, 'base64url')).toEqual(Buffer.from(invitation.code));
    expect(group).toBe('17');
    expect(Buffer.from(hash as string, 'base64url')).toEqual(Buffer.from(invitation.manifestHash));
    expect(rest).toEqual([]);
  });
});

test('half time lies in the middle', () => {
  expect(halfTime({ opensMs: 10, closesMs: 20 })).toBe(15);
});

test.each([
  [null, false],
  [0, true],
  [1, true],
])('reminded at %s, the end of that day is too soon: %s', (remindedMs, lately) => {
  expect(remindedLately(remindedMs, DAY_MS - 1)).toBe(lately);
  expect(remindedLately(remindedMs, 2 * DAY_MS)).toBe(false);
});
