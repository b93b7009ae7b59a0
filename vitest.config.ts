import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
    // `npm run coverage`: of crypto/ by its own tests.
    coverage: {
      include: ['crypto/**/*.ts'],
      reporter: ['text'],
      thresholds: { branches: 97 },
    },
  },
});
