import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

/** From the bottom up; folders side by side may know each other. */
const LAYERS = [
  ['wgsl'],
  ['device'],
  ['substrate', 'engine'],
  ['model'],
  ['train', 'report'],
  ['experiment'],
  ['bench'],
  ['doctor'],
  ['cli'],
];
const layerOf = (file: string) => LAYERS.findIndex((folders) => folders.includes(file.split('/')[1]!));

test('no layer imports from one above it', () => {
  const files = execFileSync('git', ['ls-files', 'src/*/**.ts'], { encoding: 'utf8' }).trim().split('\n');
  expect(files.length).toBeGreaterThan(100);
  const wrong = files.flatMap((file) => {
    expect(layerOf(file), file).toBeGreaterThanOrEqual(0);
    const imports = [...readFileSync(file, 'utf8').matchAll(/(?:from|import\() ?'(\.[^']+)'/g)].map(
      (match) => match[1]!,
    );
    return imports
      .filter((path) => layerOf(join(dirname(file), path)) > layerOf(file))
      .map((path) => `${file}: ${path}`);
  });
  expect(wrong).toEqual([]);
});
