import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build as bundle, type Rolldown } from 'vite';
import { BUILT, BUILT_PACKAGE, ENTRIES } from './built.js';

const ROOT = join(import.meta.dirname, '../..');

/** Write the bundle of `BUILT`, types removed and not checked. Vitest and `npm run reliability` call it before anything else. */
export default async function build(): Promise<void> {
  const { output } = (await bundle({
    root: ROOT,
    configFile: false,
    publicDir: false,
    logLevel: 'warn',
    ssr: { noExternal: ['commander', 'zod'] }, // a hundred small files
    build: {
      ssr: true,
      write: false,
      target: 'node20',
      rolldownOptions: {
        input: Object.fromEntries(Object.entries(ENTRIES).map(([name, source]) => [name, join(ROOT, source)])),
        // Modules look for files at `../../`: their code has to be as deep as it is in src/.
        output: { entryFileNames: '[name].js', chunkFileNames: 'chunks/[name].js' },
      },
    },
  })) as Rolldown.RolldownOutput;
  for (const chunk of output) {
    if (chunk.type !== 'chunk') continue;
    const file = join(BUILT, chunk.fileName);
    // An unchanged file is left alone, since another process may be reading it.
    if (existsSync(file) && readFileSync(file, 'utf8') === chunk.code) continue;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, chunk.code);
  }
  // Modules find these two in the folder above their own, as in the published package.
  for (const name of ['shaders', 'package.json']) {
    if (!existsSync(join(BUILT_PACKAGE, name))) symlinkSync(join(ROOT, name), join(BUILT_PACKAGE, name));
  }
}
