import { statSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { Secret } from '../../../crypto/secret.ts';
import {
  deleteInvitationSecret,
  drawInvitationSecret,
  invitationCode,
  readInvitationSecret,
} from '../../../server/employer/invitation-codes.ts';
import { systemRandomness } from '../../../server/party.ts';
import { KeyFiles } from '../../../server/storage/key-files.ts';
import { testFolder } from '../../support/folder.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('a code', () => {
  test('is an HMAC of person and issue, 16 bytes', () => {
    const secret = new Secret(new Uint8Array(32).fill(1));
    // HMAC-SHA256 by Python's hmac of "chorus invitation v1" ‖ 00 ‖ u64 person ‖ u8 issue, cut.
    expect(hex(invitationCode(secret, 7, 1))).toBe('cf98249d4b5c08493df8e732f152a7ce');
  });

  test('is another one for each person, issue and secret', () => {
    const secrets = [1, 2].map((byte) => new Secret(new Uint8Array(32).fill(byte)));
    const codes = secrets.flatMap((secret) =>
      [1, 2, 256, 2 ** 40].flatMap((person) =>
        ([1, 2] as const).map((issue) => hex(invitationCode(secret, person, issue))),
      ),
    );
    expect(new Set(codes).size).toBe(16);
  });
});

describe('the secret of a round', () => {
  test('is drawn once into a key file, found again, and deleted with it', () => {
    const folder = join(testFolder(), 'keys');
    const files = new KeyFiles(folder);
    expect(readInvitationSecret(files, 3)).toBeUndefined();
    const secret = drawInvitationSecret(files, 3, systemRandomness);
    expect(readInvitationSecret(new KeyFiles(folder), 3)?.reveal()).toEqual(secret.reveal());
    expect(readInvitationSecret(files, 4)).toBeUndefined();
    expect(statSync(join(folder, 'invitations-3.json')).mode & 0o777).toBe(0o600);
    expect(inspect(secret) + JSON.stringify({ secret })).not.toContain(
      Buffer.from(secret.reveal()).toString('base64url'),
    );
    deleteInvitationSecret(files, 3);
    expect(readInvitationSecret(files, 3)).toBeUndefined();
    deleteInvitationSecret(files, 3);
  });
});
