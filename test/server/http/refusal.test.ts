import { STATUS_CODES } from 'node:http';
import { describe, expect, test } from 'vitest';
import { Refusal, type RefusalCode, refusalCodeOf } from '../../../server/http/refusal.ts';

/** Every code with its status; the compiler holds the list complete. */
const STATUS: Record<RefusalCode, number> = {
  invalidMessage: 400,
  unrecognizedTask: 404,
  unrecognizedAggregationJob: 404,
  batchInvalid: 400,
  invalidBatchSize: 400,
  invalidAggregationParameter: 400,
  batchMismatch: 400,
  batchOverlap: 400,
  unsupportedExtension: 400,
  unauthorized: 401,
  notFound: 404,
  retentionOver: 410,
  wrongMediaType: 415,
  tooLarge: 413,
  unavailable: 503,
  signInNeeded: 401,
  wrongRole: 403,
  tooOften: 429,
  codeUnknown: 404,
  codeUsed: 409,
  codeExpired: 410,
  wrongKey: 409,
  crossSite: 403,
  withheld: 409,
  notYet: 409,
  tooLate: 409,
  lotTooSmall: 409,
  sealMismatch: 409,
  commitmentMismatch: 409,
  resultMismatch: 409,
  roundTaken: 409,
  accountExceeded: 409,
  planMismatch: 409,
  listMismatch: 409,
};
/** What DAP §Errors defines: only these may stand in its name space. */
const DAP = new Set([
  'invalidMessage',
  'unrecognizedTask',
  'unrecognizedAggregationJob',
  'batchInvalid',
  'invalidBatchSize',
  'invalidAggregationParameter',
  'batchMismatch',
  'stepMismatch',
  'batchOverlap',
  'unsupportedExtension',
  'invalidExtension',
]);
const CODES = Object.keys(STATUS) as RefusalCode[];

describe.each(CODES)('%s', (code) => {
  test('is a problem document with its status, a sentence, and a type that leads back', () => {
    const refusal = new Refusal(code);
    const { type, title, status, detail } = refusal.problem();
    expect(refusal.status).toBe(STATUS[code]);
    expect(status).toBe(STATUS[code]);
    expect(STATUS_CODES[status]).toBeDefined();
    expect(type).toBe(
      DAP.has(code) ? `urn:ietf:params:ppm:dap:error:${code}` : `urn:chorus:error:${code}`,
    );
    expect(refusalCodeOf(type)).toBe(code);
    expect(title).toMatch(/^[A-Z].*\.$/);
    expect(detail).toBe(title);
    expect(new Refusal(code, 'more').problem()).toMatchObject({ title, detail: 'more' });
  });
});

test('titles are told apart', () => {
  expect(new Set(CODES.map((code) => new Refusal(code).problem().title)).size).toBe(CODES.length);
});

test('a type that is none of these has no code', () => {
  for (const type of [
    'urn:chorus:error:invalidMessage',
    'urn:ietf:params:ppm:dap:error:withheld',
    'urn:ietf:params:ppm:dap:error:stepMismatch',
    'urn:chorus:error:',
    'withheld',
    'about:blank',
    'toString',
    '',
    undefined,
    null,
    7,
    {},
  ]) {
    expect(refusalCodeOf(type)).toBe(undefined);
  }
});
