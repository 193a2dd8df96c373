import { defineConfig } from 'vitest/config';

// Worker threads copy the environment, so a software Vulkan driver chosen in one is not seen by the loader: use processes.
export default defineConfig({
  test: {
    pool: 'forks',
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/setup.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    reporters: ['default', ['json', { outputFile: '.cache/tests.json' }]],
  },
});
