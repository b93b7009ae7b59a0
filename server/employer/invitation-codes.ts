import { createHmac } from 'node:crypto';
import { z } from 'zod';
import { concat, toBase64url, utf8 } from '../../crypto/bytes.ts';
import type { Randomness } from '../../crypto/random.ts';
import { Secret } from '../../crypto/secret.ts';
import { INVITATION_CODE_SIZE } from '../domain/invitations.ts';
import { bytesField } from '../http/schema.ts';
import type { KeyFiles } from '../storage/key-files.ts';

const SECRET_SIZE = 32;
const LABEL = utf8('chorus invitation v1\0');
const FILE = z.strictObject({ secret: bytesField(SECRET_SIZE) });

/**
 * Where a round's codes come from: a secret in a key file of its own. Codes are made again whenever
 * a mail or a sheet needs them, so that only their hashes are stored; with the file nobody can tell
 * any more whose code a hash was.
 */
export type InvitationSecret = Secret<Uint8Array>;

/** The code of a person's first or second invitation, 16 bytes. */
export function invitationCode(secret: InvitationSecret, person: number, issue: 1 | 2): Uint8Array {
  const message = new Uint8Array(9);
  new DataView(message.buffer).setBigUint64(0, BigInt(person));
  message[8] = issue;
  const mac = createHmac('sha256', secret.reveal()).update(concat(LABEL, message)).digest();
  return new Uint8Array(mac.subarray(0, INVITATION_CODE_SIZE));
}

/** undefined before the round is signed and after it is closed. */
export function readInvitationSecret(files: KeyFiles, round: number): InvitationSecret | undefined {
  const content = files.read(fileName(round));
  return content === undefined ? undefined : new Secret(FILE.parse(content).secret);
}

export function drawInvitationSecret(
  files: KeyFiles,
  round: number,
  randomness: Randomness,
): InvitationSecret {
  const secret = randomness(SECRET_SIZE);
  files.write(fileName(round), { secret: toBase64url(secret) });
  return new Secret(secret);
}

export function deleteInvitationSecret(files: KeyFiles, round: number): void {
  files.delete(fileName(round));
}

function fileName(round: number): string {
  return `invitations-${round}`;
}
