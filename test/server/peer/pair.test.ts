import { beforeAll, describe, expect, test } from 'vitest';
import { toBase64url } from '../../../crypto/bytes.ts';
import { Secret } from '../../../crypto/secret.ts';
import { systemRandomness } from '../../../server/party.ts';
import {
  type Card,
  encodeCard,
  fingerprint,
  fingerprintOf,
  newPairingCode,
  openCard,
  pairingFile,
  readPairingCode,
  tokenHash,
} from '../../../server/peer/pair.ts';
import { parsePairing } from '../../../server/peer/pairing.ts';

const card = (party: Card['party']): Card => ({
  party,
  url: `https://${party}.example`,
  signingKey: systemRandomness(32),
  tokenHash: systemRandomness(32),
});

let code: Secret<string>;
let guardian: Card;
let employer: Card;

beforeAll(() => {
  code = newPairingCode(systemRandomness);
  guardian = card('guardian');
  employer = card('employer');
});

describe('a code', () => {
  test('has 26 symbols that nobody misreads, and is read as it was shown', () => {
    for (let i = 0; i < 50; i++) {
      const shown = newPairingCode(systemRandomness).reveal();
      expect(shown).toMatch(/^([0-9A-HJKMNP-TV-Z]{5}-){5}[0-9A-HJKMNP-TV-Z]$/);
      expect(readPairingCode(shown)?.reveal()).toBe(shown.replaceAll('-', ''));
    }
  });

  test('takes five bits of each byte, and every symbol alike', () => {
    const every = newPairingCode((length) => Uint8Array.from({ length }, (_, i) => i + 6));
    expect(every.reveal()).toBe('6789A-BCDEF-GHJKM-NPQRS-TVWXY-Z');
    expect(newPairingCode((length) => new Uint8Array(length).fill(0xff)).reveal()).toMatch(/^Z/);
  });

  test.each([
    ['small letters', (shown: string) => shown.toLowerCase()],
    ['no hyphens', (shown: string) => shown.replaceAll('-', '')],
    ['other groups', (shown: string) => shown.replaceAll('-', '').replace(/(.{4})/g, '$1 ')],
    ['blanks and tabs around', (shown: string) => ` \t${shown}\n`],
    ['O for 0', (shown: string) => shown.replaceAll('0', 'O')],
    ['o for 0', (shown: string) => shown.replaceAll('0', 'o')],
    ['I for 1', (shown: string) => shown.replaceAll('1', 'I')],
    ['l for 1', (shown: string) => shown.replaceAll('1', 'l')],
  ])('is the same with %s', (_name, mistype) => {
    const shown = '01ABC-DEF01-10XYZ-01234-56789-0';
    expect(readPairingCode(mistype(shown))?.reveal()).toBe(shown.replaceAll('-', ''));
  });

  test.each(['', 'A', 'A'.repeat(25), 'A'.repeat(27), `${'A'.repeat(25)}U`, `${'A'.repeat(25)}é`])(
    'is none: %j',
    (text) => {
      expect(readPairingCode(text)).toBe(undefined);
    },
  );

  test('cannot be printed', () => {
    expect(`${code}${JSON.stringify({ code })}`).not.toContain(code.reveal());
  });
});

describe('a card', () => {
  test('is opened with the code that it was made with, and answered', () => {
    const message = encodeCard(employer, code);
    expect(openCard(message, 'employer', code)).toEqual(employer);
    const reply = encodeCard(guardian, code, message);
    expect(openCard(reply, 'guardian', code, message)).toEqual(guardian);
    // As a person types it.
    const typed = readPairingCode(code.reveal().toLowerCase()) as Secret<string>;
    expect(openCard(message, 'employer', typed)).toEqual(employer);
  });

  test('with any field changed, left out or added is not opened', () => {
    const message = encodeCard(employer, code);
    const other = encodeCard(card('employer'), code);
    for (const key of Object.keys(message)) {
      const { [key]: _, ...without } = message;
      expect(openCard(without, 'employer', code)).toBe(undefined);
      for (const value of [other[key], '', null, 7]) {
        if (value === message[key]) continue;
        expect(openCard({ ...message, [key]: value }, 'employer', code), key).toBe(undefined);
      }
    }
    expect(openCard({ ...message, more: 1 }, 'employer', code)).toBe(undefined);
    const elsewhere = { ...message, url: 'https://elsewhere.example' };
    expect(openCard(elsewhere, 'employer', code)).toBe(undefined);
  });

  test.each([null, undefined, [], 'x', 7, {}])('is not %j', (value) => {
    expect(openCard(value, 'employer', code)).toBe(undefined);
  });

  test('of the own kind, or sent back as the answer, is not opened', () => {
    const message = encodeCard(employer, code);
    expect(openCard(message, 'guardian', code)).toBe(undefined);
    expect(openCard(message, 'employer', code, message)).toBe(undefined);
    const reply = encodeCard(guardian, code, message);
    expect(openCard(reply, 'guardian', code)).toBe(undefined);
    expect(openCard(reply, 'guardian', code, encodeCard(card('employer'), code))).toBe(undefined);
  });

  test('made with another code is not opened', () => {
    const other = newPairingCode(systemRandomness);
    expect(openCard(encodeCard(employer, other), 'employer', code)).toBe(undefined);
  });
});

test('the file of a pairing is a pairing: own token, and the hash of the other’s', () => {
  const token = new Secret(systemRandomness(32));
  const pairing = parsePairing(pairingFile(guardian, token));
  expect(pairing.url).toBe(guardian.url);
  expect(pairing.signingKey).toEqual(guardian.signingKey);
  expect(toBase64url(pairing.token.reveal())).toBe(toBase64url(token.reveal()));
  expect(pairing.acceptedTokenHash).toEqual(guardian.tokenHash);
  expect(tokenHash(token)).toHaveLength(32);
});

describe('the fingerprint', () => {
  test('is the same on both sides, in groups that can be read aloud', () => {
    const token = new Secret(systemRandomness(32));
    const own = fingerprint(guardian.signingKey, employer.signingKey);
    const seen = (of: Card) => parsePairing(pairingFile(of, token));
    expect(own).toMatch(/^([0-9a-f]{4} ){4}[0-9a-f]{4}$/);
    expect(fingerprintOf('guardian', guardian.signingKey, seen(employer))).toBe(own);
    expect(fingerprintOf('employer', employer.signingKey, seen(guardian))).toBe(own);
  });

  test('is another one for another key, or keys exchanged', () => {
    const { signingKey } = card('guardian');
    const prints = [
      fingerprint(guardian.signingKey, employer.signingKey),
      fingerprint(employer.signingKey, guardian.signingKey),
      fingerprint(signingKey, employer.signingKey),
      fingerprint(guardian.signingKey, signingKey),
    ];
    expect(new Set(prints).size).toBe(4);
  });
});
