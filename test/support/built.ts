import { join } from 'node:path';

/** The package as `build.ts` writes it. */
export const BUILT_PACKAGE = join(import.meta.dirname, '../../.cache/built');

/** The modules of src/ as JavaScript, for processes of tests: they start three times as fast as through tsx. */
export const BUILT = join(BUILT_PACKAGE, 'dist');
