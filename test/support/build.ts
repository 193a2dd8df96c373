import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { transformWithOxc } from 'vite';
import { BUILT, BUILT_PACKAGE } from './built.js';

const ROOT = join(import.meta.dirname, '../..');

/** Write the modules of `BUILT`, types removed and not checked. Vitest and `npm run reliability` call it before anything else. */
export default async function build(): Promise<void> {
  const names = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' });
  for (const name of names.filter((name) => /(?<!\.d)\.ts$/.test(name))) {
    const source = join(ROOT, 'src', name);
    const { code } = await transformWithOxc(readFileSync(source, 'utf8'), source, { sourcemap: false });
    const file = join(BUILT, name.replace(/\.ts$/, '.js'));
    // An unchanged file is left alone, since another process may be reading it.
    if (existsSync(file) && readFileSync(file, 'utf8') === code) continue;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, code);
  }
  // Modules find these two in the folder above their own, as in the published package.
  for (const name of ['shaders', 'package.json']) {
    if (!existsSync(join(BUILT_PACKAGE, name))) symlinkSync(join(ROOT, name), join(BUILT_PACKAGE, name));
  }
}
