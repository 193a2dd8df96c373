import { execFileSync, spawnSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TINY_DECODER } from './reliability/runs.js';

/*
 * "Add an op", "add a door" and "add a kind of window", done in a copy of the checkout by nothing but the lines that the
 * recipes print: a fence "```ts src/new.ts" is added to the end of that file, a fence "```diff src/old.ts" changes it.
 */

const RECIPES = ['src/engine/README.md', 'src/model/README.md', 'src/train/README.md'];
const copy = mkdtempSync(join(tmpdir(), 'byte-to-loss-recipes-'));

/** Every fence that names a file, moved to the left margin. */
function steps(recipe: string): { how: string; file: string; text: string }[] {
  const fences = readFileSync(recipe, 'utf8').matchAll(/^( *)```(\w+) (\S+)\n([\s\S]*?)^\1```$/gm);
  return [...fences].map(([, indent, how, file, text]) => ({
    how: how!,
    file: file!,
    text: text!.replace(new RegExp(`^${indent}`, 'gm'), ''),
  }));
}

/** Apply each hunk of a diff: replace the old lines of the file by the new ones. */
function changed(text: string, diff: string): string {
  return diff.split('@@\n').reduce((before, hunk) => {
    const lines = hunk.trimEnd().split('\n');
    const side = (mark: string) =>
      lines
        .filter((line) => line[0] === ' ' || line[0] === mark)
        .map((line) => `${line.slice(1)}\n`)
        .join('');
    expect(`\n${before}`).toContain(`\n${side('-')}`);
    return before.replace(side('-'), () => side('+'));
  }, text);
}

const run = (...words: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, words, { cwd: copy, encoding: 'utf8' });
  return { status, said: status === 0 ? '' : stdout + stderr };
};
/** The tests of the copy. */
let tested: ReturnType<typeof run>;
const done = { status: 0, said: '' };
const bin = (path: string) => join(copy, 'node_modules', path);

beforeAll(() => {
  // All that git would commit: what the recipes need may import from anywhere.
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' });
  for (const file of listed
    .trim()
    .split('\n')
    .filter((file) => existsSync(file))) {
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    copyFileSync(file, join(copy, file));
  }
  symlinkSync(resolve('node_modules'), join(copy, 'node_modules'));
  for (const { how, file, text } of RECIPES.flatMap(steps)) {
    const path = join(copy, file);
    if (how === 'diff') writeFileSync(path, changed(readFileSync(path, 'utf8'), text));
    else writeFileSync(path, text, { flag: 'a' });
  }
  // Vitest also builds what the last test runs.
  const ops = ['contract', 'inputs'].map((name) => `test/engine/ops/${name}.test.ts`);
  const files = [...ops, 'test/model/blocks.test.ts', 'test/index.test.ts'];
  const names = 'leakyRelu|dxor|every op of the registry|every attribute';
  tested = run(bin('vitest/vitest.mjs'), 'run', '--maxWorkers=1', ...files, '-t', names);
});
afterAll(() => rmSync(copy, { recursive: true }));

test('what the recipes print has the right types and the right form', () => {
  expect(RECIPES.map((recipe) => steps(recipe).length).every((count) => count > 1)).toBe(true);
  // Only the files that the recipes touch: the rest of the checkout has been checked without them.
  const files = new Set(RECIPES.flatMap(steps).map(({ file }) => file));
  const typed = [...files].filter((file) => file.endsWith('.ts'));
  writeFileSync(join(copy, 'touched.json'), JSON.stringify({ extends: './tsconfig.json', include: [], files: typed }));
  expect(run(bin('typescript7/bin/tsc'), '-p', 'touched.json')).toEqual(done);
  expect(run(bin('@biomejs/biome/bin/biome'), 'check', ...typed)).toEqual(done);
});

test('the op passes the contract of every op, and the door is held to its float64 twin', () => {
  expect(tested).toEqual(done);
  const { testResults } = JSON.parse(readFileSync(join(copy, '.cache/tests.json'), 'utf8')) as {
    testResults: { assertionResults: { title: string; status: string }[] }[];
  };
  const passed = testResults.flatMap(({ assertionResults }) => assertionResults.filter((x) => x.status === 'passed'));
  // Kernels are compared on the CPU device, and on Dawn if the bundled driver opens.
  const titles = new Set(passed.map(({ title }) => title.replace(/ on (cpu|Dawn)$/, '')));
  expect([...titles].sort()).toEqual([
    'dxor door: loss and all gradients',
    'every attribute of every op has more than one value',
    'has every op of the registry that is called by its name',
    'has samples',
    ...['backward', 'forward'].flatMap((pass) => [
      `leakyRelu.${pass} refuses another dtype in any place, by name`,
      `leakyRelu.${pass}: what an op declares is what its kernels read`,
    ]),
    'n, slope = 0.2: kernels agree with the float64 reference',
    'n, slope = 0.2: reference gradients agree with central differences',
    'n, slope = 0.2: views are read by their strides',
    'n: kernels agree with the float64 reference',
    'n: reference gradients agree with central differences',
    'n: views are read by their strides',
    'the dxor door has 0 of them at K 8, dim 512',
  ]);
});

test('train takes the door and the kind of window', () => {
  const settings = [...TINY_DECODER, '--steps', '2', '--validation-windows', '2', '--batch', '2', '--out', 'run'];
  const train = ['.cache/built/dist/cli.js', 'train', '--door', 'dxor', '--share', 'count=1', ...settings];
  expect(run(...train)).toEqual(done);
  expect(readFileSync(join(copy, 'run/metrics.jsonl'), 'utf8')).toContain('"count_bpb"');
});
