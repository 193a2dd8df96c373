import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { checkFile, checkShaders, checkWgsl } from './support/checkShaders.js';
import { fileOf, shaderNames } from './support/shaders.js';

it('every shader compiles', async () => {
  const { checked, errors } = await checkShaders(new URL('../shaders/', import.meta.url));
  expect(errors).toEqual([]);
  expect(checked).toBeGreaterThan(20);
});

it('every header names a twin that its file declares', () => {
  const missing = shaderNames.flatMap((name) => {
    const words = fileOf(name).replace(/\n\/\/ ?/g, ' ');
    const twin = /Twin: (?:the \w+ part of )?(\w+)(?:'s reference)? in (src\/[\w/]+\.ts)/.exec(words);
    if (twin === null) return [`${name} names none`];
    const [, declared, file] = twin;
    const text = existsSync(file!) ? readFileSync(file!, 'utf8') : '';
    return new RegExp(`\\b(function|const) ${declared}\\b`).test(text) ? [] : [`${name}: ${declared} in ${file}`];
  });
  expect(missing).toEqual([]);
});

it('reports a broken shader with its line', async () => {
  const code = 'fn half(x: f32) -> f32 {\n  return x * nothing;\n}\n';
  expect(await checkWgsl('half.wgsl', code)).toEqual([
    "half.wgsl:2:14 unresolved value 'nothing'\n      return x * nothing;\n                 ^",
  ]);
});

it('keeps the line of an error below constants that the kernel gives', async () => {
  const code = '@compute @workgroup_size(TILE)\nfn main() {\n  let x: f32 = ROWS;\n}\n';
  const [error, ...more] = await checkFile('tile.wgsl', code);
  expect(error).toMatch(/^tile\.wgsl:3:7 .*'f32'.*'u32'\n {6}let x: f32 = ROWS;\n {10}\^$/);
  expect(more).toEqual([]);
});

it('finds the broken file in a folder', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'shaders-'));
  await writeFile(join(folder, 'good.wgsl'), '@compute @workgroup_size(1) fn main() {}\n');
  await writeFile(join(folder, 'bad.wgsl'), '@compute @workgroup_size(1) fn main() {\n  return\n');
  const { errors } = await checkShaders(pathToFileURL(`${folder}/`));
  expect(errors.map((error) => error.split(' ')[0])).toEqual(['bad.wgsl:2:9']);
  await rm(folder, { recursive: true });
});
