import { constants, createPublicKey, sign, verify, webcrypto } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, fromBase64url, fromHex, toHex, utf8 } from '../../crypto/bytes.ts';
import { Secret } from '../../crypto/secret.ts';
import { sha256 } from '../../crypto/sha256.ts';
import {
  blindToken,
  decodeToken,
  decodeTokenRequest,
  encodeTokenRequest,
  finalizeToken,
  openTokenRequest,
  pendingTokenRequest,
  TOKEN_REQUEST_SIZE,
  TOKEN_SIZE,
  type TokenBinding,
  verifyToken,
} from '../../crypto/token.ts';
import {
  encodeTokenChallenge,
  redemptionContext,
  taskChallengeHash,
} from '../../crypto/token-challenge.ts';
import { decodeTokenSpki, encodeTokenSpki, tokenKeyId } from '../../crypto/token-key.ts';
import { issueToken } from '../../server/employer/token-keys.ts';
import {
  issuerKey,
  modulusOf,
  power,
  rsaPair,
  scripted,
  toBytes,
  toInteger,
  withByte,
} from '../support/tokens.ts';
import {
  bytes,
  checkDecoder,
  codeOf,
  expectCode,
  mutated,
  random,
  sized,
  vectors,
} from './support.ts';

interface TokenVector {
  readonly pkS: string;
  readonly token_challenge: string;
  readonly nonce: string;
  readonly blind: string;
  readonly salt: string;
  readonly token_request: string;
  readonly token_response: string;
  readonly token: string;
}

const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 48 };
const KEYS = [issuerKey(), issuerKey()] as const;
const [KEY, OTHER_KEY] = KEYS;
const URLS = [
  { url: 'https://employer.example' },
  { url: 'https://guardian.example:8443' },
] as const;

const binding = (key = KEY): TokenBinding => ({
  spki: key.spki,
  nonce: random(32),
  challengeHash: taskChallengeHash(random(32), ...URLS),
});

/** A token and what it is bound to, as the three parties make it. */
function issued(bound = binding(), key = KEY) {
  const { request, state } = blindToken(bound, random);
  const token = finalizeToken(state, issueToken(key, openTokenRequest(request, key.spki)));
  return { bound, token };
}

describe('RFC 9578 Appendix B.2', () => {
  const VECTORS = vectors<TokenVector[]>('rfc9578/pub_verif_go.json');

  it.each(VECTORS.map((vector, i) => [i + 1, vector] as const))('vector %i', (_, vector) => {
    const spki = fromHex(vector.pkS);
    const bound = {
      spki,
      nonce: fromHex(vector.nonce),
      challengeHash: sha256(fromHex(vector.token_challenge)),
    };
    const { request, state } = blindToken(
      bound,
      scripted(fromHex(vector.salt), fromHex(vector.blind)),
    );
    expect(toHex(request)).toBe(vector.token_request);
    expect(toHex(finalizeToken(state, fromHex(vector.token_response)))).toBe(vector.token);
    verifyToken(fromHex(vector.token), bound);
    expect(toHex(encodeTokenSpki(decodeTokenSpki(spki)))).toBe(vector.pkS);
  });

  it.each(VECTORS.map((vector, i) => [i + 1, vector] as const))('challenge %i', (_, vector) => {
    const wire = Buffer.from(fromHex(vector.token_challenge));
    const issuerLength = wire.readUInt16BE(2);
    const contextLength = wire[4 + issuerLength] as number;
    const contextAt = 5 + issuerLength;
    const challenge = {
      issuerName: wire.toString('utf8', 4, 4 + issuerLength),
      redemptionContext: new Uint8Array(wire.subarray(contextAt, contextAt + contextLength)),
      originInfo: wire.toString('utf8', contextAt + contextLength + 2),
    };
    expect(toHex(encodeTokenChallenge(challenge))).toBe(vector.token_challenge);
  });
});

describe('the challenge of a task', () => {
  const taskId = random(32);

  it('is of the two hosts and the task', () => {
    const context = sha256(utf8('chorus token v1\0'), taskId);
    expect(redemptionContext(taskId)).toEqual(context);
    const challenge = concat(
      fromHex('0002'),
      fromHex('0010'),
      utf8('employer.example'),
      fromHex('20'),
      context,
      fromHex('0015'),
      utf8('guardian.example:8443'),
    );
    expect(taskChallengeHash(taskId, ...URLS)).toEqual(sha256(challenge));
  });

  it('does not depend on the scheme, the case or a final slash', () => {
    const expected = taskChallengeHash(taskId, ...URLS);
    const same = [{ url: 'http://EMPLOYER.example/' }, { url: 'https://guardian.example:8443/' }];
    expect(taskChallengeHash(taskId, ...(same as unknown as typeof URLS))).toEqual(expected);
  });

  it('is another for another task, employer or guardian', () => {
    const [employer, guardian] = URLS;
    const hashes = [
      taskChallengeHash(taskId, employer, guardian),
      taskChallengeHash(taskId, guardian, employer),
      taskChallengeHash(random(32), employer, guardian),
      taskChallengeHash(taskId, employer, { url: 'https://guardian.example' }),
    ];
    expect(new Set(hashes.map(toHex)).size).toBe(hashes.length);
  });

  it.each([
    '',
    'employer.example',
    'ftp://employer.example',
    'https://',
    'https:///',
    'https://employer.example/answer',
    'https://user@employer.example',
    'https://employer.example?x',
    'https://employer.example\n',
    ' https://employer.example',
  ])('refuses the endpoint %j', (url) => {
    expectCode('invalid_argument', () => taskChallengeHash(taskId, { url }, URLS[1]));
    expectCode('invalid_argument', () => taskChallengeHash(taskId, URLS[0], { url }));
  });

  it('refuses a task ID, context or issuer of another length', () => {
    for (const length of [0, 31, 33]) {
      expectCode('invalid_argument', () => redemptionContext(new Uint8Array(length)));
    }
    const good = { issuerName: 'a', redemptionContext: new Uint8Array(32), originInfo: '' };
    expect(codeOf(() => encodeTokenChallenge(good))).toBe(undefined);
    for (const bad of [
      { ...good, issuerName: '' },
      { ...good, issuerName: 'a'.repeat(65_536) },
      { ...good, originInfo: 'a'.repeat(65_536) },
      { ...good, redemptionContext: new Uint8Array(31) },
    ]) {
      expectCode('invalid_argument', () => encodeTokenChallenge(bad));
    }
  });
});

describe('the SubjectPublicKeyInfo of a token key', () => {
  it('is what node:crypto reads as RSASSA-PSS with SHA-384, and decodes strictly', () => {
    const key = createPublicKey({ key: Buffer.from(KEY.spki), format: 'der', type: 'spki' });
    expect(key.asymmetricKeyType).toBe('rsa-pss');
    expect(key.asymmetricKeyDetails).toEqual({
      modulusLength: 2048,
      publicExponent: 65_537n,
      hashAlgorithm: 'sha384',
      mgf1HashAlgorithm: 'sha384',
      saltLength: 48,
    });
    const modulus = toBytes((1n << 2047n) + 1n);
    checkDecoder({
      values: sized(254).map((middle) => Uint8Array.of(0x80, ...middle, 1)),
      encode: encodeTokenSpki,
      decode: decodeTokenSpki,
      runs: 50,
    });
    expect(decodeTokenSpki(encodeTokenSpki(modulus))).toEqual(modulus);
  });

  it('refuses every single changed byte outside the modulus', () => {
    const modulusAt = KEY.spki.length - 5 - 256;
    for (let at = 0; at < KEY.spki.length; at++) {
      if (at >= modulusAt && at < modulusAt + 256) continue;
      expectCode('decode', () =>
        decodeTokenSpki(withByte(KEY.spki, at, (KEY.spki[at] as number) ^ 1)),
      );
    }
  });

  it('refuses another algorithm, exponent or size, and garbage', () => {
    const rsaEncryption = KEY.publicKey.export({ format: 'der', type: 'spki' });
    const exponent3 = concat(KEY.spki.subarray(0, -5), fromHex('020103'));
    const small = modulusOf(rsaPair(1024).publicKey);
    const bad = [
      rsaEncryption,
      exponent3,
      KEY.spki.subarray(0, -1),
      concat(KEY.spki, Uint8Array.of(0)),
      new Uint8Array(0),
      new Uint8Array(342),
    ];
    for (const spki of bad) {
      expectCode('decode', () => decodeTokenSpki(spki));
      expectCode('decode', () => blindToken({ ...binding(), spki }, random));
      expectCode('decode', () => verifyToken(new Uint8Array(TOKEN_SIZE), { ...binding(), spki }));
      expectCode('decode', () => openTokenRequest(new Uint8Array([0, 2, ...random(257)]), spki));
    }
    const even = toBytes(1n << 2047n);
    const short = toBytes((1n << 2046n) + 1n);
    const long = concat(KEY.modulus, Uint8Array.of(1));
    for (const modulus of [small, even, short, long, KEY.modulus.subarray(1)]) {
      expectCode('decode', () => encodeTokenSpki(modulus));
    }
  });
});

describe('TokenRequest', () => {
  it('decodes strictly', () => {
    checkDecoder({
      values: fc.record({ truncatedKeyId: fc.nat(255), blinded: sized(256) }),
      encode: encodeTokenRequest,
      decode: decodeTokenRequest,
    });
    expectCode('decode', () => decodeTokenRequest(Uint8Array.of(0, 1, ...random(257))));
  });

  it('is for one key, and its message is below the modulus', () => {
    const { request } = blindToken(binding(), random);
    expect(request.length).toBe(TOKEN_REQUEST_SIZE);
    expect(openTokenRequest(request, KEY.spki)).toEqual(request.subarray(3));
    const id = request[2] as number;
    expect(id).toBe(tokenKeyId(KEY.spki).at(-1));
    expectCode('token', () => openTokenRequest(withByte(request, 2, id ^ 1), KEY.spki));
    const n = toInteger(KEY.modulus);
    for (const [value, code] of [
      [n - 1n, undefined],
      [n, 'token'],
      [n + 1n, 'token'],
      [(1n << 2048n) - 1n, 'token'],
    ] as const) {
      const out = encodeTokenRequest({ truncatedKeyId: id, blinded: toBytes(value) });
      expect(codeOf(() => openTokenRequest(out, KEY.spki))).toBe(code);
    }
  });
});

describe('blind, issue, finalize, verify', () => {
  it('holds for any nonce and challenge, with both keys', () => {
    const bound = fc.record({
      key: fc.constantFrom(...KEYS),
      nonce: sized(32),
      challengeHash: sized(32),
    });
    fc.assert(
      fc.property(bound, ({ key, nonce, challengeHash }) => {
        const { token } = issued({ spki: key.spki, nonce, challengeHash }, key);
        expect(token.length).toBe(TOKEN_SIZE);
        const keyId = tokenKeyId(key.spki);
        expect(token.subarray(0, 98)).toEqual(concat(fromHex('0002'), nonce, challengeHash, keyId));
        const decoded = verifyToken(token, { spki: key.spki, nonce, challengeHash });
        expect(decoded).toEqual(decodeToken(token));
        expect(decoded).toMatchObject({ nonce, challengeHash, tokenKeyId: keyId });
      }),
      { numRuns: 20 },
    );
  });

  it('asks with other bytes each time', () => {
    const bound = binding();
    const requests = [1, 2, 3].map(() => toHex(blindToken(bound, random).request));
    expect(new Set(requests).size).toBe(3);
  });

  it('leaves every token possible for every request: for each pair there is one factor', () => {
    const n = toInteger(KEY.modulus);
    const d = toInteger(fromBase64url(KEY.privateKey.export({ format: 'jwk' }).d ?? ''));
    const tokens = [1, 2].map(() => toInteger(issued().token.subarray(98)));
    for (let i = 0; i < 2; i++) {
      const blinded = blindToken(binding(), random).request.subarray(3);
      const reply = toInteger(issueToken(KEY, blinded));
      for (const signature of tokens) {
        const factor = (reply * power(signature, 65_537n * d - 2n, n)) % n; // reply / signature
        const encoded = power(signature, 65_537n, n);
        expect((encoded * power(factor, 65_537n, n)) % n).toBe(toInteger(blinded));
      }
    }
  });

  it('refuses lengths that no binding has', () => {
    for (const length of [0, 31, 33]) {
      const wrong = new Uint8Array(length);
      expectCode('invalid_argument', () => blindToken({ ...binding(), nonce: wrong }, random));
      expectCode('invalid_argument', () =>
        blindToken({ ...binding(), challengeHash: wrong }, random),
      );
    }
  });

  it('does not finalize what another key, request or reply gives', () => {
    const { request, state } = blindToken(binding(), random);
    const reply = issueToken(KEY, openTokenRequest(request, KEY.spki));
    const otherRequest = blindToken(binding(), random).request;
    // The same number signed with the other group's key, if it is below that modulus.
    const small = Uint8Array.of(0, ...request.subarray(4));
    for (const bad of [
      issueToken(OTHER_KEY, small),
      issueToken(KEY, openTokenRequest(otherRequest, KEY.spki)),
      request.subarray(3),
      reply.subarray(1),
      concat(reply, Uint8Array.of(0)),
      new Uint8Array(0),
      new Uint8Array(256),
      new Uint8Array(256).fill(255),
    ]) {
      expectCode('token', () => finalizeToken(state, bad));
    }
    fc.assert(
      fc.property(mutated(reply), (altered) => {
        if (toHex(altered) !== toHex(reply))
          expectCode('token', () => finalizeToken(state, altered));
      }),
      { numRuns: 50 },
    );
    expect(codeOf(() => finalizeToken(state, reply))).toBe(undefined);
  });
});

describe('the state between request and reply', () => {
  it('goes on after a reload, with the same request', () => {
    const bound = binding();
    const { request, state } = blindToken(bound, random);
    const restored = new Secret(state.reveal().slice());
    expect(pendingTokenRequest(restored)).toEqual(request);
    const reply = issueToken(KEY, openTokenRequest(request, KEY.spki));
    verifyToken(finalizeToken(restored, reply), bound);
  });

  it('does not print', () => {
    const { state } = blindToken(binding(), random);
    for (const text of [JSON.stringify({ state }), `${state}`, inspect(state)]) {
      expect(text).toContain('[secret]');
      expect(text.length).toBeLessThan(30);
    }
  });

  it('refuses a damaged state, and never makes an invalid token of it', () => {
    const { request, state } = blindToken(binding(), random);
    const reply = issueToken(KEY, openTokenRequest(request, KEY.spki));
    const kept = state.reveal();
    const whole = toHex(finalizeToken(state, reply));
    fc.assert(
      fc.property(fc.oneof(mutated(kept), bytes()), (altered) => {
        let token: Uint8Array;
        try {
          token = finalizeToken(new Secret(altered), reply);
        } catch (error) {
          expect(['decode', 'token']).toContain((error as { code?: string }).code);
          return;
        }
        // Only the blinded message may differ: it is not needed any more.
        expect(toHex(token)).toBe(whole);
      }),
      { numRuns: 100 },
    );
    for (const run of [pendingTokenRequest, (s: typeof state) => finalizeToken(s, reply)]) {
      expectCode('decode', () => run(new Secret(kept.subarray(1))));
      expectCode('decode', () => run(new Secret(concat(kept, Uint8Array.of(0)))));
    }
  });
});

describe('a token', () => {
  const { bound, token } = issued();

  it('decodes strictly', () => {
    checkDecoder<Uint8Array, Uint8Array>({
      values: sized(352).map((rest) => Uint8Array.of(0, 2, ...rest)),
      encode: (value) => value,
      decode: (input) => {
        const { signed, signature } = decodeToken(input);
        return concat(signed, signature);
      },
      runs: 50,
    });
  });

  it('is refused with any one byte changed', () => {
    for (let at = 0; at < token.length; at++) {
      const altered = withByte(token, at, (token[at] as number) ^ (1 << (at % 8)));
      expectCode(at < 2 ? 'decode' : 'token', () => verifyToken(altered, bound));
    }
    verifyToken(token, bound);
  });

  it('is refused for another nonce, challenge or group', () => {
    expectCode('token', () => verifyToken(token, { ...bound, nonce: random(32) }));
    expectCode('token', () => verifyToken(token, { ...bound, challengeHash: random(32) }));
    expectCode('token', () => verifyToken(token, { ...bound, spki: OTHER_KEY.spki }));
    expectCode('token', () => verifyToken(token, { ...bound, nonce: new Uint8Array(0) }));
    expectCode('token', () => verifyToken(token, { ...bound, nonce: bound.nonce.subarray(1) }));
  });

  it('is refused with the signature of another key, though it says this one', () => {
    const signed = token.subarray(0, 98);
    const forged = sign('sha384', signed, { key: OTHER_KEY.privateKey, ...PSS });
    expectCode('token', () => verifyToken(concat(signed, forged), bound));
  });

  it('is refused with a signature that is not below the modulus', () => {
    const modulus = toInteger(KEY.modulus);
    let signature: bigint;
    let bound2: TokenBinding;
    let token2: Uint8Array;
    do {
      ({ bound: bound2, token: token2 } = issued());
      signature = toInteger(token2.subarray(98)) + modulus;
    } while (signature >= 1n << 2048n);
    expectCode('token', () =>
      verifyToken(concat(token2.subarray(0, 98), toBytes(signature)), bound2),
    );
  });

  it.each([0, 32, 47, 49, 64, 206])('is refused with a salt of %i bytes', (saltLength) => {
    const signed = token.subarray(0, 98);
    const other = sign('sha384', signed, { key: KEY.privateKey, ...PSS, saltLength });
    expectCode('token', () => verifyToken(concat(signed, other), bound));
  });

  it('is refused with another hash or padding', () => {
    const signed = token.subarray(0, 98);
    for (const other of [
      sign('sha256', signed, { key: KEY.privateKey, ...PSS }),
      sign('sha512', signed, { key: KEY.privateKey, ...PSS }),
      sign('sha384', signed, KEY.privateKey),
    ]) {
      expectCode('token', () => verifyToken(concat(signed, other), bound));
    }
  });
});

describe('other implementations', () => {
  it('node:crypto verifies what is finalized here, and signs what verifies here', () => {
    const { bound, token } = issued();
    const signed = token.subarray(0, 98);
    expect(verify('sha384', signed, { key: KEY.publicKey, ...PSS }, token.subarray(98))).toBe(true);
    const signature = sign('sha384', signed, { key: KEY.privateKey, ...PSS });
    verifyToken(concat(signed, signature), bound);
  });

  it('so does WebCrypto', async () => {
    const { subtle } = webcrypto;
    const algorithm = { name: 'RSA-PSS', hash: 'SHA-384' };
    const pss = { name: 'RSA-PSS', saltLength: 48 };
    // WebCrypto reads id-rsaEncryption only.
    const spki = KEY.publicKey.export({ format: 'der', type: 'spki' });
    const pkcs8 = KEY.privateKey.export({ format: 'der', type: 'pkcs8' });
    const publicKey = await subtle.importKey('spki', spki, algorithm, false, ['verify']);
    const privateKey = await subtle.importKey('pkcs8', pkcs8, algorithm, false, ['sign']);
    const { bound, token } = issued();
    const signed = token.slice(0, 98);
    expect(await subtle.verify(pss, publicKey, token.slice(98), signed)).toBe(true);
    const signature = new Uint8Array(await subtle.sign(pss, privateKey, signed));
    verifyToken(concat(signed, signature), bound);
  });
});
