import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';
import { HANGING } from './test/support/limits.js';
import { leftOut } from './test/support/platform.js';

const exclude = leftOut();
if (exclude.length > 0) console.log(`left out, since they need Linux x64: ${exclude.join(', ')}`);

const src = fileURLToPath(new URL('./src/', import.meta.url));

// Worker threads copy the environment, so a software Vulkan driver chosen in one is not seen by the loader: use processes.
export default defineConfig({
  // Examples import the package by its name; in tests that is the source.
  resolve: {
    alias: [
      { find: /^byte-to-loss$/, replacement: `${src}index.ts` },
      { find: /^byte-to-loss\/engine$/, replacement: `${src}engine.ts` },
      { find: /^byte-to-loss\/(\w+)$/, replacement: `${src}$1/index.ts` },
    ],
  },
  test: {
    pool: 'forks',
    // Files that one process runs share its modules, and with them the device and its compiled kernels: that saves a third of
    // the suite's time. A test that changes something global therefore puts it back.
    isolate: false,
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...exclude],
    globalSetup: ['test/support/build.ts'],
    setupFiles: ['test/support/setup.ts'],
    testTimeout: HANGING,
    hookTimeout: HANGING,
    // On two cores: while one waits for a browser or a child process, the two others have a core each.
    maxWorkers: 3,
    reporters: ['default', ['json', { outputFile: '.cache/tests.json' }]],
  },
});
