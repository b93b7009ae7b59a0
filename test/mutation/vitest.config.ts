import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Fast and strict ones first, as the first failure settles a mutant; the statistics of noise last. */
const FIRST = ['vectors', 'noise-reference', 'others', 'codec', 'messages'];
const LAST = ['flp', 'peer', 'prio3', 'all', 'hostile', 'alterations', 'noise'];

class BySpeed extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const name = (moduleId.split('/').at(-1) as string).replace('.test.ts', '');
      return FIRST.includes(name) ? FIRST.indexOf(name) - FIRST.length : LAST.indexOf(name) + 1;
    };
    return [...files].sort((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    include: ['test/crypto/**/*.test.ts'],
    // What reads sources, or takes long and finds no mutant that others miss.
    exclude: ['**/readme.test.ts', '**/surface.test.ts', '**/xof-memory.test.ts'],
    setupFiles: ['test/mutation/setup.ts'],
    testTimeout: 120_000,
    sequence: { sequencer: BySpeed },
  },
});
