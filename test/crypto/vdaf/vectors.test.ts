import { beforeAll, describe, expect, test } from 'vitest';
import { sodiumReady } from '../../../crypto/sodium.ts';
import { runVdafVector, vdafVectors } from '../../support/vdaf-vectors.ts';

beforeAll(sodiumReady);

describe.each(['survey', 'vdaf-20'])('the published vectors of %s', (folder) => {
  const vectors = vdafVectors(`test/vectors/${folder}`);

  test.each(vectors)('$name: every operation as written', ({ name, vector }) => {
    expect(runVdafVector(name, vector)).toBeGreaterThan(0);
  });
});
