import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** These files may share one process, which saves the imports. */
const TOGETHER = ['test/crypto/**/*.test.ts', 'test/server/**/*.test.ts'];

/** They replace a module or its environment, so they are alone in theirs. */
const ALONE = [
  'test/server/cli/main.test.ts',
  'test/server/employer/routes/token{s,-keys}.test.ts',
  'test/server/guardian/routes/reports.test.ts',
  'test/server/http/routes.test.ts',
  'test/server/jobs/clockwork.test.ts',
];

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
    globalSetup: ['test/support/global-setup.ts'],
    maxWorkers: 2,
    sequence: { sequencer: LongFirst },
    projects: [
      {
        extends: true,
        test: { name: 'together', include: TOGETHER, exclude: ALONE, isolate: false },
      },
      {
        extends: true,
        test: {
          name: 'alone',
          include: ['test/{e2e,simulation,views}/**/*.test.ts', 'test/*.test.ts', ...ALONE],
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
