import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { toHex } from '../../../crypto/bytes.ts';
import { blindToken, finalizeToken, verifyToken } from '../../../crypto/token.ts';
import { decodeTokenSpki } from '../../../crypto/token-key.ts';
import { type KeyMaker, type KeyPair, startKeyMaker } from '../../../server/employer/key-maker.ts';
import {
  type IssuerKey,
  issueToken,
  KEYS_PER_FILE,
  TokenKeys,
} from '../../../server/employer/token-keys.ts';
import { KeyFiles } from '../../../server/storage/key-files.ts';
import { expectCode, random } from '../../crypto/support.ts';
import { testFolder } from '../../support/folder.ts';
import { issuerKey, modulusOf, power, rsaPair, toBytes, toInteger } from '../../support/tokens.ts';

/** Real keys take long: these are given out again and again. */
const PAIRS = [rsaPair(), rsaPair(), rsaPair()];

const maker = (next: () => Promise<KeyPair>): KeyMaker => ({ next, stop: async () => {} });

function start() {
  const folder = join(testFolder(), 'keys');
  const counts = { made: 0, atOnce: 0, mostAtOnce: 0 };
  const newPair = async () => {
    counts.mostAtOnce = Math.max(counts.mostAtOnce, ++counts.atOnce);
    await new Promise((resolve) => setTimeout(resolve, 1));
    counts.atOnce--;
    return PAIRS[counts.made++ % PAIRS.length] as KeyPair;
  };
  const open = () => new TokenKeys(new KeyFiles(folder), () => maker(newPair));
  return { folder, counts, open, keys: open(), names: () => readdirSync(folder).sort() };
}

describe('the token keys of a round', () => {
  test('are made by node:crypto, one for each group, and issue tokens', async () => {
    const keys = new TokenKeys(new KeyFiles(join(testFolder(), 'keys')));
    const spkis = await keys.generate({ round: 1, groups: 2 });
    expect(new Set(spkis.map(toHex)).size).toBe(2);
    for (const [group, spki] of spkis.entries()) {
      const key = keys.ofGroup(1, group);
      if (key === undefined) throw new Error('no key');
      expect(key.spki).toEqual(spki);
      expect(key.privateKey.asymmetricKeyDetails).toMatchObject({
        modulusLength: 2048,
        publicExponent: 65_537n,
      });
      const bound = { spki, nonce: random(32), challengeHash: random(32) };
      const { request, state } = blindToken(bound, random);
      verifyToken(finalizeToken(state, issueToken(key, request.subarray(3))), bound);
      expect(keys.ofGroup(1, group)).toBe(key);
    }
    expect(keys.ofGroup(1, 2)).toBe(undefined);
    expect(keys.ofGroup(2, 0)).toBe(undefined);
  });

  test('lie in files of 50, at most two are made at once, progress counts every one', async () => {
    const { keys, counts, names, open } = start();
    const progress: number[] = [];
    const groups = 2 * KEYS_PER_FILE + 3;
    const spkis = await keys.generate({
      round: 7,
      groups,
      onProgress: (done) => progress.push(done),
    });
    expect(spkis.length).toBe(groups);
    expect(names()).toEqual(['tokens-7-0.json', 'tokens-7-1.json', 'tokens-7-2.json']);
    expect(progress).toEqual(Array.from({ length: groups + 1 }, (_, i) => i));
    expect(counts).toMatchObject({ made: groups, mostAtOnce: 2 });

    const again = open();
    for (const group of [0, 49, 50, 102]) {
      const key = again.ofGroup(7, group);
      expect(key?.spki).toEqual(spkis[group]);
      expect(key?.modulus).toEqual(decodeTokenSpki(spkis[group] as Uint8Array));
    }
    expect(again.ofGroup(7, 103)).toBe(undefined);
    expect(await again.generate({ round: 7, groups })).toEqual(spkis);
    expect(counts.made).toBe(groups);
  });

  test('that were stopped go on where they were, and nothing is written twice', async () => {
    const { keys, counts, names, folder, open } = start();
    const stop = new AbortController();
    const reason = new Error('shutting down');
    const groups = 2 * KEYS_PER_FILE;
    const onProgress = (done: number) => {
      if (done === KEYS_PER_FILE + 10) stop.abort(reason);
    };
    const stopped = keys.generate({ round: 1, groups, signal: stop.signal, onProgress });
    await expect(stopped).rejects.toBe(reason);
    expect(counts.atOnce, 'nothing goes on behind the back').toBe(0);
    expect(names()).toEqual(['tokens-1-0.json']);
    const first = readFileSync(join(folder, 'tokens-1-0.json'));

    const madeBefore = counts.made;
    const progress: number[] = [];
    const spkis = await open().generate({ round: 1, groups, onProgress: (n) => progress.push(n) });
    expect(spkis.length).toBe(groups);
    expect(counts.made - madeBefore).toBe(KEYS_PER_FILE);
    expect(progress[0]).toBe(KEYS_PER_FILE);
    expect(readFileSync(join(folder, 'tokens-1-0.json'))).toEqual(first);
  });

  test('grow with the plan: those that are there stay', async () => {
    const { keys } = start();
    const before = await keys.generate({ round: 1, groups: 3 });
    const after = await keys.generate({ round: 1, groups: 5 });
    expect(after.length).toBe(5);
    expect(after.slice(0, 3)).toEqual(before);
    expect(await keys.generate({ round: 1, groups: 2 })).toEqual(before.slice(0, 2));
    expect(await keys.generate({ round: 2, groups: 0 })).toEqual([]);
  });

  test('of two rounds are made one round after the other, never one round twice at once', async () => {
    const { keys, counts, names } = start();
    const [one, two] = [1, 2].map((round) => keys.generate({ round, groups: 4 }));
    await expect(keys.generate({ round: 1, groups: 4 })).rejects.toThrow('already being made');
    await Promise.all([one, two]);
    expect(counts).toMatchObject({ made: 8, mostAtOnce: 2 });
    expect(names()).toEqual(['tokens-1-0.json', 'tokens-2-0.json']);
  });

  test('a fault is thrown once all work has ended; the next generation is not hurt', async () => {
    const { folder } = start();
    let calls = 0;
    const fault = new Error('no entropy');
    const newPair = async () => {
      if (++calls === 3) throw fault;
      return PAIRS[0] as KeyPair;
    };
    const keys = new TokenKeys(new KeyFiles(folder), () => maker(newPair));
    await expect(keys.generate({ round: 1, groups: 20 })).rejects.toBe(fault);
    expect(calls).toBeLessThan(6);
    expect((await keys.generate({ round: 1, groups: 4 })).length).toBe(4);
  });

  test('are gone after deletion, of this round alone, from memory and disk', async () => {
    const { keys, names } = start();
    await keys.generate({ round: 1, groups: KEYS_PER_FILE + 1 });
    await keys.generate({ round: 11, groups: 1 });
    expect(keys.ofGroup(1, 0)).toBeDefined();
    await keys.delete(1);
    expect(names()).toEqual(['tokens-11-0.json']);
    expect(keys.ofGroup(1, 0)).toBe(undefined);
    expect(keys.ofGroup(11, 0)).toBeDefined();
    await keys.delete(1);
    await keys.delete(5);
  });

  test('a deletion that a crash cut short is finished by the next one', async () => {
    const { keys, names, folder, open } = start();
    await keys.generate({ round: 1, groups: 3 * KEYS_PER_FILE });
    const files = new KeyFiles(folder);
    let left = 1;
    files.delete = (name) => {
      if (left-- === 0) throw new Error('crash');
      KeyFiles.prototype.delete.call(files, name);
    };
    await expect(new TokenKeys(files).delete(1)).rejects.toThrow('crash');
    expect(names()).toEqual(['tokens-1-0.json', 'tokens-1-1.json']);
    await open().delete(1);
    expect(names()).toEqual([]);
  });

  test('a deletion stops the making first', async () => {
    const { keys, counts, names } = start();
    const made = keys.generate({ round: 1, groups: 4 * KEYS_PER_FILE });
    const refused = expect(made).rejects.toThrow();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await keys.delete(1);
    await refused;
    expect(counts.made).toBeLessThan(4 * KEYS_PER_FILE);
    expect(names()).toEqual([]);
  });

  test('do not print', async () => {
    const { keys, folder } = start();
    await keys.generate({ round: 1, groups: 1 });
    const file = readFileSync(join(folder, 'tokens-1-0.json'), 'utf8');
    const secret = (JSON.parse(file) as { keys: { pkcs8: string }[] }).keys[0]?.pkcs8 as string;
    const key = keys.ofGroup(1, 0);
    for (const text of [JSON.stringify([keys, key]), inspect([keys, key], { depth: 9 })]) {
      expect(text).not.toContain(secret.slice(40, 80));
      expect(text).not.toContain(Buffer.from(secret, 'base64url').toString('hex').slice(80, 120));
    }
  });

  test('a file of another form is refused, not used', async () => {
    const { keys, folder } = start();
    const files = new KeyFiles(folder);
    for (const content of [{}, [], { keys: [{}] }, { keys: [{ spki: 'AA', pkcs8: '' }] }]) {
      files.write('tokens-1-0', content);
      expect(() => keys.ofGroup(1, 0)).toThrow();
      await expect(keys.generate({ round: 1, groups: 1 })).rejects.toThrow();
    }
  });
});

describe('a key maker', () => {
  test('makes another pair each time, from a thread that does not slow this one down', async () => {
    const before = getPriority();
    const made = startKeyMaker();
    const [one, two] = [await made.next(), await made.next()];
    expect(one.publicKey.asymmetricKeyDetails).toEqual({
      modulusLength: 2048,
      publicExponent: 65_537n,
    });
    expect(toInteger(modulusOf(one.publicKey))).toBe(toInteger(modulusOf(one.privateKey)));
    expect(modulusOf(one.publicKey)).not.toEqual(modulusOf(two.publicKey));
    await made.stop();
    expect(getPriority()).toBe(before);
  });
});

describe('issuing', () => {
  const key = issuerKey(PAIRS[0]);
  const n = toInteger(key.modulus);

  test('is raw RSA: the same request gets the same reply, whose power it is', () => {
    const blinded = toBytes(toInteger(random(256)) % n);
    const reply = issueToken(key, blinded);
    expect(issueToken(key, blinded)).toEqual(reply);
    expect(reply.length).toBe(256);
    expect(power(toInteger(reply), 65_537n, n)).toBe(toInteger(blinded));
    for (const edge of [0n, 1n, n - 1n]) {
      expect(toInteger(issueToken(key, toBytes(edge)))).toBe(edge);
    }
  });

  test('refuses what is not below the modulus, or has another length', () => {
    for (const value of [n, n + 1n, (1n << 2048n) - 1n]) {
      expectCode('token', () => issueToken(key, toBytes(value)));
    }
    for (const length of [0, 1, 255, 257]) {
      expectCode('token', () => issueToken(key, new Uint8Array(length)));
    }
  });

  test('does not give away a signature that fails its own check', () => {
    // The larger modulus checks, so that every signature of the other key is below it.
    const [smaller, larger] = PAIRS.map((pair) => issuerKey(pair)).sort((a, b) =>
      Buffer.compare(a.modulus, b.modulus),
    ) as [IssuerKey, IssuerKey];
    const mixed = { ...smaller, publicKey: larger.publicKey };
    expect(() => issueToken(mixed, toBytes(2n))).toThrow('its own check');
  });
});
