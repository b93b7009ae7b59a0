import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Fast and strict ones first, as the first failure settles a mutant. */
const FIRST = ['vectors', 'noise-reference', 'others', 'codec', 'messages'];
const LAST = ['peer', 'flp', 'prio3', 'all'];
/**
 * Left out, although they might find what others miss: every mutant that survives would wait for
 * them. The score is the lower for it.
 */
const TOO_LONG = ['alterations', 'hostile', 'manifest-hostile', 'noise', 'xof-memory'];
/** They read the sources, which are not those that run. */
const OF_SOURCES = ['readme', 'surface'];

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
    exclude: [...TOO_LONG, ...OF_SOURCES].map((name) => `**/${name}.test.ts`),
    setupFiles: ['test/mutation/setup.ts'],
    testTimeout: 120_000,
    sequence: { sequencer: BySpeed },
  },
});
