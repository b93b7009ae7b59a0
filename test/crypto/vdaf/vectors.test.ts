import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { sodiumReady } from '../../../crypto/sodium.ts';
import { runVectorFolders } from '../../support/vdaf-vector-folders.ts';
import {
  parseVector,
  runVdafVector,
  VectorMismatch,
  vdafVectors,
} from '../../support/vdaf-vectors.ts';

beforeAll(sodiumReady);

describe.each(['survey', 'vdaf-20', 'vdaf-more'])('the vectors of %s', (folder) => {
  const vectors = vdafVectors(`test/vectors/${folder}`);

  test.each(vectors)('$name: every operation as written', ({ name, vector }) => {
    const { operations, refusals } = runVdafVector(name, vector);
    expect(operations).toBeGreaterThan(0);
    // What must fail does so by the proof or the joint randomness.
    expect(refusals).toEqual(name.includes('_bad_') ? ['vdaf_verify'] : []);
  });
});

describe('the runner', () => {
  const load = (name: string) => {
    const found = vdafVectors('test/vectors/vdaf-20').find((entry) => entry.name === name);
    return structuredClone((found as NonNullable<typeof found>).vector);
  };
  const flip = (hex: string) => (hex.startsWith('0') ? '1' : '0') + hex.slice(1);

  test('notices a difference in any message', () => {
    const name = 'Prio3Histogram_0';
    const alterations: ((vector: ReturnType<typeof load>) => void)[] = [
      ({ reports: [report] }) => {
        if (report) report.public_share = flip(report.public_share);
      },
      ({ reports: [report] }) => {
        if (report) report.input_shares = report.input_shares.map(flip);
      },
      ({ reports: [report] }) => {
        if (report) report.verifier_shares = report.verifier_shares.map((round) => round.map(flip));
      },
      ({ reports: [report] }) => {
        if (report) report.out_shares = report.out_shares.map(flip);
      },
      (vector) => {
        vector.agg_shares = vector.agg_shares.map(flip);
      },
      (vector) => {
        vector.agg_result = [0, 0, 0, 1];
      },
    ];
    for (const alter of alterations) {
      const vector = load(name);
      alter(vector);
      expect(() => runVdafVector(name, vector)).toThrow(VectorMismatch);
    }
  });

  test('notices an operation that should have failed', () => {
    const vector = load('Prio3Count_0');
    for (const operation of vector.operations) operation.success = operation.operation === 'shard';
    expect(() => runVdafVector('Prio3Count_0', vector)).toThrow(/must refuse/);
  });
});

describe('npm run vectors', () => {
  const run = (...folders: string[]) => {
    const lines: string[] = [];
    const ok = runVectorFolders(folders, (line) => lines.push(line));
    return { ok, lines, last: lines.at(-1) };
  };

  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'vectors-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });
  const original = (name: string) => readFileSync(`test/vectors/vdaf-20/${name}.json`, 'utf8');

  test('runs all of ours, at any depth, and says what it leaves out', () => {
    const { ok, lines, last } = run('test/vectors');
    expect(ok).toBe(true);
    expect(last).toBe('42 passed, 0 failed');
    expect(lines).toContain(
      'skipped  vdaf-20/XofTurboShake128.json: not a vector of a type that is run here',
    );
  });

  test('runs vectors under names it has never seen', () => {
    writeFileSync(join(folder, 'Prio3Sum_4711.json'), original('Prio3Sum_2'));
    mkdirSync(join(folder, 'deep'));
    writeFileSync(join(folder, 'deep', 'Prio3Count_bad_luck.json'), original('Prio3Count_1'));
    expect(run(folder)).toMatchObject({ ok: true, last: '2 passed, 0 failed' });
  });

  test.each<[string, string, string, RegExp]>([
    ['no JSON', 'Prio3Sum_0', '{', /: not JSON$/],
    ['another shape', 'Prio3Sum_0', '{"operations":[]}', /: not a vector: operations: /],
    ['no object', 'Prio3Sum_0', 'null', /: not a vector: /],
    ['a missing parameter', 'Prio3Sum_0', original('Prio3Count_0'), /max_measurement is missing$/],
    ['another parameter', 'Prio3Histogram_0', original('Prio3Count_0'), /length is missing$/],
    ['the wrong type', 'Prio3Count_0', original('Prio3HigherDegree_0'), /a measurement is 0 or 1$/],
    [
      'one share',
      'Prio3Count_0',
      original('Prio3Count_0').replace('"shares": 2', '"shares": 1'),
      /the number of shares must be from 2 to 255$/,
    ],
    [
      'a measurement that is no list',
      'Prio3SumVec_0',
      original('Prio3SumVec_0').replace(/"measurement": \[[^\]]*\]/, '"measurement": 7'),
      /a measurement is no list$/,
    ],
    [
      'a measurement that is no integer',
      'Prio3Sum_0',
      original('Prio3Sum_0').replace('"measurement": 100', '"measurement": {}'),
      /a measurement is no integer$/,
    ],
    [
      'an aggregation parameter',
      'Prio3Count_0',
      original('Prio3Count_0').replace('"agg_param": ""', '"agg_param": "00"'),
      /no aggregation parameter$/,
    ],
    [
      'no hexadecimal',
      'Prio3Count_0',
      original('Prio3Count_0').replace('"ctx": "', '"ctx": "x'),
      /not lower-case hexadecimal$/,
    ],
    [
      'an entry that is not there',
      'Prio3Count_0',
      original('Prio3Count_0').replace('"report_index": 0', '"report_index": 3'),
      /an entry it does not have$/,
    ],
    [
      'a step before its time',
      'Prio3Count_0',
      original('Prio3Count_0').replace('"verify_init"', '"verify_next"'),
      /(an entry it does not have|without verify_init)$/,
    ],
    [
      'proofs that do not fit',
      'Prio3SumVecWithMultiproof_0',
      original('Prio3SumVecWithMultiproof_0').replaceAll('"length": 10', '"length": 9'),
      /no number of proofs/,
    ],
  ])('fails with a plain line on %s', (_, name, text, line) => {
    writeFileSync(join(folder, `${name}.json`), text);
    const { ok, lines } = run(folder);
    expect(ok).toBe(false);
    expect(lines[0]).toMatch(/^failed {3}/);
    expect(lines[0]).toMatch(line);
    expect(lines).toHaveLength(2);
    expect(lines[1]).toBe('0 passed, 1 failed');
  });

  test('fails if there is nothing to run, or no such folder', () => {
    writeFileSync(join(folder, 'Poplar1_0.json'), '{}');
    expect(run(folder)).toMatchObject({ ok: false, last: '0 passed, 0 failed' });
    expect(run()).toMatchObject({ ok: false, last: '0 passed, 0 failed' });
    expect(run(join(folder, 'none'))).toMatchObject({ ok: false, last: '0 passed, 1 failed' });
  });

  test('keeps integers that no number holds', () => {
    const text = readFileSync('test/vectors/vdaf-more/Prio3Sum_19.json', 'utf8');
    expect(parseVector(text).max_measurement).toBe('4611686018427400249');
    expect(parseVector(text).agg_result).toBe('4611686018427400258');
  });
});
