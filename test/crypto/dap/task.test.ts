import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concat, fromHex, toHex, utf8 } from '../../../crypto/bytes.ts';
import {
  aggregateShareAad,
  aggregateShareInfo,
  inputShareAad,
  inputShareInfo,
} from '../../../crypto/dap/aad.ts';
import {
  decodeSurveyParameters,
  decodeTaskConfiguration,
  encodeSurveyParameters,
  encodeTaskConfiguration,
  type TaskConfiguration,
  taskId,
  vdafContext,
} from '../../../crypto/dap/task.ts';
import { bytes, checkDecoder, expectCode, random } from '../support.ts';
import * as values from './values.ts';

const survey = fc.record({
  chunkLength: fc.integer({ min: 1, max: 0xffff_ffff }),
  blockLengths: fc.array(fc.integer({ min: 1, max: 0xffff_ffff }), { minLength: 1, maxLength: 12 }),
});
const url = fc.string({
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
  minLength: 1,
});
const taskConfiguration: fc.Arbitrary<TaskConfiguration> = fc.record({
  taskInfo: bytes({ min: 1, max: 255 }),
  leaderAggregatorEndpoint: url,
  helperAggregatorEndpoint: url,
  timePrecision: fc.maxSafeNat(),
  minBatchSize: fc.maxSafeNat(),
  survey,
  taskInterval: values.interval,
});

const example: TaskConfiguration = {
  taskInfo: Uint8Array.of(1, 2, 3),
  leaderAggregatorEndpoint: 'https://g/',
  helperAggregatorEndpoint: 'https://e',
  timePrecision: 86_400,
  minBatchSize: 10,
  survey: { chunkLength: 11, blockLengths: [6, 6] },
  taskInterval: { start: 20_000, duration: 14 },
};
const HEAD = '03010203000a68747470733a2f2f672f000968747470733a2f2f65';
const NUMBERS = '0000000000015180000000000000000a';
const VDAF = 'ffff5759000e0000000b00080000000600000006';
const EXTENSIONS = '00140001001000000000 00004e20000000000000000e'.replace(' ', '');
const ENCODED = `${HEAD}${NUMBERS}010000${VDAF}${EXTENSIONS}`;

describe('TaskConfiguration (DAP §Task Configuration)', () => {
  it('is encoded as its struct says', () => {
    expect(toHex(encodeTaskConfiguration(example))).toBe(ENCODED);
  });

  it('is decoded strictly', () => {
    checkDecoder({
      values: taskConfiguration,
      encode: encodeTaskConfiguration,
      decode: decodeTaskConfiguration,
    });
  });

  it('is refused wherever it is cut, and with a byte more', () => {
    const encoded = fromHex(ENCODED);
    for (let length = 0; length < encoded.length; length++) {
      expectCode('decode', () => decodeTaskConfiguration(encoded.slice(0, length)));
    }
    expectCode('decode', () => decodeTaskConfiguration(concat(encoded, Uint8Array.of(0))));
  });

  it.each([
    ['no task_info', `00${ENCODED.slice(8)}`],
    ['a URL outside of ASCII', ENCODED.replace('68747470', 'c3bc7470')],
    ['a URL with a space', ENCODED.replace('68747470', '20747470')],
    ['batch mode leader_selected', `${HEAD}${NUMBERS}020000${VDAF}${EXTENSIONS}`],
    ['batch mode 0', `${HEAD}${NUMBERS}000000${VDAF}${EXTENSIONS}`],
    ['a batch_config', `${HEAD}${NUMBERS}01000100${VDAF}${EXTENSIONS}`],
    ['another VDAF', ENCODED.replace('ffff5759', '00000005')],
    ['no extension', `${HEAD}${NUMBERS}010000${VDAF}0000`],
    ['an unknown extension', ENCODED.replace('001400010010', '001400020010')],
    ['a second extension', `${HEAD}${NUMBERS}010000${VDAF}0018${EXTENSIONS.slice(4)}00020000`],
    ['task_interval twice', `${HEAD}${NUMBERS}010000${VDAF}0028${EXTENSIONS.slice(4).repeat(2)}`],
    ['a short interval', `${HEAD}${NUMBERS}010000${VDAF}00130001000f${'00'.repeat(15)}`],
    ['a long interval', `${HEAD}${NUMBERS}010000${VDAF}001500010011${'00'.repeat(17)}`],
  ])('is refused with %s', (_, hex) => {
    expectCode('decode', () => decodeTaskConfiguration(fromHex(hex)));
  });

  it('does not encode what does not fit', () => {
    const refused: Partial<TaskConfiguration>[] = [
      { taskInfo: new Uint8Array(0) },
      { taskInfo: new Uint8Array(256) },
      { leaderAggregatorEndpoint: '' },
      { helperAggregatorEndpoint: 'https://ü' },
      { minBatchSize: -1 },
      { survey: { chunkLength: 0, blockLengths: [6] } },
    ];
    for (const change of refused) {
      expectCode('invalid_argument', () => encodeTaskConfiguration({ ...example, ...change }));
    }
  });
});

describe('the configuration of Prio3Survey', () => {
  it('is decoded strictly', () => {
    checkDecoder({
      values: survey,
      encode: encodeSurveyParameters,
      decode: decodeSurveyParameters,
    });
  });

  it.each([
    ['no block', '0000000b0000'],
    ['half a block', '0000000b000600000006 0000'],
    ['an empty block', '0000000b00080000000600000000'],
    ['an empty chunk', '00000000000400000006'],
    ['a trailing byte', '0000000b00040000000600'],
  ])('is refused with %s', (_, hex) => {
    expectCode('decode', () => decodeSurveyParameters(fromHex(hex.replace(' ', ''))));
  });

  it('holds 16383 blocks, and no more', () => {
    const most = { chunkLength: 1, blockLengths: Array<number>(16_383).fill(2) };
    expect(decodeSurveyParameters(encodeSurveyParameters(most))).toEqual(most);
    expectCode('invalid_argument', () =>
      encodeSurveyParameters({ chunkLength: 1, blockLengths: [...most.blockLengths, 2] }),
    );
    expectCode('invalid_argument', () =>
      encodeSurveyParameters({ chunkLength: 1, blockLengths: [] }),
    );
  });
});

describe('what follows from a task', () => {
  const id = random(32);

  it('is an ID by the hash of the configuration', () => {
    const hash = (...parts: (string | Uint8Array)[]) => {
      const sha = createHash('sha256');
      for (const part of parts) sha.update(part);
      return new Uint8Array(sha.digest());
    };
    expect(taskId(fromHex(ENCODED))).toEqual(hash(hash('dap-taskprov task id'), fromHex(ENCODED)));
  });

  it('is the application context of the VDAF', () => {
    expect(vdafContext(id)).toEqual(concat(utf8('dap-18'), id));
  });

  it('is the info of each seal, naming the sender and the recipient', () => {
    const input = toHex(utf8('dap-18 input share'));
    expect(toHex(inputShareInfo('leader'))).toBe(`${input}0102`);
    expect(toHex(inputShareInfo('helper'))).toBe(`${input}0103`);
    const aggregate = toHex(utf8('dap-18 aggregate share'));
    expect(toHex(aggregateShareInfo('leader'))).toBe(`${aggregate}0200`);
    expect(toHex(aggregateShareInfo('helper'))).toBe(`${aggregate}0300`);
  });

  it('is the associated data of each seal', () => {
    const [a, b, c] = [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)];
    expect(toHex(inputShareAad(id, a, b, c))).toBe(`${toHex(id)}01020000000103`);
    expect(toHex(aggregateShareAad(id, a, b))).toBe(`${toHex(id)}0102`);
  });

  it('needs a task ID of 32 bytes', () => {
    const none = new Uint8Array(0);
    for (const bad of [id.slice(1), concat(id, id)]) {
      expectCode('invalid_argument', () => vdafContext(bad));
      expectCode('invalid_argument', () => inputShareAad(bad, none, none, none));
      expectCode('invalid_argument', () => aggregateShareAad(bad, none, none));
    }
  });
});
