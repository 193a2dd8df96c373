import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, test } from 'vitest';

const files = execFileSync('git', ['ls-files'], { encoding: 'utf8' }).trim().split('\n');
const docs = files
  .filter((file) => file.endsWith('.md'))
  .map((file) => ({ file, text: readFileSync(file, 'utf8').replace(/```[\s\S]*?```/g, '') }));

test('every relative link in the docs leads somewhere', () => {
  const broken = docs.flatMap(({ file, text }) => {
    const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!);
    return links
      .filter((link) => !/^([a-z]+:|#)/.test(link))
      .filter((link) => !existsSync(join(dirname(file), link.replace(/#.*$/, ''))))
      .map((link) => `${file}: ${link}`);
  });
  expect(broken).toEqual([]);
});

test('every file of src is named in the README of its folder, or in one above it', () => {
  const readmes = new Map(docs.filter(({ file }) => file.endsWith('README.md')).map((doc) => [dirname(doc.file), doc]));
  const modules = files.filter((file) => /^src\/.+\/\w.*\.ts$/.test(file) && !file.endsWith('/index.ts'));
  expect(modules.length).toBeGreaterThan(100);
  const unnamed = modules.filter((file) => {
    const name = new RegExp(`[\`/(]${basename(file).replaceAll('.', '\\.')}[\`)]`);
    let folder = dirname(file);
    while (!name.test(readmes.get(folder)?.text ?? '') && folder !== '.') folder = dirname(folder);
    return !name.test(readmes.get(folder)?.text ?? '');
  });
  expect(unnamed).toEqual([]);
});

/** Named in the docs, and made by a command or by the reader. */
const MADE = [
  'dist/web/index.html',
  'dist/explorer.html',
  '.cache/api/index.html',
  'result.json',
  'report.html',
  'op.pass.wgsl',
  'windows/count.ts',
];

test('every file that the docs name is there', () => {
  const lost = docs.flatMap(({ file, text }) => {
    const named = [...text.matchAll(/`([\w./-]+\.(?:tsx?|wgsl|json|md|py|sh|html|svg))`/g)].map((match) => match[1]!);
    return named
      .filter((name) => !MADE.includes(name) && !name.includes('leakyRelu'))
      .filter((name) => !files.some((one) => `/${one}`.endsWith(`/${name.replace(/^(\.\.?\/)+/, '')}`)))
      .map((name) => `${file}: ${name}`);
  });
  expect(lost).toEqual([]);
});
