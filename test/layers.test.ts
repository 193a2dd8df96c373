import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { circlesOf, type Import, importsIn, importsOf } from './support/imports.js';

/** Which folders of src/ a folder may import from. The files of src/ itself are what a program imports: they may have all. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  common: [],
  wgsl: [],
  substrate: ['common'],
  device: ['common', 'wgsl'],
  engine: ['common', 'substrate', 'device'],
  inspect: ['common', 'wgsl', 'device', 'engine'],
  model: ['common', 'substrate', 'device', 'engine'],
  train: ['common', 'substrate', 'device', 'engine', 'inspect', 'model'],
  report: ['common', 'train'],
  experiment: ['common', 'substrate', 'device', 'engine', 'model', 'train', 'report'],
  bench: ['common', 'device', 'engine', 'inspect', 'model', 'train'],
  doctor: ['common', 'device', 'engine', 'inspect', 'model', 'train', 'report', 'bench'],
  cli: [
    'common',
    'substrate',
    'device',
    'engine',
    'inspect',
    'model',
    'train',
    'report',
    'experiment',
    'bench',
    'doctor',
  ],
};

/** Functions that call each other because the language that they read nests. */
const NESTED = [
  ['calls', 'constructors', 'expressions', 'operands', 'typeNames'],
  ['compile', 'regions'],
].map((names) => names.map((name) => `src/wgsl/${name}.ts`));

const files = execFileSync('git', ['ls-files', 'src/*.ts'], { encoding: 'utf8' }).trim().split('\n');
const imports = importsOf(files);
const folderOf = (file: string) => (file.split('/').length > 2 ? file.split('/')[1]! : '');

test('each folder imports from those that its row lists, and no row lists more than that', () => {
  const used = new Map(Object.keys(MAY_IMPORT).map((folder) => [folder, new Set<string>()]));
  const wrong = [...imports].flatMap(([file, found]) => {
    const folder = folderOf(file);
    if (folder === '') return [];
    return found.flatMap(({ to }) => {
      if (folderOf(to) === folder) return [];
      used.get(folder)?.add(folderOf(to));
      return MAY_IMPORT[folder]?.includes(folderOf(to)) ? [] : [`${file} imports ${to}`];
    });
  });
  expect(files.length).toBeGreaterThan(200);
  expect(wrong).toEqual([]);
  for (const [folder, may] of Object.entries(MAY_IMPORT))
    expect([...used.get(folder)!].sort()).toEqual([...may].sort());
});

test('the table looks one way: each row lists folders of rows above it', () => {
  const rows = Object.keys(MAY_IMPORT);
  for (const [i, folder] of rows.entries()) {
    expect(MAY_IMPORT[folder]!.filter((other) => !rows.slice(0, i).includes(other))).toEqual([]);
  }
});

test('no files import each other in a circle, types aside', () => {
  const values = new Map([...imports].map(([file, found]) => [file, found.filter(({ types }) => !types)]));
  expect(circlesOf(values).sort()).toEqual(NESTED);
});

test('a planted circle is found, of three files and through import()', () => {
  const value = (to: string): Import => ({ to, types: false });
  const planted = new Map([
    ['a', [value('b')]],
    ['b', [value('c'), value('d')]],
    ['c', [value('a')]],
    ['d', []],
  ]);
  expect(circlesOf(planted)).toEqual([['a', 'b', 'c']]);
  const text = `import { type A, b } from './b.js'; import type { C } from './c.js'; import { type D } from './d.js';
    export * from '../e.js'; export type { F } from './f.js'; const g = await import('./g.js'); import 'vitest';`;
  expect(importsIn('src/x/a.ts', text).map(({ to, types }) => [to, types])).toEqual([
    ['src/x/b.ts', false],
    ['src/x/c.ts', true],
    ['src/x/d.ts', true],
    ['src/e.ts', false],
    ['src/x/f.ts', true],
    ['src/x/g.ts', false],
  ]);
});
