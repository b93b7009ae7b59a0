import { format, inspect } from 'node:util';
import { expect, test } from 'vitest';
import { Secret } from '../../crypto/secret.ts';

const NEEDLE = 'needle-5f2c';

test('only reveal() gives the value', () => {
  const value = { seed: NEEDLE };
  expect(new Secret(value).reveal()).toBe(value);
});

test('no way of printing shows it, alone or within something', () => {
  const secret = new Secret(NEEDLE);
  const within = {
    list: [secret],
    map: new Map([['key', secret]]),
    error: new Error('x', { cause: secret }),
  };
  const shown = [
    String(secret),
    `${secret}`,
    JSON.stringify(secret),
    JSON.stringify(within),
    inspect(secret, { depth: 9, showHidden: true }),
    inspect(within, { depth: 9, showHidden: true }),
    format('%s %o %O %j', secret, secret, secret, secret),
    Object.keys(secret).join(),
    JSON.stringify(Object.getOwnPropertyDescriptors(secret)),
    JSON.stringify(structuredClone(within.list.map((one) => ({ ...one })))),
  ];
  for (const text of shown) expect(text).not.toContain(NEEDLE);
  expect(String(secret)).toBe('[secret]');
});
