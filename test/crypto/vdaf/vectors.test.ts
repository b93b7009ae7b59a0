import { beforeAll, describe, expect, test } from 'vitest';
import { sodiumReady } from '../../../crypto/sodium.ts';
import { runVdafVector, VectorMismatch, vdafVectors } from '../../support/vdaf-vectors.ts';

beforeAll(sodiumReady);

describe.each(['survey', 'vdaf-20'])('the published vectors of %s', (folder) => {
  const vectors = vdafVectors(`test/vectors/${folder}`);

  test.each(vectors)('$name: every operation as written', ({ name, vector }) => {
    expect(runVdafVector(name, vector)).toBeGreaterThan(0);
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
