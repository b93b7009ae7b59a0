import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Functions and nothing around them: these files may share one process, which saves the imports. */
const PURE = ['test/crypto/**/*.test.ts', 'test/server/domain/**/*.test.ts'];

/** Those that take longest begin, so that both workers end together. */
const LONG = ['/test/views/', '/test/simulation/', '/test/e2e/', '/test/server/cli/'];

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONG.findIndex((folder) => moduleId.includes(folder));
      return at < 0 ? LONG.length : at;
    };
    // What the base sorts last are the files that share a process.
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    testTimeout: 20_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
    sequence: { sequencer: LongFirst },
    projects: [
      { extends: true, test: { name: 'pure', include: PURE, isolate: false } },
      {
        extends: true,
        test: {
          name: 'whole',
          include: ['test/**/*.test.ts'],
          exclude: PURE,
          globalSetup: ['test/support/global-setup.ts'],
        },
      },
    ],
    // `npm run coverage`: of crypto/ by its own tests.
    coverage: {
      include: ['crypto/**/*.ts'],
      reporter: ['text'],
      thresholds: { branches: 97 },
    },
  },
});
