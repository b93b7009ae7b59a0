import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/crypto/**/*.test.ts'],
    setupFiles: ['test/mutation/setup.ts'],
    testTimeout: 60_000,
  },
});
