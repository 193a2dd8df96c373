import { readdirSync, readFileSync } from 'node:fs';

/** The unchanged text of shaders/<name>.wgsl. */
export function fileOf(name: string): string {
  return readFileSync(new URL(`../../shaders/${name}.wgsl`, import.meta.url), 'utf8');
}

/** Every kernel, as a dispatch calls it: `gelu.forward`, `gpu/matmul.tiled`. */
export const shaderNames = readdirSync(new URL('../../shaders/', import.meta.url), {
  recursive: true,
  encoding: 'utf8',
})
  .filter((file) => file.endsWith('.wgsl'))
  .map((file) => file.slice(0, -'.wgsl'.length).replaceAll('\\', '/'))
  .sort();
