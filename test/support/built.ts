import { join } from 'node:path';

/** The package as `build.ts` writes it. */
export const BUILT_PACKAGE = join(import.meta.dirname, '../../.cache/built');

/** src/ as few files of JavaScript, for processes of tests: they start six times as fast as through tsx. */
export const BUILT = join(BUILT_PACKAGE, 'dist');

/** The modules that such a process can load: their names there, and their sources. */
export const ENTRIES: Readonly<Record<string, string>> = {
  cli: 'src/cli.ts',
  index: 'src/index.ts',
  'device/adapters': 'src/device/adapters.ts',
  mishaps: 'test/reliability/mishaps.ts',
};
