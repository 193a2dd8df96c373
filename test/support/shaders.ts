import { readFileSync } from 'node:fs';

/** The text of shaders/<name>.wgsl as it stands. */
export function fileOf(name: string): string {
  return readFileSync(new URL(`../../shaders/${name}.wgsl`, import.meta.url), 'utf8');
}
