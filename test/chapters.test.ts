import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';

/*
 * Chapters quote the code and the output they explain: a fence that names a file after its language,
 * "```wgsl ../../../shaders/adamW.wgsl", holds unchanged lines of that file, moved to the left margin.
 */

const DERIVATIONS = 'src/engine/ops/[a-z]*.md';
const LESSON = 'docs/lesson/[0-9]*.md';
const chapters = execFileSync('git', ['ls-files', DERIVATIONS, LESSON], { encoding: 'utf8' }).trim().split('\n');

const withoutIndent = (text: string) => text.replace(/^ +/gm, '').trim();

const quotesOf = (chapter: string) => [
  ...readFileSync(chapter, 'utf8').matchAll(/^```(?:ts|wgsl|text) (\S+)[^\n]*\n([\s\S]*?)^```$/gm),
];

// A chapter of the lesson may quote code of one kind, or none.
test.each(chapters.filter((chapter) => chapter.startsWith('src/')))('%s goes from loops to WGSL', (chapter) => {
  const files = quotesOf(chapter).map(([, file]) => file!);
  expect(files.some((file) => file.endsWith('.ts'))).toBe(true);
  expect(files.some((file) => file.endsWith('.wgsl'))).toBe(true);
});

describe.each(chapters.filter((chapter) => quotesOf(chapter).length > 0))('%s', (chapter) => {
  const quotes = quotesOf(chapter);

  test.each(quotes.map(([, file, text]) => [file!, text!] as const))('quotes %s unchanged', (file, text) => {
    const source = withoutIndent(readFileSync(join(dirname(chapter), file), 'utf8'));
    expect(source.split('\n').length).toBeGreaterThan(10);
    expect(source).toContain(withoutIndent(text));
  });
});
