import { join } from 'node:path';

/** The package as `build.ts` writes it. */
export const BUILT_PACKAGE = join(import.meta.dirname, '../../.cache/built');

/** src/ as few files of JavaScript, for processes of tests: they start six times as fast as through tsx. */
export const BUILT = join(BUILT_PACKAGE, 'dist');

/** The modules of src/ that such a process can load. */
export const ENTRIES = ['cli', 'index', 'device/adapters', 'device/cpuDevice'];
